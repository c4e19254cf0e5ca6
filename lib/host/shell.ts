/**
 * A command, run by the system's shell in a process group of its own, which is killed as a whole when the shell has
 * ended, when its time is over, or when it prints too much.
 *
 * @module
 */
import { untilAborted, withDeadline } from "../net/deadline.ts";
import { describeExit, killGroup, spawn } from "./processes.ts";

/** Bytes that a command may print: a hundred thousand short lines. Reading more would cost the node its CPU. */
const OUTPUT_BYTES_MAX = 1024 * 1024;

/** Bytes of output that are kept for its last lines. */
const KEPT_BYTES = 4_096;

/** Longest wait for what is still in the pipe: whoever left the group was not killed, and may hold it open. */
const DRAIN_MS = 100;

/** Longest wait for the end of what was killed: a process of another user goes on, and so does one at a dead disk. */
const KILLED_MS = 1_000;

/**
 * Colours and other orders to a terminal (ECMA-48): a command may believe that it has one. Besides those in brackets
 * they are titles and links, to a BEL or a backslash, and short ones: `tput sgr0` begins with one.
 */
const TERMINAL_ORDER =
  // deno-lint-ignore no-control-regex
  /\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b\n]*(?:\x07|\x1b\\)|[ -/]*[0-Z\\^-~])/g;

/** Commands that could not be killed and still run: no other run is started beside them, or they would pile up. */
const stuck = new Set<string>();

export interface ShellOptions {
  /** Ends the run once aborted. */
  readonly signal: AbortSignal;
  /** Variables besides those of this process. */
  readonly env?: Readonly<Record<string, string>>;
  /** What it reads; without it there is nothing to read. A command need not read it. */
  readonly input?: string;
}

/** How a run ended. */
export interface ShellRun {
  readonly passed: boolean;
  /** The end in words: "exited with 1", "killed, as it did not end in time". */
  readonly how: string;
  /** The last lines that it printed, without the empty ones. */
  readonly lines: readonly string[];
}

/** The shell, with both outputs in one pipe so that the last line is the last. */
function shellFor(command: string): [program: string, args: string[]] {
  return Deno.build.os === "windows"
    ? ["cmd.exe", ["/d", "/c", `(${command}) 2>&1`]]
    : ["/bin/sh", ["-c", `exec 2>&1\n${command}`]];
}

/** Runs the command until it ends or `signal` is aborted. Rejects where there is no shell. */
export async function runShell(command: string, options: ShellOptions): Promise<ShellRun> {
  const { signal, env = {}, input } = options;
  if (stuck.has(command)) return { passed: false, how: STUCK, lines: [] };
  const [program, args] = shellFor(command);
  const stdin = input === undefined ? "null" : "piped";
  const streams = { stdin, stdout: "piped", stderr: "null" } as const;
  const child = spawn(program, { args, env: { ...env }, detached: true, ...streams });
  const kill = () => killGroup(child);
  signal.addEventListener("abort", kill);
  if (signal.aborted) kill();
  const output = new Output(child.stdout, kill);
  try {
    if (input !== undefined) void give(child.stdin, input);
    const status = await untilAborted(child.status, signal) ??
      await withDeadline(child.status, KILLED_MS, () => undefined);
    if (status === undefined) {
      stuck.add(command);
      void child.status.finally(() => stuck.delete(command));
      return { passed: false, how: STUCK, lines: output.lines() };
    }
    kill();
    await withDeadline(output.ended, DRAIN_MS, () => {});
    const late = signal.aborted ? "did not end in time" : undefined;
    const loud = output.isTooLong ? `printed more than ${OUTPUT_BYTES_MAX} bytes` : undefined;
    const killed = late ?? loud;
    return {
      passed: killed === undefined && status.success,
      how: killed === undefined ? describeExit(status) : `killed, as it ${killed}`,
      lines: output.lines(),
    };
  } finally {
    signal.removeEventListener("abort", kill);
    void output.close();
  }
}

const STUCK = "did not end in time, and cannot be killed";

/** Writes what a command may read; it may also end without having read it. */
async function give(stdin: WritableStream<Uint8Array>, input: string): Promise<void> {
  const writer = stdin.getWriter();
  await writer.write(new TextEncoder().encode(input)).catch(() => {});
  await writer.close().catch(() => {});
}

/** Reads what a command prints, keeps the end, and calls `onTooLong` where it is too much. */
class Output {
  /** Resolves when all was read, or as much as is taken. */
  readonly ended: Promise<void>;
  isTooLong = false;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  #kept: Uint8Array = new Uint8Array();

  constructor(stream: ReadableStream<Uint8Array>, onTooLong: () => void) {
    this.#reader = stream.getReader();
    this.ended = this.#read(onTooLong);
  }

  /** The last lines that have a word. */
  lines(): string[] {
    const text = new TextDecoder().decode(this.#kept).replace(TERMINAL_ORDER, "");
    const lines = text.split(/[\r\n]+/);
    return lines.map((line) => line.trim()).filter((line) => line !== "");
  }

  /** Reads no further. */
  async close(): Promise<void> {
    await this.#reader.cancel().catch(() => {});
  }

  async #read(onTooLong: () => void): Promise<void> {
    let length = 0;
    try {
      for (let part; (part = (await this.#reader.read()).value) !== undefined;) {
        length += part.length;
        const both = new Uint8Array(this.#kept.length + part.length);
        both.set(this.#kept);
        both.set(part, this.#kept.length);
        this.#kept = both.slice(-KEPT_BYTES);
        if (length <= OUTPUT_BYTES_MAX) continue;
        this.isTooLong = true;
        return onTooLong();
      }
    } catch {
      // The pipe broke: what came is what there is.
    }
  }
}
