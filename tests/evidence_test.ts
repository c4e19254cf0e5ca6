import { assert, assertEquals, assertFalse } from "@std/assert";
import { Evidence } from "../lib/evidence.ts";
import { Pace } from "../lib/pace.ts";
import type { Row } from "../lib/table.ts";

const HEARTBEAT = 1_000_000;
const HEARD_MS = 100_000;

function row(parts: Partial<Row> = {}): Row {
  return {
    id: "n1",
    address: "n1:80",
    boot: "00000001",
    heartbeat: HEARTBEAT,
    left: "",
    heardAtMs: HEARD_MS,
    ...parts,
  };
}

function evidence(): Evidence {
  return new Evidence({ pace: new Pace({ intervalMs: 1_000, deadAfterMs: 5_000 }) });
}

/** What is known of a member that is slow, and whose host accepts connections. */
function slowAndAccepting(): Evidence {
  const known = evidence();
  known.slow.add({ member: "n1", gapMs: 10_000, at: HEARTBEAT }, HEARD_MS);
  known.accepts.add(
    { member: "n1", witness: "n2", at: HEARTBEAT + 4_000 },
    row(),
    HEARD_MS + 4_000,
  );
  return known;
}

function at(ageMs: number, isShownDead = false) {
  return { nowMs: HEARD_MS + ageMs, witnessesNeeded: 3, isShownDead };
}

Deno.test("while two paces hold, patience is for those that are shown live, and the others need a younger heartbeat", () => {
  const pace = new Pace({ intervalMs: 1_000, deadAfterMs: 5_000, stretchMembers: 1 });
  pace.look(2, 0);
  const known = new Evidence({ pace, graceMs: (intervalMs) => intervalMs });
  const shown = (ageMs: number, isShownSilent: boolean) =>
    known.statusOf(row(), { ...at(ageMs), isShownSilent });
  assertEquals([12_000, 12_001].map((ageMs) => shown(ageMs, false)), ["live", "dead"]);
  assertEquals([6_000, 6_001].map((ageMs) => shown(ageMs, true)), ["live", "dead"]);
});

Deno.test("a suspect is silent for 60 % of what is allowed, or for longer than heartbeats take to spread, yet not for all of it", () => {
  for (
    const [spreadMs, suspectMs] of [[0, 3_000], [2_999, 3_000], [4_100, 4_100], [9_000, 4_500]]
  ) {
    const spread = () => spreadMs!;
    const known = new Evidence({
      pace: new Pace({ intervalMs: 1_000, deadAfterMs: 5_000 }),
      graceMs: () => 1_000,
      spreadMs: spread,
    });
    assertFalse(known.isSuspect(row(), HEARD_MS + 1_000 + suspectMs!));
    assert(known.isSuspect(row(), HEARD_MS + 1_001 + suspectMs!));
  }
});

function refuse(by: Evidence, witnesses: string[], nowMs: number): void {
  for (const witness of witnesses) {
    by.charges.add({ member: "n1", witness, upTo: HEARTBEAT + nowMs - HEARD_MS }, row(), nowMs);
  }
}

Deno.test("a member is live until dead-after, and then dead where nothing more is known", () => {
  const known = evidence();
  assertEquals(known.statusOf(row(), at(5_000)), "live");
  assertEquals(known.statusOf(row(), at(5_001)), "dead");
});

Deno.test("a silent member whose host accepts connections is unresponsive, and dead once that lapses", () => {
  const known = evidence();
  known.accepts.add(
    { member: "n1", witness: "n2", at: HEARTBEAT + 4_000 },
    row(),
    HEARD_MS + 4_000,
  );
  assertEquals(known.statusOf(row(), at(4_000)), "live", "evidence is nothing against the living");
  assertEquals(known.statusOf(row(), at(5_001)), "unresponsive");
  assertEquals(known.whyUnresponsive(row()), "accepts connections and does not answer, seen by n2");
  assertEquals(known.statusOf(row(), at(13_999)), "unresponsive");
  assertEquals(known.statusOf(row(), at(14_000)), "dead");
});

