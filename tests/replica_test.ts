import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { takeAbout } from "../lib/about.ts";
import type { Beat } from "../lib/belief.ts";
import { type Charge, chargeUpTo, DISTRUST_MS, WITNESSES_NEEDED } from "../lib/charges.ts";
import { encodeColumns } from "../lib/columns.ts";
import { absorb } from "../lib/absorb.ts";
import { hearGo } from "../lib/go_nodes.ts";
import { Pace } from "../lib/pace.ts";
import { Replica } from "../lib/replica.ts";
import { HEARTBEAT_MAX_MS } from "../lib/limits.ts";
import { Suspicion } from "../lib/suspicion.ts";
import type { Report, Row } from "../lib/table.ts";
import { decodeMessage, type Draft, encodeMessage, type Message } from "../lib/wire.ts";
import { copyOf } from "./support/rows.ts";

const INTERVAL_MS = 1_000;
const DEAD_AFTER_MS = 5_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const YEAR_MS = 365 * 24 * HOUR_MS;
const WALL_MS = Date.UTC(2026, 0, 1);

/** The copy of node `me`, which knows four members; its time is moved by hand. */
class Copy {
  nowMs = 10_000;
  sleptMs = 0;
  missedMs = 0;
  uncountedMs = 0;
  isWaking = false;
  longSleepMs = -Infinity;
  readonly replica: Replica;

  constructor() {
    this.replica = new Replica({
      clock: this,
      id: "me",
      address: "me:80",
      boot: "0000000a",
      random: () => 0,
      pace: new Pace({ intervalMs: INTERVAL_MS, deadAfterMs: DEAD_AFTER_MS }),
    });
    this.replica.beat(this.now, this.nowMs);
    for (const id of ["n1", "n2", "n3", "n4"]) this.hear(id);
    this.replica.verdicts.survey(this.nowMs);
  }

  get now() {
    return { monotonicMs: this.nowMs, wallMs: WALL_MS + this.nowMs };
  }

  get monotonicMs(): number {
    return this.nowMs;
  }

  get own(): number {
    return this.replica.table.get("me")!.heartbeat;
  }

  row(id: string): Row {
    return this.replica.table.get(id)!;
  }

  /** Takes a row of `id` from `id` itself. */
  hear(id: string, parts: Partial<Report> = {}): void {
    const heartbeat = WALL_MS + this.nowMs;
    const row = { id, address: `${id}:80`, boot: "00000001", heartbeat, ageMs: 0, left: "" };
    this.take({ rows: [{ ...row, ...parts }] }, id);
  }

  take(parts: Partial<Draft>, via = "n1", isAnswer = false) {
    const draft: Draft = { roster: this.replica.table.rosterHash, ...parts };
    return absorb(this.replica, messageOf(draft), { via, isAnswer, nowMs: this.nowMs });
  }

  /** Takes the charges of as many witnesses as convict. */
  charge(id: string, upTo = chargeUpTo(this.row(id), this.nowMs)): void {
    const witnesses = ["n1", "n2", "n3", "n4"].filter((witness) => witness !== id);
    const charges = witnesses.slice(0, WITNESSES_NEEDED)
      .map((witness): Charge => ({ member: id, witness, upTo }));
    this.take({ charges });
  }

  status(id: string): string {
    return this.replica.verdicts.statusOf(this.row(id), this.nowMs);
  }
}

/** A message as it comes off the wire. */
function messageOf(draft: Draft): Message {
  const message = decodeMessage(encodeMessage(draft));
  assert(!("error" in message), JSON.stringify(message));
  return message;
}

Deno.test("three charges convict a member whose heartbeat is over 1.25 intervals old", () => {
  const copy = new Copy();
  copy.charge("n4");
  assertEquals(copy.status("n4"), "live");
  copy.nowMs += 1_300;
  assertEquals(copy.status("n4"), "dead");
});

Deno.test("a member whose refusals were a firewall's is not convicted by charges, old or new, for ten minutes", () => {
  const copy = new Copy();
  copy.charge("n4");
  copy.nowMs += 600;
  copy.hear("n4");
  const { charges } = copy.replica.evidence;
  assert(charges.distrusts("n4", copy.nowMs));
  const later = { member: "n4", witness: "n1", upTo: copy.row("n4").heartbeat + 1_000 };
  assertEquals(charges.add(later, copy.row("n4"), copy.nowMs), false);
  assert(!charges.distrusts("n4", copy.nowMs + DISTRUST_MS));
});

