/** Heartbeats as columns: what a message changes there without a look at the member, and what it does not. */
import { assertEquals } from "@std/assert";
import { type Columns, Seat, Stamps } from "../lib/stamps.ts";

const NOW_MS = 100_000;

function seat(id: string, heartbeat = 50_000, heardAtMs = NOW_MS - 1_000): Seat {
  return new Seat({ id, address: `${id}:80`, boot: "00000001", heartbeat, left: "" }, heardAtMs);
}

/** Columns of these seats, in this order, all of them steady. */
function quietOf(...seats: Seat[]): Stamps {
  const stamps = Seat.all(seats);
  stamps.steady.fill(1);
  return stamps;
}

function told(...beats: [heartbeat: number, ageMs: number][]): Columns {
  return { heartbeats: beats.map(([beat]) => beat), agesMs: beats.map(([, ageMs]) => ageMs) };
}

const AT = { nowMs: NOW_MS, slackMs: 300 };

Deno.test("merge() takes a later heartbeat of a steady member, dated by its age, and leaves nothing to look at", () => {
  const a = seat("a");
  assertEquals(quietOf(a).merge(told([50_800, 200]), AT), []);
  assertEquals([a.heartbeat, a.heardAtMs], [50_800, NOW_MS - 200]);
});

Deno.test("merge() never takes an earlier heartbeat, nor one of which nothing is told", () => {
  const seats = [seat("a"), seat("b")];
  assertEquals(quietOf(...seats).merge(told([49_000, 2_000], [50_500, -1]), AT), []);
  assertEquals(seats.map(({ heartbeat }) => heartbeat), [50_000, 50_000]);
});

Deno.test("merge() of an equal heartbeat takes the greater age", () => {
  for (const [ageMs, heardAtMs] of [[900, NOW_MS - 1_000], [1_100, NOW_MS - 1_100]] as const) {
    const a = seat("a");
    assertEquals(quietOf(a).merge(told([50_000, ageMs]), AT), []);
    assertEquals([a.heartbeat, a.heardAtMs], [50_000, heardAtMs]);
  }
});

Deno.test("merge() leaves a member that is not steady, or whose clock shows something else, as it is, and names it", () => {
  for (const [moved, ageMs] of [[500, 500], [500, 200], [500, 801], [500, 199]] as const) {
    const stamps = quietOf(seat("a"), seat("b"));
    stamps.steady[0] = 0;
    const beat: [number, number] = [50_000 + moved, ageMs];
    const isNear = Math.abs(ageMs - 500) <= AT.slackMs;
    assertEquals(stamps.merge(told(beat, beat), AT), isNear ? [0] : [0, 1]);
    assertEquals([...stamps.heartbeats], [50_000, isNear ? beat[0] : 50_000]);
  }
});

Deno.test("merge() takes what is told of the first members where less is told than there are", () => {
  const seats = [seat("a"), seat("b")];
  assertEquals(quietOf(...seats).merge(told([50_500, 500]), AT), []);
  assertEquals(seats.map(({ heartbeat }) => heartbeat), [50_500, 50_000]);
});

Deno.test("placeOf() finds each member, and nobody else", () => {
  const ids = ["a", "b", "c", "d", "e"];
  const stamps = Seat.all(ids.map((id) => seat(id)));
  assertEquals(ids.map((id) => stamps.placeOf(id)), [0, 1, 2, 3, 4]);
  assertEquals(["", "B", "bb", "f"].map((id) => stamps.placeOf(id)), [-1, -1, -1, -1]);
  assertEquals(new Stamps([]).placeOf("a"), -1);
});

Deno.test("members that are seated anew keep their heartbeats and whether they are steady; who left keeps its own", () => {
  const [a, b, c] = [seat("a", 1_000, 10), seat("b", 2_000, 20), seat("c", 3_000, 30)];
  const before = quietOf(a, b);
  a.disturb();
  const after = Seat.all([b, c]);
  assertEquals([[...after.heartbeats], [...after.heardAtMs]], [[2_000, 3_000], [20, 30]]);
  assertEquals([...after.steady], [1, 0]);
  b.date(2_500, 25);
  assertEquals([after.heartbeats[0], before.heartbeats[1]], [2_500, 2_000]);
  assertEquals([a.heartbeat, a.heardAtMs], [1_000, 10]);
});

Deno.test("a member of which anything but the heartbeat changed is not steady any more", () => {
  const a = seat("a");
  const stamps = quietOf(a);
  a.date(50_100, NOW_MS);
  assertEquals(stamps.steady[0], 1);
  a.take({ id: "a", address: "moved:80", boot: "00000002", heartbeat: 0, left: "SIGTERM" });
  assertEquals([stamps.steady[0], a.address, a.boot, a.left], [
    0,
    "moved:80",
    "00000002",
    "SIGTERM",
  ]);
});
