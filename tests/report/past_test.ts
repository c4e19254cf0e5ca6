import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { historyView, membersAtView, missedOf, uptimesOf } from "../../lib/report/past_views.ts";
import { PAGE_MAX, Past, PAST_AGE_MAX_MS, type PastChange } from "../../lib/report/past.ts";
import type { Status } from "../../lib/table.ts";
import { uptimeWords } from "../../static/words.js";
import { seededRandom } from "../support/dice.ts";

const T = Date.UTC(2026, 0, 1);
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** A node that is asked long after. */
const LATER = { id: "n1", wallMs: T + DAY_MS };

function change(atMs: number, id: string, to: PastChange["to"], from: Status | null = null) {
  return { kind: "change", change: { atMs, id, from, to, reason: `because ${to}` } } as const;
}

/** A past in which `id` became each of these, a minute after the other. */
function pastOf(...became: PastChange["to"][]): Past {
  const past = new Past();
  became.forEach((to, i) => past.add(change(T + i * 60_000, "a", to)));
  return past;
}

function uptime(past: Past, minutes: number): number | null {
  const { upMs, knownMs } = past.uptime("a", { fromMs: T, toMs: T + minutes * 60_000 });
  return knownMs === 0 ? null : upMs / knownMs;
}

Deno.test("a member's uptime is the share of the time in which it was live", () => {
  assertEquals(uptime(pastOf("live"), 4), 1);
  assertEquals(uptime(pastOf("live", "dead"), 4), 1 / 4);
  assertEquals(uptime(pastOf("live", "unresponsive", "live"), 4), 3 / 4);
  assertEquals(uptime(pastOf("failing", "live"), 4), 3 / 4);
});

Deno.test("planned stops do not count, nor what comes after a member was decommissioned or forgotten, nor before it came", () => {
  assertEquals(uptime(pastOf("live", "left"), 4), 1);
  assertEquals(uptime(pastOf("live", "dead", "left", "live"), 4), 2 / 3);
  assertEquals(uptime(pastOf("live", "dead", "forgotten"), 100), 1 / 2);
  assertEquals(uptime(pastOf("dead", "live", "decommissioned"), 100), 1 / 2);
  assertEquals(uptime(pastOf("unknown", "live"), 100), 1);
  assertEquals([uptime(pastOf("left"), 4), uptime(new Past(), 4)], [null, null]);
});

Deno.test("a time in which the node itself was off does not count, until another told what happened", () => {
  const past = pastOf("live");
  const gap = { fromMs: T + 60_000, toMs: T + 3 * 60_000 };
  past.add({ kind: "gap", gap });
  past.add(change(T + 3 * 60_000, "a", "dead"));
  assertEquals(uptime(past, 4), 1 / 2);
  past.add({ kind: "told", gap, by: "n4" });
  past.add({ kind: "change", change: { ...change(T + 90_000, "a", "dead").change, by: "n4" } });
  assertEquals(uptime(past, 4), 1.5 / 4);
  assertEquals(past.gaps, []);
});

Deno.test("what was seen by a clock that was ahead is brought back by what the node sees next of that member", () => {
  const past = pastOf("live");
  const told = { ...change(T + 2 * DAY_MS, "a", "left").change, by: "n4" };
  past.add({ kind: "change", change: told });
  past.add(change(T + DAY_MS, "a", "failing", "live"));
  past.add(change(T + DAY_MS, "b", "live"));
  past.add(change(T + DAY_MS + 1, "a", "dead", "failing"));
  past.add(change(T + HOUR_MS, "a", "live", "dead"));
  assertEquals(past.page({ fromMs: T, toMs: Infinity }).changes, [
    change(T, "a", "live").change,
    change(T + HOUR_MS, "a", "failing", "live").change,
    change(T + HOUR_MS, "a", "dead", "failing").change,
    change(T + HOUR_MS, "a", "live", "dead").change,
    change(T + DAY_MS, "b", "live").change,
    told,
  ]);
  assertEquals(past.became("a", T + DAY_MS), "live");
  assertEquals(past.became("a", T + 2 * DAY_MS), "left");
});

Deno.test("what was seen stays where it is as a clock that is years behind sees more of that member", () => {
  const past = pastOf("live", "dead", "live");
  const before = past.page({ fromMs: 0, toMs: Infinity }).changes;
  past.add(change(T - 365 * DAY_MS, "a", "live"));
  assertEquals(past.page({ fromMs: T, toMs: Infinity }).changes, before);
  assertEquals(past.became("a", T + 60_000), "dead");
});

Deno.test("a clock that steps back takes no change of another member out of a past that is full", () => {
  const past = new Past(10);
  past.add(change(T, "a", "live"));
  for (let i = 1; i <= 10; i++) past.add(change(T + i * HOUR_MS, `m${i}`, "live"));
  past.add(change(T - HOUR_MS, "a", "dead"));
  assertEquals(past.lastMs, T + 10 * HOUR_MS);
});

