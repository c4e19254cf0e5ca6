import { assert, assertEquals, assertFalse } from "@std/assert";
import fc from "fast-check";
import { covers, isPattern, type Quiet, QUIET_MAX_MS, Quiets, QUIETS_MAX } from "../lib/quiets.ts";

const NEWS_MS = 8_000;
const NOW_MS = 500_000;
const AT = { nowMs: NOW_MS, wallMs: 1_764_000_000_000 };

function asked(pattern: string, forMs: number, quiets = new Quiets({ newsMs: NEWS_MS })): Quiets {
  assertEquals(quiets.ask({ pattern, forMs, why: "deploy", by: "n1" }, AT), "done");
  return quiets;
}

function quiet(parts: Partial<Quiet> = {}): Quiet {
  return { pattern: "web*", leftMs: 60_000, why: "", by: "n1", stamp: 1, ...parts };
}

Deno.test("in a pattern * stands for any characters, and all else for itself", () => {
  const patterns = {
    "web*": ["web", "web1"],
    "*": ["", "a"],
    "w*b*1": ["wb1", "web-b11"],
    web: ["web"],
  };
  for (const [pattern, ids] of Object.entries(patterns)) {
    for (const id of ids) assert(covers(pattern, id), `${pattern} ${id}`);
  }
  for (
    const [pattern, id] of [["web*", "we"], ["a*a", "a"], ["w*b*1", "wb"], ["web", "web1"], [
      "a.b",
      "acb",
    ]]
  ) {
    assertFalse(covers(pattern!, id!), `${pattern} ${id}`);
  }
  const fcText = (characters: string) =>
    fc.array(fc.constantFrom(...characters), { maxLength: 8 }).map((all) => all.join(""));
  fc.assert(fc.property(fcText("ab*"), fcText("ab"), (pattern, id) => {
    const model = new RegExp(`^${pattern.replaceAll(/\*+/g, ".*")}$`);
    assertEquals(covers(pattern, id), model.test(id), `${pattern} ${id}`);
  }));
});

Deno.test("a pattern is an ID with stars, and no longer", () => {
  assertEquals(["web*", "n1", "*", "a:b_c.d-e"].map(isPattern), [true, true, true, true]);
  assertEquals(["", "a b", "a/b", "a?", "x".repeat(65)].map(isPattern), Array(5).fill(false));
});

Deno.test("a quiet covers members until its end, and ends by itself", () => {
  const quiets = asked("web*", 60_000);
  assertEquals(quiets.of("web1", NOW_MS + 10_000), {
    ...{ pattern: "web*", why: "deploy", by: "n1", leftMs: 50_000 },
  });
  assertEquals(quiets.of("db1", NOW_MS), undefined);
  assertEquals(quiets.of("web1", NOW_MS + 60_000), undefined);
  assertEquals(quiets.nextEndMs(NOW_MS + 10_000), NOW_MS + 60_000);
  assertEquals(quiets.nextEndMs(NOW_MS + 60_000), Infinity);
  const [before] = quiets.told(NOW_MS, true);
  assertFalse(quiets.take(before!, NOW_MS + 61_000), "a replay brings nothing back");
  assertEquals(quiets.told(NOW_MS + 180_000, true), []);
});

Deno.test("who asks again sets another end; for 0 ms it ends now, and no node that missed that brings it back", () => {
  const quiets = asked("web*", 60_000);
  const [before] = quiets.told(NOW_MS, false);
  asked("web*", 0, quiets);
  assertEquals(quiets.active(NOW_MS), []);
  assertFalse(quiets.take({ ...before!, leftMs: 59_000 }, NOW_MS + 1_000));
  const [ended] = quiets.told(NOW_MS + 59_000, true);
  assertEquals([ended?.pattern, ended?.leftMs], ["web*", 0]);
  assertEquals(quiets.told(NOW_MS + 180_000, true), [], "by then it has ended everywhere");
});

Deno.test("of one pattern what was asked last counts, in whatever order it comes", () => {
  const fcQuiet = fc.record({
    ...{ stamp: fc.integer({ min: 1, max: 3 }), by: fc.constantFrom("n1", "n2") },
  }).map((parts) => quiet({ ...parts, leftMs: 1_000 * parts.stamp }));
  const last = (all: readonly Quiet[]) => {
    const quiets = new Quiets({ newsMs: NEWS_MS });
    for (const each of all) quiets.take(each, NOW_MS);
    return quiets.told(NOW_MS, true);
  };
  fc.assert(fc.property(fc.array(fcQuiet), (all) => {
    assertEquals(last(all), last([...all.toReversed(), ...all]));
  }));
});

Deno.test("a clock that is behind orders its quiet after those it knows", () => {
  const quiets = new Quiets({ newsMs: NEWS_MS });
  quiets.take(quiet({ stamp: 2 * AT.wallMs }), NOW_MS);
  asked("web*", 1_000, quiets);
  assertEquals(quiets.active(NOW_MS)[0]?.leftMs, 1_000);
});

Deno.test("quiets are bounded in number and length, and what is no quiet is refused", () => {
  const quiets = new Quiets({ newsMs: NEWS_MS });
  for (let i = 0; i < QUIETS_MAX; i++) asked(`n${i}`, 1_000, quiets);
  const ask = (pattern: string, forMs: number) =>
    quiets.ask({ pattern, forMs, why: "", by: "n1" }, AT);
  assertEquals(ask("more", 1_000), "full");
  assertEquals(ask("n1", QUIET_MAX_MS), "done");
  for (const forMs of [-1, NaN, QUIET_MAX_MS + 1]) assertEquals(ask("n1", forMs), "invalid");
  assertEquals(ask("a b", 1_000), "invalid");
  const long = new Quiets({ newsMs: NEWS_MS });
  long.take(quiet({ leftMs: 1e15 }), NOW_MS);
  assertEquals(long.active(NOW_MS)[0]?.leftMs, QUIET_MAX_MS);
});