Deno.test("a charge that reaches over a minute past the member's clock is ignored", () => {
  const copy = new Copy();
  copy.nowMs += 2_000;
  const { heartbeat } = copy.row("n4");
  copy.charge("n4", heartbeat + 2_000 + MINUTE_MS + 100);
  assert(copy.replica.evidence.charges.empty);
  copy.charge("n4", heartbeat + 2_000 + MINUTE_MS);
  assert(!copy.replica.evidence.charges.empty);
});

Deno.test("a charge against this node makes it jump past the charge, but never by more than a minute", () => {
  const copy = new Copy();
  const own = copy.own;
  copy.charge("me", own + MINUTE_MS + 100);
  assertEquals(copy.own, own);
  copy.charge("me", own + 500);
  assertEquals(copy.own, own + 600);
  copy.charge("me", own);
  assertEquals(copy.own, own + 600, "a charge that is void already");
});

/** Tells `copy` a heartbeat of `id` as a row or in columns, with the same roster. */
const WAYS = {
  row: (copy: Copy, id: string, beat: Beat) => {
    const { address, boot, left } = copy.row(id);
    return { rows: [{ id, address, boot, left, ...beat }] };
  },
  columns: (copy: Copy, id: string, { heartbeat, ageMs }: Beat) => {
    const heardAtMs = copy.nowMs - ageMs;
    const roster = copy.replica.table.roster().map((row) =>
      row.id === id ? { ...copyOf(row), heartbeat, heardAtMs } : row
    );
    const beat = copy.row("n1").heartbeat;
    return { beat, beats: encodeColumns(roster, { ownHeartbeat: beat, nowMs: copy.nowMs }) };
  },
};

for (const [way, told] of Object.entries(WAYS)) {
  Deno.test(`a heartbeat over a minute ahead of a live member's clock, in ${way}, is not believed, and the member is asked`, () => {
    const copy = new Copy();
    copy.nowMs += 2_000;
    const { heartbeat } = copy.row("n4");
    const claims = [
      { heartbeat: heartbeat + 2_000 + MINUTE_MS + 100, ageMs: 0 },
      { heartbeat: heartbeat + 2_000, ageMs: MINUTE_MS + 100 },
      // The same heartbeat, but made long ago.
      { heartbeat, ageMs: 2_000 + MINUTE_MS + 100 },
      { heartbeat: HEARTBEAT_MAX_MS, ageMs: 0 },
    ];
    for (const claim of claims) {
      for (const via of ["n1", "n4"]) {
        const { doubted } = copy.take(told(copy, "n4", claim), via);
        assertEquals([...doubted], ["n4:80"]);
        assertEquals([copy.row("n4").heartbeat, copy.status("n4")], [heartbeat, "live"]);
      }
    }
    // Told in an answer of another member.
    copy.take(told(copy, "n4", claims[0]!), "n1", true);
    assertEquals(copy.row("n4").heartbeat, heartbeat);
    copy.take(told(copy, "n4", { heartbeat: heartbeat + 2_000 + MINUTE_MS, ageMs: 0 }));
    assertEquals(copy.row("n4").heartbeat, heartbeat + 2_000 + MINUTE_MS, "a minute is believed");
  });

  Deno.test(`a heartbeat far ahead, in ${way}, is believed in the answer of the member itself, or if that is dead here`, () => {
    const copy = new Copy();
    const far = copy.row("n4").heartbeat + YEAR_MS;
    assertEquals(
      copy.take(told(copy, "n4", { heartbeat: far, ageMs: 0 }), "n4", true).doubted.size,
      0,
    );
    assertEquals(copy.row("n4").heartbeat, far);
    copy.nowMs += DEAD_AFTER_MS + 100;
    assertEquals(copy.status("n3"), "dead");
    copy.take(told(copy, "n3", { heartbeat: far, ageMs: 0 }));
    assertEquals([copy.row("n3").heartbeat, copy.status("n3")], [far, "live"]);
    // Beyond the year 3000 not even then: a member could not pass it.
    copy.nowMs += DEAD_AFTER_MS + 100;
    copy.take(told(copy, "n2", { heartbeat: HEARTBEAT_MAX_MS, ageMs: 0 }));
    assertEquals(copy.status("n2"), "dead");
  });

  Deno.test(`a heartbeat of this node that it did not make, in ${way}, is passed: any in an answer, a near one in any message`, () => {
    const copy = new Copy();
    const own = copy.own;
    copy.take(told(copy, "me", { heartbeat: own + MINUTE_MS, ageMs: 0 }));
    const passed = own + MINUTE_MS + 600;
    assertEquals(copy.own, passed);
    copy.take(told(copy, "me", { heartbeat: passed + YEAR_MS, ageMs: 0 }));
    assertEquals(copy.own, passed, "anybody can push");
    copy.take(told(copy, "me", { heartbeat: passed + YEAR_MS, ageMs: YEAR_MS }), "n1", true);
    // Past what the claim's clock can show, but no dead-after is longer than an hour.
    assertEquals(copy.own, passed + YEAR_MS + HOUR_MS + 600);
    const before = copy.own;
    copy.take(told(copy, "me", { heartbeat: HEARTBEAT_MAX_MS, ageMs: 0 }), "n1", true);
    assertEquals(copy.own, before, "there would be nothing left to beat");
  });
}

