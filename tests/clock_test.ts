import { assertEquals, assertGreaterOrEqual, assertLess, assertLessOrEqual } from "@std/assert";
import fc from "fast-check";
import { type Moment, Pulse, RunningClock } from "../lib/clock.ts";
import { seededRandom } from "./support/dice.ts";

const INTERVAL_MS = 1_000;
const PACE = { longestIntervalMs: INTERVAL_MS };

/** A moment at which the wall clock went as the monotonic one did, but for what it was set forward. */
function at(monotonicMs: number, setForwardMs = 0): Moment {
  return { monotonicMs, wallMs: 1_000_000 + monotonicMs + setForwardMs };
}

Deno.test("RunningClock runs with the monotonic clock while the node runs", () => {
  const clock = new RunningClock(PACE, at(5_000));
  assertEquals(clock.nowMs, 0);
  assertEquals([5_100, 6_100, 8_100].map((ms) => clock.step(at(ms))), [100, 1_100, 3_100]);
  assertEquals([clock.nowMs, clock.monotonicMs], [3_100, 8_100]);
});

Deno.test("invariant 8: RunningClock does not count a stall, nor the interval after it", () => {
  const clock = new RunningClock(PACE, at(0));
  clock.step(at(500));
  assertEquals(clock.step(at(60_500)), 500);
  assertEquals([60_900, 61_500, 61_700].map((ms) => clock.step(at(ms))), [500, 500, 700]);
  assertEquals(clock.sleptMs, 61_000);
});

Deno.test("RunningClock.missedMs: others' clocks may be further by what did not count in the last sixty to 120 intervals", () => {
  const clock = new RunningClock(PACE, at(0));
  const years = 481_800 * 3_600_000;
  clock.step(at(500));
  const missedMs: number[] = [];
  for (let ms = 1_500; ms <= 180_500; ms += 1_000) {
    clock.step(at(ms, years));
    missedMs.push(clock.missedMs);
  }
  // What does not count is the sleep, the step in which it showed, and the interval after it.
  assertEquals(missedMs.slice(0, 3), [years + 1_000, years + 2_000, years + 2_000]);
  assertEquals(missedMs.lastIndexOf(years + 2_000), 118);
  assertEquals(missedMs[119], 0);
});

Deno.test("RunningClock is waking for an interval after a stall", () => {
  const clock = new RunningClock(PACE, at(0));
  const isWaking = [500, 60_500, 61_400, 61_500].map((ms) => {
    clock.step(at(ms));
    return clock.isWaking;
  });
  assertEquals(isWaking, [false, true, true, false]);
});

Deno.test("invariant 8: a suspended machine, whose monotonic clock stood still, rests an interval as well", () => {
  const clock = new RunningClock(PACE, at(0));
  clock.step(at(500));
  assertEquals(clock.step(at(600, 3_600_000)), 500);
  assertEquals([1_500, 1_700].map((ms) => clock.step(at(ms, 3_600_000))), [500, 600]);
  assertEquals(clock.sleptMs, 3_600_000 + 1_100);
});

Deno.test("RunningClock knows when it last woke from a sleep of an hour, stopped or suspended", () => {
  const HOUR_MS = 3_600_000;
  for (const wake of [(ms: number) => at(500 + ms), (ms: number) => at(1_500, ms - 1_000)]) {
    const clock = new RunningClock(PACE, at(0));
    clock.step(at(500));
    clock.step(wake(HOUR_MS - 1));
    assertEquals(clock.longSleepMs, -Infinity);
    const other = new RunningClock(PACE, at(0));
    other.step(at(500));
    other.step(wake(HOUR_MS));
    assertEquals(other.longSleepMs, 500);
  }
});

Deno.test("RunningClock takes no notice of a wall clock that drifts, or is set back", () => {
  const clock = new RunningClock(PACE, at(0));
  assertEquals(clock.step(at(1_000, 1_900)), 1_000);
  assertEquals(clock.step(at(2_000, -3_600_000)), 2_000);
});

Deno.test("RunningClock counts a step of two intervals whole: a late round is no stall", () => {
  const clock = new RunningClock(PACE, at(0));
  assertEquals(clock.step(at(2 * INTERVAL_MS)), 2_000);
  assertEquals(clock.step(at(4 * INTERVAL_MS + 1)), 2_000);
});

Deno.test("invariant 8: what a node is late by does not count, however short the steps, nor as long after it", () => {
  const clock = new RunningClock(PACE, at(0));
  clock.step(at(1_000), 1_000);
  // It asked to be woken at 1,200, and got to run at 1,500.
  assertEquals(clock.step(at(1_500), 1_200), 1_200);
  assertEquals(clock.uncountedMs, 300);
  assertEquals(clock.step(at(1_700), 1_700), 1_200, "it rests as long: messages wait, too");
  assertEquals(clock.step(at(1_900), 1_900), 1_300);
  assertEquals(clock.uncountedMs, 600);
});

