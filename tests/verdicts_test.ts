import { assertEquals } from "@std/assert";
import { takeAbout } from "../lib/about.ts";
import type { Charge } from "../lib/charges.ts";
import { Evidence } from "../lib/evidence.ts";
import { Pace } from "../lib/pace.ts";
import { type Report, type Status, Table } from "../lib/table.ts";
import { isComing, type StatusChange, Verdicts } from "../lib/verdicts.ts";

const INTERVAL_MS = 1_000;
const DEAD_AFTER_MS = 5_000;

/** A table watched by `me`, whose time is moved by hand. */
class Watched {
  readonly table = new Table();
  readonly evidence = new Evidence({
    pace: new Pace({ intervalMs: INTERVAL_MS, deadAfterMs: DEAD_AFTER_MS }),
  });
  readonly charges = this.evidence.charges;
  readonly clock = { isWaking: false, longSleepMs: -Infinity };
  readonly verdicts: Verdicts;
  nowMs = 100_000;

  constructor(...ids: string[]) {
    const { table, evidence } = this;
    this.verdicts = new Verdicts({ id: "me", table, evidence, clock: this.clock });
    for (const id of ["me", ...ids]) this.hear(id);
    this.survey();
  }

  /** Hears of a member; each report has a later heartbeat unless told otherwise. */
  hear(id: string, parts: Partial<Report> & { via?: string } = {}): void {
    const { via = id, ...rest } = parts;
    const heartbeat = (this.table.get(id)?.heartbeat ?? 0) + 100;
    const report = { id, address: `${id}:80`, boot: "00000001", ageMs: 0, left: "", heartbeat };
    this.table.merge({ ...report, ...rest }, this.nowMs);
    const row = this.table.get(id);
    if (row !== undefined) this.verdicts.touch(row, via);
  }

  charge(id: string, witnesses: string[], upTo = 1_000_000): void {
    const row = this.table.get(id)!;
    for (const witness of witnesses) {
      const charge: Charge = { member: id, witness, upTo };
      if (this.charges.add(charge, row, this.nowMs)) this.verdicts.touchId(id, witness);
    }
  }

  survey(): string[] {
    return inShort(this.verdicts.survey(this.nowMs).changes);
  }

  review(): string[] {
    return inShort(this.verdicts.review(this.nowMs));
  }
}

function inShort(changes: readonly StatusChange[]): string[] {
  return changes.map(({ id, from, to, reason }) => `${id}: ${from} -> ${to}: ${reason}`);
}

Deno.test("a member heard for the first time is live, with the way it was heard", () => {
  const watched = new Watched();
  watched.hear("n1");
  watched.hear("n2", { via: "n1" });
  assertEquals(watched.review(), [
    "n1: null -> live: heard directly",
    "n2: null -> live: heard through n1",
  ]);
  assertEquals(watched.review(), []);
  assertEquals(watched.survey(), []);
});

Deno.test("a member that only others list is unknown, until it is heard", () => {
  const watched = new Watched();
  watched.hear("n2", { via: "n1", heartbeat: 0, address: "", boot: "" });
  assertEquals(watched.review(), ["n2: null -> unknown: heard of through n1, never heard from"]);
  watched.hear("n2");
  assertEquals(watched.review(), ["n2: unknown -> live: heard directly"]);
});

Deno.test("a member is dead once its heartbeat is older than dead-after, and live when it beats again", () => {
  const watched = new Watched("n1");
  watched.nowMs += DEAD_AFTER_MS;
  assertEquals(watched.survey(), []);
  watched.nowMs += 1;
  assertEquals(watched.survey(), ["n1: live -> dead: no heartbeat for 5.0 s"]);
  watched.nowMs += 60_000;
  watched.hear("n1", { via: "n2" });
  assertEquals(watched.review(), ["n1: dead -> live: heard again through n2"]);
});

