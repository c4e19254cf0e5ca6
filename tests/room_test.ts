/**
 * Full tables: who makes room, that two of them agree, and that a newcomer gets in. Below the bound tests/merge_laws_test.ts holds.
 */
import { assert, assertEquals, assertLess, assertLessOrEqual } from "@std/assert";
import fc from "fast-check";
import { takeAbout } from "../lib/about.ts";
import { BODY_BYTES_MAX, MEMBERS_MAX, ROWS_BYTES_MAX, TOMBSTONES_MAX } from "../lib/limits.ts";
import { absorb } from "../lib/absorb.ts";
import { Pace } from "../lib/pace.ts";
import { Replica } from "../lib/replica.ts";
import { ageOf, type Report, Table } from "../lib/table.ts";
import { encodeMessage } from "../lib/wire.ts";
import { INTERVAL_MS, Lab } from "./support/lab.ts";
import { readMessage } from "./support/messages.ts";
import { rowOf } from "./support/peer.ts";
import { copyOf } from "./support/rows.ts";
import { seededRandom } from "./support/dice.ts";
import { AWAKE } from "./support/awake.ts";

const DEAD_AFTER_MS = 5_000;
const HEARTBEAT = Date.UTC(2026, 0, 1);

function report(id: string, parts: Partial<Report> = {}): Report {
  return { ...rowOf(id), heartbeat: HEARTBEAT, ...parts };
}

/** The IDs of a table of three, after a fourth member came. */
function after(rows: readonly Report[], newcomer: Report): string[] {
  const table = new Table({ members: rows.length, silenceMs: () => DEAD_AFTER_MS });
  for (const row of rows) table.merge(row, 0);
  assert(table.isFull);
  table.merge(newcomer, 0);
  return table.roster().map(({ id }) => id);
}

const live = report("live");
const unknown = report("unknown", { heartbeat: 0 });
const left = report("left", { left: "SIGTERM", ageMs: 1_000 });
const dead = report("dead", { ageMs: 60_000 });
const longDead = report("longDead", { ageMs: 3_600_000 });

Deno.test("in a full table first the never heard makes room, then the longest gone", () => {
  const newcomer = report("new");
  assertEquals(after([live, unknown, longDead], newcomer), ["live", "longDead", "new"]);
  assertEquals(after([live, dead, longDead], newcomer), ["dead", "live", "new"]);
  assertEquals(after([live, dead, left], newcomer), ["left", "live", "new"]);
});

Deno.test("a table full of live members takes no more, and whoever is gone for longer does not displace the gone", () => {
  const others = [live, report("a"), report("b")];
  assertEquals(after(others, report("new")), ["a", "b", "live"]);
  assertEquals(after([live, dead, left], longDead), ["dead", "left", "live"]);
  assertEquals(after([live, dead, longDead], unknown), ["dead", "live", "longDead"]);
});

Deno.test("a slow member is live for longer than dead-after, and makes no room as long as it is", () => {
  const replica = replicaOf("me");
  for (let i = 2; i < MEMBERS_MAX; i++) replica.table.merge(report(`m${i}`), 0);
  replica.table.merge(report("slow", { ageMs: 1.5 * DEAD_AFTER_MS }), 0);
  replica.evidence.slow.add({ member: "slow", gapMs: DEAD_AFTER_MS, at: HEARTBEAT }, 0);
  replica.table.merge(report("m0"), 0);
  replica.table.merge(report("m1"), 0);
  assertEquals([replica.table.isFull, replica.table.get("slow")?.id], [true, "slow"]);
});

