/**
 * What the protocol promises, one story each, on virtual time: crash evidence, silence, stalls, partitions, returns, Go nodes.
 * The invariants are checked at every step of each as well.
 */
import { assert, assertEquals, assertGreaterOrEqual, assertLessOrEqual } from "@std/assert";
import { encodeColumns } from "../../lib/columns.ts";
import { HEARTBEAT_MAX_MS } from "../../lib/limits.ts";
import { encodeMessage } from "../../lib/wire.ts";
import { copyOf } from "../support/rows.ts";
import { EXACT_CLOCK } from "./clock.ts";
import { Stage } from "./stage.ts";

/** Sizes at which small clusters differ: all are witnesses, some are, few are. */
const SIZES = [3, 4, 5, 8, 16, 64];

/** Rounds in which what was broken must be whole again. */
const TEN_ROUNDS_MS = 10_000;

const HOUR_MS = 3_600_000;
const YEAR_MS = 365 * 24 * HOUR_MS;

function assertNeverDead(stage: Stage, sinceMs: number): void {
  const deaths = stage.told.filter(({ atMs, change }) => atMs >= sinceMs && change.to === "dead");
  assertEquals(
    deaths.map(({ by, atMs, change }) => `${atMs} ${by}: ${change.id} ${change.reason}`),
    [],
  );
}

/** Ms from `sinceMs` until each other node told `id` dead, soonest first. */
function deathsOf(stage: Stage, id: string, sinceMs: number): number[] {
  return stage.toldOf(id, sinceMs).filter(({ change }) => change.to === "dead")
    .map(({ atMs }) => atMs - sinceMs).sort((a, b) => a - b);
}

function median(sorted: readonly number[]): number {
  return sorted[sorted.length >> 1] ?? NaN;
}

Deno.test("of 64, a killed one is dead to every survivor in 1.5 s at the median and 3 s at worst", () => {
  const worst: number[] = [];
  for (let i = 0; i < 10; i++) {
    const stage = new Stage({ nodes: 64, seed: `kill ${i}` });
    const sinceMs = stage.world.nowMs;
    stage.node("n7").end("closed");
    stage.run(5_000);
    const deaths = deathsOf(stage, "n7", sinceMs);
    assertEquals(deaths.length, 63);
    worst.push(deaths.at(-1)!);
  }
  worst.sort((a, b) => a - b);
  assertLessOrEqual(median(worst), 1_500, worst.join(" "));
  assertLessOrEqual(worst.at(-1)!, 3_000, worst.join(" "));
});

Deno.test("invariant 5: a host lost in silence is dead to nobody before 4 s and to all by 5.5 s after its last heartbeat", () => {
  for (const nodes of [3, 10, 64]) {
    const stage = new Stage({ nodes });
    const node = stage.node("n1");
    // Its clock is exact and it never stalled, so it counts from its start.
    const lastMs = node.startMs + node.gossip.replica.table.get("n1")!.heardAtMs;
    node.end("lost");
    stage.run(8_000);
    const deaths = stage.toldOf("n1", lastMs).map(({ atMs }) => atMs - lastMs).sort((a, b) =>
      a - b
    );
    assertEquals(deaths.length, nodes - 1);
    assertGreaterOrEqual(deaths[0]!, 4_000);
    assertLessOrEqual(deaths.at(-1)!, 5_500);
  }
});

for (const refused of [1, 2]) {
  Deno.test(`invariant 4: a member that ${refused} of 3 to 64 nodes are refused by, by a firewall, is never dead`, () => {
    for (const nodes of SIZES) {
      for (let i = 0; i < (nodes > 16 ? 2 : 10); i++) {
        const stage = new Stage({ nodes, seed: `firewall ${i}` });
        const sinceMs = stage.world.nowMs;
        for (let from = 1; from <= refused; from++) {
          stage.world.network.links.reject(`h${from}:1`, "h0:1", true);
        }
        stage.run(20_000);
        assertNeverDead(stage, sinceMs);
      }
    }
  });
}

