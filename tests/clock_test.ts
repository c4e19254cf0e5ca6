import { assertEquals, assertGreaterOrEqual, assertLessOrEqual } from "@std/assert";
import fc from "fast-check";
import { type Moment, RunningClock } from "../lib/clock.ts";

const INTERVAL_MS = 1_000;

/** A moment at which the wall clock went as the monotonic one did, but for what it was set forward. */
function at(monotonicMs: number, setForwardMs = 0): Moment {
  return { monotonicMs, wallMs: 1_000_000 + monotonicMs + setForwardMs };
}

Deno.test("RunningClock runs with the monotonic clock while the node runs", () => {
  const clock = new RunningClock(INTERVAL_MS, at(5_000));
  assertEquals(clock.nowMs, 0);
  assertEquals([5_100, 6_100, 8_100].map((ms) => clock.step(at(ms))), [100, 1_100, 3_100]);
  assertEquals([clock.nowMs, clock.monotonicMs], [3_100, 8_100]);
});

Deno.test("invariant 8: RunningClock does not count a stall, nor the interval after it", () => {
  const clock = new RunningClock(INTERVAL_MS, at(0));
  clock.step(at(500));
  assertEquals(clock.step(at(60_500)), 500);
  assertEquals([60_900, 61_500, 61_700].map((ms) => clock.step(at(ms))), [500, 500, 700]);
  assertEquals(clock.sleptMs, 61_000);
});

Deno.test("invariant 8: a suspended machine, whose monotonic clock stood still, rests an interval as well", () => {
  const clock = new RunningClock(INTERVAL_MS, at(0));
  clock.step(at(500));
  assertEquals(clock.step(at(600, 3_600_000)), 500);
  assertEquals([1_500, 1_700].map((ms) => clock.step(at(ms, 3_600_000))), [500, 600]);
  assertEquals(clock.sleptMs, 3_600_000 + 1_100);
});

Deno.test("RunningClock takes no notice of a wall clock that drifts, or is set back", () => {
  const clock = new RunningClock(INTERVAL_MS, at(0));
  assertEquals(clock.step(at(1_000, 1_900)), 1_000);
  assertEquals(clock.step(at(2_000, -3_600_000)), 2_000);
});

Deno.test("RunningClock counts a step of two intervals whole: a late round is no stall", () => {
  const clock = new RunningClock(INTERVAL_MS, at(0));
  assertEquals(clock.step(at(2 * INTERVAL_MS)), 2_000);
  assertEquals(clock.step(at(4 * INTERVAL_MS + 1)), 2_000);
});

Deno.test("RunningClock stands still when the monotonic clock goes back", () => {
  const clock = new RunningClock(INTERVAL_MS, at(5_000));
  assertEquals([5_500, 5_400, 5_500, 5_600].map((ms) => clock.step(at(ms))), [500, 500, 500, 600]);
});

Deno.test("RunningClock never goes back, and never runs ahead of the monotonic clock", () => {
  fc.assert(fc.property(fc.array(fc.integer({ min: -5_000, max: 50_000 })), (steps) => {
    const clock = new RunningClock(INTERVAL_MS, at(0));
    let monotonicMs = 0;
    let greatestMs = 0;
    let beforeMs = 0;
    for (const step of steps) {
      monotonicMs += step;
      greatestMs = Math.max(greatestMs, monotonicMs);
      const nowMs = clock.step(at(monotonicMs));
      assertGreaterOrEqual(nowMs, beforeMs);
      assertLessOrEqual(nowMs, greatestMs);
      beforeMs = nowMs;
    }
  }));
});
