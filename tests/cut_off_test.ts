import { assertEquals } from "@std/assert";
import { CutOff } from "../lib/cut_off.ts";
import { Lab } from "./support/lab.ts";

/** A node that last heard anybody at 0 ms and has called since 1,000 ms, with so many others. */
function unheard(others: number): CutOff {
  const cutOff = new CutOff({ intervalMs: 1_000, deadAfterMs: 5_000 });
  cutOff.survey(others, 0);
  cutOff.called(1_000);
  cutOff.called(2_000);
  return cutOff;
}

function verdicts(cutOff: CutOff): [number, boolean, boolean][] {
  return [3_000, 3_001, 6_000, 6_001].map((nowMs) => {
    return [nowMs, cutOff.inDoubt(nowMs), cutOff.isCutOff(nowMs)];
  });
}

Deno.test("who knew two others and hears nobody is in doubt after two intervals, and cut off after dead-after", () => {
  assertEquals(verdicts(unheard(2)), [
    [3_000, false, false],
    [3_001, true, false],
    [6_000, true, false],
    [6_001, true, true],
  ]);
});

Deno.test("of two the other is down, and nobody is cut off", () => {
  for (const [, inDoubt, isCutOff] of verdicts(unheard(1))) {
    assertEquals([inDoubt, isCutOff], [false, false]);
  }
});

Deno.test("that the others die while nobody is heard does not end it; that somebody is heard does", () => {
  const cutOff = unheard(2);
  cutOff.survey(0, 5_000);
  assertEquals(cutOff.isCutOff(6_001), true);
  cutOff.heard();
  assertEquals([cutOff.inDoubt(6_001), cutOff.isCutOff(6_001)], [false, false]);
});

Deno.test("who gets answers, refusals or messages, be it only one kind, does not say that it is cut off", () => {
  const ways: [string, Lab["reach"], string[]][] = [
    ["answers", (_from, to) => to === "c:80" ? "silent" : "ok", []],
    ["refusals", (from) => from.id === "C" ? "refused" : "silent", []],
    ["messages", (from) => from.id === "C" ? "silent" : "ok", []],
    ["nothing", () => "silent", ["cut-off"]],
  ];
  const hook = { name: "pager", statuses: new Set<never>(), tags: {}, cutOff: true };
  for (const [what, reach, says] of ways) {
    const lab = new Lab();
    for (const id of ["A", "B"]) lab.start(id, { join: ["a:80"] });
    const c = lab.start("C", { join: ["a:80"], hooks: [hook] });
    lab.pass(10_000);
    lab.reach = reach;
    lab.pass(20_000);
    assertEquals(c.tellings.flatMap(({ changes }) => changes.map(({ to }) => to)), says, what);
  }
});
