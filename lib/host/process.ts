/**
 * The process around a node: the signals that ask it to stop, the errors that nobody caught, and its stderr.
 *
 * @module
 */

/**
 * Letters of lines that wait while nobody takes them: a line a member, at once, of the largest clusters that there
 * are to be.
 */
const WAITING_LENGTH_MAX = 4 * 1024 * 1024;

/** The last lines get this long to be taken when the process ends. */
const FLUSH_MS = 200;

export interface LineWriterOptions {
  /** Writes some of the bytes, as `Deno.stderr.write` does. */
  readonly write: (bytes: Uint8Array) => Promise<number>;
  /** Told how many lines were lost, once others are taken again. */
  readonly onLost: (lines: number) => void;
  readonly lengthMax?: number;
}

/**
 * Writes lines, and holds nobody up. A terminal on hold (Ctrl-S) or a stalled reader of a pipe would stop the whole
 * process at
 * `console.error`, and the node be dead to others; a full disk or a closed terminal makes that throw. Here lines wait,
 * bounded, and are lost where they cannot be written.
 */
export class LineWriter {
  readonly #options: LineWriterOptions;
  #waiting: string[] = [];
  #length = 0;
  #lost = 0;
  #writing: Promise<void> | undefined;

  constructor(options: LineWriterOptions) {
    this.#options = options;
  }

  write(line: string): void {
    const { lengthMax = WAITING_LENGTH_MAX } = this.#options;
    if (this.#length + line.length > lengthMax) {
      this.#lost++;
      return;
    }
    this.#waiting.push(line);
    this.#length += line.length;
    this.#writing ??= this.#writeAll();
  }

  /** Resolves when all lines are written, or after a bounded wait. */
  async flush(): Promise<void> {
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, FLUSH_MS);
    await Promise.race([this.#writing, late]);
    clearTimeout(timer);
  }

  async #writeAll(): Promise<void> {
    const { write, onLost } = this.#options;
    const encoder = new TextEncoder();
    // Lines that are written in one go arrive together.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const lines = this.#waiting;
      this.#waiting = [];
      this.#length = 0;
      const bytes = encoder.encode(lines.join("\n") + "\n");
      try {
        for (let done = 0; done < bytes.length;) done += await write(bytes.subarray(done));
        const lost = this.#lost;
        this.#lost = 0;
        if (lost > 0) onLost(lost);
      } catch {
        this.#lost += lines.length;
      }
    }
    this.#writing = undefined;
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
 * SIGHUP says two things: the terminal that the program was started in is closed, which calls `stop`; or, sent by a
 * person, read
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
