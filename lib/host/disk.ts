/**
 * Replaces a file so that a crash leaves the old one or the new one, and says why where that fails.
 *
 * @module
 */
import { dirname as posixDirname } from "../std/path/posix_dirname.ts";
import { dirname as windowsDirname } from "../std/path/windows_dirname.ts";
import { errorText } from "../text.ts";

/**
 * The folder of a path.
 *
 * Not the `dirname` for all systems: it reads `process` to tell the system, and Deno then loads 1.5 MB of Node's code.
 */
export const dirname = Deno.build.os === "windows" ? windowsDirname : posixDirname;

/** Links that are followed: as many as Linux does. */
const LINKS_MAX = 40;

/** Error codes of a file that cannot be replaced: it is a mount of its own, or its folder is not writable. */
const NOT_REPLACED: readonly string[] = ["EBUSY", "EXDEV", "EACCES", "EPERM", "EROFS"];

/** The part of an open file that is used. */
export type DiskFile = Pick<Deno.FsFile, "write" | "sync" | "close">;

/** The part of the file system that is used; tests replace it by one that fails. */
export interface Disk {
  open(path: string, options: Deno.OpenOptions): Promise<DiskFile>;
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
}

/**
 * Replaces the file at `path`, all or nothing. The new file is synced before it gets the name, or a power cut could
 * leave the name on an empty file; the folder is synced afterwards, or the old file could come back.
 */
export async function writeAtomically(disk: Disk, path: string, text: string): Promise<void> {
  const part = `${path}.part`;
  // A killed process may have left one. A new file has the right mode, and no link in its place is followed.
  await disk.remove(part).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
  const file = await disk.open(part, { write: true, createNew: true, mode: 0o600 });
  try {
    const bytes = new TextEncoder().encode(text);
    for (let done = 0; done < bytes.length;) done += await file.write(bytes.subarray(done));
    await file.sync();
  } finally {
    file.close();
  }
  await disk.rename(part, path);
  await syncFolder(disk, path);
}

/** Makes sure that the name of a new file at `path` outlasts a power cut. */
export async function syncFolder(disk: Disk, path: string): Promise<void> {
  // Windows cannot open a folder, and journals names by itself.
  if (Deno.build.os === "windows") return;
  const folder = await disk.open(dirname(path), { read: true });
  try {
    await folder.sync();
  } finally {
    folder.close();
  }
}

/** The path that the links at `path` lead to in the end, whether a file is there yet or not. */
export function followLinks(path: string): string {
  for (let links = 0; links < LINKS_MAX; links++) {
    let target: string;
    try {
      target = Deno.readLinkSync(path);
    } catch {
      return path;
    }
    path = isAbsolute(target) ? target : `${dirname(path)}/${target}`;
  }
  return path;
}

function isAbsolute(path: string): boolean {
  return /^(?:[/\\]|[A-Za-z]:)/.test(path);
}

/** What to do where a file cannot be replaced: often it alone is mounted into a container. */
export function hint(error: unknown): string {
  const { code } = error as { readonly code?: string };
  if (!NOT_REPLACED.includes(code ?? "")) return "";
  return ". Each write puts a new file into its folder: make the folder writable; " +
    "in a container mount the folder, not the file";
}

/** Why the system refused something, in one line. */
export function diskErrorText(error: unknown): string {
  // Deno adds the operation and the path to some messages; ours names the path already.
  return errorText(error).replace(/: \w+ '[\s\S]*$/, "").replaceAll("\n", " ");
}
