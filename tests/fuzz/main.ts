/**
 * Fuzzes all targets, or one: `deno task fuzz [SEED] [--cases N] [--target NAME]`. Without a seed it draws one, and prints it.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { fuzz, FuzzFailure } from "./run.ts";
import { TARGETS } from "./targets.ts";

/** Cases of each target in a run by hand: some seconds each. */
const CASES = 20_000;

const { _: [given], cases = CASES, target } = parseArgs(Deno.args, { string: ["target"] });
const seed = Number(given ?? Math.floor(Math.random() * 1e6));
if (!Number.isSafeInteger(seed) || !Number.isSafeInteger(cases)) {
  console.error("Usage: deno task fuzz [SEED] [--cases N] [--target NAME], with whole numbers");
  Deno.exit(2);
}
for (const name of target === undefined ? Object.keys(TARGETS) : [String(target)]) {
  const startMs = performance.now();
  try {
    const slowestMs = await fuzz(name, { seed, cases: Number(cases) });
    const tookS = ((performance.now() - startMs) / 1000).toFixed(1);
    console.log(
      `${name}: ${cases} cases of seed ${seed} in ${tookS} s, the slowest ${
        slowestMs.toFixed(1)
      } ms`,
    );
  } catch (error) {
    if (!(error instanceof FuzzFailure)) throw error;
    console.error(error.message);
    Deno.exit(1);
  }
}
