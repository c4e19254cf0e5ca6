import { assert, assertEquals } from "@std/assert";
import { Gossip } from "../lib/gossip.ts";
import { Pace, STRETCH_MEMBERS } from "../lib/pace.ts";
import { Stage } from "./sim/stage.ts";

const BASE = { intervalMs: 1_000, deadAfterMs: 5_000 };

/** Past any change. */
const LONG_MS = 1_000_000;

/** A pace whose table had these sizes, one after the other, each for long. */
function paceAfter(...sizes: number[]): Pace {
  const pace = new Pace({ ...BASE, stretchMembers: STRETCH_MEMBERS });
  for (const [i, size] of sizes.entries()) {
    pace.look(size, 2 * i * LONG_MS);
    pace.look(size, (2 * i + 1) * LONG_MS);
  }
  return pace;
}

/** Its interval and its dead-after, in seconds. */
function shown({ intervalMs, deadAfterMs }: Pace): [number, number] {
  return [intervalMs / 1_000, deadAfterMs / 1_000];
}

Deno.test("Pace: 1 s up to 10,000 members, 5 s at 50,000, 7 s of a full table, and dead-after with it", () => {
  const paces = [1, 10_000, 10_001, 20_000, 20_001, 50_000, 65_536, 1_000_000].map((size) =>
    shown(paceAfter(size))
  );
  assertEquals(paces, [
    ...[[1, 5], [1, 5], [2, 10], [2, 10], [3, 15], [5, 25]],
    ...[[7, 35], [7, 35]],
  ] as [number, number][]);
});

Deno.test("Pace: it goes back only below 80 % of what demands it", () => {
  assertEquals(shown(paceAfter(10_001, 8_001)), [2, 10]);
  assertEquals(shown(paceAfter(10_001, 8_000)), [1, 5]);
  assertEquals(shown(paceAfter(50_000, 32_001)), [5, 25]);
  assertEquals(shown(paceAfter(50_000, 32_000)), [4, 20]);
  assertEquals(shown(paceAfter(9_999)), [1, 5], "nor does it go up before");
});

Deno.test("Pace: it grows by dead-after first, and shrinks by the interval first", () => {
  const pace = paceAfter(1);
  pace.look(10_001, 5 * LONG_MS);
  assertEquals(shown(pace), [1, 10]);
  assertEquals([pace.longestIntervalMs, pace.shortDeadAfterMs, pace.newsMs], [
    ...[2_000, 5_000, 16_000],
  ]);
  pace.look(10_001, 5 * LONG_MS + 19_999);
  assertEquals(shown(pace), [1, 10]);
  pace.look(10_001, 5 * LONG_MS + 20_000);
  assertEquals(shown(pace), [2, 10]);
  pace.look(8_000, 6 * LONG_MS);
  assertEquals(shown(pace), [1, 10]);
  pace.look(8_000, 6 * LONG_MS + 20_000);
  assertEquals(shown(pace), [1, 5]);
});

Deno.test("Pace: while it comes and goes, a node beats by its least and waits by its greatest", () => {
  const pace = paceAfter(10_001);
  const startMs = 5 * LONG_MS;
  for (const [i, size] of [30_001, 7_000, 10_001].entries()) pace.look(size, startMs + i * 1_000);
  assertEquals(shown(pace), [1, 20]);
  pace.look(10_001, startMs + 2_000 + 39_999);
  assertEquals(shown(pace), [1, 20], "two of the dead-afters that others may still have");
  pace.look(10_001, startMs + 2_000 + 40_000);
  assertEquals(shown(pace), [2, 10]);
});

Deno.test("Pace: what holds now is told once, in one line", () => {
  const pace = new Pace({ ...BASE, stretchMembers: STRETCH_MEMBERS });
  const lines = [0, 10_000, 20_000, 30_000].map((nowMs) => pace.look(12_034, nowMs));
  const line = "12034 members: a round every 2s, dead after 10s (was 1s, 5s)";
  assertEquals(lines, [undefined, undefined, line, undefined]);
  // There and back before it held: nothing to tell.
  pace.look(7_000, 40_000);
  pace.look(12_034, 41_000);
  assertEquals(pace.look(12_034, LONG_MS), undefined);
});

Deno.test("Pace: between two sizes a newcomer takes the greatest that is told, and nobody takes more", () => {
  const toldOf = (size: number, ...intervals: (number | undefined)[]) => {
    const pace = new Pace({ ...BASE, stretchMembers: STRETCH_MEMBERS });
    for (const intervalMs of intervals) {
      pace.hear(intervalMs, { size, nowMs: 0, isJoining: false });
    }
    pace.look(size, LONG_MS);
    return pace.intervalMs;
  };
  assertEquals(toldOf(9_000), 1_000);
  assertEquals(toldOf(9_000, undefined, 1_000, 2_000, 1_000), 2_000);
  assertEquals(toldOf(8_000, 2_000), 1_000, "the size does not permit it");
  for (const odd of [0, 100, 1_500, 3_000, 7_000, 8_000, 3_600_000]) {
    assertEquals(toldOf(9_000, odd), 1_000, `${odd}`);
  }
  assertEquals(toldOf(50_000, 1_000), 5_000, "nor less than it demands");
});

