/**
 * What one run does: its nodes, its faults and when they come, all drawn from the seed before it starts.
 *
 * @module
 */
import { type ClockFault, EXACT_CLOCK } from "./clock.ts";
import { Dice } from "../support/dice.ts";
import { drawHooks, type HookPlan, type Mood } from "./hooks.ts";
import type { Stall } from "./host.ts";
import type { Weather } from "./network.ts";

/** One thing that is done to the world. Those with a length end by themselves, or when all is healed. */
export type Act =
  | { readonly kind: "start"; readonly node: NodePlan }
  | { readonly kind: "crash"; readonly id: string; readonly how: "closed" | "lost" }
  | { readonly kind: "leave"; readonly id: string }
  | { readonly kind: "bye"; readonly id: string; readonly at: string }
  | { readonly kind: "forget"; readonly id: string; readonly at: string }
  | { readonly kind: "stall"; readonly id: string; readonly how: Stall; readonly forMs: number }
  | { readonly kind: "starve"; readonly id: string; readonly lagMs: number; readonly forMs: number }
  | { readonly kind: "say"; readonly id: string; readonly failing: string; readonly role: string }
  | { readonly kind: "step wall"; readonly id: string; readonly byMs: number }
  | { readonly kind: "part"; readonly ids: readonly string[]; readonly forMs: number }
  | {
    readonly kind: "block" | "reject";
    readonly from: string;
    readonly to: string;
    readonly forMs: number;
  }
  | { readonly kind: "storm"; readonly weather: Weather; readonly forMs: number }
  | {
    readonly kind: "receiver";
    readonly hook: string;
    readonly mood: Mood;
    readonly forMs: number;
  }
  /** A user asks for quiet about members; for 0 ms: for its end. */
  | {
    readonly kind: "quiet";
    readonly at: string;
    readonly pattern: string;
    readonly forMs: number;
  };

export type TimedAct = Act & { readonly atMs: number };

export interface NodePlan {
  readonly id: string;
  readonly address: string;
  readonly seeds: readonly string[];
  readonly clock: ClockFault;
  /** A node of the first gossiper. */
  readonly go: boolean;
  /** It starts from the state file of its former life. */
  readonly remembers: boolean;
}

/** All that a seed draws. */
export interface Plan {
  readonly seed: string;
  readonly intervalMs: number;
  readonly deadAfterMs: number;
  readonly forgetMs: number;
  /** In some worlds heartbeats travel as ticks from the second member on, as elsewhere in a cluster of many. */
  readonly fineMembersMax: number | undefined;
  /** In some the pace is stretched from so few members on that it comes and goes. */
  readonly stretchMembers: number | undefined;
  readonly weather: Weather;
  readonly hooks: readonly HookPlan[];
  readonly tellAfterMs: number;
  /** The first starts and the faults, by time. */
  readonly acts: readonly TimedAct[];
  /** From then on nothing goes wrong. */
  readonly healMs: number;
}

/** The default, most often; all leave room for five lost rounds and five calls that time out. */
const PACES = [
  ...Array(5).fill({ intervalMs: 1_000, deadAfterMs: 5_000 }),
  { intervalMs: 1_000, deadAfterMs: 8_000 },
  { intervalMs: 500, deadAfterMs: 5_000 },
  { intervalMs: 2_000, deadAfterMs: 10_000 },
] as const;

/** Worlds in which the pace is stretched, of all. They last longer: a change of the pace takes a while. */
const STRETCHED_SHARE = 0.1;
const STRETCHED_MS = 120_000;

/** By then the pace is that of those that are there from the start. */
const SETTLED_MS = 45_000;

/** Nodes that join at once, at most. */
const WAVE_MAX = 8;

/** By then those have started that are there from the start. */
const STARTS_MS = 1_000;

const HOUR_MS = 3_600_000;
const YEAR_MS = 365 * 24 * HOUR_MS;