Deno.test("where gaps overlap, as the clock was set, the time in both is left out once", () => {
  const past = pastOf("live", "dead");
  for (const [from, to] of [[2, 4], [1, 3]] as const) {
    past.add({ kind: "gap", gap: { fromMs: T + from * 60_000, toMs: T + to * 60_000 } });
  }
  assertEquals(uptime(past, 5), 1 / 2);
});

Deno.test("a gap of over 90 days makes nothing before it old, and what comes after it is dropped in time", () => {
  const past = pastOf("live", "dead");
  const gap = { fromMs: T + HOUR_MS, toMs: T + HOUR_MS + PAST_AGE_MAX_MS + 1 };
  past.add({ kind: "gap", gap });
  past.add(change(gap.toMs, "a", "live"));
  past.expire(gap.toMs);
  assertEquals(past.firstMs, T);
  past.expire(gap.toMs + PAST_AGE_MAX_MS);
  assertEquals(past.firstMs, gap.toMs);
});

Deno.test("a gap is dropped 90 days after its end, as changes are", () => {
  const past = pastOf("live");
  const gap = { fromMs: T + 60_000, toMs: T + 3 * 60_000 };
  past.add({ kind: "gap", gap });
  past.expire(gap.toMs + PAST_AGE_MAX_MS);
  assertEquals(past.gaps, [gap]);
  past.expire(gap.toMs + PAST_AGE_MAX_MS + 1);
  assertEquals(past.gaps, []);
});

Deno.test("uptimes over 30 days with 10,000 changes of 20 members are right within 0.01 %", () => {
  const random = seededRandom(7);
  const past = new Past();
  const seconds = 30 * 86_400;
  const live = new Map<string, { up: number; lastS: number; isUp: boolean }>();
  for (let i = 0; i < 20; i++) {
    live.set(`n${i}`, { up: 0, lastS: 0, isUp: true });
    past.add(change(T, `n${i}`, "live"));
  }
  const times = Array.from({ length: 10_000 }, () => Math.floor(random() * seconds))
    .sort((a, b) => a - b);
  for (const s of times) {
    const id = `n${Math.floor(random() * 20)}`;
    const known = live.get(id)!;
    if (known.isUp) known.up += s - known.lastS;
    Object.assign(known, { lastS: s, isUp: !known.isUp });
    past.add(change(T + s * 1_000, id, known.isUp ? "live" : "dead"));
  }
  for (const [id, { up, lastS, isUp }] of live) {
    const expected = (up + (isUp ? seconds - lastS : 0)) / seconds;
    const { month } = uptimesOf(past, id, T + seconds * 1_000);
    assertAlmostEquals(month!, expected * 100, 0.01);
  }
});

Deno.test("an uptime is rounded down: a member that was dead for a moment has no 100 %", () => {
  const past = new Past();
  past.add(change(T, "a", "live"));
  past.add(change(T + HOUR_MS, "a", "dead"));
  past.add(change(T + HOUR_MS + 1, "a", "live"));
  assertEquals(uptimesOf(past, "a", T + 30 * DAY_MS), {
    day: 100,
    month: 99.999,
    knownMs: 30 * DAY_MS,
  });
  const month = { day: 100, month: 100, knownMs: 30 * DAY_MS };
  assertEquals(uptimesOf(past, "a", T + 40 * DAY_MS), month, "that was before this month");
});

Deno.test("whoever has run or hung for over 90 days is still known to do so; who was dead or gone for as long is not", () => {
  const past = new Past();
  const became = {
    a: "live",
    b: "failing",
    c: "unresponsive",
    d: "dead",
    e: "left",
    f: "forgotten",
  };
  for (const [id, to] of Object.entries(became)) past.add(change(T, id, to as Status));
  const nowMs = T + PAST_AGE_MAX_MS + DAY_MS;
  past.add(change(nowMs, "g", "live"));
  past.expire(nowMs);
  const shown = membersAtView(past, nowMs, { id: "n1", wallMs: nowMs }).members.map((
    { id, status },
  ) => `${id} ${status}`);
  assertEquals(shown, ["a live", "b failing", "c unresponsive", "g live"]);
});

Deno.test("at a time, each member is what it last became; forgotten ones are not there", () => {
  const past = pastOf("live", "dead", "forgotten");
  past.add(change(T + 30_000, "b", "live"));
  const at = (ms: number) =>
    membersAtView(past, T + ms, LATER).members.map(({ id, status }) => `${id} ${status}`);
  assertEquals([at(-1), at(0), at(60_000), at(119_999), at(120_000)], [
    [],
    ["a live"],
    ["a dead", "b live"],
    ["a dead", "b live"],
    ["b live"],
  ]);
  past.add({ kind: "gap", gap: { fromMs: T + 1_000, toMs: T + 2_000 } });
  const known = [-1, 0, 1_000, 2_000].map((ms) => membersAtView(past, T + ms, LATER).known);
  assertEquals(known, [false, true, false, true]);
  const now = { id: "n1", wallMs: T + 3_000 };
  const ahead = [3_000, 3_005, 4_001].map((ms) => membersAtView(past, T + ms, now).known);
  assertEquals(ahead, [true, true, false], "nobody knows the future, but callers' clocks differ");
});

