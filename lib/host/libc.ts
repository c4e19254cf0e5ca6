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
