import { EXACT_CLOCK } from "./clock.ts";
import { Dice } from "../support/dice.ts";
import { News } from "./news.ts";
import { addressOf, sampled, wholeSize } from "./sampled.ts";
import { PRODUCTION, World } from "./world.ts";

const LATENCY_MS = 2;
const DEAD_AFTER_INTERVALS = 5;

/** A share of all nodes restarts within a minute, as when a new version is rolled out. */
const RESTARTED_SHARE = 0.1;
const RESTARTS_MS = 60_000;

/** A size of clusters, with the worlds made of it. */
interface Size {
  readonly nodes: number;
  readonly worlds: number;
  readonly intervalMs: number;
  /** The intervals its traffic and false verdicts are counted in. */
  readonly steady: number;
  /** Members in the tables, where they do not hold all. */
  readonly sample?: number;
}

/** More worlds and a longer time of the small ones. */
const SIZES: readonly Size[] = [
  { nodes: 10, worlds: 20, intervalMs: 1_000, steady: 600 },
  { nodes: 100, worlds: 4, intervalMs: 1_000, steady: 60 },
  { nodes: 1_000, worlds: 1, intervalMs: 1_000, steady: 10 },
  { nodes: 10_000, worlds: 1, intervalMs: 1_000, steady: 10, sample: 150 },
  { nodes: 50_000, worlds: 1, intervalMs: 5_000, steady: 10, sample: 60 },
];

const LOSSES_PERCENT = [0, 10, 30];

// The rest in intervals.

/** News that has not reached all in this time is told as "not in". */
const PATIENCE = 20;

/** Time to come to rest between two measurements. */
const REST = 4;

/** Time after which no news of the start travels any more, nor of clocks that nodes took for others then. */
const AGED = 60;

/** What one size and loss came to; times in ms. */
interface Figures {
  readonly joinedMs: number[];
  readonly bytesPerNodeS: number[];
  falseDead: number;
  nodeHours: number;
  readonly joinMs: number[];
  readonly leaveMs: number[];
  readonly byeMs: number[];
  readonly refusedMs: number[];
  readonly silentMs: number[];
  readonly equalMs: number[];
}

/** Measures every size and loss, or `only` some, and prints the table for lib/PROTOCOL.md. */
export function reportAll(
  only: {
    readonly nodes: readonly number[] | undefined;
    readonly lostPercent: readonly number[] | undefined;
  },
  seed: string,
  print: (line: string) => void,
): void {
  print(`Seed ${seed}, latency ${LATENCY_MS} ms, dead-after five intervals. Times in seconds.`);
  print("");
  print(
    "| nodes | messages lost | all joining at once see all: median, worst | a join, a leave, a bye known to the last | " +
      "killed (port closed): first, median, last | host lost: first, median, last | " +
      "a tenth restarts within a minute: all tables equal after | " +
      "false `dead` a node-hour (in) | bytes a node a second |",
  );
  print("|--:|--:|--:|--:|--:|--:|--:|--:|--:|");
  for (const size of SIZES) {
    const { nodes, worlds } = size;
    if (only.nodes?.includes(nodes) === false) continue;
    for (const lostPercent of LOSSES_PERCENT) {
      if (only.lostPercent?.includes(lostPercent) === false) continue;
      const lostShare = lostPercent / 100;
      const figures: Figures = {
        joinedMs: [],
        bytesPerNodeS: [],
        falseDead: 0,
        nodeHours: 0,
        joinMs: [],
        leaveMs: [],
        byeMs: [],
        refusedMs: [],
        silentMs: [],
        equalMs: [],
      };
      for (let i = 0; i < worlds; i++) {
        const dice = new Dice(`${seed} ${nodes} ${lostShare} ${i}`);
        measure(figures, { ...size, lostShare, dice });
      }
      print(lineOf(nodes, lostPercent, figures));
    }
  }
}

interface Setting extends Size {
  readonly lostShare: number;
  readonly dice: Dice;
}

function measure(figures: Figures, setting: Setting): void {
  const { nodes, sample: members, dice } = setting;
  if (members === undefined) return measureIn(figures, setting);
  sampled({ nodes, members, dice: dice.fork("draws") }, () => measureIn(figures, setting));
}