Deno.test("a member that restarts on the same port is dead to nobody once it is back", () => {
  for (const nodes of SIZES) {
    for (const downMs of [50, 300, 1_000]) {
      for (let i = 0; i < (nodes > 16 ? 2 : 6); i++) {
        const stage = new Stage({ nodes, seed: `restart ${i}` });
        stage.node("n1").end("closed");
        stage.run(downMs);
        stage.start(1);
        // Its return has to get around first, and may cross the news of its death.
        stage.run(1_500);
        const sinceMs = stage.world.nowMs;
        stage.run(10_000);
        assertNeverDead(stage, sinceMs);
        assert(stage.allShowAll());
      }
    }
  }
});

Deno.test("a member whose link goes 20 s down, 20 s up, four times, is told of once a turn", () => {
  const stage = new Stage({ nodes: 8 });
  const sinceMs = stage.world.nowMs;
  for (let turn = 0; turn < 4; turn++) {
    stage.world.network.links.part(new Set(["h3:1"]));
    stage.run(20_000);
    assert(stage.allShow("n3", "dead"));
    stage.world.network.links.part(undefined);
    stage.run(20_000);
    assert(stage.allShowAll());
  }
  for (const by of stage.world.up().map(({ id }) => id)) {
    const changes = stage.toldOf("n3", sinceMs).filter((told) => told.by === by);
    const expected = by === "n3"
      ? []
      : ["dead", "live", "dead", "live", "dead", "live", "dead", "live"];
    assertEquals(changes.map(({ change }) => change.to), expected, `${by} of n3`);
  }
});

Deno.test("invariant 4: who was stopped for a minute accuses nobody when it runs on, and is live again in ten rounds", () => {
  const stage = new Stage({ nodes: 16 });
  stage.node("n4").stall("stopped");
  stage.run(60_000);
  assert(stage.allShow("n4", "unresponsive"));
  const sinceMs = stage.world.nowMs;
  stage.node("n4").resume();
  assertLessOrEqual(stage.runUntil(() => stage.allShowAll(), TEN_ROUNDS_MS), TEN_ROUNDS_MS);
  stage.run(10_000);
  assertNeverDead(stage, sinceMs);
});

Deno.test("invariant 4: a whole cluster that was stopped for a minute wakes with nobody dead", () => {
  const stage = new Stage({ nodes: 8 });
  const sinceMs = stage.world.nowMs;
  for (const node of stage.world.up()) node.stall("stopped");
  stage.run(60_000);
  for (const node of stage.world.up()) {
    node.resume();
    stage.run(150);
  }
  stage.run(20_000);
  assertNeverDead(stage, sinceMs);
});

for (const [nodes, cut, seeds] of [[64, 5, 5], [100, 8, 2], [16, 4, 10]] as const) {
  Deno.test(`invariant 4: ${cut} of ${nodes} nodes that are silently cut off together stay live to each other`, () => {
    for (let i = 0; i < seeds; i++) {
      const stage = new Stage({ nodes, seed: `minority ${i}` });
      const sinceMs = stage.world.nowMs;
      const few = stage.world.up().slice(i, i + cut);
      stage.world.network.links.part(new Set(few.map(({ address }) => address)));
      stage.run(20_000);
      const ids = new Set(few.map(({ id }) => id));
      const deaths = stage.told.filter(({ by, atMs, change }) =>
        atMs >= sinceMs && change.to === "dead" && ids.has(by) === ids.has(change.id)
      );
      assertEquals(deaths.map(({ by, change }) => `${by}: ${change.id}`), [], `minority ${i}`);
      stage.world.network.links.part(undefined);
      const healedMs = stage.runUntil(() => stage.allShowAll(), TEN_ROUNDS_MS);
      assertLessOrEqual(healedMs, TEN_ROUNDS_MS, `minority ${i}`);
    }
  });
}

Deno.test("half of 64 nodes lost at once bring the others to four times the calls of a quiet second at most: no stampede", () => {
  const stage = new Stage({ nodes: 64 });
  const { counts } = stage.world.network;
  const callsIn = (ms: number) => {
    const before = counts.calls;
    stage.run(ms);
    return (counts.calls - before) / stage.world.up().length / (ms / 1_000);
  };
  const quiet = callsIn(10_000);
  for (const node of stage.world.up().slice(32)) node.end("lost");
  const worst = Math.max(...Array.from({ length: 10 }, () => callsIn(1_000)));
  assertLessOrEqual(worst, 4 * quiet, `${worst} calls a second each, ${quiet} before`);
});