Deno.test("of what made room nothing is left: neither status, charges nor news", () => {
  const replica = replicaOf("me");
  const rows = Array.from({ length: MEMBERS_MAX - 1 }, (_, i) => report(`m${i}`, { heartbeat: 0 }));
  const take = (rows: Report[], nowMs: number) =>
    absorb(replica, { roster: "0".repeat(16), rows, dropped: 0 }, {
      via: "n1",
      isAnswer: false,
      nowMs,
    });
  assertEquals(take(rows, 0).refused, 0);
  assertEquals(replica.verdicts.review(0).length, MEMBERS_MAX);
  assertEquals(take([report("new")], 0).refused, 0);
  assertEquals(replica.table.discarded, []);
  const [gone = ""] = rows.map(({ id }) => id).filter((id) => replica.table.get(id) === undefined);
  // It would be told as new.
  assertEquals(replica.verdicts.review(0).map(({ id }) => id), ["new"]);
  assertEquals(take([report(gone)], 0).refused, 0);
  assertEquals(replica.verdicts.review(0).map(({ id, from }) => [id, from]), [[gone, null]]);
});

/** All that `table` knows, told to `to`. */
function tell(table: Table, to: Table, nowMs: number): void {
  for (const row of table.roster()) to.merge({ ...copyOf(row), ageMs: ageOf(row, nowMs) }, nowMs);
  for (const { id, by } of table.tombstones()) to.bury(id, by, nowMs);
}

const fcGone = fc.record({
  id: fc.nat({ max: 30 }).map((i) => `m${i}`),
  heartbeat: fc.constantFrom(0, 100, 200),
  ageMs: fc.constantFrom(6_000, 9_900, 60_000, 3_600_000),
  left: fc.constantFrom("", "", "SIGTERM"),
}).map((parts) => report(parts.id, parts));

Deno.test("full tables that differ agree, on members and tombstones, once they have told each other", () => {
  const limits = { members: 6, tombstones: 4, silenceMs: () => DEAD_AFTER_MS };
  const fcFill = fc.record({
    rows: fc.array(fcGone, { maxLength: 20 }),
    // As many live ones as have room.
    live: fc.subarray(["l1", "l2", "l3"]),
    buried: fc.array(fc.nat({ max: 30 }).map((i) => `t${i}`), { maxLength: 10 }),
  });
  fc.assert(fc.property(fc.array(fcFill, { minLength: 2, maxLength: 4 }), (fills) => {
    const tables = fills.map(({ rows, live, buried }) => {
      const table = new Table(limits);
      for (const row of rows) table.merge(row, 0);
      for (const id of live) table.merge(report(id), 0);
      for (const id of buried) table.bury(id, "x", 0);
      return table;
    });
    for (let round = 1; round <= 4; round++) {
      const nowMs = round * 1_001;
      for (const id of fills.flatMap(({ live }) => live)) {
        for (const table of tables) {
          table.merge(report(id, { heartbeat: HEARTBEAT + nowMs }), nowMs);
        }
      }
      for (const a of tables) for (const b of tables) tell(a, b, nowMs);
    }
    assertEquals(new Set(tables.map(({ rosterHash }) => rosterHash)).size, 1);
  }));
});

function replicaOf(id: string, random = () => 0): Replica {
  const pace = new Pace({ intervalMs: INTERVAL_MS, deadAfterMs: DEAD_AFTER_MS });
  const options = { pace, random };
  const replica = new Replica({
    id,
    address: `${id}:80`,
    boot: "0000000a",
    clock: AWAKE,
    ...options,
  });
  replica.beat({ monotonicMs: 0, wallMs: HEARTBEAT }, 0);
  return replica;
}

/** Full exchanges until the rosters are equal, a second apart. */
function exchangesUntilEqual(a: Replica, b: Replica, startMs: number): number {
  for (let count = 1; count <= 100; count++) {
    const nowMs = startMs + count * 1_001;
    const push = encodeMessage({ ...a.fullDraft(nowMs), full: true });
    assertLessOrEqual(push.length, BODY_BYTES_MAX);
    const pushed = readMessage(push);
    absorb(b, pushed, { via: a.id, isAnswer: false, nowMs });
    const answer = encodeMessage({ ...b.fullDraft(nowMs, { theirs: pushed }), id: b.id });
    assertLessOrEqual(answer.length, BODY_BYTES_MAX);
    if (absorb(a, readMessage(answer), { via: b.id, isAnswer: true, nowMs }).equal) return count;
  }
  return Infinity;
}