export function drawPlan(seed: string): Plan {
  const dice = new Dice(seed).fork("plan");
  const { intervalMs, deadAfterMs } = dice.pick(PACES);
  const healMs = dice.whole(15, 40) * 1_000;
  const nodes = drawNodes(dice);
  const starts = nodes.map((node) => {
    const late = dice.chance(0.15);
    return {
      kind: "start",
      node,
      atMs: late ? dice.whole(0, healMs) : dice.whole(0, 1_000),
    } as const;
  });
  const faults: TimedAct[] = [];
  const count = dice.whole(0, 7);
  for (let i = 0; i < count; i++) faults.push(...drawFault(dice, nodes, healMs));
  const renames = new Dice(seed).fork("renames");
  const words = drawWords(new Dice(seed).fork("words"), nodes, healMs);
  const forgetting = new Dice(seed).fork("forgetting");
  const forgetMs = forgetting.chance(0.3) ? 4 * deadAfterMs : Infinity;
  const forgets = drawForgets(forgetting, nodes, healMs);
  const renamed = faults.map((fault) => drawRename(renames, fault));
  const ours = nodes.filter((node) => !node.go).map(({ id }) => id);
  const telling = drawHooks(new Dice(seed).fork("hooks"), ours, healMs);
  const acts = [...starts, ...renamed, ...words, ...forgets, ...telling.acts]
    .filter(({ atMs }) => atMs < healMs).sort((a, b) => a.atMs - b.atMs);
  const { hooks, tellAfterMs } = telling;
  const fineMembersMax = new Dice(seed).fork("ticks").chance(0.3) ? 1 : undefined;
  const drawn = { weather: drawWeather(dice), hooks, tellAfterMs, fineMembersMax, acts };
  const pace = { intervalMs, deadAfterMs, forgetMs };
  const plan = { seed, ...pace, healMs, stretchMembers: undefined, ...drawn };
  return drawStretch(new Dice(seed).fork("stretch"), plan, nodes);
}

/** Several are decommissioned at once, or join. */
function drawWaves(dice: Dice, nodes: readonly NodePlan[], healMs: number): TimedAct[] {
  let known: readonly NodePlan[] = nodes;
  const times = Array.from({ length: dice.whole(1, 3) }, () => dice.whole(SETTLED_MS, healMs));
  return times.sort((a, b) => a - b).flatMap((atMs, wave): TimedAct[] => {
    const inOrder = dice.shuffled(known);
    if (dice.chance(0.6)) {
      const [at, ...others] = inOrder;
      const gone = others.slice(0, dice.whole(1, others.length));
      known = known.filter((node) => !gone.includes(node));
      return gone.map(({ id }) => ({ kind: "bye", id, at: at!.id, atMs }));
    }
    const came = Array.from({ length: dice.whole(1, WAVE_MAX) }, (_, i): NodePlan => {
      const id = `w${wave}x${i}`;
      return { ...nodes[0]!, id, address: `${id}:1`, seeds: [dice.pick(known).address] };
    });
    known = [...known, ...came];
    return came.map((node) => ({ kind: "start", node, atMs: atMs + dice.whole(0, 500) }));
  });
}

/** Worlds in which the pace is stretched: all lasts longer there, and members come and go for good. */
function drawStretch(dice: Dice, plan: Plan, nodes: readonly NodePlan[]): Plan {
  if (!dice.chance(STRETCHED_SHARE)) return plan;
  const healMs = STRETCHED_MS;
  const acts: TimedAct[] = plan.acts.map((act) => ({
    ...act,
    atMs: act.atMs < STARTS_MS ? act.atMs : act.atMs * healMs / plan.healMs,
  }));
  acts.push(...drawWaves(dice, nodes, healMs));
  return {
    ...plan,
    healMs,
    intervalMs: 1_000,
    deadAfterMs: 5_000,
    forgetMs: plan.forgetMs === Infinity ? Infinity : 20_000,
    stretchMembers: Math.ceil(nodes.length / dice.whole(1, 6)),
    fineMembersMax: 1,
    acts: acts.filter(({ atMs }) => atMs < healMs).sort((a, b) => a.atMs - b.atMs),
  };
}