Deno.test("three refusals make an unresponsive or slow member dead at once", () => {
  const known = slowAndAccepting();
  refuse(known, ["n2", "n3", "n4"], HEARD_MS + 6_000);
  assertEquals(known.statusOf(row(), at(6_000)), "dead");
  assertEquals(known.whyDead(row(), at(6_000)), "connection refused, witnessed by n2, n3 and n4");
});

Deno.test("a slow member is live for as long as it said, and a suspect after 60 % of it", () => {
  const known = evidence();
  known.slow.add({ member: "n1", gapMs: 10_000, at: HEARTBEAT }, HEARD_MS);
  assertEquals(known.statusOf(row(), at(20_000)), "live");
  assertEquals(known.statusOf(row(), at(20_001)), "dead");
  assertFalse(known.isSuspect(row(), HEARD_MS + 12_000));
  assert(known.isSuspect(row(), HEARD_MS + 12_001));
});

Deno.test("dueMs() is when a status may next change by itself", () => {
  const known = evidence();
  assertEquals(known.dueMs(row(), "live", at(0)), HEARD_MS + 5_000);
  known.accepts.add(
    { member: "n1", witness: "n2", at: HEARTBEAT + 4_000 },
    row(),
    HEARD_MS + 4_000,
  );
  assertEquals(known.dueMs(row(), "unresponsive", at(6_000)), HEARD_MS + 14_000);
  assertEquals(known.dueMs(row(), "dead", at(20_000)), Infinity);
});

Deno.test("dueMs() of a member that is charged is when witnesses may convict it, until that moment has passed", () => {
  const known = evidence();
  refuse(known, ["n2"], HEARD_MS + 1_000);
  for (const ageMs of [1_000, 1_250]) {
    assertEquals(known.dueMs(row(), "live", at(ageMs)), HEARD_MS + 1_250, `${ageMs}`);
  }
  assertEquals(known.dueMs(row(), "live", at(1_251)), HEARD_MS + 5_000);
});

Deno.test("who left as planned has left, and who was never heard is unknown, whatever is said of them", () => {
  const known = evidence();
  refuse(known, ["n2", "n3", "n4"], HEARD_MS + 2_000);
  assertEquals(known.statusOf(row({ left: "SIGTERM" }), at(6_000)), "left");
  assertEquals(known.statusOf(row({ heartbeat: 0 }), at(6_000)), "unknown");
});

Deno.test("forget() drops all that is known of a member", () => {
  const known = slowAndAccepting();
  refuse(known, ["n2"], HEARD_MS + 2_000);
  known.forget("n1");
  assert(known.accepts.empty && known.slow.empty && known.charges.empty);
});

Deno.test("who was unresponsive and is heard again may be silent for twice as long; a restarted one may not", () => {
  for (const boot of ["00000001", "00000002"]) {
    const known = evidence();
    known.accepts.add(
      { member: "n1", witness: "n2", at: HEARTBEAT + 4_000 },
      row(),
      HEARD_MS + 4_000,
    );
    const beat = { heartbeat: HEARTBEAT + 9_000, ageMs: 0, boot };
    known.hears(row(), beat, HEARD_MS + 9_000);
    const heardAgain = row({ heartbeat: beat.heartbeat, boot, heardAtMs: HEARD_MS + 9_000 });
    const isPatient = boot === "00000001";
    assertEquals(known.statusOf(heardAgain, at(9_000 + 18_000)), isPatient ? "live" : "dead");
    assertEquals(known.statusOf(heardAgain, at(9_000 + 18_001)), "dead");
  }
});