Deno.test("invariant 8: a node that always wakes late counts half of its time at most", () => {
  const clock = new RunningClock(PACE, at(0));
  for (let ms = 400; ms <= 40_000; ms += 400) clock.step(at(ms), ms - 200);
  assertLessOrEqual(clock.nowMs, 20_000);
});

Deno.test("RunningClock counts a timer's usual lateness, 20 ms", () => {
  const clock = new RunningClock(PACE, at(0));
  assertEquals(clock.step(at(1_020), 1_000), 1_020);
});

Deno.test("RunningClock stands still when the monotonic clock goes back", () => {
  const clock = new RunningClock(PACE, at(5_000));
  assertEquals([5_500, 5_400, 5_500, 5_600].map((ms) => clock.step(at(ms))), [500, 500, 500, 600]);
});

Deno.test("RunningClock never goes back, and never runs ahead of the monotonic clock", () => {
  fc.assert(fc.property(fc.array(fc.integer({ min: -5_000, max: 50_000 })), (steps) => {
    const clock = new RunningClock(PACE, at(0));
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

/** The heartbeats of a node whose wall clock shows these times, a second apart. */
function stamps(wallMs: readonly number[]): number[] {
  const pulse = new Pulse();
  return wallMs.map((wallMs, i) => {
    pulse.beat({ monotonicMs: i * 1_000, wallMs });
    return pulse.heartbeat;
  });
}

const IN_2026 = Date.UTC(2026, 0, 1);
const IN_2126 = Date.UTC(2126, 0, 1);

Deno.test("Pulse does not follow a wall clock that steps by a century, and stamps on as before when it is corrected", () => {
  const wall = [IN_2026, IN_2126, IN_2126 + 1_000, IN_2026 + 3_000];
  assertEquals(stamps(wall), [0, 1_000, 2_000, 3_000].map((ms) => IN_2026 + ms));
});

Deno.test("Pulse follows a wall clock that is corrected: by months, or from one that was not set", () => {
  const later = IN_2026 + 300 * 24 * 3_600_000;
  assertEquals(stamps([IN_2026, later]), [IN_2026, later]);
  assertEquals(stamps([1_000, IN_2026]), [1_000, IN_2026]);
});

Deno.test("invariant 2: Pulse never goes back with the wall clock", () => {
  assertEquals(stamps([IN_2126, IN_2026]), [IN_2126, IN_2126 + 1_000]);
});

Deno.test("Pulse.jumpPast() passes a stamp by a step, and never takes a heartbeat back", () => {
  const pulse = new Pulse();
  pulse.beat({ monotonicMs: 0, wallMs: 5_000 });
  pulse.jumpPast(5_000, 0);
  assertEquals(pulse.heartbeat, 5_100);
  pulse.jumpPast(4_000, 0);
  assertEquals(pulse.heartbeat, 5_100);
});

Deno.test("Pulse.jumpPast() reads the clock: the time before it counts once, and after it stamp plus age go on from there", () => {
  const pulse = new Pulse();
  const showsAt = (monotonicMs: number) => {
    pulse.beat({ monotonicMs, wallMs: IN_2026 + monotonicMs });
    return pulse.heartbeat + pulse.ageMs - IN_2026;
  };
  assertEquals(showsAt(0), 0);
  pulse.jumpPast(IN_2026 + 50_000, 50_000);
  assertEquals(showsAt(60_000), 60_100);
  pulse.jumpPast(IN_2026 + 100_000, 70_000);
  assertEquals(showsAt(80_000), 110_100, "it was 30 s behind what others hold against it");
});

Deno.test("Pulse does not run ahead of a wall clock that is read a moment before or after the monotonic one", () => {
  const random = seededRandom(1);
  for (const stepMs of [100, 1_000]) {
    const pulse = new Pulse();
    for (let second = 1; second <= 100_000; second++) {
      const monotonicMs = second * 1_000 + 20 * random();
      pulse.beat(
        { monotonicMs, wallMs: IN_2026 + second * 1_000 + Math.floor(20 * random()) },
        stepMs,
      );
      const clockMs = pulse.heartbeat + pulse.ageMs;
      assertLess(Math.abs(clockMs - (IN_2026 + monotonicMs)), 150, `second ${second}`);
    }
  }
});

Deno.test("Pulse stamps whole steps, each once, and knows how long ago its clock reached the last", () => {
  const pulse = new Pulse();
  const beats = [100, 900, 1_000, 1_950, 2_050].map((ms) => {
    const isNew = pulse.beat({ monotonicMs: ms, wallMs: IN_2026 + ms }, 1_000);
    return [isNew, pulse.heartbeat - IN_2026, pulse.ageMs];
  });
  assertEquals(beats, [
    [true, 0, 100],
    [false, 0, 900],
    [true, 1_000, 0],
    [false, 1_000, 950],
    [true, 2_000, 50],
  ]);
});