Deno.test("halves parted for a minute find each other again in ten rounds", () => {
  for (const nodes of [2, 3, 8, 32]) {
    const stage = new Stage({ nodes });
    const island = new Set(Array.from({ length: nodes >> 1 }, (_, i) => `h${i}:1`));
    stage.world.network.links.part(island);
    stage.run(60_000);
    assert(stage.allShow("n0", "dead") || nodes > 3);
    stage.world.network.links.part(undefined);
    const healedMs = stage.runUntil(() => stage.allShowAll(), TEN_ROUNDS_MS);
    assertLessOrEqual(healedMs, TEN_ROUNDS_MS, `${nodes} nodes`);
  }
});

Deno.test("a member that returns without -join where it was is found in ten rounds", () => {
  for (const nodes of [3, 8, 32]) {
    const stage = new Stage({ nodes });
    stage.node("n1").end("closed");
    stage.run(30_000);
    stage.start(1, { seeds: [] });
    const foundMs = stage.runUntil(() => stage.allShowAll(), TEN_ROUNDS_MS);
    assertLessOrEqual(foundMs, TEN_ROUNDS_MS, `${nodes} nodes`);
  }
});

Deno.test("invariant 8: a member that restarts an hour or a year behind its own heartbeats is live again in ten rounds", () => {
  for (const wallSkewMs of [-3_600_000, -365 * 24 * 3_600_000]) {
    const stage = new Stage({ nodes: 8 });
    stage.node("n1").end("closed");
    stage.run(3_000);
    stage.start(1, { clock: { ...EXACT_CLOCK, wallSkewMs } });
    assertLessOrEqual(stage.runUntil(() => stage.allShowAll(), TEN_ROUNDS_MS), TEN_ROUNDS_MS);
  }
});

Deno.test("invariant 8: a member whose wall clock is set forward, by a minute or a year, is dead to nobody", () => {
  for (const nodes of SIZES) {
    for (const byMs of [61_000, HOUR_MS, YEAR_MS]) {
      const stage = new Stage({ nodes });
      const sinceMs = stage.world.nowMs;
      stage.node("n1").stepWall(byMs);
      stage.run(20_000);
      assertNeverDead(stage, sinceMs);
      assert(stage.allShowAll());
    }
  }
});

Deno.test("invariant 8: where 10 % of messages are lost, 16 clocks set forward in turn cost one wrong verdict a run at most, and that for seconds", () => {
  // A heartbeat far ahead is believed of its member's own answer alone, and some miss five of those in a row.
  let deaths = 0;
  for (let i = 0; i < 10; i++) {
    const stage = new Stage({ nodes: 16, lostShare: 0.1, seed: `steps ${i}` });
    stage.run(10_000);
    const sinceMs = stage.world.nowMs;
    for (const node of stage.world.up()) {
      node.stepWall(HOUR_MS);
      stage.run(2_000);
    }
    stage.run(10_000);
    deaths += stage.told.filter(({ atMs, change }) =>
      atMs >= sinceMs && change.to === "dead"
    ).length;
    assert(stage.allShowAll(), `steps ${i}`);
  }
  assertLessOrEqual(deaths, 10);
});

Deno.test("invariant 8: a member that restarts at once, an hour or a year ahead of its own heartbeats, is live in 3 s", () => {
  for (const nodes of SIZES) {
    for (const wallSkewMs of [HOUR_MS, YEAR_MS]) {
      const stage = new Stage({ nodes });
      stage.node("n1").end("closed");
      stage.run(300);
      const { boot } = stage.start(1, { clock: { ...EXACT_CLOCK, wallSkewMs } });
      const isKnown = () =>
        stage.allShowAll() &&
        stage.world.up().every((node) => node.gossip.replica.table.get("n1")?.boot === boot);
      assertLessOrEqual(stage.runUntil(isKnown, TEN_ROUNDS_MS), 3_000, `${nodes} nodes`);
    }
  }
});