Deno.test("a node that slept believes clocks to be as much further", () => {
  const copy = new Copy();
  copy.missedMs = 8 * HOUR_MS;
  const { heartbeat } = copy.row("n4");
  const claim = { heartbeat: heartbeat + 8 * HOUR_MS + MINUTE_MS + 100, ageMs: 0 };
  copy.take(WAYS.columns(copy, "n4", claim));
  assertEquals(copy.row("n4").heartbeat, heartbeat);
  copy.take(WAYS.columns(copy, "n4", { ...claim, heartbeat: claim.heartbeat - 100 }));
  assertEquals(copy.row("n4").heartbeat, claim.heartbeat - 100);
});

Deno.test("a member that began anew with another clock is asked where it says it is", () => {
  const copy = new Copy();
  const row = { ...copyOf(copy.row("n4")), boot: "00000002", address: "moved:80", ageMs: 0 };
  const rows = [{ ...row, heartbeat: row.heartbeat + YEAR_MS }];
  assertEquals([...copy.take({ rows }).doubted], ["moved:80"]);
  copy.take({ rows }, "n4", true);
  assertEquals(copy.row("n4").address, "moved:80");
});

Deno.test("a decommission drops the charges against the member", () => {
  const copy = new Copy();
  copy.charge("n4");
  copy.replica.bury("n4", "me", copy.nowMs);
  assert(copy.replica.evidence.charges.empty);
});

Deno.test("charges against a member that is dead by its age are no news", () => {
  const copy = new Copy();
  copy.nowMs += DEAD_AFTER_MS + 100;
  copy.charge("n4");
  assert(copy.replica.evidence.charges.empty);
});

Deno.test("a caller's own charges make this node look at the members, and none that it was told", () => {
  const copy = new Copy();
  const { charged } = copy.take({
    charges: ["n1", "n2"].map((witness, i) => {
      const member = `n${3 + i}`;
      return { member, witness, upTo: chargeUpTo(copy.row(member), copy.nowMs) };
    }),
  }, "n1");
  assertEquals([...charged].map(({ id }) => id), ["n3"]);
});

Deno.test("charges against a member that nobody has heard are no news", () => {
  const copy = new Copy();
  const unheard = { id: "new", address: "", boot: "", heartbeat: 0, ageMs: 0, left: "" };
  copy.replica.merge(unheard, "n1", copy.nowMs);
  const { urgent } = copy.take({ charges: [{ member: "new", witness: "n1", upTo: 500 }] });
  assert(!urgent);
  assert(copy.replica.evidence.charges.empty);
});

Deno.test("a member is no witness against itself", () => {
  const copy = new Copy();
  const upTo = chargeUpTo(copy.row("n4"), copy.nowMs);
  copy.take({ charges: [{ member: "n4", witness: "n4", upTo }] });
  assert(copy.replica.evidence.charges.empty);
});

