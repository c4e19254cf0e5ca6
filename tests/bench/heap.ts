/**
 * Shows that a steady node leaves nothing behind: the heap of a small cluster over 100,000 rounds of moved time, and heap, open files
 * and timers of real nodes over an hour's worth of rounds at a quick pace; and what quiet members cost a node. Run by `deno task bench:heap`; exits with 1 if something grew.
 *
 * @module
 */
import { setTimeout as pause } from "node:timers/promises";
import { parseConfig } from "../../lib/config/config.ts";
import { type RunningNode, start } from "../../lib/run/running_node.ts";
import { Brains } from "./brains.ts";
import { measureCrowds } from "./crowded.ts";
import { table } from "./measure.ts";

declare const gc: () => void;

const ROUNDS = 100_000;
const MEMBERS = 4;

/** Members of whom a node is told, and that live on. What the first few cost is code: an empty node runs little of it. */
const CROWDS = [10, 1_000, 10_000];

/** Rounds of an hour at the default interval, run at this one. */
const REAL_ROUNDS = 3_600;
const REAL_INTERVAL_MS = 30;
const REAL_NODES = 3;

/** Growth that is no growth: code that was compiled meanwhile, and what the first full collection leaves. */
const NOISE_BYTES = 1_000_000;

/** Bytes in use once all garbage is gone. */
function heapBytes(): number {
  for (let i = 0; i < 3; i++) gc();
  return Deno.memoryUsage().heapUsed;
}

function measureBrains(): [string, string][] {
  const cluster = new Brains(MEMBERS);
  cluster.run(ROUNDS / 100);
  const before = heapBytes();
  const steps: number[] = [];
  for (let i = 0; i < 4; i++) {
    cluster.run(ROUNDS / 4);
    steps.push(heapBytes() - before);
  }
  if (cluster.seeing < MEMBERS) throw new Error("not all see all live");
  check("the heap of brains", steps);
  return [[
    `heap of ${MEMBERS} brains after each quarter of ${ROUNDS} rounds, KB more`,
    steps.map((bytes) => (bytes / 1000).toFixed(0)).join(", "),
  ]];
}

function startNode(id: string, join: string): RunningNode {
  const args = ["-id", id, "-port", "0", "-host", "127.0.0.1", "-join", join];
  const parsed = parseConfig(args, () => undefined, { hostname: "localhost", randomId: "none" });
  if (parsed.kind !== "run") throw new Error(JSON.stringify(parsed));
  // Quicker than the flags allow.
  const pace = { intervalMs: REAL_INTERVAL_MS, deadAfterMs: 50 * REAL_INTERVAL_MS };
  return start({ ...parsed.config, ...pace }, () => {});
}

function openFiles(): number {
  return [...Deno.readDirSync("/proc/self/fd")].length;
}

async function measureNodes(): Promise<[string, string][]> {
  const filesAtFirst = openFiles();
  const first = startNode("n0", "");
  const others = Array.from({ length: REAL_NODES - 1 }, (_, i) => {
    return startNode(`n${i + 1}`, first.address);
  });
  const rounds = (count: number) => pause(count * REAL_INTERVAL_MS);
  await rounds(REAL_ROUNDS / 10);
  const before = heapBytes();
  const filesBefore = openFiles();
  const steps: number[] = [];
  const files: number[] = [];
  for (let i = 0; i < 4; i++) {
    await rounds(REAL_ROUNDS / 4);
    steps.push(heapBytes() - before);
    files.push(openFiles() - filesBefore);
  }
  await Promise.all([first, ...others].map((running) => running.leave("measured")));
  await Promise.all([first, ...others].map((running) => running.ended));
  await pause(100);
  const filesLeft = openFiles() - filesAtFirst;
  check("the heap of nodes", steps);
  if (files.some((more) => more > REAL_NODES)) fail("the open files", files);
  // Deno itself keeps a few, once it has served and connected.
  if (filesLeft > 3) fail("the open files after the end", [filesLeft]);
  return [
    [
      `heap of ${REAL_NODES} nodes after each quarter of ${REAL_ROUNDS} rounds, KB more`,
      steps.map((bytes) => (bytes / 1000).toFixed(0)).join(", "),
    ],
    ["open files more, after each quarter", files.join(", ")],
    ["open files more than before the start, after the end", String(filesLeft)],
  ];
}

function check(what: string, steps: readonly number[]): void {
  if (steps.at(-1)! > NOISE_BYTES) fail(what, steps);
}

let failed = false;

function fail(what: string, steps: readonly number[]): void {
  console.error(`${what} grew: ${steps.join(", ")}`);
  failed = true;
}

console.log(table(measureBrains()));
console.log(table(await measureNodes()));
console.log(table(await measureCrowds(CROWDS)));
// No Deno.exit(): a timer or a listener left behind would keep the process from its end.
if (failed) Deno.exitCode = 1;
