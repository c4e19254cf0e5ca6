/**
 * Hostile text made safe to repeat, in log lines and in messages; errors and lists as text. (pure)
 *
 * @module
 */

/** Characters of a wrong value that a message repeats. */
const QUOTED_LENGTH_MAX = 80;

/** Escapes all but printable ASCII as `\uNNNN`, which JSON reads back: no text can forge a line or move a cursor. */
export function escapeText(text: string): string {
  return text.replace(
    /[^\x20-\x7e]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Quotes a hostile text for a message: shortened, with all but printable ASCII escaped. */
export function quote(text: string): string {
  const shown = text.length > QUOTED_LENGTH_MAX ? `${text.slice(0, QUOTED_LENGTH_MAX)}...` : text;
  return `'${escapeText(shown)}'`;
}

/** How Deno refuses files of some folders to whoever may not do everything, as a binary may not. */
const ALL_WANTED = /^Requires all access to /;

/** The message of whatever was thrown. */
export function errorText(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  // Its advice is how to compile, or to run, another program.
  return ALL_WANTED.test(text)
    ? "Deno opens none below /dev, /proc or /sys: keep it elsewhere"
    : text;
}

/**
 * Whether a line that is not blank is complete. In one pass: of a long line an expression would begin anew at each
 * character, and the text is a stranger's.
 */
export function hasLine(text: string): boolean {
  const start = text.search(/\S/);
  return start >= 0 && text.indexOf("\n", start) >= 0;
}

/** IDs in order, as people list them: "n1, n2 and n3". */
export function inWords(ids: readonly string[]): string {
  const sorted = ids.toSorted();
  const last = sorted.pop() ?? "";
  return sorted.length === 0 ? last : `${sorted.join(", ")} and ${last}`;
}
