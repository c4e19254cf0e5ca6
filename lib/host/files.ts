/**
 * Reads small files that a path from the command line names, whatever is there: a FIFO would block for good, and
 * /dev/zero has no end.
 *
 * @module
 */

/** The path does not name a regular file of bounded length; the message completes "Cannot use ...: it ...". */
export class FileError extends Error {
  override readonly name = "FileError";
}

/** Reads a regular file of at most `bytesMax` bytes, blocking the process: for the start only. */
export function readTextSync(path: string, bytesMax: number): string {
  check(Deno.statSync(path), bytesMax);
  return Deno.readTextFileSync(path);
}

/** Reads a regular file of at most `bytesMax` bytes. */
export async function readText(path: string, bytesMax: number): Promise<string> {
  check(await Deno.stat(path), bytesMax);
  return await Deno.readTextFile(path);
}

/** When a file was last written, in ms since the epoch; 0 where that is not known. */
export function writtenMs(path: string): number {
  try {
    return Deno.statSync(path).mtime?.getTime() ?? 0;
  } catch {
    return 0;
  }
}

function check({ isFile, isDirectory, size }: Deno.FileInfo, bytesMax: number): void {
  if (isDirectory) throw new FileError("is a folder");
  if (!isFile) throw new FileError("is not a regular file");
  if (size > bytesMax) throw new FileError(`is longer than ${bytesMax} bytes`);
}
