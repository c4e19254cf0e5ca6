import { assertEquals } from "@std/assert";
import { PAGE_MAX, Past } from "../../lib/report/past.ts";
import { SPANS, stripsOf } from "../../lib/report/spans.ts";
import { STRIP_SAMPLES } from "../../lib/report/strips.ts";
import type { Status } from "../../lib/table.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** A past of one member, by the minute of each change. */
function pastOf(...changes: (readonly [number, Status])[]): Past {
  const past = new Past();
  for (const [minute, to] of changes) {
    const change = { atMs: minute * MINUTE_MS, id: "n1", from: null, to, reason: `is ${to}` };
    past.add({ kind: "change", change });
  }
  return past;
}

/** The strip of the hour that ends at minute `now`, equal letters in a row counted. */
function hour(past: Past, now: number): string {
  const { statuses } = stripsOf(past, "1h", now * MINUTE_MS).view("n1");
  assertEquals(statuses.length, STRIP_SAMPLES);
  return statuses.replace(/(.)\1*/g, (run, mark) => `${mark}${run.length} `).trim();
}

Deno.test("a strip of the past shows each status for as long as it lasted", () => {
  assertEquals(hour(pastOf([60, "live"], [90, "dead"], [100, "live"]), 120), "+30 x10 +20");
  assertEquals(hour(pastOf([60, "live"], [90, "failing"], [100, "left"]), 120), "+30 f10 -20");
});

Deno.test("what was before the span lasts into it, and before anything is known there is nothing", () => {
  assertEquals(hour(pastOf([1, "dead"], [100, "live"]), 120), "x40 +20");
  assertEquals(hour(pastOf([100, "live"]), 120), ".40 +20");
  assertEquals(hour(new Past(), 120), ".60");
});

Deno.test("of several statuses within a step the worst shows", () => {
  assertEquals(hour(pastOf([60, "live"], [90.2, "dead"], [90.4, "live"]), 120), "+30 x1 +29");
});

Deno.test("of the time in which this node was off nothing shows", () => {
  const past = pastOf([60, "live"], [100, "live"]);
  past.add({ kind: "gap", gap: { fromMs: 80 * MINUTE_MS, toMs: 100 * MINUTE_MS } });
  assertEquals(hour(past, 120), "+20 .20 +20");
});

Deno.test("a strip of the past tells the changes of its time, with their reasons", () => {
  const past = pastOf([1, "live"], [90, "dead"]);
  past.add({
    kind: "change",
    change: { atMs: 95 * MINUTE_MS, id: "n1", from: "dead", to: "forgotten", reason: "" },
  });
  assertEquals(stripsOf(past, "1h", 120 * MINUTE_MS).changes("n1"), [
    { atMs: 90 * MINUTE_MS, to: "dead", reason: "is dead" },
  ]);
});

Deno.test("a strip of the past tells more changes than one page holds", () => {
  const count = 2 * PAGE_MAX + 3;
  const past = pastOf(
    ...Array.from(
      { length: count },
      (_, i) => [60 + 50 * i / count, i % 2 ? "dead" : "live"] as const,
    ),
  );
  assertEquals(stripsOf(past, "1h", 120 * MINUTE_MS).changes("n1").length, count);
});

Deno.test("a strip of a member that changed very often is right to its end, and tells the latest 5,000 changes", () => {
  const count = 12_000;
  const flaps = Array.from(
    { length: count },
    (_, i) => [60 + 30 * i / count, i % 2 ? "live" : "dead"] as const,
  );
  const past = pastOf(...flaps, [90, "failing"], [100, "live"]);
  assertEquals(hour(past, 120), "x30 f10 +20");
  const told = stripsOf(past, "1h", 120 * MINUTE_MS).changes("n1");
  assertEquals([told.length, told.at(-1)?.to], [5_000, "live"]);
});

Deno.test("there are strips of an hour, a day and a month", () => {
  assertEquals(SPANS, { "1h": HOUR_MS, "24h": 24 * HOUR_MS, "30d": 720 * HOUR_MS });
  const past = pastOf([0, "live"]);
  for (const span of Object.keys(SPANS) as (keyof typeof SPANS)[]) {
    const strips = stripsOf(past, span, 720 * HOUR_MS);
    assertEquals([strips.fromMs, strips.view("n1").stepMs], [
      720 * HOUR_MS - SPANS[span],
      SPANS[span] / STRIP_SAMPLES,
    ]);
  }
});
