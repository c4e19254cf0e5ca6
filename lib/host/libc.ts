/**
 * Functions of the system's C library, for what the runtime does not offer.
 *
 * @module
 */

/** Names of it, by where Deno runs. */
const NAMES = ["libc.so.6", "libc.so"];

/** Finds functions in it. Throws what the last name failed with, where none has them. */
export function bindLibc<const S extends Deno.ForeignLibraryInterface>(
  functions: S,
): Deno.DynamicLibrary<S>["symbols"] {
  let failure: unknown;
  for (const name of NAMES) {
    try {
      return Deno.dlopen(name, functions).symbols;
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

/** Bytes read at once, and in all: a table of thousands of routes. */
const PIECE_BYTES = 64 * 1024;
const PIECES_MAX = 16;

function bindFiles() {
  return bindLibc({
    open: { parameters: ["buffer", "i32"], result: "i32" },
    read: { parameters: ["i32", "buffer", "usize"], result: "isize" },
    close: { parameters: ["i32"], result: "i32" },
  });
}

/** Bound once: whoever looks for addresses asks again and again, later without the right to bind. */
let files: ReturnType<typeof bindFiles> | undefined;

/** Has `readProc` work on after the right to bind is given up. Does nothing without it, or without such a C library. */
export function keepProc(): void {
  // Asked for, so that nobody is prompted.
  if (Deno.permissions.querySync({ name: "ffi" }).state !== "granted") return;
  try {
    files ??= bindFiles();
  } catch {
    // As on other systems, which have no /proc either.
  }
}

/**
 * A file of Linux' /proc as text. The runtime reads these itself only to a program that may do everything, which a
 * binary may not; from then on the C library is asked.
 *
 * @throws if it cannot be read.
 */
export function readProc(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotCapable)) throw error;
  }
  const { open, read, close } = files ??= bindFiles();
  const file = open(new TextEncoder().encode(`${path}\0`), 0);
  if (file < 0) throw new Error(`cannot open ${path}`);
  const decoder = new TextDecoder();
  const piece = new Uint8Array(PIECE_BYTES);
  let text = "";
  let length = 0;
  for (let i = 0; i < PIECES_MAX; i++) {
    length = Number(read(file, piece, BigInt(piece.length)));
    if (length <= 0) break;
    text += decoder.decode(piece.subarray(0, length), { stream: true });
  }
  close(file);
  if (length < 0) throw new Error(`cannot read ${path}`);
  return text;
}