Deno.test("a member whose refusals were a firewall's is not looked at for the next ones, for ten minutes", () => {
  const copy = new Copy();
  const { replica } = copy;
  const options = { id: "me", pace: replica.pace, random: () => 0, replica };
  copy.charge("n4");
  copy.nowMs += 600;
  copy.hear("n4");
  const suspicion = new Suspicion(options);
  assertEquals(suspicion.refused(copy.row("n4"), copy.nowMs), undefined);
  copy.nowMs += DISTRUST_MS;
  copy.hear("n4");
  assertEquals(suspicion.refused(copy.row("n4"), copy.nowMs), "look");
});

Deno.test("a Go node that refuses is neither looked at again nor charged", () => {
  const copy = new Copy();
  const { replica } = copy;
  hearGo(replica, { id: "go", address: "go:80", intervalMs: INTERVAL_MS }, copy);
  const options = { id: "me", pace: replica.pace, random: () => 0, replica };
  const suspicion = new Suspicion(options);
  for (let i = 0; i < 3; i++) {
    assertEquals(suspicion.refused(replica.table.get("go")!, copy.nowMs), undefined);
  }
  assertEquals(suspicion.refused(copy.row("n4"), copy.nowMs), "look", "a node of ours is");
});

for (const [way, told] of Object.entries(WAYS)) {
  Deno.test(`a later heartbeat, in ${way}, is dated by the age that is told with it`, () => {
    const copy = new Copy();
    copy.nowMs += 2_000;
    const heartbeat = copy.row("n4").heartbeat + 1_000;
    copy.take(told(copy, "n4", { heartbeat, ageMs: 700 }));
    const row = copy.row("n4");
    assertEquals([row.heartbeat, row.heardAtMs], [heartbeat, copy.nowMs - 700]);
  });
}

Deno.test("that a suspect's host accepts connections is urgent once, and no news of a member that is heard", () => {
  for (const [silentMs, isUrgent] of [[1_000, false], [4_000, true]] as const) {
    const copy = new Copy();
    copy.nowMs += silentMs;
    const at = copy.row("n4").heartbeat + silentMs;
    const accepts = [{ member: "n4", witness: "n1", at }];
    assertEquals(copy.take({ accepts }).urgent, isUrgent);
    assertEquals(copy.take({ accepts }).urgent, false, "a replay");
  }
});

Deno.test("a Go node that is heard again within half an interval beats once, unless it is elsewhere", () => {
  const copy = new Copy();
  const { replica } = copy;
  const heard = (address: string) => {
    const before = replica.table.get("go")?.heartbeat ?? 0;
    hearGo(replica, { id: "go", address, intervalMs: INTERVAL_MS }, copy);
    return [replica.table.get("go")!.heartbeat > before, replica.table.get("go")!.address];
  };
  assertEquals(heard("go:80"), [true, "go:80"]);
  copy.nowMs += INTERVAL_MS / 2 - 100;
  assertEquals(heard("go:80"), [false, "go:80"]);
  assertEquals(heard("moved:80"), [true, "moved:80"]);
  copy.nowMs += INTERVAL_MS / 2;
  assertEquals(heard("moved:80"), [true, "moved:80"]);
});

for (const way of ["row", "columns"] as const) {
  Deno.test(`a silence that ends in ${way} counts as the member's gap, where its host accepted connections`, () => {
    const copy = new Copy();
    const { accepts, slow } = copy.replica.evidence;
    copy.nowMs += DEAD_AFTER_MS + 1_000;
    const row = copy.row("n4");
    const at = row.heartbeat + DEAD_AFTER_MS;
    accepts.add({ member: "n4", witness: "n1", at }, row, copy.nowMs);
    assertEquals(slow.silenceMs(row), DEAD_AFTER_MS);
    const beat = { heartbeat: row.heartbeat + DEAD_AFTER_MS + 1_000, ageMs: 0 };
    copy.take(WAYS[way](copy, "n4", beat));
    assertEquals(copy.row("n4").heartbeat, beat.heartbeat);
    assertEquals(slow.silenceMs(copy.row("n4")), 2 * (DEAD_AFTER_MS + 1_000));
  });
}

