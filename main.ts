/**
 * Gossiper: one node of a distributed liveness store, and the commands that ask a running one.
 *
 * @module
 */

import { keepDebuggerClosed } from "./lib/host/debugger.ts";
import { main as runNode } from "./lib/run/run.ts";

/**
 * Runs the program with `args`; resolves to its exit status. A first word that is no flag is a command. A node does not
 * load the commands, and is itself imported at once: a later import would make its start from source a tenth slower.
 */
export async function main(args: string[]): Promise<number> {
  keepDebuggerClosed();
  if (!/^[^-]/.test(args[0] ?? "")) return await runNode(args);
  const { main } = await import("./lib/cli/cli.ts");
  return await main(args);
}

/** Says in a line that a permission is missing; any other error at the start is a mistake in this program. */
function explain(error: unknown): number {
  if (!(error instanceof Deno.errors.NotCapable)) throw error;
  console.error(`gossiper: ${error.message.split(",")[0]}: start it by 'deno run -A main.ts'`);
  return 2;
}

if (import.meta.main) Deno.exit(await main(Deno.args).catch(explain));
