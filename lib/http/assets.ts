/**
 * The files of `static/`, from memory, under addresses that change with their content: a browser may keep them for
 * ever.
 *
 * One hash covers all files and stands before their names, so that a script's `import "./rows.js"` finds the file of
 * its
 * own version.
 *
 * @module
 */

/** Found from this module, not from the current directory: a compiled program has the files inside. */
const FOLDER = new URL("../../static/", import.meta.url);

/** Hex digits of the hash: 48 bits tell versions apart, which is all it is for. */
const HASH_LENGTH = 12;

const TYPES: Readonly<Record<string, string>> = {
  css: "text/css; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  svg: "image/svg+xml",
};

export interface Asset {
  readonly type: string;
  readonly body: Uint8Array<ArrayBuffer>;
}

export interface Assets {
  /** Of all files together. */
  readonly hash: string;
  /** By name, as in `static/`. */
  readonly files: ReadonlyMap<string, Asset>;
  /** The path that serves a file. */
  path(name: string): string;
}

/** Reads the files of `folder`. */
export async function loadAssets(folder = FOLDER): Promise<Assets> {
  const names: string[] = [];
  for await (const { name, isFile } of Deno.readDir(folder)) {
    if (isFile && Object.hasOwn(TYPES, extension(name))) names.push(name);
  }
  const files = new Map<string, Asset>();
  const parts: BlobPart[] = [];
  for (const name of names.sort()) {
    const body = await Deno.readFile(new URL(name, folder));
    files.set(name, { type: TYPES[extension(name)]!, body });
    parts.push(`${name} ${body.length} `, body);
  }
  const content = await new Blob(parts).arrayBuffer();
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", content));
  const hex = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  const hash = hex.slice(0, HASH_LENGTH);
  return { hash, files, path: (name) => `/static/${hash}/${name}` };
}

function extension(name: string): string {
  return name.slice(name.lastIndexOf(".") + 1);
}