Deno.test("a node that is decommissioned jumps past nothing that is claimed of it", () => {
  const copy = new Copy();
  const { heartbeat } = copy.replica.pulse;
  copy.replica.bury("me", "n1", copy.nowMs);
  for (const claimed of [heartbeat + 100, HEARTBEAT_MAX_MS]) {
    const parts = { address: "me:80", boot: "00000002", ageMs: 0, left: "" };
    copy.take({ rows: [{ id: "me", heartbeat: claimed, ...parts }] }, "n1", true);
    assertEquals(copy.replica.pulse.heartbeat, heartbeat);
  }
});

Deno.test("columns and rows of others do not date this node's own row", () => {
  const copy = new Copy();
  const before = copyOf(copy.row("me"));
  const roster = copy.replica.table.roster()
    .map((row) => row.id === "me" ? { ...copyOf(row), heartbeat: row.heartbeat - 200 } : row);
  const beat = copy.row("n1").heartbeat;
  const beats = encodeColumns(roster, { ownHeartbeat: beat, nowMs: copy.nowMs + 900 });
  const { equal } = copy.take({ beat, beats });
  assert(equal);
  assertEquals(copyOf(copy.row("me")), before);
});

Deno.test("the full answer holds what the caller's rows lack: later heartbeats and other members, not what it knows as well", () => {
  const copy = new Copy();
  const { replica } = copy;
  const rowsFor = (changed: Partial<Report>) => {
    const rows = replica.table.roster().filter(({ id }) => id !== "n1")
      .map(({ id, address, boot, heartbeat, left }) => {
        const row = { id, address, boot, heartbeat, ageMs: 0, left };
        return id === "n2" ? { ...row, ...changed } : row;
      });
    const theirs = messageOf({ roster: "0".repeat(16), full: true, rows });
    return replica.fullDraft(copy.nowMs, { theirs }).rows?.map(({ id }) => id).sort();
  };
  assertEquals(rowsFor({}), ["n1"]);
  assertEquals(rowsFor({ heartbeat: copy.row("n2").heartbeat + 100 }), ["n1"]);
  assertEquals(rowsFor({ heartbeat: copy.row("n2").heartbeat - 100 }), ["n1", "n2"]);
  assertEquals(rowsFor({ address: "moved:80" }), ["n1", "n2"]);
  assertEquals(rowsFor({ about: takeAbout({ tags: { a: "1" } })! }), ["n1", "n2"]);
});

Deno.test("a full message has no field for decommissions where there are none", () => {
  const copy = new Copy();
  assertEquals(Object.keys(copy.replica.fullDraft(copy.nowMs)), ["roster", "rows"]);
});

Deno.test("a member comes back through whoever told of it first, whoever tells the same again", () => {
  const copy = new Copy();
  copy.nowMs += 2 * DEAD_AFTER_MS;
  copy.replica.verdicts.survey(copy.nowMs);
  const row: Report = { ...copyOf(copy.row("n1")), heartbeat: WALL_MS + copy.nowMs, ageMs: 0 };
  for (const via of ["n2", "n3"]) copy.take({ rows: [row] }, via);
  const [change] = copy.replica.verdicts.review(copy.nowMs);
  assertEquals([change?.from, change?.to], ["dead", "live"]);
  assertStringIncludes(change!.reason, "n2");
});

Deno.test("after a sleep of hours nobody is told of a member as live who was not heard since: all others may have forgotten it", () => {
  const copy = new Copy();
  const told = () => {
    const { nowMs, replica } = copy;
    const ids = (draft: Draft) => draft.rows?.map(({ id }) => id) ?? [];
    return { news: ids(replica.draft(nowMs)), all: ids(replica.fullDraft(nowMs)) };
  };
  const all = ["me", "n1", "n2", "n3", "n4"];
  assertEquals(told().all, all);
  copy.longSleepMs = copy.nowMs;
  assertEquals(told(), { news: ["me"], all: ["me"] });
  copy.nowMs += INTERVAL_MS;
  copy.hear("n2");
  assertEquals(told().all, ["me", "n2"]);
  copy.nowMs += DEAD_AFTER_MS;
  assertEquals(told().all, all, "now as dead");
});