Deno.test("survey() says when the next verdict may fall due", () => {
  const watched = new Watched();
  assertEquals(watched.verdicts.survey(watched.nowMs).deadlineMs, Infinity);
  watched.hear("n1", { ageMs: 300 });
  watched.hear("n2", { ageMs: 700 });
  assertEquals(watched.verdicts.survey(watched.nowMs).deadlineMs, watched.nowMs + 4_300);
  watched.charge("n1", ["a", "b", "c"]);
  assertEquals(
    watched.verdicts.survey(watched.nowMs).deadlineMs,
    watched.nowMs - 300 + 3 * INTERVAL_MS,
  );
});

Deno.test("a planned stop is shown as left, with the reason its owner gave, however old it grows", () => {
  const watched = new Watched("n1");
  watched.hear("n1", { left: "SIGTERM" });
  assertEquals(watched.review(), ["n1: live -> left: left: SIGTERM"]);
  watched.nowMs += 10 * DEAD_AFTER_MS;
  assertEquals(watched.survey(), []);
});

Deno.test("a member that restarted without being missed is told of once", () => {
  const watched = new Watched("n1");
  watched.hear("n1", { boot: "00000002" });
  assertEquals(watched.review(), ["n1: live -> live: restarted, heard directly"]);
  watched.hear("n1", { boot: "00000002" });
  assertEquals(watched.review(), []);
});

Deno.test("a decommissioned member is told of once, with the node that was asked", () => {
  const watched = new Watched("n1");
  watched.table.bury("n1", "n2");
  watched.verdicts.touchId("n1", "n2");
  assertEquals(watched.review(), ["n1: live -> decommissioned: decommissioned by request to n2"]);
  watched.verdicts.touchId("n1", "n2");
  assertEquals(watched.review(), []);
  watched.table.bury("ghost", "");
  watched.verdicts.touchId("ghost", "");
  assertEquals(watched.review(), [
    "ghost: null -> decommissioned: decommissioned, told by a Go node",
  ]);
});

/** Which members survey() found steady. */
function steadyOf({ table, verdicts, nowMs }: Watched): string[] {
  verdicts.survey(nowMs);
  const { rows, steady } = table.stamps();
  return rows.filter((_, i) => steady[i] === 1).map(({ id }) => id);
}

Deno.test("a live member of ours of whom nothing else is known is steady; this node, the dead, Go nodes are not", () => {
  const watched = new Watched("n1", "n2", "n3");
  watched.hear("go", { boot: "" });
  watched.hear("nowhere", { address: "" });
  watched.hear("left", { left: "SIGTERM" });
  watched.hear("n2", { ageMs: DEAD_AFTER_MS + 1, heartbeat: 200 });
  assertEquals(steadyOf(watched), ["n1", "n3"]);
  watched.charge("n1", ["a"]);
  assertEquals(steadyOf(watched), ["n3"]);
  const slow = { member: "n3", gapMs: 4_000, at: 100 };
  watched.evidence.slow.add(slow, watched.nowMs);
  assertEquals(steadyOf(watched), []);
});

Deno.test("what this node or another says of its slowness is dropped once its heartbeats are over a minute later", () => {
  const watched = new Watched("n1");
  const { slow } = watched.evidence;
  for (const member of ["me", "n1"]) slow.add({ member, gapMs: 4_000, at: 100 }, watched.nowMs);
  const leftAt = (heartbeat: number) => {
    for (const id of ["me", "n1"]) watched.hear(id, { heartbeat });
    watched.survey();
    return [...slow.members()];
  };
  assertEquals([leftAt(60_100), leftAt(60_200)], [["me", "n1"], []]);
});

Deno.test("a member that was silent is told of each time: what was found of it while steady counts no more", () => {
  const watched = new Watched("n1");
  for (let i = 0; i < 3; i++) {
    watched.nowMs += DEAD_AFTER_MS + 1;
    assertEquals(watched.survey(), ["n1: live -> dead: no heartbeat for 5.0 s"]);
    assertEquals(watched.verdicts.last.live, []);
    watched.hear("n1");
    assertEquals(watched.survey(), ["n1: dead -> live: heard again directly"]);
    assertEquals(watched.survey(), []);
  }
});