/** As many tombstones as there may be, with IDs as long as they may be. */
function fill(replica: Replica, letter: string): void {
  for (let i = 0; i < TOMBSTONES_MAX; i++) {
    replica.bury(`${letter}${i}`.padEnd(64, "-"), letter.repeat(64), 0);
  }
}

Deno.test("a node with all the tombstones there may be, of the longest IDs, is joined in bounded exchanges", () => {
  const random = seededRandom(1);
  const [full, newcomer] = [replicaOf("full", random), replicaOf("new", random)];
  fill(full, "t");
  assertLessOrEqual(exchangesUntilEqual(newcomer, full, 0), 30);
  assertEquals(newcomer.table.tombstoneCount, TOMBSTONES_MAX);
});

Deno.test("invariant 3: two nodes with all the tombstones there may be, and different ones, come to agree", () => {
  const random = seededRandom(2);
  const [a, b] = [replicaOf("a", random), replicaOf("b", random)];
  fill(a, "t");
  fill(b, "u");
  assertLessOrEqual(exchangesUntilEqual(a, b, 0), 60);
  assertEquals([a.table.tombstoneCount, b.table.tombstoneCount], [TOMBSTONES_MAX, TOMBSTONES_MAX]);
});

Deno.test("a cluster that was filled with made-up members takes a newcomer as soon as they are dead", () => {
  const lab = new Lab();
  const a = lab.start("A");
  const b = lab.start("B", { join: ["a:80"] });
  lab.pass(2 * INTERVAL_MS);
  lab.reach = (_, to) => /^[ab]?c?:80$/.test(to) ? "ok" : "silent";
  for (let from = 0; from < MEMBERS_MAX; from += 32_768) {
    const rows = Array.from(
      { length: 32_768 },
      (_, i) => rowOf(`fake${from + i}`, { heartbeat: Math.floor(a.now().wallMs / 100) * 100 }),
    );
    const body = encodeMessage({ roster: "0".repeat(16), rows });
    for (const brain of [a, b]) assert(!("error" in brain.receive("liar", body)));
  }
  assert(a.gossip.replica.table.isFull);
  lab.pass(7 * INTERVAL_MS);
  const c = lab.start("C", { join: ["a:80"] });
  lab.pass(6 * INTERVAL_MS);
  const shown = [a, b, c].map((brain) => ["A", "B", "C"].map((id) => brain.status(id)));
  assertEquals(shown, Array(3).fill(Array(3).fill("live")));
  const hashes = [a, b, c].map((brain) => brain.gossip.replica.table.rosterHash);
  assertEquals(new Set(hashes).size, 1);
});

Deno.test("rows whose words take three bytes a letter are cut at as many bytes as any others", () => {
  const replica = replicaOf("n1");
  const about = takeAbout({ failing: "検".repeat(160) })!;
  const count = Math.ceil(1.5 * ROWS_BYTES_MAX / about.bytes);
  for (let i = 0; i < count; i++) replica.merge(rowOf(`m${i}`, { about }), "n2", 0);
  const { rows = [] } = replica.fullDraft(0);
  const bytes = new TextEncoder().encode(encodeMessage({ roster: "0".repeat(16), rows })).length;
  assertLess(rows.length, count);
  assertLessOrEqual(bytes, ROWS_BYTES_MAX + 1_024);
});

Deno.test("rows of many small values are cut so that their reader takes the whole message", () => {
  const replica = replicaOf("n1");
  const about = takeAbout({ a: Array.from({ length: 62 }, () => ({})) })!;
  for (let i = 0; i < 20_000; i++) replica.merge(rowOf(`m${i}`, { about }), "n2", 0);
  const { rows = [] } = replica.fullDraft(0);
  assertLess(rows.length, 20_000);
  assertEquals(readMessage(encodeMessage({ roster: "0".repeat(16), rows })).rows, rows);
});
