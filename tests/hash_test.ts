import { assertEquals, assertNotEquals } from "@std/assert";
import { chain, chained, hex8 } from "../lib/hash.ts";
import { Dice } from "./support/dice.ts";

Deno.test("hex8() writes all 32 bits, signed or not, as 8 digits", () => {
  const words = [0, 1, -1, -2, 0x7fffffff, 0x80000001];
  assertEquals(words.map(hex8), [
    ...["00000000", "00000001", "ffffffff", "fffffffe", "7fffffff", "80000001"],
  ]);
});

/** The check of these numbers, in this order. */
function checkOf(...words: number[]): number {
  return chained(words.reduce(chain, 0));
}

Deno.test("a check tells each number, also those beyond 32 bits, and their order", () => {
  const ticks = [1_764_000_000, 1_764_000_006, 2 ** 40, 3];
  const check = checkOf(...ticks);
  assertEquals(checkOf(...ticks), check);
  for (const [i, tick] of ticks.entries()) {
    for (const by of [-6, -1, 1, 6]) {
      assertNotEquals(checkOf(...ticks.with(i, tick + by)), check, `${i}, ${by}`);
    }
  }
  assertNotEquals(checkOf(ticks[1]!, ticks[0]!, ticks[2]!, ticks[3]!), check);
  assertNotEquals(checkOf(...ticks, 0), check);
});

Deno.test("two ticks that are wrong by six do not cancel each other in 26 bits of a check, wherever they are", () => {
  const dice = new Dice("checks");
  const ticks = Array.from({ length: 40 }, () => dice.whole(0, 1_800_000_000));
  const check = checkOf(...ticks) >>> 6;
  let passed = 0;
  for (let i = 0; i < 40; i++) {
    for (let j = 0; j < i; j++) {
      for (const by of [-6, 6]) {
        const wrong = ticks.with(i, ticks[i]! + 6).with(j, ticks[j]! + by);
        if (checkOf(...wrong) >>> 6 === check) passed++;
      }
    }
  }
  assertEquals(passed, 0);
});