Deno.test("survey() gives the very list of the live while nothing but heartbeats changed, and another once it did", () => {
  const watched = new Watched("n1", "n2");
  const listOf = () => {
    watched.survey();
    return watched.verdicts.last.live;
  };
  const first = listOf();
  watched.hear("n1");
  watched.nowMs += 1_000;
  assertEquals(listOf() === first, true);
  watched.hear("n2", { address: "moved:80" });
  const second = listOf();
  assertEquals([second === first, second.map(({ address }) => address)], [
    false,
    ["n1:80", "moved:80"],
  ]);
  watched.nowMs += DEAD_AFTER_MS;
  watched.hear("n2", { address: "moved:80" });
  assertEquals(listOf().map(({ id }) => id), ["n2"]);
});

Deno.test("survey() parts the live from the gone, and neither holds this node or one without an address", () => {
  const watched = new Watched("n1", "n2", "n3");
  watched.hear("n2", { left: "SIGTERM" });
  watched.hear("heard-of", { heartbeat: 0, address: "" });
  watched.nowMs += DEAD_AFTER_MS + 1;
  watched.hear("n3");
  const { live, gone } = watched.verdicts.survey(watched.nowMs);
  assertEquals(live.map(({ id }) => id), ["n3"]);
  assertEquals(gone.map(({ id }) => id), ["n1", "n2"]);
  assertEquals(watched.verdicts.liveCount, 2);
});

Deno.test("invariant 4: a node never finds itself dead, however long it did not beat", () => {
  const watched = new Watched();
  watched.nowMs += 100 * DEAD_AFTER_MS;
  assertEquals(watched.survey(), []);
});

Deno.test("three witnesses and a heartbeat older than 1.25 intervals make a member dead", () => {
  const watched = new Watched("n1", "a", "b", "c");
  watched.charge("n1", ["a", "b", "c"]);
  assertEquals(watched.review(), []);
  watched.nowMs += 1.25 * INTERVAL_MS;
  assertEquals(watched.survey(), []);
  watched.nowMs += 1;
  assertEquals(watched.survey(), [
    "n1: live -> dead: connection refused, witnessed by a, b and c",
  ]);
});

Deno.test("two witnesses are not enough where there could be three", () => {
  const watched = new Watched("n1", "a", "b", "c");
  watched.charge("n1", ["a", "b"]);
  watched.nowMs += DEAD_AFTER_MS;
  assertEquals(watched.survey(), []);
});

Deno.test("the only other node's witness is enough for it, once the heartbeat is 4 intervals old", () => {
  const watched = new Watched("n1");
  watched.charge("n1", ["me"]);
  watched.nowMs += 4 * INTERVAL_MS;
  assertEquals(watched.survey(), []);
  watched.nowMs += 1;
  assertEquals(watched.survey(), ["n1: live -> dead: connection refused, witnessed by me"]);
});

Deno.test("invariant 4: no number of witnesses outweighs a heartbeat made after their refusals", () => {
  const watched = new Watched("n1", "a", "b", "c");
  watched.charge("n1", ["a", "b", "c"], 100);
  watched.hear("n1");
  watched.nowMs += 2 * INTERVAL_MS;
  assertEquals(watched.survey(), []);
});

Deno.test("a heartbeat from before the crash that is still on its way shows no dead member live", () => {
  const watched = new Watched("n1", "a", "b", "c");
  watched.charge("n1", ["a", "b", "c"], 10_000);
  watched.nowMs += 1.25 * INTERVAL_MS + 1;
  assertEquals(watched.survey().length, 1);
  watched.hear("n1", { heartbeat: 9_900, ageMs: 600, via: "b" });
  assertEquals([watched.review(), watched.survey()], [[], []]);
  watched.hear("n1", { heartbeat: 10_100 });
  assertEquals(watched.review(), ["n1: dead -> live: heard again directly"]);
});

