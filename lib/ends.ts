/**
 * How a member's end reads in its row: one word or a few in `left`, of characters that every version of this program
 * takes. (pure)
 *
 * A planned stop is told by its cause (`SIGTERM`, `exited with 0`). The end of the program that a node runs, by status
 * and signal (`dead 137 SIGKILL web`): its member is dead at once, with nobody's silence to wait for. A node that does
 * not know this form shows that the member left, with the same words.
 *
 * @module
 */
import { REASON_LENGTH_MAX } from "./limits.ts";

/** The end of a program that nobody planned. */
export interface Death {
  /** Of the program. */
  readonly name: string;
  /** Its exit status; 128 plus the signal's number. */
  readonly code: number;
  /** The signal that ended it. */
  readonly signal: string | null;
}

const DEATH = /^dead ([0-9]{1,3})(?: (SIG[A-Z0-9]+))? ([A-Za-z0-9._-]+)$/;

/** Characters that a reason may not have. */
const UNTOLD = /[^A-Za-z0-9 ._-]+/g;

/** The text of `left` for a planned stop. */
export function plannedWord(reason: string): string {
  return reason.replace(UNTOLD, "").slice(0, REASON_LENGTH_MAX);
}

/** The text of `left` for a program's end; a long name is cut. */
export function deathWord({ name, code, signal }: Death): string {
  const known = name.replace(UNTOLD, "").replaceAll(" ", "") || "program";
  return `dead ${code}${signal === null ? "" : ` ${signal}`} ${known}`.slice(0, REASON_LENGTH_MAX);
}

/** What the text of `left` means: a status, and the reason for it. */
export function endOf(left: string): { readonly status: "left" | "dead"; readonly reason: string } {
  const [, code, signal, name] = DEATH.exec(left) ?? [];
  if (code === undefined) return { status: "left", reason: `left: ${left}` };
  const by = signal === undefined ? "" : ` (${signal})`;
  return { status: "dead", reason: `${name} exited with ${code}${by}` };
}