Deno.test("Pace: a node with part of its first table waits as long as it is told to, and not for good", () => {
  const pace = new Pace({ ...BASE, stretchMembers: STRETCH_MEMBERS });
  pace.hear(3_000, { size: 500, nowMs: 0, isJoining: true });
  assertEquals(shown(pace), [1, 15]);
  pace.hear(3_600_000, { size: 500, nowMs: 0, isJoining: true });
  assertEquals(shown(pace), [1, 15], "whatever a stranger says");
  pace.look(500, 30_000);
  assertEquals(shown(pace), [1, 5]);
});

Deno.test("Pace: without a size to stretch from nothing ever moves it", () => {
  const pace = new Pace(BASE);
  pace.hear(2_000, { size: 65_536, nowMs: 0, isJoining: true });
  assertEquals(pace.look(65_536, LONG_MS), undefined);
  assertEquals(shown(pace), [1, 5]);
  assert(!pace.isStretched);
});

Deno.test("Pace: members are kept for ten dead-afters at least, at any pace", () => {
  const forgetMs = (size: number, given: number | undefined) => {
    const pace = new Pace({ ...BASE, forgetMs: given, stretchMembers: STRETCH_MEMBERS });
    pace.look(size, 0);
    return pace.forgetMs;
  };
  assertEquals(forgetMs(1, 50_000), 50_000);
  assertEquals(forgetMs(50_000, 50_000), 250_000);
  assertEquals(forgetMs(50_000, 55_000), 250_000);
  assertEquals(forgetMs(50_000, 3_600_000), 3_600_000);
  assertEquals(forgetMs(50_000, undefined), Infinity);
});

Deno.test("a node tells its new pace to the log, once it holds", () => {
  const at = (monotonicMs: number) => ({ monotonicMs, wallMs: 1_764_000_000_000 + monotonicMs });
  const own = { id: "n1", address: "n1:1", boot: "00000001", seeds: [], random: () => 0.5 };
  const gossip = new Gossip({ ...own, ...BASE, stretchMembers: 1 }, at(0));
  const n2 = { id: "n2", address: "n2:1", boot: "00000002", heartbeat: 1_000, ageMs: 0, left: "" };
  gossip.replica.merge(n2, "n2", 0);
  const told: string[] = [];
  for (let nowMs = 500; nowMs <= 40_000; nowMs += 500) {
    for (const effect of gossip.wake(at(nowMs)).effects) {
      if (effect.kind === "notice") told.push(effect.text);
    }
  }
  assertEquals(told, ["2 members: a round every 2s, dead after 10s (was 1s, 5s)"]);
});

/** A cluster that is at the edge of a slower pace: one more, and it takes it. */
function onTheEdge(seed: string): Stage {
  return new Stage({ nodes: 10, fineMembersMax: 1, stretchMembers: 10, seed });
}

/** The intervals of all that run, in ms, each once. */
function intervalsOf({ world }: Stage): number[] {
  return [...new Set(world.up().map(({ pace }) => pace.intervalMs))].sort((a, b) => a - b);
}

Deno.test("a cluster that grows past the edge beats slower, one that shrinks faster, and nobody looks dead meanwhile", () => {
  for (const seed of ["a", "b", "c"]) {
    const stage = onTheEdge(seed);
    assertEquals(intervalsOf(stage), [1_000]);
    stage.start(10);
    stage.run(15_000);
    assertEquals(intervalsOf(stage), [1_000], "not before all wait for longer");
    assertEquals(stage.node("n3").pace.deadAfterMs, 10_000);
    stage.run(15_000);
    assertEquals(intervalsOf(stage), [2_000]);
    // In between: a newcomer does as the others do.
    stage.node("n1").decommission("n10");
    stage.node("n1").decommission("n9");
    stage.run(5_000);
    stage.start(11);
    stage.run(60_000);
    assertEquals(intervalsOf(stage), [2_000]);
    for (const id of ["n8", "n7", "n11"]) stage.node("n1").decommission(id);
    stage.run(10_000);
    assertEquals(intervalsOf(stage), [1_000]);
    stage.run(60_000);
    assertEquals(stage.node("n3").pace.deadAfterMs, 5_000);
    assertEquals(stage.told.filter(({ change }) => change.to === "dead"), []);
  }
});

Deno.test("who is dead when the cluster grows stays dead, and is not live for the longer patience", () => {
  const stage = onTheEdge("dead");
  stage.node("n9").end("lost");
  stage.run(6_500);
  assert(stage.allShow("n9", "dead"));
  const sinceMs = stage.world.nowMs;
  stage.start(10);
  stage.run(20_000);
  const told = stage.toldOf("n9", sinceMs).filter(({ by }) => by !== "n10");
  assertEquals(told.map(({ by, change }) => `${by} ${change.to}`), []);
  assertEquals(stage.shows("n10", "n9"), "dead");
});

Deno.test("a host that is lost in a stretched cluster is dead after the longer time, and not before", () => {
  const stage = onTheEdge("lost");
  stage.start(10);
  stage.run(40_000);
  const sinceMs = stage.world.nowMs;
  stage.node("n4").end("lost");
  const deadMs = stage.runUntil(() => stage.allShow("n4", "dead"), 30_000);
  assert(deadMs > 8_000 && deadMs < 14_000, `${deadMs}`);
  assertEquals(stage.toldOf("n4", sinceMs).length, 10);
});
