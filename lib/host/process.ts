/**
 * The process around a node: signals, uncaught errors, and stderr.
 *
 * @module
 */
import { withDeadline } from "../net/deadline.ts";
import { readProc } from "./libc.ts";

/** Characters of log lines buffered while stderr blocks: one line per member of the largest cluster. */
const WAITING_LENGTH_MAX = 4 * 1024 * 1024;

/** Longest wait for the last lines to be written when the process ends. */
const FLUSH_MS = 200;

export interface LineWriterOptions {
  /** Writes some of the bytes, as `Deno.stderr.write` does. */
  readonly write: (bytes: Uint8Array) => Promise<number>;
  /** Called with the number of lost lines, once lines can be written again. */
  readonly onLost: (lines: number) => void;
  readonly lengthMax?: number;
}

/**
 * Writes lines without blocking the process. With `console.error` a paused terminal (Ctrl-S) or a stalled reader of a
 * pipe would stop the whole process, and others would show the node dead; a full disk or a closed terminal would make
 * it throw. Here lines are buffered, bounded, and lost where they cannot be written.
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
    if (this.#writing !== undefined) await withDeadline(this.#writing, FLUSH_MS, () => {});
  }

  async #writeAll(): Promise<void> {
    const { write, onLost } = this.#options;
    const encoder = new TextEncoder();
    // Lines logged in one turn are written together.
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

/** Signals that ask a process to stop, with their numbers; 128 plus that is the exit status of a process they end. */
const STOP_SIGNALS = { SIGINT: 2, SIGTERM: 15 } as const;

/** Exit statuses that shells give for a program that is not there, and for one that cannot be run. */
const UNSTARTED = { "not found": 127, "not runnable": 126 } as const;

/** The program that a node is to run could not be started. */
export class ProgramError extends Error {
  override readonly name = "ProgramError";
  /** What this process then exits with. */
  readonly status: number;

  constructor(why: keyof typeof UNSTARTED, message: string) {
    super(message);
    this.status = UNSTARTED[why];
  }
}

/** Calls `stop` at the first signal; the second ends the process at once. Returns what undoes it. */
export function onStopSignal(stop: (signal: string) => void): () => void {
  let signalled = false;
  const undo: (() => void)[] = [];
  for (const [signal, number] of Object.entries(STOP_SIGNALS)) {
    const listener = () => {
      if (signalled) Deno.exit(128 + number);
      signalled = true;
      stop(signal);
    };
    try {
      Deno.addSignalListener(signal as keyof typeof STOP_SIGNALS, listener);
      undo.push(() => Deno.removeSignalListener(signal as keyof typeof STOP_SIGNALS, listener));
    } catch (error) {
      // Windows has no SIGTERM to listen for.
      if (!(error instanceof TypeError)) throw error;
    }
  }
  return () => undo.forEach((remove) => remove());
}

/**
 * Handles the two meanings of SIGHUP: where the terminal that the program was started in closed, it calls `stop`;
 * otherwise a person sent it to have the files read again, and it calls `reload`.
 */
export function onHangUp({ stop, reload }: { stop: () => void; reload: () => void }): void {
  // Windows has no SIGHUP, and `addSignalListener` would throw.
  if (Deno.build.os === "windows") return;
  const attended = Deno.stdin.isTerminal();
  // Once a terminal is closed, its file is no longer a terminal.
  Deno.addSignalListener("SIGHUP", () => attended && !Deno.stdin.isTerminal() ? stop() : reload());
}

/**
 * Whether whoever started this process had it ignore SIGHUP, as nohup does. Asked before anything else is done, as the
 * runtime takes SIGHUP with the first signal of any kind that is listened for, and only where a program follows, as
 * others need not know. Linux tells, in a mask whose lowest bit is SIGHUP's.
 */
export const HANG_UP_IGNORED = Deno.args.includes("--") && isHangUpIgnored();

function isHangUpIgnored(): boolean {
  try {
    return /^SigIgn:.*[13579bdf]$/m.test(readProc("/proc/self/status"));
  } catch {
    return false;
  }
}

/**
 * Keeps the process running after an uncaught error: only a mistake in this program can cause one, and the rest of
 * the node still works. `report` gets each error.
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