function measureIn(figures: Figures, setting: Setting): void {
  const { nodes, sample = nodes, intervalMs, steady, lostShare, dice } = setting;
  const weather = { latencyMs: LATENCY_MS, lostShare, lateShare: 0, lateMs: 0, doubledShare: 0 };
  const world = new World({
    core: PRODUCTION,
    dice,
    weather,
    intervalMs,
    deadAfterMs: DEAD_AFTER_INTERVALS * intervalMs,
    sizeOf: sample < nodes ? (body) => wholeSize(body, { nodes, members: sample }) : undefined,
  });
  const news = new News(world);
  const start = (i: number) => {
    const seeds = i === 0 ? [] : [addressOf(0)];
    world.start({ id: `n${i}`, address: addressOf(i), seeds, clock: EXACT_CLOCK });
  };
  const rest = (intervals: number) => world.run(world.nowMs + intervals * intervalMs);
  const patienceMs = PATIENCE * intervalMs;

  for (let i = 0; i < nodes; i++) world.at(dice.between(0, 10), () => start(i));
  figures.joinedMs.push(news.untilAllMet(sample * (nodes - 1), patienceMs));
  rest(AGED);

  const { counts } = world.network;
  const bytes = counts.bytes;
  const falseDead = news.deaths;
  rest(steady);
  const steadyS = steady * intervalMs / 1_000;
  figures.bytesPerNodeS.push((counts.bytes - bytes) / nodes / steadyS);
  figures.falseDead += news.deaths - falseDead;
  figures.nodeHours += nodes * steadyS / 3_600;

  const until = (id: string, status: "live" | "left" | "decommissioned", act: () => void) => {
    const sinceMs = world.nowMs;
    act();
    const times = news.untilAll(id, status, { sinceMs, patienceMs });
    rest(REST);
    return Math.max(...times);
  };
  figures.joinMs.push(until(`n${nodes}`, "live", () => start(nodes)));
  figures.leaveMs.push(until("n1", "left", () => world.ours.get("n1")!.leave("SIGTERM")));
  figures.byeMs.push(until("n2", "decommissioned", () => world.ours.get("n3")!.decommission("n2")));

  for (
    const [id, how, times] of [
      ["n4", "closed", figures.refusedMs],
      ["n5", "lost", figures.silentMs],
    ] as const
  ) {
    // At any point of its round.
    rest(dice.next());
    const node = world.ours.get(id)!;
    node.end(how);
    // A host that is lost is missed since its last heartbeat, a killed process since it was killed.
    const sinceMs = how === "closed" ? world.nowMs : world.nowMs - news.ageMs(node);
    for (const ms of news.untilAll(id, "dead", { sinceMs, patienceMs })) times.push(ms);
    rest(REST);
  }

  const running = Array.from({ length: nodes }, (_, i) => i).filter((i) =>
    // The first is the seed of all.
    i > 0 && world.ours.get(`n${i}`)!.up
  );
  const endMs = world.nowMs + RESTARTS_MS;
  for (const i of dice.shuffled(running).slice(0, RESTARTED_SHARE * nodes)) {
    world.at(dice.between(world.nowMs, endMs), () => {
      world.ours.get(`n${i}`)!.end("closed");
      start(i);
    });
  }
  world.run(endMs);
  figures.equalMs.push(news.untilAllEqual(patienceMs));
}

function lineOf(nodes: number, lostPercent: number, figures: Figures): string {
  const { joinedMs, joinMs, leaveMs, byeMs, refusedMs, silentMs } = figures;
  const { equalMs, bytesPerNodeS, falseDead, nodeHours } = figures;
  const bytes = bytesPerNodeS.reduce((sum, each) => sum + each, 0) / bytesPerNodeS.length;
  const hours = `${falseDead === 0 ? "0" : (falseDead / nodeHours).toFixed(2)} (${
    nodeHours.toFixed(0)
  } h)`;
  const cells = [
    `${nodes}`,
    `${lostPercent} %`,
    at(joinedMs, 0.5, 1),
    [joinMs, leaveMs, byeMs].map((list) => at(list, 1)).join(", "),
    at(refusedMs, 0, 0.5, 1),
    at(silentMs, 0, 0.5, 1),
    at(equalMs, 1),
    hours,
    bytes.toFixed(0),
  ];
  return `| ${cells.join(" | ")} |`;
}

/** The first (0), the median (0.5), the last (1) or any other of the times, in seconds; those that never came are the longest. */
function at(list: readonly number[], ...shares: number[]): string {
  const sorted = list.map((ms) => Number.isNaN(ms) ? Infinity : ms).sort((a, b) => a - b);
  return shares.map((share) => {
    const ms = sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
    return ms === Infinity ? "not in time" : (ms / 1000).toFixed(1);
  }).join(", ");
}
