import { exchangeTimeoutMs } from "../../lib/net/driver.ts";
import { disagreement, groupsOf } from "./agreement.ts";
import { perform } from "./act.ts";
import { Dice } from "./dice.ts";
import { Invariants, Violation } from "./invariants.ts";
import type { Plan } from "./plan.ts";
import { type Core, World } from "./world.ts";

/** Rounds in which all tables must agree once nothing goes wrong any more. */
const CONVERGENCE_ROUNDS = 10;

/** A round comes up to a tenth late (see gossip.ts). */
const ROUND_INTERVALS = 1.1;

/** Where nodes never met, an address that did not answer is called again after half a minute at most. */
const BACK_OFF_MAX_MS = 30_000;

/** What came of one plan. */
export interface Outcome {
  readonly violation: Violation | undefined;
  /** Rounds from the healing until all agreed; undefined if they had not met before, or did not. */
  readonly rounds: number | undefined;
  /** Times a live member was shown dead in weather too rough to forbid it. */
  readonly falseDead: number;
  readonly calls: number;
}

/** Runs the whole plan on `core`: faults first, then none; `watch` sees the world before anything happens. */
export function runPlan(core: Core, plan: Plan, watch?: (world: World) => void): Outcome {
  const { intervalMs, deadAfterMs, weather, acts, healMs } = plan;
  const dice = new Dice(plan.seed);
  const world = new World({ core, dice, intervalMs, deadAfterMs, weather });
  const invariants = new Invariants(world);
  watch?.(world);
  for (const act of acts) world.at(act.atMs, () => perform(world, act, healMs));
  let violation: Violation | undefined;
  let rounds: number | undefined;
  try {
    world.run(healMs);
    rounds = converge(world);
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    violation = error;
  }
  const { falseDead } = invariants;
  return { violation, rounds, falseDead, calls: world.network.counts.calls };
}

/** Heals the world and demands that all who can meet come to agree. */
function converge(world: World): number | undefined {
  const healMs = world.nowMs;
  const { intervalMs } = world.options;
  world.network.links.healAll();
  world.network.setWeather({
    ...world.network.weather,
    lostShare: 0,
    lateShare: 0,
    doubledShare: 0,
  });
  const atFirst = groupsOf(world);
  const met = atFirst.byRows.length === atFirst.byContacts.length;
  const deadlineMs = healMs + CONVERGENCE_ROUNDS * ROUND_INTERVALS * intervalMs +
    exchangeTimeoutMs(intervalMs) +
    (met ? 0 : BACK_OFF_MAX_MS);
  let rounds: number | undefined;
  for (let round = 0; world.nowMs < deadlineMs; round++) {
    world.run(Math.min(healMs + round * intervalMs, deadlineMs));
    const differing = atFirst.byContacts.some((group) =>
      disagreement(world, group.filter((n) => n.up))
    );
    rounds = differing ? undefined : rounds ?? round;
  }
  // By now some have stopped that were the only link between others.
  for (const group of groupsOf(world).byContacts) {
    const text = disagreement(world, group.filter((node) => node.up));
    if (text !== undefined) {
      throw new Violation(
        "6",
        `${((deadlineMs - healMs) / 1000).toFixed(0)} s after all healed, ${text}`,
        world.nowMs,
      );
    }
  }
  return met ? rounds : undefined;
}
