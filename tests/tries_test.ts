import { assert, assertEquals, assertFalse } from "@std/assert";
import fc from "fast-check";
import { Tries, TRIES_MAX, type Try, TRY_NUMBER_MAX, TRY_STATES } from "../lib/tries.ts";

const NEWS_MS = 8_000;
const NOW_MS = 500_000;

function sign(parts: Partial<Try> = {}): Try {
  return { hook: "pager", number: 1, by: "n1", state: "trying", failures: 0, ageMs: 0, ...parts };
}

Deno.test("each sign counts on from the last, whoever made that; a success ends the failures, and says that there were any", () => {
  const tries = new Tries({ newsMs: NEWS_MS });
  tries.take(sign({ number: 7, by: "n2", state: "failed", failures: 3 }), NOW_MS);
  const states = (["trying", "failed", "trying", "done"] as const).map((state) => {
    tries.say("pager", "n1", state, NOW_MS);
    const { number, failures } = tries.get("pager")!;
    return [number, failures];
  });
  assertEquals(states, [[8, 3], [9, 4], [10, 4], [11, 1]]);
});

Deno.test("the latest sign counts, in whatever order signs come", () => {
  const fcSign = fc.record({
    number: fc.integer({ min: 1, max: 3 }),
    by: fc.constantFrom("n1", "n2"),
    state: fc.constantFrom(...TRY_STATES),
  }).map((parts) => sign(parts));
  const lastOf = (signs: readonly Try[]) => {
    const tries = new Tries({ newsMs: NEWS_MS });
    for (const each of signs) tries.take(each, NOW_MS);
    const { number, by, state } = tries.get("pager") ?? {};
    return { number, by, state };
  };
  fc.assert(fc.property(fc.array(fcSign), (signs) => {
    assertEquals(lastOf(signs), lastOf([...signs.toReversed(), ...signs]));
  }));
});

Deno.test("a sign is news for a while, in full messages for two minutes, and then forgotten", () => {
  const tries = new Tries({ newsMs: NEWS_MS });
  assert(tries.take(sign(), NOW_MS));
  assertEquals(tries.toSend(NOW_MS + 1_000, false), [sign({ ageMs: 1_000 })]);
  assertEquals(tries.toSend(NOW_MS + NEWS_MS, false), []);
  assertEquals(tries.toSend(NOW_MS + 120_000, true).length, 1);
  assertEquals(tries.toSend(NOW_MS + 120_001, true), []);
  assert(tries.empty);
  assertFalse(tries.take(sign({ ageMs: 120_001 }), NOW_MS), "an older one is not taken back");
});

Deno.test("signs are bounded, and the greatest number ends no counting", () => {
  const tries = new Tries({ newsMs: NEWS_MS });
  for (let i = 0; i < 2 * TRIES_MAX; i++) tries.take(sign({ hook: `h${i}` }), NOW_MS);
  assertEquals(tries.toSend(NOW_MS, true).length, TRIES_MAX);
  tries.take(sign({ hook: "h0", number: TRY_NUMBER_MAX }), NOW_MS);
  tries.say("h0", "n1", "done", NOW_MS);
  assertEquals(tries.get("h0")?.number, TRY_NUMBER_MAX);
});
