/**
 * One run of a check, of any kind: bounded in time, and never an error.
 *
 * @module
 */
import { type Check, type CheckTarget, labelOf } from "../config/checks.ts";
import { formatDuration } from "../config/values.ts";
import type { Connector } from "../net/connect.ts";
import { close } from "../net/connection.ts";
import { untilAborted, withSignal } from "../net/deadline.ts";
import { errorText } from "../text.ts";
import { runExec } from "./check_exec.ts";
import { runHttp } from "./check_http.ts";
import type { Run } from "./check_verdict.ts";

export interface RunOptions {
  /** Ends the run. */
  readonly signal: AbortSignal;
  /** Opens connections; kept from run to run, as handshakes that nobody answers are. */
  readonly connector: Connector;
  /** Opens those by TLS. */
  readonly tlsConnector: Connector;
  readonly wallMs: () => number;
}

/** Runs a check once, for its time-out at most or until `signal` is aborted. Never rejects. */
export async function runCheck(check: Check, options: RunOptions): Promise<Run> {
  const { target, timeoutMs } = check;
  return await withSignal(options.signal, timeoutMs, async (signal) => {
    try {
      return await runTarget(check, { ...options, signal });
    } catch (error) {
      const why = signal.aborted ? `no answer within ${formatDuration(timeoutMs)}` : whyNot(error);
      return failed(check, target.kind === "exec" ? `cannot run: ${why}` : why);
    }
  });
}

async function runTarget(check: Check, options: RunOptions): Promise<Run> {
  const { target, name } = check;
  switch (target.kind) {
    case "http": {
      const { signal, connector, tlsConnector } = options;
      const run = await runHttp(target, {
        signal,
        connector: target.tls ? tlsConnector : connector,
      });
      // Its words say by themselves what they are about.
      return run.passed || name === undefined ? run : failed(check, run.words);
    }
    case "tcp":
      close(await options.connector.connect(target.address, { ...options, opened: () => {} }));
      return { passed: true };
    case "exec": {
      const run = await runExec(target.command, options.signal);
      return run.passed ? run : failed(check, run.words);
    }
    case "file":
      return await runFile(check, target, options);
  }
}

/** Looks at files under way: one at a network's file lasts as long as its server is away, and holds a thread. */
const looks = new WeakMap<Check, Promise<Deno.FileInfo>>();

async function runFile(
  check: Check,
  { path, ageMaxMs }: Extract<CheckTarget, { kind: "file" }>,
  { signal, wallMs }: RunOptions,
): Promise<Run> {
  const look = looks.get(check) ?? Deno.stat(path).finally(() => looks.delete(check));
  looks.set(check, look);
  const info = await untilAborted(look, signal);
  if (info === undefined) throw signal.reason;
  const ageMs = wallMs() - (info.mtime?.getTime() ?? 0);
  if (ageMs <= ageMaxMs) return { passed: true };
  const [age, most] = [Math.floor(ageMs / 1000) * 1000, ageMaxMs].map(formatDuration);
  return failed(check, `last changed ${age} ago, more than ${most}`);
}

function failed(check: Check, why: string): Run {
  return { passed: false, words: `${labelOf(check)}: ${why}` };
}

/** An error in a few words, without the system's number for it. */
function whyNot(error: unknown): string {
  if (error instanceof Deno.errors.ConnectionRefused) return "connection refused";
  if (error instanceof Deno.errors.NotFound) return "not found";
  // A node's call says what a node is to do.
  if (/^it does not speak TLS/.test(errorText(error))) return "it does not speak TLS: give http://";
  return errorText(error).replace(/ \(os error [0-9]+\).*/s, "");
}
