/**
 * Gives memory back to the system that was needed once, as by an attack. The runtime shrinks its own heap, but what is
 * freed beside that (buffers of connections and of their streams) the C library keeps: after 20 s of held HTTP/2
 * streams a node of 90 MB stayed at 220 for good, and 80 once it was asked.
 *
 * Rejected: its environment variables. They are read at the start of a process, and did not help. Rejected: asking only
 * where the process has grown or shrunk. What the C library keeps looks like use, so the end of a peak cannot be seen.
 *
 * @module
 */
import { bindLibc } from "./libc.ts";

/** How often the C library is asked, in ms: memory is back within a minute. It takes 0.3 ms, after a peak 12. */
const ASK_EVERY_MS = 10_000;

/** Finds the C library's function for it; undefined where it has none, as it is not GNU's, or it may not be called. */
export function bindTrim(): (() => void) | undefined {
  // Asked for, so that nobody is prompted.
  const { state } = Deno.permissions.querySync({ name: "ffi" });
  if (Deno.build.os !== "linux" || state !== "granted") return undefined;
  const types = { parameters: ["usize"], result: "i32" } as const;
  try {
    const { malloc_trim } = bindLibc({ malloc_trim: types });
    return () => void malloc_trim(0n);
  } catch {
    return undefined;
  }
}

/** Gives this process's spare memory back from now on; the function returned ends it. */
export function giveMemoryBack(trim: () => void, everyMs = ASK_EVERY_MS): () => void {
  const timer = setInterval(trim, everyMs);
  return () => clearInterval(timer);
}
