/**
 * Real processes on this machine's loopback: how fast all see all, how fast a killed or a stopped one is seen dead by all,
 * and what a node costs when nothing happens. Run by `deno task bench:cluster [NODES]`.
 *
 * As root it runs in a network namespace of its own, so that every byte counted is the cluster's.
 *
 * @module
 */
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "@std/cli/parse-args";
import { Fleet, type FleetNode } from "../fleet/fleet.ts";
import { canUnshare, runInside } from "./inside.ts";
import { readUsage, summary, table } from "./measure.ts";

/** More than 128 processes of V8 would measure this machine, not the cluster. */
const NODES_MAX = 128;

/** Longer than any verdict should take. */
const VERDICT_MS = 30_000;

const options = parseArgs(Deno.args, {
  string: ["starts", "kills", "stops", "idle", "command"],
  boolean: ["inside"],
});
const count = Math.min(Number(options._[0] ?? 16), NODES_MAX);
const command = options.command === undefined ? undefined : String(options.command).split(" ");
const times = {
  starts: Number(options.starts ?? 3),
  kills: Number(options.kills ?? 20),
  stops: Number(options.stops ?? 5),
  idleMs: Number(options.idle ?? 30) * 1000,
};

if (!options.inside && await canUnshare()) {
  Deno.exit(await runInside(import.meta.filename!));
}
await main();

async function main(): Promise<void> {
  console.log(
    `${count} nodes, interval 1 s, dead-after 5 s, ${navigator.hardwareConcurrency} cores`,
  );
  const joins: Join[] = [];
  for (let i = 1; i < times.starts; i++) {
    await using fleet = new Fleet(fleetOptions());
    joins.push(await startAll(fleet));
  }
  await using fleet = new Fleet(fleetOptions());
  joins.push(await startAll(fleet));
  const idle = await measureIdle(fleet);
  const kills = await measureFall(fleet, times.kills, "SIGKILL");
  const stops = await measureFall(fleet, times.stops, "SIGSTOP");
  console.log(
    "\n" + table([
      [
        "all started at once, from the first start until all see all",
        summary(joins.map((join) => join.sinceFirstStartMs)),
      ],
      [
        "the same, from the last listening line",
        summary(joins.map((join) => join.sinceLastListensMs)),
      ],
      ["kill -9 until a survivor says dead", summary(kills.each)],
      ["kill -9 until all survivors say dead", summary(kills.all)],
      ["SIGSTOP until another says unresponsive", summary(stops.each)],
      ["SIGSTOP until all others say unresponsive", summary(stops.all)],
      ["SIGCONT until all say live", summary(stops.back)],
      ["others called dead meanwhile", String(kills.wrong + stops.wrong)],
      ...idle,
    ]),
  );
}

function fleetOptions() {
  const flags = ["-port", "0", "-host", "127.0.0.1"];
  return command === undefined ? { flags } : { flags, command };
}

/** The time until all see all. What the peers' figures count is from the first start; loading V8 is most of that. */
interface Join {
  readonly sinceFirstStartMs: number;
  readonly sinceLastListensMs: number;
}

/** Starts all nodes at once, the first as seed for the others. */
async function startAll(fleet: Fleet): Promise<Join> {
  const startMs = performance.now();
  await fleet.start(count);
  const lastMs = Math.max(...fleet.nodes.map((node) => node.listeningAtMs));
  if (!await fleet.until(() => fleet.allSeeAll())) throw new Error("not all see all");
  const sights = fleet.nodes.flatMap((node) => fleet.nodes.map(({ id }) => node.sights.get(id)));
  const seenMs = Math.max(...sights.map((list) => list?.at(-1)?.atMs ?? 0));
  const join = { sinceFirstStartMs: seenMs - startMs, sinceLastListensMs: seenMs - lastMs };
  const [first, last] = Object.values(join).map((ms) => (ms / 1000).toFixed(2));
  console.log(`all see all ${first} s after the first start, ${last} s after the last listens`);
  return join;
}

async function measureIdle(fleet: Fleet): Promise<[string, string][]> {
  // The news of the start is told for eight intervals; and a walk of the deck, of two calls a second, opens the connections that
  // stay open from then on.
  await pause(15_000 + count * 600);
  const before = await readUsage(fleet.nodes.map((node) => node.pid));
  await pause(times.idleMs);
  const after = await readUsage(fleet.nodes.map((node) => node.pid));
  const seconds = (after.atMs - before.atMs) / 1000;
  const each = (value: number) => value / seconds / count;
  return [
    ["bytes a node a second", each(after.bytes - before.bytes).toFixed(0)],
    ["packets a node a second", each(after.packets - before.packets).toFixed(1)],
    ["CPU a node, % of a core", (each(after.cpuMs - before.cpuMs) / 10).toFixed(2)],
    ["resident memory a node, MB", summary(after.residentMb, 1, "")],
  ];
}

/** Fells nodes one after another, never the same twice, and brings each back before the next. */
async function measureFall(fleet: Fleet, times: number, signal: "SIGKILL" | "SIGSTOP") {
  const each: number[] = [];
  const all: number[] = [];
  const back: number[] = [];
  let wrong = 0;
  for (let i = 0; i < times; i++) {
    const victims = fleet.running.slice(1);
    const victim = victims[i % victims.length]!;
    const others = fleet.running.filter((node) => node !== victim);
    const atMs = performance.now();
    victim.kill(signal);
    const fallen = signal === "SIGSTOP" ? "unresponsive" : "dead";
    if (!await fleet.until(() => others.every((o) => o.sees(victim.id) === fallen), VERDICT_MS)) {
      throw new Error(`not all saw ${victim.id} ${fallen}`);
    }
    const delays = others.map((other) => other.sights.get(victim.id)!.at(-1)!.atMs - atMs);
    each.push(...delays);
    all.push(Math.max(...delays));
    wrong += countWrong(others, victim, atMs);
    console.log(
      `${signal} ${victim.id}: all say ${fallen} after ${(all.at(-1)! / 1000).toFixed(2)} s`,
    );
    const backMs = performance.now();
    if (signal === "SIGSTOP") victim.kill("SIGCONT");
    else fleet.add(`${victim.id}.${i}`, ["-join", await fleet.nodes[0]!.listening]);
    if (!await fleet.until(() => fleet.allSeeAll(), VERDICT_MS)) throw new Error("not all see all");
    back.push(performance.now() - backMs);
  }
  return { each, all, back, wrong };
}

function countWrong(others: FleetNode[], victim: FleetNode, sinceMs: number): number {
  let wrong = 0;
  for (const other of others) {
    for (const [id, sights] of other.sights) {
      if (id === victim.id || !others.some((node) => node.id === id)) continue;
      wrong += sights.filter((sight) => sight.atMs > sinceMs && sight.status !== "live").length;
    }
  }
  return wrong;
}