/** Requests to forget a member, whatever its status is by then. */
function drawForgets(dice: Dice, nodes: readonly NodePlan[], healMs: number): TimedAct[] {
  const ids = nodes.map(({ id }) => id);
  const count = dice.chance(0.3) ? dice.whole(1, 6) : 0;
  return Array.from({ length: count }, () => ({
    kind: "forget",
    id: dice.pick(ids),
    at: dice.pick(ids),
    atMs: dice.whole(2_000, healMs),
  }));
}

function drawNodes(dice: Dice): NodePlan[] {
  const kind = dice.next();
  const count = kind < 0.75
    ? dice.whole(2, 8)
    : kind < 0.97
    ? dice.whole(9, 16)
    : dice.whole(20, 40);
  const goes = dice.chance(0.15) ? dice.whole(1, 2) : 0;
  const nodes: NodePlan[] = [];
  for (let i = 0; i < count + goes; i++) {
    const known = nodes.map((node) => node.address);
    const seeds = new Set(
      i === 0 ? [] : [dice.pick(known), dice.chance(0.7) ? known[0]! : dice.pick(known)],
    );
    const go = i >= count;
    nodes.push({
      id: go ? `g${i}` : `n${i}`,
      address: `h${i}:1`,
      seeds: [...seeds],
      clock: go ? EXACT_CLOCK : drawClock(dice),
      go,
      remembers: false,
    });
  }
  return nodes;
}

function drawClock(dice: Dice): ClockFault {
  const wrong = dice.chance(0.25);
  return {
    rate: dice.chance(0.5) ? 1 : dice.between(0.996, 1.004),
    wallSkewMs: wrong
      ? dice.pick([-60 * YEAR_MS, -YEAR_MS, -HOUR_MS, -7_000, 900, HOUR_MS, YEAR_MS])
      : 0,
    wallRate: wrong ? dice.pick([1, 1, 0.5, 0, 1.5]) : 1,
  };
}

function drawWeather(dice: Dice): Weather {
  return {
    latencyMs: dice.pick([1, 2, 5, 20, 60]),
    lostShare: dice.pick([0, 0, 0, 0.02, 0.05, 0.1, 0.1, 0.3]),
    lateShare: dice.pick([0, 0, 0, 0.02]),
    lateMs: dice.pick([100, 500, 2_000]),
    doubledShare: dice.pick([0, 0, 0.05, 0.3]),
  };
}

/** One fault, and what follows from it. */
function drawFault(dice: Dice, nodes: readonly NodePlan[], healMs: number): TimedAct[] {
  const atMs = dice.whole(2_000, healMs - 1_000);
  const forMs = dice.pick([300, 1_000, 3_000, 6_000, 12_000, 20_000]);
  const ours = nodes.filter((node) => !node.go);
  const node = dice.pick(dice.chance(0.1) ? nodes : ours);
  const { id } = node;
  const fates: (() => TimedAct[])[] = [
    () => [{ kind: "crash", id, how: "closed", atMs }],
    () => [{ kind: "crash", id, how: "lost", atMs }],
    () => drawRestart(dice, node, { nodes, atMs, forMs }),
    () => drawRestart(dice, node, { nodes, atMs, forMs }),
    () => drawRestart(dice, node, { nodes, atMs, forMs }),
    () => [{ kind: "leave", id, atMs }],
    () => [{ kind: "bye", id: dice.chance(0.1) ? "ghost" : id, at: dice.pick(nodes).id, atMs }],
    () => [{ kind: "stall", id, how: dice.pick(["stopped", "suspended"]), forMs, atMs }],
    () => [{ kind: "stall", id, how: "stopped", forMs, atMs }],
    () =>
      dice.shuffled(ours).slice(0, dice.whole(1, ours.length)).map(({ id }) => ({
        kind: "stall",
        id,
        how: "stopped",
        forMs,
        atMs: atMs + dice.whole(0, 300),
      })),
    // A rack loses power; all are restarted one after the other.
    () =>
      dice.shuffled(nodes).slice(0, dice.whole(1, nodes.length)).map(({ id }) => ({
        kind: "crash",
        id,
        how: dice.pick(["closed", "lost"]),
        atMs: atMs + dice.whole(0, 50),
      })),
    () =>
      nodes.flatMap((node, i) =>
        drawRestart(dice, node, { nodes, atMs: atMs + i * forMs / 4, forMs: forMs / 4 })
      ),
    () => [{ kind: "starve", id, lagMs: dice.pick([100, 500, 1_500]), forMs, atMs }],
    () => [{
      kind: "step wall",
      id,
      byMs: dice.pick([-HOUR_MS, -1_500, 800, HOUR_MS, YEAR_MS]),
      atMs,
    }],
    () => [drawPartition(dice, nodes, { atMs, forMs })],
    () => [drawPartition(dice, nodes, { atMs, forMs })],
    () => drawLinks(dice, "block", node, { nodes, atMs, forMs }),
    () => drawLinks(dice, "reject", node, { nodes, atMs, forMs }),
    () => drawLinks(dice, "reject", node, { nodes, atMs, forMs }),
    () => [{
      kind: "storm",
      weather: { ...drawWeather(dice), lostShare: dice.pick([0.3, 0.8]) },
      forMs,
      atMs,
    }],
  ];
  return dice.pick(fates)();
}

