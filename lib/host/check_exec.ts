/**
 * The run of a check by a command: it passes if that exits with 0, and its last line says why it does not.
 *
 * @module
 */
import type { Run } from "./check_verdict.ts";
import { runShell } from "./shell.ts";

/** Runs the command until it ends or `signal` is aborted. Rejects where there is no shell. */
export async function runExec(command: string, signal: AbortSignal): Promise<Run> {
  const { passed, how, lines } = await runShell(command, { signal });
  if (passed) return { passed: true };
  const line = lines.at(-1);
  return { passed: false, words: line === undefined ? how : `${how}: ${line}` };
}
