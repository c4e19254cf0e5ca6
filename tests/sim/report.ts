import { EXACT_CLOCK } from "./clock.ts";
import { Dice } from "../support/dice.ts";
import { News } from "./news.ts";
import { PRODUCTION, World } from "./world.ts";

const INTERVAL_MS = 1_000;
const DEAD_AFTER_MS = 5_000;
const LATENCY_MS = 2;

/** Sizes, with the worlds made of each and the seconds its traffic and false verdicts are counted in: more of the small ones. */
const SIZES = [
  { nodes: 10, worlds: 20, steadyS: 600 },
  { nodes: 100, worlds: 4, steadyS: 60 },
  { nodes: 1_000, worlds: 1, steadyS: 10 },
] as const;

const LOSSES = [0, 0.1, 0.3];

/** News that has not reached all in this time is told as "not in". */
const PATIENCE_MS = 20_000;

/** Time to come to rest between two measurements. */
const REST_MS = 4_000;

/** Time after which no news of the start travels any more. */
const AGED_MS = 20_000;

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
}

/** Metrics every size and loss, and prints the table for lib/PROTOCOL.md. */
export function reportAll(
  sizes: number[] | undefined,
  seed: string,
  print: (line: string) => void,
): void {
  print(`Seed ${seed}, interval 1 s, dead-after 5 s, latency ${LATENCY_MS} ms. Times in seconds.`);
  print("");
  print(
    "| nodes | messages lost | all joining at once see all: median, worst | a join, a leave, a bye known to the last | " +
      "killed (port closed): first, median, last | host lost: first, median, last | " +
      "false `dead` a node-hour (in) | bytes a node a second |",
  );
  print("|--:|--:|--:|--:|--:|--:|--:|--:|");
  for (const { nodes, worlds, steadyS } of SIZES) {
    if (sizes !== undefined && !sizes.includes(nodes)) continue;
    for (const lostShare of LOSSES) {
      const figures: Figures = {
        ...{ joinedMs: [], bytesPerNodeS: [], falseDead: 0, nodeHours: 0, joinMs: [], leaveMs: [] },
        ...{ byeMs: [], refusedMs: [], silentMs: [] },
      };
      for (let i = 0; i < worlds; i++) {
        measure(figures, {
          nodes,
          lostShare,
          steadyS,
          dice: new Dice(`${seed} ${nodes} ${lostShare} ${i}`),
        });
      }
      print(lineOf(nodes, lostShare, figures));
    }
  }
}

interface Setting {
  readonly nodes: number;
  readonly lostShare: number;
  readonly steadyS: number;
  readonly dice: Dice;
}

function measure(figures: Figures, { nodes, lostShare, steadyS, dice }: Setting): void {
  const weather = { latencyMs: LATENCY_MS, lostShare, lateShare: 0, lateMs: 0, doubledShare: 0 };
  const world = new World({
    ...{ core: PRODUCTION, dice, weather },
    ...{ intervalMs: INTERVAL_MS, deadAfterMs: DEAD_AFTER_MS },
  });
  const news = new News(world);
  const start = (i: number) => {
    const seeds = i === 0 ? [] : ["h0:1"];
    world.start({ id: `n${i}`, address: `h${i}:1`, seeds, clock: EXACT_CLOCK });
  };
  const rest = (ms: number) => world.run(world.nowMs + ms);

  for (let i = 0; i < nodes; i++) world.at(dice.between(0, 10), () => start(i));
  figures.joinedMs.push(news.untilAllMet(nodes, PATIENCE_MS));
  rest(AGED_MS);

  const { counts } = world.network;
  const bytes = counts.bytes;
  const falseDead = news.deaths;
  rest(steadyS * 1_000);
  figures.bytesPerNodeS.push((counts.bytes - bytes) / nodes / steadyS);
  figures.falseDead += news.deaths - falseDead;
  figures.nodeHours += nodes * steadyS / 3_600;

  const until = (id: string, status: "live" | "left" | "decommissioned", act: () => void) => {
    const sinceMs = world.nowMs;
    act();
    const times = news.untilAll(id, status, { sinceMs, patienceMs: PATIENCE_MS });
    rest(REST_MS);
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
    rest(dice.between(0, INTERVAL_MS));
    const node = world.ours.get(id)!;
    node.end(how);
    // A host that is lost is missed since its last heartbeat, a killed process since it was killed.
    const sinceMs = how === "closed" ? world.nowMs : world.nowMs - news.ageMs(node);
    times.push(...news.untilAll(id, "dead", { sinceMs, patienceMs: PATIENCE_MS }));
    rest(REST_MS);
  }
}

function lineOf(nodes: number, lostShare: number, figures: Figures): string {
  const { joinedMs, joinMs, leaveMs, byeMs, refusedMs, silentMs } = figures;
  const { bytesPerNodeS, falseDead, nodeHours } = figures;
  const bytes = bytesPerNodeS.reduce((sum, each) => sum + each, 0) / bytesPerNodeS.length;
  const hours = `${falseDead === 0 ? "0" : (falseDead / nodeHours).toFixed(2)} (${
    nodeHours.toFixed(0)
  } h)`;
  const cells = [
    `${nodes}`,
    `${lostShare * 100} %`,
    at(joinedMs, 0.5, 1),
    [joinMs, leaveMs, byeMs].map((list) => at(list, 1)).join(", "),
    at(refusedMs, 0, 0.5, 1),
    at(silentMs, 0, 0.5, 1),
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
    return ms === Infinity ? `not in ${PATIENCE_MS / 1000}` : (ms / 1000).toFixed(1);
  }).join(", ");
}
