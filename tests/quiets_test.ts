import { assert, assertEquals, assertFalse } from "@std/assert";
import fc from "fast-check";
import {
  isPattern,
  matches,
  type Quiet,
  QUIET_KEPT_MAX_MS,
  QUIET_MAX_MS,
  Quiets,
  QUIETS_KEPT_MAX,
  QUIETS_MAX,
} from "../lib/quiets.ts";

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
    for (const id of ids) assert(matches(pattern, id), `${pattern} ${id}`);
  }
  for (
    const [pattern, id] of [["web*", "we"], ["a*a", "a"], ["w*b*1", "wb"], ["web", "web1"], [
      "a.b",
      "acb",
    ]]
  ) {
    assertFalse(matches(pattern!, id!), `${pattern} ${id}`);
  }
  const fcText = (characters: string) =>
    fc.array(fc.constantFrom(...characters), { maxLength: 8 }).map((all) => all.join(""));
  fc.assert(fc.property(fcText("ab*"), fcText("ab"), (pattern, id) => {
    const model = new RegExp(`^${pattern.replaceAll(/\*+/g, ".*")}$`);
    assertEquals(matches(pattern, id), model.test(id), `${pattern} ${id}`);
  }));
});

Deno.test("a pattern is an ID with stars, and no longer", () => {
  assertEquals(["web*", "n1", "*", "a:b_c.d-e"].map(isPattern), [true, true, true, true]);
  assertEquals(["", "a b", "a/b", "a?", "x".repeat(65)].map(isPattern), Array(5).fill(false));
});

Deno.test("a quiet covers members until its end, and ends by itself", () => {
  const quiets = asked("web*", 60_000);
  assertEquals(quiets.of("web1", NOW_MS + 10_000), {
    pattern: "web*",
    why: "deploy",
    by: "n1",
    leftMs: 50_000,
  });
  assertEquals(quiets.of("db1", NOW_MS), undefined);
  assertEquals(quiets.of("web1", NOW_MS + 60_000), undefined);
  assertEquals(quiets.nextEndMs(NOW_MS + 10_000), NOW_MS + 60_000);
  assertEquals(quiets.nextEndMs(NOW_MS + 60_000), Infinity);
  const [before] = quiets.toSend(NOW_MS, true);
  assertFalse(quiets.take(before!, NOW_MS + 61_000), "a replay brings nothing back");
  assertEquals(quiets.toSend(NOW_MS + 180_000, true), []);
});

Deno.test("who asks again sets another end; for 0 ms it ends now, and no node that missed that brings it back", () => {
  const quiets = asked("web*", 60_000);
  const [before] = quiets.toSend(NOW_MS, false);
  asked("web*", 0, quiets);
  assertEquals(quiets.active(NOW_MS), []);
  assertFalse(quiets.take({ ...before!, leftMs: 59_000 }, NOW_MS + 1_000));
  const [ended] = quiets.toSend(NOW_MS + 59_000, true);
  assertEquals([ended?.pattern, ended?.leftMs], ["web*", 0]);
  assertEquals(quiets.toSend(NOW_MS + 180_000, true), [], "by then it has ended everywhere");
});

Deno.test("a node that hears of a quiet by its end keeps that for as long as others do, and whoever missed it brings nothing back", () => {
  const quiets = asked("web*", QUIET_MAX_MS);
  const [before] = quiets.toSend(NOW_MS, true);
  asked("web*", 0, quiets);
  const [end] = quiets.toSend(NOW_MS + 1_000, true);
  const later = new Quiets({ newsMs: NEWS_MS });
  later.take(end!, NOW_MS + 1_000);
  const lastMs = NOW_MS + QUIET_KEPT_MAX_MS - 1;
  assertFalse(later.take({ ...before!, leftMs: 1 }, lastMs));
  assertEquals([quiets, later].map((each) => each.toSend(lastMs, true).length), [1, 1]);
  assertEquals([quiets, later].map((each) => each.toSend(lastMs + 1, true)), [[], []]);
});

Deno.test("an end that is told again and again is kept no longer for that", () => {
  const [a, b] = [asked("web*", 60_000), new Quiets({ newsMs: NEWS_MS })];
  asked("web*", 0, a);
  for (let nowMs = NOW_MS; nowMs < NOW_MS + 300_000; nowMs += 1_000) {
    for (const quiet of a.toSend(nowMs, true)) b.take(quiet, nowMs + 100);
    for (const quiet of b.toSend(nowMs + 500, true)) a.take(quiet, nowMs + 600);
  }
  assert(a.empty && b.empty);
});

Deno.test("an end of which nothing else is known, as older nodes tell it, is kept for as long as any quiet can last", () => {
  const quiets = new Quiets({ newsMs: NEWS_MS });
  quiets.take(quiet({ leftMs: 0, stamp: 2 }), NOW_MS);
  const old = quiet({ leftMs: QUIET_MAX_MS, stamp: 1 });
  assertFalse(quiets.take(old, NOW_MS + QUIET_MAX_MS));
  assertEquals(quiets.toSend(NOW_MS + QUIET_KEPT_MAX_MS, true), []);
});

Deno.test("of one pattern what was asked last counts, in whatever order it comes", () => {
  const fcQuiet = fc.record({
    stamp: fc.integer({ min: 1, max: 3 }),
    by: fc.constantFrom("n1", "n2"),
  }).map((parts) => quiet({ ...parts, leftMs: 1_000 * parts.stamp }));
  const last = (all: readonly Quiet[]) => {
    const quiets = new Quiets({ newsMs: NEWS_MS });
    for (const each of all) quiets.take(each, NOW_MS);
    return quiets.toSend(NOW_MS, true);
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
  assertEquals(ask("n2", 0), "done");
  assertEquals(ask("more", 1_000), "done", "what was ended leaves its place");
  assertEquals(ask("n2", 1_000), "full");
  const long = new Quiets({ newsMs: NEWS_MS });
  long.take(quiet({ leftMs: 1e15 }), NOW_MS);
  assertEquals(long.active(NOW_MS)[0]?.leftMs, QUIET_MAX_MS);
});

Deno.test("of quiets that ended the first to be forgotten makes room, and none that lasts; a message has 64", () => {
  const quiets = asked("lasts", 1_000);
  for (let i = 0; i < QUIETS_KEPT_MAX; i++) {
    asked(`n${i}`, 60_000 + i, quiets);
    asked(`n${i}`, 0, quiets);
  }
  const [before, first, second] = ["lasts", "n0", "n1"].map((pattern) =>
    quiet({ pattern, stamp: 1 })
  );
  assertEquals(quiets.active(NOW_MS).map(({ pattern }) => pattern), ["lasts"]);
  assertFalse(quiets.take(before!, NOW_MS));
  assertFalse(quiets.take(second!, NOW_MS));
  assert(quiets.take(first!, NOW_MS), "it was forgotten");
  const told = quiets.toSend(NOW_MS, true);
  assertEquals([told.length, told.filter(({ leftMs }) => leftMs > 0).length], [QUIETS_MAX, 2]);
});
