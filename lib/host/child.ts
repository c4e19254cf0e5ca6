/**
 * The process that a node runs and lives with: what follows `--` on the command line.
 *
 * Its stdin, stdout and stderr are those of this process, and left alone. Signals are passed on to it, and its end is
 * told in words.
 *
 * @module
 */
import { deathWord, plannedWord } from "../ends.ts";
import { withDeadline } from "../net/deadline.ts";
import { errorText } from "../text.ts";
import { ProgramError } from "./process.ts";
import { spawn } from "./processes.ts";

/** The signals that are passed on. */
const PASSED_ON = ["SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGUSR1", "SIGUSR2"] as const;

export type PassedSignal = typeof PASSED_ON[number];

/** Those that ask a process to stop, with their numbers. SIGHUP does where its terminal was closed. */
const STOPPING = { SIGINT: 2, SIGQUIT: 3, SIGTERM: 15 } as const;
const ASKING = { SIGHUP: 1, ...STOPPING } as const;

/** Those that a terminal sends to all processes in its foreground, at Ctrl-C and Ctrl-\. */
const TERMINAL_SIGNALS: readonly string[] = ["SIGINT", "SIGQUIT"];

/** What the process may take to end before it is killed, in ms: as long as containers have. */
export const ENDING_MS = 10_000;

/**
 * Long after any of these but SIGTERM a process was not asked to stop: many mean another thing by it. A Java machine
 * prints its threads at SIGQUIT, an interpreter drops a line at SIGINT, and what nohup started minds no SIGHUP. In ms,
 * and more than an orderly stop at a terminal takes.
 */
const ASKED_MS = 60_000;

/** How the process ended. */
export interface Exit {
  /** Its exit status; 128 plus the number of the signal that ended it. */
  readonly status: number;
  /** It ended with 0, or after it was asked to. */
  readonly planned: boolean;
  /** What its member's row says of that: see lib/ends.ts. */
  readonly word: string;
}

export class Child {
  /** Resolves when the process has ended. */
  readonly exited: Promise<Exit>;
  readonly #child: Deno.ChildProcess;
  /** As people call it: the last part of its path. */
  readonly name: string;
  readonly #onTrouble: (text: string) => void;
  readonly #nowMs: () => number;
  /** The signal that asked it to stop, and when it was sent. */
  #asked: { readonly signal: keyof typeof ASKING; readonly atMs: number } | undefined;

  /**
   * Starts the process. `onTrouble` hears of a signal that it cannot be sent; `nowMs` is a clock that never goes back.
   *
   * @throws {ProgramError} if it cannot be started.
   */
  constructor(
    [program = "", ...args]: readonly string[],
    { onTrouble, nowMs }: { onTrouble: (text: string) => void; nowMs: () => number },
  ) {
    this.#onTrouble = onTrouble;
    this.#nowMs = nowMs;
    this.name = program.replace(/.*[\\/](?=.)/s, "");
    try {
      const streams = { stdin: "inherit", stdout: "inherit", stderr: "inherit" } as const;
      this.#child = spawn(program, { args, ...streams });
    } catch (error) {
      throw failureOf(program, error);
    }
    this.exited = this.#child.status.then((status) => this.#exitOf(status));
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Passes a signal on, unless the process got it from a terminal already. */
  pass(signal: PassedSignal): void {
    if (isStopping(signal)) this.#asks(signal);
    if (TERMINAL_SIGNALS.includes(signal) && hasTerminal()) return;
    this.#kill(signal);
  }

  /** Its terminal was closed, of which the process heard as well. */
  hungUp(): void {
    this.#asks("SIGHUP");
  }

  /** Ends the process: asks it to, and kills it where that takes longer than containers have. Waits no longer. */
  async stop(): Promise<void> {
    this.#asks(this.#askedBy() ?? "SIGTERM");
    this.#kill("SIGTERM");
    await withDeadline(this.exited, ENDING_MS, () => this.#kill("SIGKILL"));
  }

  #kill(signal: Deno.Signal): void {
    try {
      this.#child.kill(signal);
    } catch (error) {
      if (error instanceof Deno.errors.PermissionDenied) {
        // As sudo does.
        this.#onTrouble(`cannot send ${signal} to ${this.name}: it runs as another user`);
        return;
      }
      // It has ended.
      if (!(error instanceof TypeError || error instanceof Deno.errors.NotFound)) throw error;
    }
  }

  /** Takes note that it was asked to stop; SIGTERM stands, whatever comes after it. */
  #asks(signal: keyof typeof ASKING): void {
    if (this.#asked?.signal !== "SIGTERM") this.#asked = { signal, atMs: this.#nowMs() };
  }

  /** The signal that asked the process to stop, by now. */
  #askedBy(): keyof typeof ASKING | undefined {
    if (this.#asked === undefined) return undefined;
    const { signal, atMs } = this.#asked;
    return signal === "SIGTERM" || this.#nowMs() - atMs < ASKED_MS ? signal : undefined;
  }

  #exitOf(status: Deno.CommandStatus): Exit {
    const { code, signal } = status;
    const asked = this.#askedBy();
    if (asked === undefined && code !== 0) {
      return { status: code, planned: false, word: deathWord({ name: this.name, code, signal }) };
    }
    const how = `exited with ${code}`;
    const smoothly = code === 0 || (asked !== undefined && code === 128 + ASKING[asked]);
    const reason = asked === undefined ? how : smoothly ? asked : `${asked} then ${how}`;
    return { status: code, planned: true, word: plannedWord(reason) };
  }
}

/** Calls `pass` at each signal that is to be passed on, but for SIGHUP, which has a meaning for nodes too. */
export function onPassedSignals(pass: (signal: PassedSignal) => void): void {
  for (const signal of PASSED_ON) {
    if (signal === "SIGHUP") continue;
    try {
      Deno.addSignalListener(signal, () => pass(signal));
    } catch (error) {
      // Windows has two of them.
      if (!(error instanceof TypeError)) throw error;
    }
  }
}

/**
 * Whether this process has a terminal: then Ctrl-C reaches the whole group in its foreground, and the other process
 * must not get it twice, as many take the second for an order to drop everything.
 */
function hasTerminal(): boolean {
  return [Deno.stdin, Deno.stdout, Deno.stderr].some((stream) => stream.isTerminal());
}

function isStopping(signal: string): signal is keyof typeof STOPPING {
  return Object.hasOwn(STOPPING, signal);
}

function failureOf(program: string, error: unknown): unknown {
  if (error instanceof Deno.errors.NotFound) {
    return new ProgramError("not found", `Cannot run '${program}': there is no such program`);
  }
  if (error instanceof Deno.errors.NotCapable) return error;
  const why = errorText(error).replace(/^Failed to spawn .*?': /s, "");
  return new ProgramError("not runnable", `Cannot run '${program}': ${why}`);
}