Deno.test("a member dead by its age is charged no longer: nothing more would follow from it", () => {
  const watched = new Watched("n1");
  watched.charge("n1", ["me"]);
  watched.nowMs += DEAD_AFTER_MS + 1;
  assertEquals(watched.survey(), ["n1: live -> dead: connection refused, witnessed by me"]);
  assertEquals(watched.charges.empty, true);
});

Deno.test("a member that says that a check fails is failing, with its words, and live again when it says so no more", () => {
  const watched = new Watched("a");
  const about = takeAbout({ failing: "http 503" })!;
  watched.hear("a", { about });
  assertEquals(watched.review(), ["a: live -> failing: http 503"]);
  watched.hear("a", { about });
  assertEquals(watched.review(), []);
  watched.hear("a", { about: undefined });
  assertEquals(watched.review(), ["a: failing -> live: its checks pass again"]);
});

Deno.test("a failing member that falls silent is dead, and one that stops as planned has left", () => {
  const watched = new Watched("a", "b");
  const about = takeAbout({ failing: "http 503" })!;
  for (const id of ["a", "b"]) watched.hear(id, { about });
  watched.review();
  watched.hear("b", { about, left: "SIGTERM" });
  assertEquals(watched.review(), ["b: failing -> left: left: SIGTERM"]);
  watched.nowMs += DEAD_AFTER_MS + 100;
  assertEquals(watched.survey(), ["a: failing -> dead: no heartbeat for 5.1 s"]);
});

Deno.test("invariant 4: a node that just woke accuses nobody by the old ages and evidence of others that slept as well", () => {
  const watched = new Watched("a", "b");
  watched.clock.isWaking = true;
  // Heard at one time with this node, and then told as older by others.
  watched.hear("a", { via: "c", ageMs: 6_000 });
  watched.hear("b", { via: "c", ageMs: 6_000, about: takeAbout({ failing: "disk full" })! });
  assertEquals(watched.review(), ["b: live -> failing: disk full"]);
  const accept = { member: "a", witness: "c", at: 1_000_000 };
  watched.evidence.accepts.add(accept, watched.table.get("a")!, watched.nowMs);
  assertEquals(watched.survey(), []);
  assertEquals(watched.verdicts.last.deadlineMs, Infinity, "nor does it look again at once");

  watched.clock.isWaking = false;
  watched.hear("b");
  assertEquals(watched.survey(), [
    "b: failing -> live: its checks pass again",
    "a: live -> unresponsive: accepts connections and does not answer, seen by c",
  ]);
});

Deno.test("a node that just woke takes back nothing: who was dead before is", () => {
  const watched = new Watched("a");
  watched.nowMs += 6_000;
  watched.survey();
  watched.clock.isWaking = true;
  assertEquals(watched.survey(), []);
  assertEquals(watched.verdicts.statusOf(watched.table.get("a")!, watched.nowMs), "dead");
});

Deno.test("a node's own first change says that it started", () => {
  const { table, evidence, clock, nowMs } = new Watched();
  const verdicts = new Verdicts({ id: "me", table, evidence, clock });
  verdicts.touch(table.get("me")!, "me");
  assertEquals(inShort(verdicts.survey(nowMs).changes), ["me: null -> live: started"]);
});

Deno.test("a member comes where it is new, back or another process, and does not where it only fails or recovers", () => {
  const isComingTo = (from: Status | null, to: Status) =>
    isComing({ id: "n1", address: "n1:80", from, to, reason: "", ageMs: 0 });
  for (const to of ["live", "failing"] as const) {
    for (const from of [null, "dead", "left", "unknown", "unresponsive", to] as const) {
      assertEquals(isComingTo(from, to), true, `${from} -> ${to}`);
    }
  }
  assertEquals([isComingTo("live", "failing"), isComingTo("failing", "live")], [false, false]);
  for (const to of ["dead", "left", "unknown", "unresponsive", "decommissioned"] as const) {
    for (const from of [null, "live", to] as const) {
      assertEquals(isComingTo(from, to), false, `${from} -> ${to}`);
    }
  }
});
