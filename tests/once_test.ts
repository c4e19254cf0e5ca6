import { assertEquals } from "@std/assert";
import { OncePer } from "../lib/once.ts";

Deno.test("OncePer.admit() admits each key once in a period, and says which one is the last", () => {
  const once = new OncePer({ keysMax: 3, periodMs: 1_000 });
  const admit = (...keys: string[]) => keys.map((key) => once.admit(key, 0));
  assertEquals(admit("a", "a", "b", "a"), ["first", "no", "first", "no"]);
  assertEquals(admit("c", "d", "e", "c"), ["last", "no", "no", "no"]);
});

Deno.test("OncePer.admit() admits every key again when the period is over", () => {
  const once = new OncePer({ keysMax: 1, periodMs: 1_000 });
  const admit = (nowMs: number) => once.admit("a", nowMs);
  assertEquals([5_000, 5_001, 6_000, 6_001, 6_002].map(admit), ["last", "no", "no", "last", "no"]);
});
