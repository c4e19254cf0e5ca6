/**
 * Writes `lib/http/assets.json`, which holds the files of `static/`: `deno task assets`.
 *
 * The program imports them. It cannot read them: beside a module that was loaded from a URL there are no files, and a
 * binary has none. (Deno 2.7 can import text only with a flag, JSON always.)
 *
 * @module
 */

/** Hex digits of the hash: 48 bits tell versions apart, and need do no more. */
const HASH_LENGTH = 12;

const FOLDER = new URL("../static/", import.meta.url);
const FILE = new URL("../lib/http/assets.json", import.meta.url);

/** The text of `lib/http/assets.json` for the files as they are now. */
export async function bundleAssets(): Promise<string> {
  const names = (await Array.fromAsync(Deno.readDir(FOLDER))).map(({ name }) => name).sort();
  const files: Record<string, string> = {};
  for (const name of names) files[name] = await Deno.readTextFile(new URL(name, FOLDER));
  const content = new TextEncoder().encode(JSON.stringify(files));
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", content));
  const hash = digest.toHex().slice(0, HASH_LENGTH);
  return `${JSON.stringify({ hash, files }, null, 2)}\n`;
}

if (import.meta.main) await Deno.writeTextFile(FILE, await bundleAssets());
