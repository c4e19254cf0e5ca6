/**
 * The process around a node: the signals that ask it to stop, the errors that nobody caught, and its stderr.
 *
 * @module
 */

/** Writes a line of the log on stderr. Where it cannot be written (a full disk, a closed terminal) the node runs on without. */
export function writeLine(line: string): void {
  try {
    console.error(line);
  } catch {
    // There is nowhere to say so.
  }
}

/** What asks a process to stop, with the numbers that shells know; 128 more is the status of one so ended. */
const STOP_SIGNALS = { SIGINT: 2, SIGTERM: 15 } as const;

/** Calls `stop` at the first signal; the second ends the process at once. */
export function onStopSignal(stop: (signal: string) => void): void {
  let signalled = false;
  for (const [signal, number] of Object.entries(STOP_SIGNALS)) {
    const listener = () => {
      if (signalled) Deno.exit(128 + number);
      signalled = true;
      stop(signal);
    };
    try {
      Deno.addSignalListener(signal as keyof typeof STOP_SIGNALS, listener);
    } catch (error) {
      // Windows has no SIGTERM to listen for.
      if (!(error instanceof TypeError)) throw error;
    }
  }
}

/**
 * SIGHUP says two things: the terminal that the program was started in is closed, which calls `stop`; or, sent by a person, read
 * your files again, which calls `reload`.
 */
export function onHangUp({ stop, reload }: { stop: () => void; reload: () => void }): void {
  // Windows has no such signal, and says so when asked for it.
  if (Deno.build.os === "windows") return;
  const attended = Deno.stdin.isTerminal();
  // What was a terminal is none once it is closed.
  Deno.addSignalListener("SIGHUP", () => attended && !Deno.stdin.isTerminal() ? stop() : reload());
}

/**
 * Keeps the process running where an error was caught by nobody: only a mistake in this program can cause one, and the
 * rest of the node still serves. `report` gets each.
 */
export function surviveErrors(report: (error: unknown) => void): void {
  globalThis.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    report(event.reason);
  });
  globalThis.addEventListener("error", (event) => {
    event.preventDefault();
    report(event.error ?? event.message);
  });
}
