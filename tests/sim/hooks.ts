/**
 * Hooks in the simulator: which nodes carry them, whom they tell, and what goes wrong with that.
 *
 * @module
 */
import type { Hook, Telling } from "../../lib/hook.ts";
import type { Status } from "../../lib/table.ts";
import type { Dice } from "../support/dice.ts";
import type { OurNode } from "./our_node.ts";
import type { TimedAct } from "./plan.ts";

/** A hook, and the IDs of the nodes that carry it. */
export interface HookPlan {
  readonly name: string;
  readonly statuses: readonly Status[];
  readonly cutOff: boolean;
  readonly carriers: readonly string[];
}

/** How a receiver is: it refuses, takes nothing in time, or takes all and its answers are lost. */
export type Mood = "well" | "down" | "hangs" | "deaf";

/** How long a node waits for the answer of a receiver that hangs, in ms. */
const TIMEOUT_MS = 4_000;

/** One run of a hook. */
export interface Attempt {
  readonly by: OurNode;
  readonly telling: Telling;
  readonly beganMs: number;
  /** The last heartbeat of each of its members that its node knew. */
  readonly heartbeats: ReadonlyMap<string, number | undefined>;
  /** When the receiver had it; undefined: never. */
  deliveredMs: number | undefined;
  /** When its node heard how it ended; Infinity: not yet, or that node ended before. */
  endedMs: number;
  outcome: "done" | "failed" | undefined;
}

/** Whom one hook tells. */
export class Receiver {
  mood: Mood = "well";
  readonly attempts: Attempt[] = [];
  readonly #dice: Dice;

  constructor(dice: Dice) {
    this.#dice = dice;
  }

  /** What arrived, oldest first. */
  get delivered(): Attempt[] {
    return this.attempts.filter(({ deliveredMs }) => deliveredMs !== undefined)
      .sort((a, b) => a.deliveredMs! - b.deliveredMs!);
  }

  /** How an attempt that begins now fares. */
  fare(): { readonly tookMs: number; readonly arrives: boolean; readonly answers: boolean } {
    const { mood } = this;
    const tookMs = mood === "well"
      ? this.#dice.between(10, 300)
      : mood === "down"
      ? 20
      : TIMEOUT_MS;
    return { tookMs, arrives: mood === "well" || mood === "deaf", answers: mood === "well" };
  }
}

/** The hooks that node `id` carries. */
export function hooksOf(plans: readonly HookPlan[], id: string): Hook[] {
  return plans.filter(({ carriers }) => carriers.includes(id)).map((
    { name, statuses, cutOff },
  ) => ({
    name,
    cutOff,
    tags: {},
    statuses: new Set(statuses),
  }));
}

const STATUS_SETS: readonly (readonly Status[])[] = [
  ["dead"],
  ["dead"],
  ["dead", "failing"],
  ["dead", "unresponsive", "left"],
  ["dead", "unresponsive", "failing", "left", "decommissioned"],
  ["live", "dead"],
];

/** Share of the seeds in which hooks are carried: these take longer. */
const HOOKS_SHARE = 0.3;

export interface HooksDrawn {
  readonly hooks: readonly HookPlan[];
  readonly tellAfterMs: number;
  readonly acts: readonly TimedAct[];
}

/** What a seed draws of hooks: none, in most. */
export function drawHooks(dice: Dice, ids: readonly string[], healMs: number): HooksDrawn {
  if (!dice.chance(HOOKS_SHARE)) return { hooks: [], tellAfterMs: 0, acts: [] };
  const names = dice.chance(0.3) ? ["pager", "restart"] : ["pager"];
  const hooks = names.map((name) => ({
    name,
    statuses: dice.pick(STATUS_SETS),
    cutOff: dice.chance(0.3),
    carriers: dice.shuffled(ids).slice(0, dice.pick([1, 3, ids.length, ids.length])),
  }));
  const acts: TimedAct[] = [];
  const at = () => dice.whole(8_000, healMs);
  for (let i = dice.pick([0, 1, 2]); i > 0; i--) {
    acts.push({
      kind: "receiver",
      hook: dice.pick(names),
      atMs: at(),
      mood: dice.pick(["down", "hangs", "deaf"]),
      forMs: dice.pick([2_000, 8_000, 20_000]),
    });
  }
  // A member dies, and one of those that would tell it.
  if (dice.chance(0.5)) {
    const atMs = at();
    const how = () => dice.pick(["closed", "lost"] as const);
    acts.push({ kind: "crash", id: dice.pick(ids), how: how(), atMs });
    const owner = dice.pick(hooks[0]!.carriers);
    acts.push({ kind: "crash", id: owner, how: how(), atMs: atMs + dice.whole(0, 2_000) });
  }
  for (let i = dice.pick([0, 0, 1, 2]); i > 0; i--) {
    acts.push({
      kind: "quiet",
      at: dice.pick(ids),
      pattern: dice.pick([dice.pick(ids), "n1*", "*"]),
      atMs: at() - 4_000,
      forMs: dice.pick([0, 5_000, 10_000, 20_000]),
    });
  }
  return { hooks, tellAfterMs: dice.pick([0, 0, 2_000, 5_000]), acts };
}