Deno.test("the history comes in pages, oldest first, that part no millisecond and lose none", () => {
  const past = new Past();
  for (let i = 0; i < 2_500; i++) past.add(change(T + Math.floor(i / 7), `n${i % 7}`, "live"));
  const seen: string[] = [];
  let pages = 0;
  let from: string | null = new Date(T).toISOString();
  while (from !== null) {
    const query = { fromMs: Date.parse(from), toMs: Infinity };
    const { changes, next } = historyView(past, query, "n1");
    assert(changes.length < PAGE_MAX + 7);
    seen.push(...changes.map(({ at, id }) => `${at} ${id}`));
    pages++;
    from = next;
  }
  assertEquals([pages, seen.length, new Set(seen).size], [3, 2_500, 2_500]);
  assertEquals(seen, seen.toSorted());
  assertEquals(historyView(past, { fromMs: T, toMs: T + 10, id: "n3" }, "n1").changes.length, 10);
});

Deno.test("the history names the gaps within the time that is asked for, up to the ms before its end", () => {
  const past = pastOf("live");
  past.add({ kind: "gap", gap: { fromMs: T + 1_000, toMs: T + 2_000 } });
  const gaps = (fromMs: number, toMs: number) =>
    historyView(past, { fromMs: T + fromMs, toMs: T + toMs }, "n1").unknown.length;
  assertEquals([gaps(0, 1_000), gaps(0, 1_001)], [0, 1]);
  assertEquals([gaps(1_999, 5_000), gaps(2_000, 5_000)], [1, 0]);
});

Deno.test("a member became what it is in the ms in which it changed", () => {
  const past = pastOf("live", "dead");
  const became = (ms: number) => past.became("a", T + ms);
  assertEquals([became(-1), became(0), became(59_999)], [undefined, "live", "live"]);
  assertEquals([became(60_000), past.became("b", T)], ["dead", undefined]);
});

Deno.test("changes are in the order of time although clocks step, and one that is written twice counts once", () => {
  const past = new Past();
  for (const ms of [0, 5_000, 2_000, 9_000, 2_000]) past.add(change(T + ms, `m${ms}`, "live"));
  const { changes } = past.page({ fromMs: 0, toMs: Infinity });
  assertEquals(changes.map(({ atMs }) => atMs - T), [0, 2_000, 5_000, 9_000]);
});

Deno.test("the past is bounded: the oldest changes go, and a member that never changed since is still known", () => {
  const past = new Past(100);
  past.add(change(T, "steady", "live"));
  for (let i = 1; i <= 1_000; i++) past.add(change(T + i, "a", i % 2 ? "dead" : "live"));
  assert(past.page({ fromMs: 0, toMs: Infinity }).changes.length <= 100);
  assertEquals(past.at(T + 1_000).map(({ id, to }) => `${id} ${to}`), ["a live", "steady live"]);
  past.expire(T + PAST_AGE_MAX_MS + 2_000);
  assertEquals(past.page({ fromMs: 0, toMs: Infinity }).changes, []);
});

Deno.test("of what a member was before the time that is kept, its last change stays and no other", () => {
  const past = pastOf("live", "dead", "live", "dead", "live");
  const kept = () => past.page({ fromMs: 0, toMs: Infinity, id: "a" }).changes;
  past.expire(T + 3 * 60_000 + PAST_AGE_MAX_MS);
  assertEquals(kept().map(({ atMs }) => (atMs - T) / 60_000), [2, 3, 4]);
  past.expire(T + 5 * 60_000 + PAST_AGE_MAX_MS);
  assertEquals(kept().map(({ atMs }) => (atMs - T) / 60_000), [4]);
});

Deno.test("to a node that was off only a node that saw all of it tells what happened", () => {
  const past = pastOf("live", "dead");
  const asked = (fromMs: number, toMs: number) => missedOf(past, { fromMs, toMs }).complete;
  assertEquals([asked(T - 1, T + 1), asked(T, T + 9e9)], [false, true]);
  past.add({ kind: "gap", gap: { fromMs: T + 100, toMs: T + 200 } });
  assertEquals([asked(T + 200, T + 300), asked(T + 150, T + 300)], [true, false]);
});

Deno.test("uptimes are told of what is known, where that is less than a day or a month", () => {
  const words = (knownMs: number) => uptimeWords({ day: 99.5, month: 98, knownMs });
  assertEquals(words(18_000), "live 98 % of 18 s known");
  assertEquals(words(12 * DAY_MS), "live 99.5 % of 24 h, 98 % of 12 d known");
  assertEquals(words(30 * DAY_MS), "live 99.5 % of 24 h, 98 % of 30 d");
  assertEquals(uptimeWords({ day: null, month: null, knownMs: 0 }), "");
});
