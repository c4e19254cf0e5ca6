import { assertEquals } from "@std/assert";
import { hex8 } from "../lib/hash.ts";

Deno.test("hex8() writes all 32 bits, signed or not, as 8 digits", () => {
  const words = [0, 1, -1, -2, 0x7fffffff, 0x80000001];
  assertEquals(words.map(hex8), [
    ...["00000000", "00000001", "ffffffff", "fffffffe", "7fffffff", "80000001"],
  ]);
});
