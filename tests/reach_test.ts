import { assertEquals } from "@std/assert";
import { Reach } from "../lib/reach.ts";

/** How many more members a round calls after so many calls that timed out and members that were heard. */
function searchAfter(silent: number, heard: number): number {
  const reach = new Reach();
  for (let i = 0; i < silent; i++) reach.silent(`s${i}`, 0);
  for (let i = 0; i < heard; i++) reach.heard(`h${i}`);
  return reach.begin(0);
}

Deno.test("begin() calls for a search where nobody was heard and two calls timed out, eight members for each, 44 at most", () => {
  const search = [0, 1, 2, 3, 5, 6, 30].map((silent) => searchAfter(silent, 0));
  assertEquals(search, [0, 0, 16, 24, 40, 44, 44]);
});

Deno.test("begin() goes on with the search as long as three times as many calls time out as members are heard", () => {
  assertEquals([0, 1, 2, 3].map((heard) => searchAfter(6, heard)), [44, 44, 44, 0]);
});

Deno.test("begin() counts 64 members that were heard, and no more: a flood of callers does not end a search", () => {
  assertEquals([100, 64].map((heard) => searchAfter(3 * 64, heard)), [44, 44]);
});

Deno.test("begin() counts each round anew", () => {
  const reach = new Reach();
  reach.silent("a", 0);
  reach.silent("b", 0);
  assertEquals([reach.begin(0), reach.begin(0)], [16, 0]);
});

Deno.test("a member whose call timed out is silent until it is heard, or that is too long ago", () => {
  const reach = new Reach();
  for (const id of ["a", "b", "c"]) reach.silent(id, id === "c" ? 200 : 100);
  reach.heard("a");
  assertEquals(["a", "b", "c", "d"].map((id) => reach.isSilent(id)), [false, true, true, false]);
  reach.begin(200);
  assertEquals(["b", "c"].map((id) => reach.isSilent(id)), [false, true]);
});