Deno.test("invariant 8: a member that starts in 2126 harms nobody; under its ID the stamps stay ahead when its clock is right again, and under another they are right", () => {
  const century = 100 * YEAR_MS;
  const stage = new Stage({ nodes: 8 });
  const sinceMs = stage.world.nowMs;
  const stampOf = (id: string) => stage.node("n1").gossip.replica.table.get(id)!.heartbeat;
  const right = () => stampOf("n1");
  const joins = (clock: typeof EXACT_CLOCK, i: number) => {
    stage.start(i, { clock });
    const isIn = () => stage.allShowAll() && stage.shows("n1", `n${i}`) === "live";
    assertLessOrEqual(stage.runUntil(isIn, TEN_ROUNDS_MS), TEN_ROUNDS_MS, `n${i}`);
    stage.run(TEN_ROUNDS_MS);
  };
  joins({ ...EXACT_CLOCK, wallSkewMs: century }, 8);
  assertGreaterOrEqual(stampOf("n8"), right() + century - 2_000);
  // A crash is still known in time, as ages are by clocks that count from the start.
  stage.node("n8").end("lost");
  assertLessOrEqual(stage.runUntil(() => stage.allShow("n8", "dead"), 6_000), 6_000);
  joins(EXACT_CLOCK, 8);
  assertGreaterOrEqual(stampOf("n8"), right() + century - 2_000, "it jumps past its former life");
  joins(EXACT_CLOCK, 9);
  assertLessOrEqual(Math.abs(stampOf("n9") - right()), 2_000);
  const deaths = stage.told.filter(({ atMs, change }) => atMs >= sinceMs && change.to === "dead");
  assertEquals(new Set(deaths.map(({ change }) => change.id)), new Set(["n8"]));
  assertEquals(deaths.length, 8, "once at each of the others");
});

Deno.test("invariant 8: a member that starts again at another address with a clock ahead is dead to nobody", () => {
  for (const how of ["closed", "lost"] as const) {
    const stage = new Stage({ nodes: 6, seed: how });
    stage.node("n3").end(how);
    stage.run(300);
    const movedMs = stage.world.nowMs;
    stage.start(3, { address: "h9:1", clock: { ...EXACT_CLOCK, wallSkewMs: 90_000 } });
    stage.run(30_000);
    const told = stage.toldOf("n3", movedMs).map(({ change: { from, to } }) => `${from} -> ${to}`);
    assertEquals(new Set(told), new Set(["live -> live"]), how);
  }
});

Deno.test("invariant 4: a node that did not run for ten minutes accuses nobody, though all clocks are far ahead of those it knows", () => {
  for (const kind of ["stopped", "suspended"] as const) {
    const stage = new Stage({ nodes: 16 });
    stage.node("n4").stall(kind);
    stage.run(600_000);
    const sinceMs = stage.world.nowMs;
    stage.node("n4").resume();
    stage.run(20_000);
    assertNeverDead(stage, sinceMs);
    assert(stage.allShowAll(), kind);
  }
});

Deno.test("a stranger who pushes heartbeats of the year 9999, again and again, makes nobody dead", () => {
  for (const nodes of [3, 16]) {
    const stage = new Stage({ nodes });
    const sinceMs = stage.world.nowMs;
    for (let i = 0; i < 20; i++) {
      for (const node of stage.world.up()) {
        const { table } = node.gossip.replica;
        const beat = HEARTBEAT_MAX_MS - 100 * i;
        const roster = table.roster().map((row) => ({
          ...copyOf(row),
          heartbeat: beat,
          heardAtMs: 0,
        }));
        const rows = roster.map((row) => ({ ...row, boot: "ffffffff", ageMs: HOUR_MS }));
        const at = { ownHeartbeat: beat, nowMs: HOUR_MS };
        const columns = { roster: table.rosterHash, beat, beats: encodeColumns(roster, at) };
        for (const draft of [columns, { roster: table.rosterHash, rows }]) {
          const from = stage.world.dice.pick(["liar", ...roster.map(({ id }) => id)]);
          const body = encodeMessage(draft);
          node.serve({ kind: "exchange", from, via: "liar:1", body });
        }
      }
      stage.run(500);
    }
    stage.run(10_000);
    assertNeverDead(stage, sinceMs);
    assert(stage.allShowAll());
  }
});

