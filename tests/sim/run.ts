/**
 * Runs a plan step by step, checks the invariants after each, and heals everything at the end.
 *
 * @module
 */
import { disagreement, groupsOf } from "./agreement.ts";
import { perform } from "./act.ts";
import { Dice } from "../support/dice.ts";
import { CLOCK_SHARE_MAX, Invariants, silenceMs, Violation } from "./invariants.ts";
import type { OurNode } from "./our_node.ts";
import type { Plan } from "./plan.ts";
import type { Truth } from "./truth.ts";
import { type Core, World } from "./world.ts";

/**
 * Rounds of a node, from the healing on, in which all tables must agree. A member that ended is left out until it must
 * be dead to all: its end, a stall in which nobody's age grew, or that a node started again remembers it, is a fault
 * that time heals. It has as many rounds from then on.
 */
const CONVERGENCE_ROUNDS = 10;

/**
 * Intervals past dead-after at which an ended member must be dead to all (invariant 5), and one that a node remembers
 * is in its table.
 */
const DEAD_IN_INTERVALS = 2;

/** The longest round, in intervals: it comes up to a tenth late (see rounds.ts). */
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
  const { intervalMs, deadAfterMs, forgetMs, fineMembersMax, stretchMembers, weather } = plan;
  const { acts, healMs, hooks, tellAfterMs } = plan;
  const dice = new Dice(plan.seed);
  const world = new World({
    core,
    dice,
    intervalMs,
    deadAfterMs,
    forgetMs,
    fineMembersMax,
    stretchMembers,
    weather,
    hooks,
    tellAfterMs,
  });
  const invariants = new Invariants(world);
  watch?.(world);
  for (const act of acts) world.at(act.atMs, () => perform(world, act, healMs));
  let violation: Violation | undefined;
  let rounds: number | undefined;
  try {
    world.run(healMs);
    rounds = converge(world, invariants.truth);
    invariants.settle();
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    violation = error;
  }
  const { falseDead } = invariants;
  return { violation, rounds, falseDead, calls: world.network.counts.calls };
}

/** Heals the world, and demands that all who can meet come to agree. */
function converge(world: World, truth: Truth): number | undefined {
  const healMs = world.nowMs;
  /** Nobody stalled since. */
  const wellMs = truth.allWellSinceMs();
  // The pace may still change.
  const deadAfterMs = () => truth.stretch * world.options.deadAfterMs;
  const roundMs = () => ROUND_INTERVALS * truth.slowestMs;
  world.network.links.healAll();
  world.network.setWeather({
    ...world.network.weather,
    lostShare: 0,
    lateShare: 0,
    doubledShare: 0,
  });
  const atFirst = groupsOf(world);
  const met = atFirst.byRows.length === atFirst.byContacts.length;
  const inMs = (silenceMs: number) =>
    (silenceMs + DEAD_IN_INTERVALS * truth.slowestMs) * (1 + CLOCK_SHARE_MAX);
  /**
   * The longest that anybody waits for a member that ended: longer where it said that its rounds come late, or where
   * its host was found to accept connections.
   */
  const waitMs = (id: string) =>
    Math.max(
      inMs(deadAfterMs()),
      ...world.up().map((node) => {
        const { table, evidence } = node.gossip.replica;
        const row = table.get(id);
        if (row === undefined) return 0;
        const lapsesMs = evidence.accepts.has(id) ? 2 * deadAfterMs() : 0;
        return inMs(silenceMs(node, row, deadAfterMs()) + lapsesMs);
      }),
    );
  const ended = [...world.ours.values(), ...world.gos.values()].filter((node) => !node.up);
  const remembering = world.up().filter((node) => node.saved !== undefined);
  const recalledMs = () =>
    Math.max(-Infinity, ...remembering.map(({ startMs }) => startMs + inMs(deadAfterMs())));
  const deadMs = ({ id, endedMs }: { readonly id: string; readonly endedMs: number }) =>
    Math.max(Math.max(endedMs, wellMs) + waitMs(id), recalledMs());
  const deadlineMs = () => healMs + CONVERGENCE_ROUNDS * roundMs() + (met ? 0 : BACK_OFF_MAX_MS);
  let rounds: number | undefined;
  for (let round = 0; world.nowMs < deadlineMs(); round++) {
    world.run(Math.min(healMs + round * roundMs(), deadlineMs()));
    const ending = ended.filter((node) => world.nowMs < deadMs(node));
    const except = new Set(ending.map(({ id }) => id));
    const differing = difference(world, truth, atFirst.byContacts, except) !== undefined;
    rounds = differing ? undefined : rounds ?? round;
  }
  if (met && rounds === undefined) {
    fail(world, healMs, difference(world, truth, atFirst.byContacts));
  }
  const lastMs = () => Math.max(healMs, ...ended.map(deadMs)) + CONVERGENCE_ROUNDS * roundMs();
  // By now some have stopped that were the only link between others.
  let text = difference(world, truth, groupsOf(world).byContacts);
  while (text !== undefined && world.nowMs < lastMs()) {
    world.run(Math.min(world.nowMs + roundMs(), lastMs()));
    text = difference(world, truth, groupsOf(world).byContacts);
  }
  if (text !== undefined) fail(world, healMs, text);
  return met ? rounds : undefined;
}

/** How the tables in one of the groups differ, members in `except` left out. */
function difference(
  world: World,
  { slowestMs }: Truth,
  groups: readonly (readonly OurNode[])[],
  except?: ReadonlySet<string>,
): string | undefined {
  // What one has just dropped, the others drop in as many rounds as they agree in.
  const { nowMs, droppedMs } = world;
  const sinceMs = nowMs - CONVERGENCE_ROUNDS * ROUND_INTERVALS * slowestMs;
  const dropping = [...droppedMs].filter(([, ms]) => ms > sinceMs).map(([id]) => id);
  const excepted = new Set([...except ?? [], ...dropping]);
  for (const group of groups) {
    const text = disagreement(world, group.filter((node) => node.up), excepted);
    if (text !== undefined) return text;
  }
  return undefined;
}

function fail(world: World, healMs: number, text = ""): never {
  const afterS = ((world.nowMs - healMs) / 1_000).toFixed(0);
  throw new Violation("6", `${afterS} s after all healed, ${text}`, world.nowMs);
}
