/**
 * Keeps the runtime's debugger closed.
 *
 * From Deno 2.9 on, SIGUSR1 opens it on a port of the loopback, where every user of this host could read this process's
 * keys and run code as it. No flag forbids that.
 *
 * @module
 */

/** When it is closed after the signal, in ms: at once, and on a busy machine. */
const CLOSED_MS = [0, 100, 1_000];

/** From now on SIGUSR1 opens no debugger that stays; nor does it end this process, as the system would have it. */
export function keepDebuggerClosed(): void {
  // Windows has no such signal.
  if (Deno.build.os !== "windows") Deno.addSignalListener("SIGUSR1", () => void closeDebugger());
}

/** It opens in another thread, in a moment that nothing tells, and to close what is closed does nothing. */
async function closeDebugger(): Promise<void> {
  const { close } = await import("node:inspector");
  for (const delayMs of CLOSED_MS) setTimeout(close, delayMs);
}
