import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { isWithin, valuesWithin } from "../lib/json_bounds.ts";

/** Counts a parsed value the slow way. */
function measure(value: unknown): { depth: number; values: number } {
  if (typeof value !== "object" || value === null) return { depth: 0, values: 1 };
  const inside = Object.values(value).map(measure);
  return {
    depth: 1 + Math.max(0, ...inside.map(({ depth }) => depth)),
    values: 1 + inside.reduce((sum, { values }) => sum + values, 0),
  };
}

Deno.test("isWithin() passes what is within its bounds, and nothing deeper", () => {
  fc.assert(fc.property(fc.jsonValue(), fc.nat({ max: 3 }), (value, space) => {
    const text = JSON.stringify(value, null, space);
    const { depth, values } = measure(value);
    // A list and its first value count as two where one would do, so the bound is twice what is counted.
    assertEquals(isWithin(text, { depth, values: 2 * values }), true, text);
    assertEquals(valuesWithin(text, { depth, values: 2 * values })! >= values, true, text);
    if (depth > 0) assertEquals(isWithin(text, { depth: depth - 1, values: 2 * values }), false);
    if (values > 1) assertEquals(isWithin(text, { depth, values: values / 2 }), false, text);
  }));
});

Deno.test("isWithin() takes no notice of brackets and commas within texts, escaped quotes among them", () => {
  for (const text of ['"[[,,{{"', '"\\"[[,"', '"\\\\\\"[,["', '"[', '"\\"[', '"a\\\\"']) {
    assertEquals(isWithin(text, { depth: 0, values: 1 }), true, text);
  }
  for (const text of ['"\\\\"[', '"",', '"a\\\\\\\\",[']) {
    assertEquals(isWithin(text, { depth: 0, values: 1 }), false, text);
  }
});
