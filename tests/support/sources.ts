/**
 * The program's own sources, for tests that look at them.
 *
 * @module
 */

const ROOT = new URL("../../", import.meta.url);

/** Every TypeScript file of lib/, but for lib/std/, and main.ts. */
export async function sourcePaths(): Promise<URL[]> {
  const paths = [new URL("main.ts", ROOT)];
  const folders = [new URL("lib/", ROOT)];
  for (let folder; (folder = folders.pop()) !== undefined;) {
    for await (const { name, isDirectory } of Deno.readDir(folder)) {
      if (isDirectory && name !== "std") folders.push(new URL(`${name}/`, folder));
      else if (/\.tsx?$/.test(name)) paths.push(new URL(name, folder));
    }
  }
  return paths.sort((a, b) => a.href < b.href ? -1 : 1);
}

/** A source's path from the top folder. */
export function nameOf(path: URL): string {
  return path.href.slice(ROOT.href.length);
}
