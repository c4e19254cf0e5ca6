import { seedsFrom } from "./campaign.ts";
import { type Mutation, MUTATIONS, withMutant } from "./mutants.ts";
import { drawPlan } from "./plan.ts";
import { runPlan } from "./run.ts";

/** Each broken rule must show within so many seeds. */
const MUTANT_SEEDS_MAX = 1_000;

/** How a broken rule was found out. */
export interface Catch {
  readonly mutation: Mutation;
  /** Seeds until the first that failed, that one included; undefined: none did. */
  readonly seeds: number | undefined;
  readonly seed: string;
  readonly invariant: string;
}

/** Runs up to `count` seeds on the broken code until one fails. */
export function catchMutant(mutation: Mutation, from: number, count: number): Promise<Catch> {
  return withMutant(mutation, (core) => {
    let seeds = 0;
    for (const seed of seedsFrom(from, count)) {
      seeds++;
      const { violation } = runPlan(core, drawPlan(seed));
      if (violation !== undefined) return { mutation, seeds, seed, invariant: violation.invariant };
    }
    return { mutation, seeds: undefined, seed: "", invariant: "" };
  });
}

/** Breaks one rule after the other and prints a table of how soon each was found out; true if all were. */
export async function mutateAll(from: number, print: (line: string) => void): Promise<boolean> {
  print("| broken rule | seeds until caught | seed | by invariant |");
  print("|---|---|---|---|");
  let all = true;
  for (const mutation of MUTATIONS) {
    const { seeds, seed, invariant } = await catchMutant(mutation, from, MUTANT_SEEDS_MAX);
    if (seeds === undefined) all = false;
    print(
      `| ${mutation.name}: ${mutation.rule} | ${seeds ?? "NOT CAUGHT"} | ${seed} | ${invariant} |`,
    );
  }
  return all;
}
