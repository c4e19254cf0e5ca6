import { assert, assertEquals, assertFalse } from "@std/assert";
import fc from "fast-check";
import { STATUSES } from "../lib/table.ts";
import { keyOf, type Told, TOLD_MAX, TOLD_TOLD_MAX, ToldChanges } from "../lib/told.ts";

const NEWS_MS = 8_000;
const NOW_MS = 500_000;

function told(parts: Partial<Told> = {}): Told {
  return {
    hook: "pager",
    id: "n5",
    boot: "1a2b3c01",
    to: "dead",
    heartbeat: 1_000,
    step: 0,
    by: "n7",
    ageMs: 0,
    together: 1,
    result: "200",
    ...parts,
  };
}

function after(...all: Told[]): ToldChanges {
  const changes = new ToldChanges({ newsMs: NEWS_MS });
  for (const each of all) changes.merge(each, NOW_MS);
  return changes;
}

Deno.test("a change has one key, made of what is equal at all nodes", () => {
  assertEquals(keyOf(told()), "n5/1a2b3c01/dead/1000");
  assertEquals(keyOf(told({ by: "n8", ageMs: 77, result: "" })), keyOf(told()));
  assertEquals(keyOf(told({ to: "live", step: 1 })), "n5/1a2b3c01/live/1000");
  assertEquals(keyOf(told({ to: "failing", step: 2 })), "n5/1a2b3c01/failing/1000.2");
});

Deno.test("of one member the latest state counts, in whatever order and however often it is learned", () => {
  const inTime = [
    told({ to: "failing", heartbeat: 0, step: 1 }),
    told({ to: "unresponsive" }),
    told({ to: "dead" }),
    told({ to: "live", step: 1 }),
    told({ to: "dead", heartbeat: 2_000 }),
    told({ to: "decommissioned", heartbeat: 0 }),
  ];
  fc.assert(fc.property(fc.array(fc.constantFrom(...inTime), { minLength: 1 }), (learned) => {
    const last = inTime[Math.max(...learned.map((each) => inTime.indexOf(each)))]!;
    assertEquals(after(...learned).get("pager", "n5")?.to, last.to);
    assertEquals(after(...learned).get("pager", "n5")?.heartbeat, last.heartbeat);
  }));
});

Deno.test("merging what was told is commutative and idempotent, for anything that may come", () => {
  const fcTold = fc.record({
    to: fc.constantFrom(...STATUSES),
    heartbeat: fc.nat(3),
    step: fc.nat(2),
    id: fc.constantFrom("n1", "n2"),
  }).map((parts) => told(parts));
  const names = (changes: ToldChanges) => changes.all(NOW_MS).map(keyOf).sort();
  fc.assert(fc.property(fc.array(fcTold), (all) => {
    assertEquals(names(after(...all)), names(after(...all.toReversed(), ...all)));
  }));
});

Deno.test("what is learned is news for a while, and whole in a full message, without what the reader knows", () => {
  const changes = after(told());
  assert(changes.merge(told({ id: "n6", ageMs: 2_000 }), NOW_MS));
  assertFalse(changes.merge(told({ id: "n6" }), NOW_MS), "it is known");
  const ids = (list: readonly Told[]) => list.map(({ id }) => id);
  assertEquals(ids(changes.toSend(NOW_MS + NEWS_MS - 1, false)), ["n5", "n6"]);
  assertEquals(changes.toSend(NOW_MS, false)[1]?.ageMs, 2_000);
  assertEquals(changes.toSend(NOW_MS + NEWS_MS, false), []);
  assertEquals(ids(changes.toSend(NOW_MS + NEWS_MS, true, [told()])), ["n6"]);
  changes.renew(NOW_MS + 2 * NEWS_MS);
  assertEquals(ids(changes.toSend(NOW_MS + 2 * NEWS_MS, false)), ["n5", "n6"]);
});

Deno.test("what is kept and what one message holds is bounded: the last learned stay", () => {
  const changes = new ToldChanges({ newsMs: NEWS_MS });
  for (let i = 0; i <= TOLD_MAX; i++) changes.merge(told({ id: `n${i}` }), NOW_MS);
  assertEquals(changes.all(NOW_MS).length, TOLD_MAX);
  assertEquals(changes.get("pager", "n0"), undefined);
  const last = changes.toSend(NOW_MS, true);
  assertEquals([last.length, last.at(-1)?.id], [TOLD_TOLD_MAX, `n${TOLD_MAX}`]);
});

Deno.test("a change that was told late, after a later one, is kept as the last that users heard", () => {
  const changes = after(told(), told({ to: "live", step: 1 }));
  const name = changes.afresh("pager", told());
  assertEquals([name.to, name.heartbeat, name.step], ["dead", 1_000, 2]);
  assert(changes.merge(told(name), NOW_MS));
  assertEquals(changes.afresh("pager", told({ heartbeat: 3_000 })).step, 0);
});