Deno.test("a planned stop is shown as left, by all in a round, and never as dead", () => {
  const stage = new Stage({ nodes: 64 });
  const sinceMs = stage.world.nowMs;
  stage.node("n9").leave("SIGTERM");
  assertLessOrEqual(stage.runUntil(() => stage.allShow("n9", "left"), 5_000), 1_500);
  stage.run(10_000);
  assertNeverDead(stage, sinceMs);
});

Deno.test("when all but one to five nodes are stopped at once, those show all others as left, and never as dead", () => {
  for (const [nodes, stay] of [[10, 1], [30, 1], [30, 3], [64, 5]] as const) {
    for (const [latencyMs, apartMs] of [[1, 0], [10, 50], [100, 0], [100, 300]] as const) {
      const seed = `mass leave ${nodes} ${stay} ${latencyMs} ${apartMs}`;
      const stage = new Stage({ nodes, latencyMs, seed });
      const sinceMs = stage.world.nowMs;
      const dice = stage.world.dice.fork("stops");
      const stopped = stage.world.up().slice(stay);
      for (const node of stopped) {
        stage.world.at(sinceMs + dice.between(0, apartMs), () => node.leave("SIGTERM"));
      }
      stage.run(apartMs + 2_000);
      assertEquals(stopped.filter((node) => node.up).map(({ id }) => id), [], seed);
      stage.run(8_000);
      for (const { id } of stopped) assert(stage.allShow(id, "left"), `${id}, ${seed}`);
      assertNeverDead(stage, sinceMs);
    }
  }
});

Deno.test("a node that stops beside members that crashed unnoticed is shown as left by those that run", () => {
  for (let i = 0; i < 10; i++) {
    const stage = new Stage({ nodes: 16, seed: `farewell ${i}` });
    for (let lost = 2; lost < 16; lost++) stage.node(`n${lost}`).end("closed");
    stage.node("n1").leave("SIGTERM");
    stage.run(2_500);
    assertEquals(stage.shows("n0", "n1"), "left", `farewell ${i}`);
  }
});

Deno.test("invariant 3: a decommissioned node stops, and stays so though all nodes restart from their state files", () => {
  const stage = new Stage({ nodes: 6 });
  stage.node("n1").decommission("n2");
  assertLessOrEqual(stage.runUntil(() => stage.allShow("n2", "decommissioned"), 5_000), 1_500);
  assertEquals(stage.node("n2").up, false);
  stage.run(2_000);
  for (const node of stage.world.up()) node.end("closed");
  stage.run(10_000);
  for (const i of [0, 1, 3, 4, 5]) stage.start(i, { seeds: [], remembers: true });
  assertLessOrEqual(stage.runUntil(() => stage.allShowAll(), TEN_ROUNDS_MS), TEN_ROUNDS_MS);
  assert(stage.allShow("n2", "decommissioned"));
  const again = stage.start(2);
  stage.run(5_000);
  assertEquals(again.up, false, "a decommissioned ID came back");
});

Deno.test("after a power cut those that stay down are dead to those that come back, who remember them, and live again when they run", () => {
  for (const wallSkewMs of [0, -3_600_000, 100 * 365 * 24 * 3_600_000]) {
    const stage = new Stage({ nodes: 6, seed: `power cut ${wallSkewMs}` });
    for (const node of stage.world.up()) node.end("closed");
    stage.run(60_000);
    const clock = { ...EXACT_CLOCK, wallSkewMs };
    stage.start(1, { seeds: [], remembers: true, clock });
    stage.start(2, { seeds: [], remembers: true });
    stage.run(4_000);
    const sinceMs = stage.world.nowMs;
    stage.run(11_000);
    for (const id of ["n0", "n3", "n4", "n5"]) {
      assert(stage.allShow(id, "dead"), `${id} with a clock ${wallSkewMs} off`);
      const told = new Set(stage.toldOf(id, sinceMs).map(({ change }) => change.to));
      assertEquals(told, new Set(["dead" as const]));
    }
    // One that has no memory of its own comes back.
    stage.start(3, { seeds: ["h1:1"] });
    assertLessOrEqual(stage.runUntil(() => stage.allShowAll(), TEN_ROUNDS_MS), TEN_ROUNDS_MS);
  }
});

