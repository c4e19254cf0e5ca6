import { assert, assertEquals, assertFalse } from "@std/assert";
import fc from "fast-check";
import { Tries, TRIES_MAX, type Try, TRY_NUMBER_MAX, TRY_STATES } from "../lib/tries.ts";

const NEWS_MS = 8_000;
const NOW_MS = 500_000;

function attempt(parts: Partial<Try> = {}): Try {
  return { hook: "pager", number: 1, by: "n1", state: "trying", failures: 0, ageMs: 0, ...parts };
}

Deno.test("each attempt counts on from the last, whoever made that; a success ends the failures, and says that there were any", () => {
  const tries = new Tries({ newsMs: NEWS_MS });
  tries.take(attempt({ number: 7, by: "n2", state: "failed", failures: 3 }), NOW_MS);
  const states = (["trying", "failed", "trying", "done"] as const).map((state) => {
    tries.say("pager", "n1", state, NOW_MS);
    const { number, failures } = tries.get("pager")!;
    return [number, failures];
  });
  assertEquals(states, [[8, 3], [9, 4], [10, 4], [11, 1]]);
});

Deno.test("the latest attempt counts, in whatever order attempts come", () => {
  const fcAttempt = fc.record({
    number: fc.integer({ min: 1, max: 3 }),
    by: fc.constantFrom("n1", "n2"),
    state: fc.constantFrom(...TRY_STATES),
  }).map((parts) => attempt(parts));
  const lastOf = (attempts: readonly Try[]) => {
    const tries = new Tries({ newsMs: NEWS_MS });
    for (const each of attempts) tries.take(each, NOW_MS);
    const { number, by, state } = tries.get("pager") ?? {};
    return { number, by, state };
  };
  fc.assert(fc.property(fc.array(fcAttempt), (attempts) => {
    assertEquals(lastOf(attempts), lastOf([...attempts.toReversed(), ...attempts]));
  }));
});

Deno.test("an attempt is news for a while, in full messages for two minutes, and then forgotten", () => {
  const tries = new Tries({ newsMs: NEWS_MS });
  assert(tries.take(attempt(), NOW_MS));
  assertEquals(tries.toSend(NOW_MS + 1_000, false), [attempt({ ageMs: 1_000 })]);
  assertEquals(tries.toSend(NOW_MS + NEWS_MS, false), []);
  assertEquals(tries.toSend(NOW_MS + 120_000, true).length, 1);
  assertEquals(tries.toSend(NOW_MS + 120_001, true), []);
  assert(tries.empty);
  assertFalse(tries.take(attempt({ ageMs: 120_001 }), NOW_MS), "an older one is not taken back");
});

Deno.test("attempts are bounded, and the greatest number ends no counting", () => {
  const tries = new Tries({ newsMs: NEWS_MS });
  for (let i = 0; i < 2 * TRIES_MAX; i++) tries.take(attempt({ hook: `h${i}` }), NOW_MS);
  assertEquals(tries.toSend(NOW_MS, true).length, TRIES_MAX);
  tries.take(attempt({ hook: "h0", number: TRY_NUMBER_MAX }), NOW_MS);
  tries.say("h0", "n1", "done", NOW_MS);
  assertEquals(tries.get("h0")?.number, TRY_NUMBER_MAX);
});
