/**
 * Runs cases against one target: the same seed gives the same cases.
 *
 * @module
 */
import { seededRandom } from "../support/dice.ts";
import { Mutator } from "./mutate.ts";
import { type Target, TARGETS } from "./targets.ts";

/** A case that takes longer is a way to stop a node. */
const CASE_MS_MAX = 1_000;

/** Cases with one seed of their own, so that a failure is replayed in a moment. */
const BATCH = 1_000;

/** A case in which something did not hold, and how to see it again. */
export class FuzzFailure extends Error {
  override readonly name = "FuzzFailure";
}

/** Runs `cases` cases; throws a FuzzFailure at the first that fails. Returns the ms of the slowest. */
export async function fuzz(
  name: string,
  { seed, cases }: { seed: number; cases: number },
): Promise<number> {
  const target = TARGETS[name];
  if (target === undefined) throw new RangeError(`Cannot fuzz '${name}': there is no such target`);
  try {
    return await runCases(name, target, { seed, cases });
  } finally {
    await target.end?.();
  }
}

async function runCases(
  name: string,
  target: Target,
  { seed, cases }: { seed: number; cases: number },
): Promise<number> {
  let slowestMs = 0;
  for (let start = 0; start < cases; start += BATCH) {
    const batchSeed = seed + start / BATCH;
    const mutator = new Mutator(seededRandom(batchSeed));
    for (let i = start; i < Math.min(start + BATCH, cases); i++) {
      const text = mutator.text(target.corpus);
      const startMs = performance.now();
      let why: string | undefined;
      try {
        await target.attack(text, mutator);
      } catch (error) {
        why = error instanceof Error ? error.stack ?? error.message : String(error);
      }
      const tookMs = performance.now() - startMs;
      slowestMs = Math.max(slowestMs, tookMs);
      if (tookMs > CASE_MS_MAX) why ??= `It took ${tookMs.toFixed(0)} ms`;
      if (why === undefined) continue;
      throw new FuzzFailure(
        `${name} fails with ${JSON.stringify(text.slice(0, 2_000))}\n${why}\n` +
          `Replay with: deno task fuzz ${batchSeed} --target ${name} --cases ${BATCH}`,
      );
    }
  }
  return slowestMs;
}
