import { assertEquals } from "@std/assert";
import { must } from "../lib/effects.ts";

Deno.test("must() tells of a rule that is broken, and of no other, and goes on", () => {
  const turn = { now: { monotonicMs: 0, wallMs: 0 }, nowMs: 0, effects: [] };
  must(turn, true, "this holds");
  must(turn, false, "this is broken");
  assertEquals(turn.effects as unknown[], [{ kind: "bug", rule: "this is broken" }]);
});
