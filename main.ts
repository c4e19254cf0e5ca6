/**
 * Gossiper: one node of a distributed liveness store, and the commands that ask a running one.
 *
 * @module
 */

/**
 * Runs the program with `args`; resolves to its exit status. A first word that is no flag is a command. Neither loads
 * the other: with all of a node a command would take a sixth more CPU time, which matters to scripts that poll.
 */
export async function main(args: string[]): Promise<number> {
  const { main } = /^[^-]/.test(args[0] ?? "")
    ? await import("./lib/cli/cli.ts")
    : await import("./lib/run/run.ts");
  return await main(args);
}

/** Says in a line that a permission is missing; any other error at the start is a mistake in this program. */
function explain(error: unknown): number {
  if (!(error instanceof Deno.errors.NotCapable)) throw error;
  console.error(`gossiper: ${error.message.split(",")[0]}: start it by 'deno run -A main.ts'`);
  return 2;
}

if (import.meta.main) Deno.exit(await main(Deno.args).catch(explain));
