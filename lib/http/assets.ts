/**
 * The files of `static/`, under addresses that change with their content, so that a browser may keep them for good.
 *
 * They are imported with the program (see `.build/assets.ts`), as not every way to run it has files beside it. One hash
 * covers all files and comes before their names, so that `import "./rows.js"` in a script finds the file of its own
 * version.
 *
 * @module
 */

const TYPES: Readonly<Record<string, string>> = {
  css: "text/css; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  svg: "image/svg+xml",
};

export interface Assets {
  /** Of all files together. */
  readonly hash: string;
  /** The text of each file by its name, as in `static/`. */
  readonly files: Readonly<Record<string, string>>;
}

/** Loads the files; only a node that is asked for one has them in memory. */
export async function loadAssets(): Promise<Assets> {
  const { default: assets } = await import("./assets.json", { with: { type: "json" } });
  return assets;
}

/** The media type of a file for browsers; undefined for any other file. */
export function assetType(name: string): string | undefined {
  const extension = name.slice(name.lastIndexOf(".") + 1);
  return Object.hasOwn(TYPES, extension) ? TYPES[extension] : undefined;
}
