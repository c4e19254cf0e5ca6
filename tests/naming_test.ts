import { assertEquals } from "@std/assert";
import { isOtherTrouble, isOutdated, nameOf, type Seen } from "../lib/naming.ts";
import type { Status } from "../lib/table.ts";
import { HEARTBEAT_MAX_MS } from "../lib/limits.ts";
import { readTold, toldEntry } from "../lib/tidings_wire.ts";
import { type KeptTold, keyOf, STEP_MAX, ToldChanges } from "../lib/told.ts";

interface Facts {
  readonly boot?: string;
  readonly heartbeat?: number;
  /** Why it stops as planned. */
  readonly left?: string;
  readonly heardAtMs?: number;
}

/** A member that is `status`, as this node sees it. */
function seenAs(status: Status, facts: Facts = {}): Seen {
  const row = {
    id: "n3",
    address: "n3:80",
    boot: "b1",
    heartbeat: 1_000,
    left: "",
    heardAtMs: 0,
    ...facts,
  };
  return { id: "n3", row, status, from: undefined, reason: "", atMs: 0 };
}

/** What was told of it, at 0 ms. */
function toldAs(to: Status, parts: Partial<KeptTold> = {}): KeptTold {
  return {
    hook: "pager",
    id: "n3",
    boot: "b1",
    to,
    heartbeat: 1_000,
    step: 0,
    by: "n7",
    together: 1,
    result: "200",
    toldAtMs: 0,
    ...parts,
  };
}

Deno.test("the return of a member whose trouble was told has one key, however often it has started since", () => {
  for (const trouble of ["dead", "unresponsive", "failing", "left"] as const) {
    for (const boot of ["b1", "b2", "b3"]) {
      const name = nameOf(seenAs("live", { boot, heartbeat: 9_000 }), toldAs(trouble));
      assertEquals(keyOf(name), "n3/b1/live/1000", trouble);
    }
  }
});

Deno.test("the trouble of a member that started anew, and its first appearance, are named by its own boot", () => {
  const anew = { boot: "b2", heartbeat: 9_000 };
  assertEquals(keyOf(nameOf(seenAs("failing", anew), toldAs("dead"))), "n3/b2/failing/1000");
  assertEquals(
    keyOf(nameOf(seenAs("left", { ...anew, left: "SIGTERM" }), toldAs("live", { step: 1 }))),
    "n3/b2/left/1000.2",
  );
  assertEquals(keyOf(nameOf(seenAs("live", anew), undefined)), "n3/b2/live/0");
  assertEquals(keyOf(nameOf(seenAs("live", anew), toldAs("live"))), "n3/b2/live/1000");
});

Deno.test("a silence is named by the last heartbeat, whatever was told before, and a decommission by the ID alone", () => {
  for (const told of [undefined, toldAs("live", { heartbeat: 500, step: 3 })]) {
    for (const status of ["dead", "unresponsive"] as const) {
      assertEquals(keyOf(nameOf(seenAs(status), told)), `n3/b1/${status}/1000`);
    }
    assertEquals(keyOf(nameOf(seenAs("decommissioned"), told)), "n3//decommissioned/0");
  }
});

Deno.test("of one silence only what is worse is another trouble; a silence after a later heartbeat is", () => {
  const isOther = (status: Status, told: KeptTold, facts?: Facts) =>
    isOtherTrouble(seenAs(status, facts), told);
  assertEquals(isOther("dead", toldAs("dead")), false);
  assertEquals(isOther("dead", toldAs("unresponsive")), true);
  assertEquals(isOther("unresponsive", toldAs("dead")), false);
  assertEquals(isOther("dead", toldAs("dead"), { heardAtMs: 1 }), false, "dated later, the same");
  // Its heartbeat is later than the one told, but it was made before that was told.
  assertEquals(isOther("dead", toldAs("dead"), { heartbeat: 1_001, heardAtMs: 0 }), false);
  assertEquals(isOther("dead", toldAs("dead"), { heartbeat: 1_001, heardAtMs: 1 }), true);
  assertEquals(isOther("unresponsive", toldAs("dead"), { heartbeat: 1_001, heardAtMs: 1 }), true);
});

Deno.test("another status is another trouble, and so is a planned stop of another life", () => {
  const left = { left: "SIGTERM" };
  const isOther = (status: Status, told: KeptTold, facts?: Facts) =>
    isOtherTrouble(seenAs(status, facts), told);
  assertEquals(isOther("failing", toldAs("failing")), false);
  assertEquals(isOther("failing", toldAs("failing", { boot: "b0" })), false);
  assertEquals(isOther("failing", toldAs("dead")), true);
  assertEquals(isOther("left", toldAs("left"), left), false);
  assertEquals(isOther("left", toldAs("left", { boot: "b0" }), left), true);
  assertEquals(isOther("dead", toldAs("dead"), { left: "dead 137 SIGKILL web" }), false);
  assertEquals(isOther("dead", toldAs("dead", { boot: "b0" }), { left: "dead 1 web" }), true);
});

Deno.test("this node waits where others were told of a later heartbeat, return, end or decommission than it knows", () => {
  const waits = (status: Status, told: KeptTold, facts?: Facts) =>
    isOutdated(seenAs(status, facts), told);
  assertEquals(waits("live", toldAs("decommissioned")), true);
  // A return after this heartbeat was told.
  const back = toldAs("live", { step: 1 });
  assertEquals(waits("dead", back), true);
  assertEquals(waits("dead", back, { heartbeat: 1_001 }), false);
  assertEquals(waits("dead", toldAs("dead")), false, "the same silence");
  assertEquals(waits("failing", back), false);
  // Its end, which it said in a life whose return was told since.
  const left = { left: "SIGTERM" };
  assertEquals(waits("left", back, left), true);
  assertEquals(waits("left", toldAs("left", { step: 1 }), left), false);
  assertEquals(waits("left", toldAs("live", { step: 1, boot: "b0" }), left), false);
  assertEquals(waits("left", back, { ...left, heardAtMs: 1 }), false);
  assertEquals(isOutdated({ ...seenAs("live"), row: undefined }, back), false);
});

Deno.test("what follows the last step is read by others, and is later", () => {
  const told = { ...toldAs("dead", { step: STEP_MAX, boot: "1a2b3c01" }), ageMs: 0 };
  const next = { ...told, ...nameOf(seenAs("live"), told) };
  assertEquals(keyOf(readTold(toldEntry(next))!), "n3/1a2b3c01/live/1100");
  const changes = new ToldChanges({ newsMs: 8_000 });
  changes.merge(told, 0);
  assertEquals([changes.merge(next, 0), changes.merge(told, 0)], [true, false]);
  const last = toldAs("dead", { heartbeat: HEARTBEAT_MAX_MS, step: STEP_MAX });
  const { heartbeat, step } = nameOf(seenAs("live"), last);
  assertEquals([heartbeat, step], [HEARTBEAT_MAX_MS, STEP_MAX], "there is nothing later");
});

Deno.test("a silence with an earlier heartbeat is outdated, but for another process: a forgotten member may come back so", () => {
  const back = toldAs("live", { heartbeat: 5_000, step: 1 });
  assertEquals(isOutdated(seenAs("dead", { heartbeat: 4_000 }), back), true);
  assertEquals(isOutdated(seenAs("dead", { heartbeat: 4_000, boot: "b2" }), back), false);
});