/** What some members say of themselves, in some runs. */
function drawWords(dice: Dice, nodes: readonly NodePlan[], healMs: number): TimedAct[] {
  const ours = nodes.filter((node) => !node.go);
  return Array.from({ length: dice.pick([0, 0, 1, 3, 8]) }, () => ({
    kind: "say",
    id: dice.pick(ours).id,
    failing: dice.pick(["", "", "http 503", "tcp: refused"]),
    role: dice.pick(["", "web", "db"]),
    atMs: dice.whole(0, healMs),
  }));
}

interface When {
  readonly nodes: readonly NodePlan[];
  readonly atMs: number;
  readonly forMs: number;
}

/** The node goes, and comes back as another process: perhaps elsewhere, with other seeds or none, by another clock. */
function drawRestart(dice: Dice, node: NodePlan, { nodes, atMs, forMs }: When): TimedAct[] {
  const moves = !node.go && dice.chance(0.2);
  const others = nodes.filter(({ id }) => id !== node.id).map(({ address }) => address);
  const again: NodePlan = {
    ...node,
    address: moves ? `${node.address}${dice.whole(10, 99)}` : node.address,
    // Without seeds others can only find it where it was.
    seeds: !moves && dice.chance(0.3) ? [] : dice.shuffled(others).slice(0, 3),
    clock: drawClock(dice),
    remembers: dice.chance(0.4),
  };
  const { id } = node;
  const end: TimedAct = dice.chance(0.3)
    ? { kind: "leave", id, atMs }
    : { kind: "crash", id, how: dice.chance(0.8) ? "closed" : "lost", atMs };
  return [end, { kind: "start", node: again, atMs: atMs + forMs }];
}

/** Some start again under another ID, as all do that are given none. */
function drawRename(dice: Dice, fault: TimedAct): TimedAct {
  if (fault.kind !== "start" || fault.node.go || !dice.chance(0.15)) return fault;
  const id = `${dice.pick(["a", "z"])}${fault.node.id}`;
  return { ...fault, node: { ...fault.node, id, remembers: false } };
}

function drawPartition(
  dice: Dice,
  nodes: readonly NodePlan[],
  when: Omit<When, "nodes">,
): TimedAct {
  const ids = dice.shuffled(nodes).slice(0, dice.whole(1, nodes.length - 1)).map(({ id }) => id);
  return { kind: "part", ids, ...when };
}

/** Some nodes cannot send to, or connect to, one; or it not to them. */
function drawLinks(dice: Dice, kind: "block" | "reject", node: NodePlan, when: When): TimedAct[] {
  const { nodes, atMs, forMs } = when;
  const others = dice.shuffled(nodes.filter(({ id }) => id !== node.id));
  const outward = dice.chance(0.4);
  return others.slice(0, dice.whole(1, Math.min(3, others.length))).map(({ id }) => ({
    kind,
    from: outward ? node.id : id,
    to: outward ? id : node.id,
    atMs,
    forMs,
  }));
}
