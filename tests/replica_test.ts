import { assert, assertEquals } from "@std/assert";
import { type Charge, chargeUpTo, DISTRUST_MS, WITNESSES_NEEDED } from "../lib/charges.ts";
import { encodeColumns } from "../lib/columns.ts";
import { Replica } from "../lib/replica.ts";
import { Suspicion } from "../lib/suspicion.ts";
import type { Report, Row } from "../lib/table.ts";
import { decodeMessage, type Draft, encodeMessage, type Message } from "../lib/wire.ts";

const INTERVAL_MS = 1_000;
const DEAD_AFTER_MS = 5_000;
const HOUR_MS = 3_600_000;
const WALL_MS = Date.UTC(2026, 0, 1);

/** The copy of node `me`, which knows four members; its time is moved by hand. */
class Copy {
  nowMs = 10_000;
  readonly replica: Replica;

  constructor() {
    this.replica = new Replica({
      ...{ id: "me", address: "me:80", boot: "0000000a", random: () => 0 },
      ...{ intervalMs: INTERVAL_MS, deadAfterMs: DEAD_AFTER_MS },
    });
    this.replica.beat(this.now, this.nowMs);
    for (const id of ["n1", "n2", "n3", "n4"]) this.hear(id);
    this.replica.verdicts.survey(this.nowMs);
  }

  get now() {
    return { monotonicMs: this.nowMs, wallMs: WALL_MS + this.nowMs };
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

  take(parts: Partial<Draft>, via = "n1") {
    const draft: Draft = { roster: this.replica.table.rosterHash, ...parts };
    return this.replica.absorb(messageOf(draft), via, this.nowMs);
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
  const { charges } = copy.replica;
  assert(charges.distrusts("n4", copy.nowMs));
  const later = { member: "n4", witness: "n1", upTo: copy.row("n4").heartbeat + 1_000 };
  assertEquals(charges.add(later, copy.row("n4"), copy.nowMs), false);
  assert(!charges.distrusts("n4", copy.nowMs + DISTRUST_MS));
});

Deno.test("a charge that reaches over an hour past the heartbeat is ignored", () => {
  const copy = new Copy();
  copy.charge("n4", copy.row("n4").heartbeat + HOUR_MS + 100);
  assert(copy.replica.charges.empty);
  copy.charge("n4", copy.row("n4").heartbeat + HOUR_MS);
  assert(!copy.replica.charges.empty);
});

Deno.test("a charge against this node makes it jump past the charge, but never by more than an hour", () => {
  const copy = new Copy();
  const own = copy.own;
  copy.charge("me", own + HOUR_MS + 100);
  assertEquals(copy.own, own);
  copy.charge("me", own + 500);
  assertEquals(copy.own, own + 600);
  copy.charge("me", own);
  assertEquals(copy.own, own + 600, "a charge that is void already");
});

Deno.test("a decommission drops the charges against the member", () => {
  const copy = new Copy();
  copy.charge("n4");
  copy.replica.bury("n4", "me", copy.nowMs);
  assert(copy.replica.charges.empty);
});

Deno.test("charges against a member that is dead by its age are no news", () => {
  const copy = new Copy();
  copy.nowMs += DEAD_AFTER_MS + 100;
  copy.charge("n4");
  assert(copy.replica.charges.empty);
});

Deno.test("a member is no witness against itself", () => {
  const copy = new Copy();
  const upTo = chargeUpTo(copy.row("n4"), copy.nowMs);
  copy.take({ charges: [{ member: "n4", witness: "n4", upTo }] });
  assert(copy.replica.charges.empty);
});

Deno.test("a Go node that refuses is neither looked at again nor charged", () => {
  const copy = new Copy();
  const { replica } = copy;
  replica.hearGo("go", "go:80", copy);
  const options = { id: "me", intervalMs: INTERVAL_MS, random: () => 0, replica };
  const suspicion = new Suspicion(options);
  for (let i = 0; i < 3; i++) {
    assertEquals(suspicion.refused(replica.table.get("go")!, copy.nowMs), undefined);
  }
  assertEquals(suspicion.refused(copy.row("n4"), copy.nowMs), "look", "a node of ours is");
});

Deno.test("columns and rows of others do not date this node's own row", () => {
  const copy = new Copy();
  const before = { ...copy.row("me") };
  const roster = copy.replica.table.roster()
    .map((row) => row.id === "me" ? { ...row, heartbeat: row.heartbeat - 200 } : row);
  const beat = copy.row("n1").heartbeat;
  const beats = encodeColumns(roster, { ownHeartbeat: beat, nowMs: copy.nowMs + 900 });
  const { equal } = copy.take({ beat, beats });
  assert(equal);
  assertEquals({ ...copy.row("me") }, before);
});