Deno.test("a member that restarts from its state file in a running cluster tells of nobody as dead", () => {
  const stage = new Stage({ nodes: 16 });
  stage.run(5_000);
  stage.node("n1").end("closed");
  stage.run(3_000);
  const sinceMs = stage.world.nowMs;
  stage.start(1, { seeds: [], remembers: true });
  stage.run(20_000);
  const dead = stage.told.filter(({ atMs, change }) => atMs > sinceMs && change.to === "dead");
  assertEquals(dead, []);
  assert(stage.allShowAll());
});

Deno.test("a second node of a live ID refuses to start, and the first is not disturbed", () => {
  const stage = new Stage({ nodes: 5 });
  const first = stage.node("n1");
  const sinceMs = stage.world.nowMs;
  const twin = stage.start(1, { address: "elsewhere:1" });
  stage.run(5_000);
  assertEquals([first.up, twin.up], [true, false]);
  assert(twin.stopText?.includes("is in use"), twin.stopText);
  assertEquals(stage.toldOf("n1", sinceMs).map(({ change }) => change.to), []);
});

Deno.test("64 nodes that start at once all see all in 3 s", () => {
  for (let i = 0; i < 5; i++) {
    const stage = new Stage({ nodes: 64, seed: `join ${i}` });
    const others = stage.told.filter(({ by, change }) => change.id !== by);
    assertEquals(others.length, 64 * 63);
    assertLessOrEqual(Math.max(...others.map(({ atMs }) => atMs)), 3_000);
  }
});

Deno.test("invariant 10: Go nodes and ours in one cluster see each other live, dead and decommissioned", () => {
  const stage = new Stage({ nodes: 3 });
  const { world } = stage;
  const go = (id: string, seeds: string[]) =>
    world.startGo({ id, address: `${id}:1`, seeds, clock: EXACT_CLOCK });
  const first = go("g1", ["h0:1"]);
  const second = go("g2", ["g1:1"]);
  const third = go("g3", ["h1:1"]);
  stage.run(10_000);
  for (const id of ["g1", "g2", "g3"]) assert(stage.allShow(id, "live"), id);
  for (const id of ["n0", "n1", "n2"]) assert(first.shows(id) && second.shows(id), id);

  second.end("closed");
  stage.node("n2").end("closed");
  stage.run(10_000);
  for (const id of ["g2", "n2"]) assert(stage.allShow(id, "dead"), id);
  assert(!first.shows("n2") && !first.shows("g2"));

  stage.node("n0").decommission("g3");
  first.decommission("n2");
  stage.run(6_000);
  assertEquals(third.up, false);
  for (const id of ["g3", "n2"]) {
    assert(stage.allShow(id, "decommissioned"), id);
    assert(first.hasTombstone(id), id);
  }
});

Deno.test("what a member says of itself, and that a check fails, is known to all of 64 within a second", () => {
  for (const seed of ["words 1", "words 2", "words 3"]) {
    const stage = new Stage({ nodes: 64, seed });
    const says = (id: string, words: string | undefined) =>
      [...stage.world.ours.values()].every((node) =>
        node.gossip.replica.table.get(id)?.about?.text === words
      );
    const n7 = stage.node("n7");
    n7.say("", "web");
    assertLessOrEqual(stage.runUntil(() => says("n7", n7.words), 5_000), 1_000, seed);
    stage.run(5_000);
    n7.say("http 503", "web");
    assertLessOrEqual(stage.runUntil(() => stage.allShow("n7", "failing"), 5_000), 1_000, seed);
    stage.run(5_000);
    n7.say("", "");
    assertLessOrEqual(stage.runUntil(() => stage.allShow("n7", "live"), 5_000), 1_000, seed);
    assert(says("n7", undefined), seed);
  }
});

Deno.test("a failing member that is killed is dead at once, and one that starts anew has said nothing yet", () => {
  const stage = new Stage({ nodes: 8 });
  stage.node("n3").say("http 503", "web");
  stage.runUntil(() => stage.allShow("n3", "failing"), 5_000);
  stage.node("n3").end("closed");
  assertLessOrEqual(stage.runUntil(() => stage.allShow("n3", "dead"), 10_000), 3_000);
  stage.start(3);
  assertLessOrEqual(stage.runUntil(() => stage.allShow("n3", "live"), 10_000), 2_000);
  assertEquals(stage.node("n0").gossip.replica.table.get("n3")?.about, undefined);
});
