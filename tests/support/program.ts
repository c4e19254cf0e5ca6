/**
 * How tests and benchmarks start the program, as a user does: from source, or the binary that GOSSIPER_TEST_BINARY names.
 *
 * @module
 */

const MAIN = new URL("../../main.ts", import.meta.url).href;

/** The program and the arguments that come before its own. */
export function programCommand(): [program: string, ...args: string[]] {
  const binary = Deno.env.get("GOSSIPER_TEST_BINARY");
  return binary === undefined ? [Deno.execPath(), "run", "-A", "--quiet", MAIN] : [binary];
}
