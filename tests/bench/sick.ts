/**
 * What is measured of a cluster with sick members: each row starts a fleet of its own.
 *
 * @module
 */
import { setTimeout as pause } from "node:timers/promises";
import type { Namespaces } from "../chaos/namespaces.ts";
import { Fleet, type FleetNode } from "../fleet/fleet.ts";
import { CpuGroup } from "../support/cgroup.ts";
import { startApart } from "./apart.ts";
import { summary } from "./measure.ts";

export type Rows = [figure: string, measured: string][];

const NODES = 32;
const SICK_NODES = 4;

/** Fewer, as each lost packet costs CPU time for its repetition. */
const LOSSY_NODES = 16;

/** Of one core, for a starved node and its busy loops. */
const SHARE = 0.02;
const BUSY = 16;

const PAUSES_MS = [250, 500, 1_000, 2_000, 4_000];

/** Between two pauses a node runs at least so long: a round. */
const AWAKE_MIN_MS = 1_000;

const LOSS_SHARE = 0.25;

/** The time to come to rest after the start and between two measurements. */
const REST_MS = 10_000;

/** Longer than any verdict, and any healing, should take. */
const VERDICT_MS = 60_000;

/** Lines printed of what should not have been told. */
const PRINTED_MAX = 20;

const SICK = ["dead", "unresponsive"];

/** Four of 32 in CPU groups of 2 % of a core, each shared with 16 busy loops. */
export async function measureStarved(forMs: number): Promise<Rows> {
  await using fleet = await startTogether();
  const starved = fleet.nodes.slice(-SICK_NODES);
  const healthy = fleet.nodes.slice(0, -SICK_NODES);
  await using groups = new AsyncDisposableStack();
  const sinceMs = performance.now();
  for (const node of starved) {
    // Process IDs are those of a namespace, where another run may have the same ones: the name is random.
    const group = groups.use(
      await CpuGroup.make(`gossiper-starved-${crypto.randomUUID()}`, SHARE),
    );
    await group.take(node.pid);
    await group.addBusy(BUSY);
  }
  await pause(forMs);
  print(healthy, sinceMs, ["dead"]);
  const rows: [string, FleetNode[], FleetNode[], string[]?][] = [
    ["`dead` told at healthy nodes about the starved", healthy, starved, ["dead"]],
    ["any change of status told at healthy nodes about the starved", healthy, starved],
    ["`unresponsive` told at healthy nodes about the starved", healthy, starved, ["unresponsive"]],
    ["`dead` or `unresponsive` told at the starved about healthy nodes", starved, healthy, SICK],
    ["`dead` or `unresponsive` told at healthy nodes about healthy nodes", healthy, healthy, SICK],
  ];
  return rows.map(([figure, observers, members, statuses]) => {
    return [figure, String(changes(observers, { members, sinceMs, statuses }).length)];
  });
}

/** Four of 32 stopped together, again and again; four others for each length, as who has paused asks for patience. */
export async function measurePauses(forMs: number): Promise<Rows> {
  await using fleet = await startTogether();
  const rows: Rows = [];
  for (const [i, pauseMs] of PAUSES_MS.entries()) {
    const paused = fleet.nodes.slice(1 + i * SICK_NODES, 1 + (i + 1) * SICK_NODES);
    const sinceMs = performance.now();
    while (performance.now() < sinceMs + forMs) {
      for (const node of paused) node.kill("SIGSTOP");
      await pause(pauseMs);
      for (const node of paused) node.kill("SIGCONT");
      await pause(Math.max(pauseMs, AWAKE_MIN_MS));
    }
    await pause(REST_MS);
    print(fleet.nodes, sinceMs);
    const told = changes(fleet.nodes, { members: fleet.nodes, sinceMs }).length;
    const figure = `changes of status, ${SICK_NODES} of ${NODES} paused for ${pauseMs / 1000} s`;
    rows.push([`${figure} again and again`, String(told)]);
  }
  return rows;
}

/** A quarter of all packets between 16 nodes is lost. */
export async function measureLoss(forMs: number, place: Namespaces): Promise<Rows> {
  await using fleet = await startApart(place, LOSSY_NODES);
  await pause(REST_MS);
  const sinceMs = performance.now();
  await place.setFaults([{ kind: "loss", share: LOSS_SHARE }]);
  await pause(forMs);
  print(fleet.nodes, sinceMs);
  const told = changes(fleet.nodes, { members: fleet.nodes, sinceMs }).length;
  await place.setFaults([]);
  return [[
    `changes of status, ${LOSS_SHARE * 100} % of packets lost, ${LOSSY_NODES} nodes`,
    String(told),
  ]];
}

/** One of 32 whose packets are all dropped, both ways; again with another one until the time is over. */
export async function measureLost(forMs: number, place: Namespaces): Promise<Rows> {
  await using fleet = await startApart(place, NODES);
  const first: number[] = [];
  const all: number[] = [];
  let wrong = 0;
  const untilMs = performance.now() + forMs;
  for (let i = 0; i === 0 || performance.now() < untilMs; i++) {
    await pause(REST_MS);
    const lost = fleet.nodes.at(-1 - i % (NODES - 1))!;
    const others = fleet.nodes.filter((node) => node !== lost);
    const sinceMs = performance.now();
    await place.setFaults([{ kind: "part", ids: [lost.id] }]);
    const isKnown = () => others.every((node) => node.sees(lost.id) === "dead");
    if (!await fleet.until(isKnown, VERDICT_MS)) {
      throw new Error(`not all say that ${lost.id} is dead`);
    }
    const told = changes(others, { members: [lost], sinceMs, statuses: ["dead"] });
    const times = told.map(({ atMs }) => atMs - sinceMs);
    first.push(Math.min(...times));
    all.push(Math.max(...times));
    wrong += changes(others, { members: others, sinceMs }).length;
    await place.setFaults([]);
    if (!await fleet.until(() => fleet.allSeeAll(), VERDICT_MS)) throw new Error("not all see all");
  }
  return [
    [`a host of ${NODES} lost until another says dead`, summary(first)],
    ["... until all others say dead", summary(all)],
    ["changes of status told meanwhile about the others", String(wrong)],
  ];
}

async function startTogether(): Promise<Fleet> {
  const fleet = new Fleet({ flags: ["-port", "0", "-host", "127.0.0.1"] });
  await fleet.start(NODES);
  if (!await fleet.until(() => fleet.allSeeAll())) throw new Error("not all see all");
  await pause(REST_MS);
  return fleet;
}

interface Asked {
  readonly members: readonly FleetNode[];
  readonly sinceMs: number;
  /** All, unless given. */
  readonly statuses?: readonly string[] | undefined;
}

/** What `observers` told of `members` other than themselves. */
function changes(observers: readonly FleetNode[], { members, sinceMs, statuses }: Asked) {
  return observers.flatMap((observer) =>
    members.filter(({ id }) => id !== observer.id).flatMap(({ id }) =>
      (observer.sights.get(id) ?? []).filter(({ status, atMs }) =>
        atMs > sinceMs && (statuses?.includes(status) ?? true)
      )
    )
  );
}

/** Prints what should not have been told. */
function print(nodes: readonly FleetNode[], sinceMs: number, statuses?: readonly string[]): void {
  const told = changes(nodes, { members: nodes, sinceMs, statuses });
  for (const { line } of told.slice(0, PRINTED_MAX)) console.log(line);
}