Deno.test("a heartbeat made before the silence ends none, however late it comes: a lost host asks for no patience", () => {
  const known = evidence();
  known.accepts.add(
    { member: "n1", witness: "n2", at: HEARTBEAT + 4_000 },
    row(),
    HEARD_MS + 4_000,
  );
  const late = { heartbeat: HEARTBEAT + 200, ageMs: 8_800, boot: "00000001" };
  known.hears(row(), late, HEARD_MS + 9_000);
  const dated = row({ heartbeat: late.heartbeat, heardAtMs: HEARD_MS + 200 });
  assertEquals(known.slow.silenceMs(dated), 5_000);
  assertEquals(known.statusOf(dated, at(9_000)), "unresponsive");
});

/** A slow member that was silent for twice its gap and more, and was heard again by one heartbeat. */
function starving(): { known: Evidence; returned: Row; returnedMs: number } {
  const known = slowAndAccepting();
  const returnedMs = 20_500;
  const told = { heartbeat: HEARTBEAT + returnedMs, ageMs: 0, boot: "00000001" };
  known.hears(row(), told, HEARD_MS + returnedMs);
  const returned = row({ heartbeat: told.heartbeat, heardAtMs: HEARD_MS + returnedMs });
  return { known, returned, returnedMs };
}

/** Hears a member's heartbeat `afterMs` its last one. */
function hear(known: Evidence, from: Row, afterMs: number, boot = from.boot): Row {
  const heartbeat = from.heartbeat + afterMs;
  const heardAtMs = from.heardAtMs + afterMs;
  known.hears(from, { heartbeat, ageMs: 0, boot }, heardAtMs);
  return { ...from, boot, heartbeat, heardAtMs };
}

Deno.test("who starved is live once it beat for two seconds of a dead-after of five, not by a moment's heartbeats", () => {
  const { known, returned, returnedMs } = starving();
  assertEquals(known.statusOf(returned, at(returnedMs)), "unresponsive");
  const moment = hear(known, returned, 100);
  assertEquals(known.statusOf(moment, at(returnedMs + 100)), "unresponsive");
  const late = hear(known, moment, 6_000);
  assertEquals(known.statusOf(late, at(returnedMs + 6_100)), "unresponsive", "a gap begins anew");
  const again = hear(known, late, 1_000);
  assertEquals(known.statusOf(again, at(returnedMs + 7_100)), "unresponsive");
  const well = hear(known, again, 1_000);
  assertEquals(known.statusOf(well, at(returnedMs + 8_100)), "live");
});

Deno.test("who starved and restarts is live at once, and dead where its silence passes without an accept", () => {
  const { known, returned, returnedMs } = starving();
  const silentMs = returnedMs + 30_000;
  assertEquals(known.dueMs(returned, "unresponsive", at(returnedMs)), HEARD_MS + silentMs);
  assertEquals(known.statusOf(returned, at(silentMs)), "unresponsive");
  assertEquals(known.statusOf(returned, at(silentMs + 1)), "dead");
  const restarted = hear(known, returned, 1_000, "00000002");
  assertEquals(known.statusOf(restarted, at(returnedMs + 1_000)), "live");
});

Deno.test("who was not slow is live on its first heartbeat, however long it was stopped", () => {
  const known = evidence();
  known.accepts.add(
    { member: "n1", witness: "n2", at: HEARTBEAT + 19_000 },
    row(),
    HEARD_MS + 19_000,
  );
  const back = hear(known, row(), 20_000);
  assertEquals(known.statusOf(back, at(20_000)), "live");
});

Deno.test("who is heard again in time, be it the last moment, is given no patience", () => {
  for (const [gapMs, isPatient] of [[5_000, false], [5_001, true]] as const) {
    const known = evidence();
    known.accepts.add(
      { member: "n1", witness: "n2", at: HEARTBEAT + 4_000 },
      row(),
      HEARD_MS + 4_000,
    );
    const back = hear(known, row(), gapMs);
    assertEquals(known.statusOf(back, at(gapMs + 5_001)) === "live", isPatient);
  }
});
