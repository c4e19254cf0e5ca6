import { assertEquals, assertGreaterOrEqual, assertLessOrEqual } from "@std/assert";
import fc from "fast-check";
import { RunningClock } from "../lib/clock.ts";

const INTERVAL_MS = 1_000;

Deno.test("RunningClock runs with the monotonic clock while the node runs", () => {
  const clock = new RunningClock(INTERVAL_MS, 5_000);
  assertEquals(clock.nowMs, 0);
  assertEquals([5_100, 6_100, 8_100].map((ms) => clock.step(ms)), [100, 1_100, 3_100]);
  assertEquals([clock.nowMs, clock.monotonicMs], [3_100, 8_100]);
});

Deno.test("invariant 8: RunningClock does not count a stall, nor the interval after it", () => {
  const clock = new RunningClock(INTERVAL_MS, 0);
  clock.step(500);
  assertEquals(clock.step(60_500), 500);
  assertEquals([60_900, 61_500, 61_700].map((ms) => clock.step(ms)), [500, 500, 700]);
});

Deno.test("RunningClock counts a step of two intervals whole: a late round is no stall", () => {
  const clock = new RunningClock(INTERVAL_MS, 0);
  assertEquals(clock.step(2 * INTERVAL_MS), 2_000);
  assertEquals(clock.step(4 * INTERVAL_MS + 1), 2_000);
});

Deno.test("RunningClock stands still when the monotonic clock goes back", () => {
  const clock = new RunningClock(INTERVAL_MS, 5_000);
  assertEquals([5_500, 5_400, 5_500, 5_600].map((ms) => clock.step(ms)), [500, 500, 500, 600]);
});

Deno.test("RunningClock never goes back, and never runs ahead of the monotonic clock", () => {
  fc.assert(fc.property(fc.array(fc.integer({ min: -5_000, max: 50_000 })), (steps) => {
    const clock = new RunningClock(INTERVAL_MS, 0);
    let monotonicMs = 0;
    let greatestMs = 0;
    let beforeMs = 0;
    for (const step of steps) {
      monotonicMs += step;
      greatestMs = Math.max(greatestMs, monotonicMs);
      const nowMs = clock.step(monotonicMs);
      assertGreaterOrEqual(nowMs, beforeMs);
      assertLessOrEqual(nowMs, greatestMs);
      beforeMs = nowMs;
    }
  }));
});
