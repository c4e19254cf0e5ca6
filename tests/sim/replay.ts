/**
 * Tells a run again: the plan, the timeline, and how it ended. What `deno task sim SEED` prints.
 *
 * @module
 */
import { describeAct, describeWeather } from "./act.ts";
import { drawPlan } from "./plan.ts";
import { type Outcome, runPlan } from "./run.ts";
import { LEGEND, Timeline } from "./timeline.ts";
import type { Core } from "./world.ts";

/** The one command that shows a seed's run again. */
function replayCommand(seed: string): string {
  return `deno task sim ${seed}`;
}

/** What went wrong, and how to see it again, in a line or two. */
export function describeFailure(seed: string, outcome: Outcome): string {
  const { violation } = outcome;
  if (violation === undefined) return `seed ${seed} PASSED`;
  return `seed ${seed} broke invariant ${violation.invariant} at ${violation.message}\n` +
    `  replay: ${replayCommand(seed)}`;
}

/** Runs one seed and tells it all: what was drawn, what happened, how it ended. True if it passed. */
export function replay(core: Core, seed: string, print: (line: string) => void): boolean {
  const plan = drawPlan(seed);
  const { intervalMs, deadAfterMs, stretchMembers, weather, acts, healMs } = plan;
  print(`seed ${seed}: interval ${intervalMs / 1000} s, dead-after ${deadAfterMs / 1000} s`);
  if (stretchMembers !== undefined) print(`stretched: past ${stretchMembers} members`);
  print(`network: ${describeWeather(weather)}`);
  print("");
  print("drawn:");
  for (const act of acts) {
    print(`${(act.atMs / 1000).toFixed(2).padStart(9)} s  ${describeAct(act)}`);
  }
  print(`${(healMs / 1000).toFixed(2).padStart(9)} s  all that went wrong is healed`);
  print("");
  for (const line of LEGEND) print(line);
  let timeline: Timeline | undefined;
  const outcome = runPlan(core, plan, (world) => timeline = new Timeline(world, acts));
  for (const line of timeline?.lines() ?? []) print(line);
  print("");
  const { violation, rounds, calls } = outcome;
  if (violation === undefined) {
    const agreed = rounds === undefined
      ? ""
      : `, all tables equal ${rounds} rounds after the healing`;
    print(`PASSED: ${calls} calls${agreed}`);
  } else {
    print(describeFailure(seed, outcome));
  }
  return violation === undefined;
}
