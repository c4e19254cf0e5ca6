import {
  assert,
  assertEquals,
  assertGreater,
  assertGreaterOrEqual,
  assertLess,
  assertLessOrEqual,
} from "@std/assert";
import { Gossip } from "../lib/gossip.ts";
import { encodeMessage } from "../lib/wire.ts";
import { seededRandom } from "./support/dice.ts";
import { readMessage } from "./support/messages.ts";
import {
  assertShow,
  type Brain,
  callsTo,
  cluster,
  DEAD_AFTER_MS,
  INTERVAL_MS,
  Lab,
  three,
  told,
} from "./support/lab.ts";

Deno.test("a planned stop is shown as left by everybody within a round, and is never dead", () => {
  const { lab, nodes } = cluster(8);
  nodes[3]!.leave("SIGTERM");
  const own = nodes[3]!.changes.at(-1);
  assertEquals([own?.id, own?.to], ["n3", "left"], "it tells its own readers before it ends");
  lab.pass(INTERVAL_MS);
  for (const node of nodes) assertEquals(node.status("n3"), "left", node.id);
  lab.pass(60_000);
  for (const node of nodes.filter((node) => !node.killed)) {
    assertEquals(told(node, "n3").slice(1), ["live -> left: left: SIGTERM"], node.id);
  }
});

Deno.test("invariant 4: a node that was stalled accuses nobody, and is live again within 2 s", () => {
  const { lab, a, b, c } = three();
  c.paused = true;
  lab.pass(30_000);
  assertEquals([a.status("C"), b.status("C")], ["unresponsive", "unresponsive"]);
  c.paused = false;
  lab.wake(c);
  assertEquals(c.statuses(), { A: "live", B: "live", C: "live" });
  lab.pass(2_000);
  assertShow([a, b, c], { A: "live", B: "live", C: "live" });
  assertEquals(c.changes.filter(({ to }) => to === "dead"), []);
});

Deno.test("invariant 4: while all others stall, a node that was stalled with them accuses nobody", () => {
  const { lab, a, b, c } = three();
  for (const brain of [a, b, c]) brain.paused = true;
  lab.pass(60_000);
  for (const brain of [a, b, c]) brain.paused = false;
  for (const brain of [a, b, c]) lab.wake(brain);
  lab.pass(10_000);
  for (const brain of [a, b, c]) {
    assertEquals(brain.changes.filter(({ to }) => to === "dead"), [], brain.id);
  }
});

Deno.test("invariant 5: a member that falls silent is dead within dead-after and 2 intervals, and not before", () => {
  const { lab, nodes } = cluster(8);
  const lost = nodes[5]!;
  const lastMs = lab.nowMs;
  lab.reach = (from, to) => from === lost || to === lost.address ? "silent" : "ok";
  lab.pass(DEAD_AFTER_MS - 1.2 * INTERVAL_MS);
  for (const node of nodes) if (node !== lost) assertEquals(node.status("n5"), "live", node.id);
  lab.pass(lastMs + DEAD_AFTER_MS + 2 * INTERVAL_MS - lab.nowMs);
  for (const node of nodes) if (node !== lost) assertEquals(node.status("n5"), "dead", node.id);
});

Deno.test("invariant 6: halves that were parted and changed apart agree within 10 rounds of their meeting", () => {
  const { lab, nodes } = cluster(10);
  const left = new Set(nodes.slice(0, 5).map(({ address }) => address));
  lab.reach = (from, to) => left.has(from.address) === left.has(to) ? "ok" : "silent";
  lab.pass(30_000);
  assertEquals([nodes[0]!.status("n9"), nodes[9]!.status("n0")], ["dead", "dead"]);
  nodes[1]!.decommission("n8");
  nodes[9]!.decommission("n2");
  lab.pass(5_000);
  const wasDown = lab.start("n10", { join: ["n9:80"] });
  lab.pass(5_000);
  lab.reach = () => "ok";
  lab.pass(10 * INTERVAL_MS);
  const expected = Object.fromEntries([...nodes, wasDown].map(({ id }) => [id, "live"]));
  expected.n8 = expected.n2 = "decommissioned";
  for (const brain of [...nodes, wasDown]) {
    if (brain.stop === undefined) assertEquals<object>(brain.statuses(), expected, brain.id);
  }
});

Deno.test("invariant 8: a clock hours ahead or behind moves nobody's verdict", () => {
  for (const clockAheadMs of [-7_200_000, 7_200_000]) {
    const lab = new Lab();
    const a = lab.start("A");
    const b = lab.start("B", { join: ["a:80"], clockAheadMs });
    lab.pass(60_000);
    assertShow([a, b], { A: "live", B: "live" });
    assertEquals([a.changes.length, b.changes.length], [2, 2]);
    b.killed = true;
    lab.pass(DEAD_AFTER_MS);
    assertEquals(a.status("B"), "dead");
  }
});

Deno.test("invariant 3: a node decommissioned through another learns it at once, and so does every node", () => {
  const { lab, nodes } = cluster(8);
  assertEquals(nodes[0]!.decommission("n5"), "done");
  lab.pass(INTERVAL_MS);
  const gone = nodes[5]!;
  assertEquals(gone.stop?.status, 0);
  gone.killed = true;
  lab.pass(10 * INTERVAL_MS);
  for (const node of nodes) assertEquals(node.status("n5"), "decommissioned", node.id);
  assertEquals(nodes[0]!.decommission("n5"), "already");
});

Deno.test("invariant 3: a node decommissioned through itself tells the others before it stops", () => {
  const { lab, nodes } = cluster(8);
  const [gone] = nodes;
  gone!.decommission("n0");
  assertEquals(gone!.stop?.status, 0);
  gone!.killed = true;
  lab.pass(INTERVAL_MS);
  for (const node of nodes) assertEquals(node.status("n0"), "decommissioned", node.id);
});

Deno.test("invariant 3: an ID that nobody knows can be decommissioned, and is refused when it comes", () => {
  const { lab, a, b } = three();
  a.decommission("D");
  lab.pass(INTERVAL_MS);
  const d = lab.start("D", { join: ["b:80"] });
  lab.pass(INTERVAL_MS);
  assertEquals([d.stop?.status, b.status("D")], [0, "decommissioned"]);
});

Deno.test("of more news than one message carries the latest travels, and no full exchange is needed for it", () => {
  const { lab, a, b } = three();
  const ids = Array.from({ length: 40 }, (_, i) => `gone${i}`);
  for (const id of ids) a.decommission(id);
  lab.pass(2 * INTERVAL_MS);
  assertEquals(ids.every((id) => b.status(id) === "decommissioned"), true);
  const sinceMs = lab.nowMs;
  a.decommission("last");
  lab.pass(INTERVAL_MS);
  assertEquals(b.status("last"), "decommissioned");
  const sent = lab.brains.flatMap((brain) => brain.calls).filter(({ atMs }) => atMs >= sinceMs)
    .map(({ body }) => readMessage(body));
  assertEquals(sent.filter(({ full }) => full), []);
  const most = Math.max(...sent.map(({ tombstones }) => tombstones?.length ?? 0));
  assertEquals(most, 32);
});

Deno.test("news takes 16 KB of a message, however many there are: the latest, in their order", () => {
  const lab = new Lab();
  const a = lab.start("A");
  const ids = Array.from({ length: 4_000 }, (_, i) => `new-${i}.example`);
  const rows = ids.map((id) => [id, `${id}:80`, 1e12, 0, "00000001"]);
  a.gossip.receive(a.now(), "n1", JSON.stringify({ v: 2, roster: "0".repeat(16), rows }));
  const told = a.gossip.replica.draft(a.gossip.nowMs).rows!;
  assertEquals(told.map(({ id }) => id), ids.slice(-told.length));
  const { length } = JSON.stringify(told.map(Object.values));
  assertLess(length, 20_000);
  assertLess(12_000, length);
});

Deno.test("where all rosters differ at once, full pushes keep 2 ms a member apart, and all agree all the same", () => {
  const { lab, nodes } = cluster(8);
  const [a] = nodes;
  const fromMs = lab.nowMs;
  // Of no address, so that nobody calls them.
  const rows = Array.from({ length: 400 }, (_, i) => [`r${i}`, "", 1e12, 0, "00000001"]);
  const roster = "0".repeat(16);
  a!.gossip.receive(a!.now(), "n1", JSON.stringify({ v: 2, roster, rows, full: true }));
  lab.pass(10 * INTERVAL_MS);
  const times = a!.calls.filter(({ atMs, body }) => atMs >= fromMs && readMessage(body).full)
    .map(({ atMs }) => atMs);
  const gaps = times.slice(1).map((time, i) => time - times[i]!);
  assert(times.length > 0);
  assertLessOrEqual(2 * 408, Math.min(Infinity, ...gaps), times.join(" "));
  for (const node of nodes) assertEquals(Object.keys(node.statuses()).length, 408, node.id);
});

Deno.test("a node that stops while it has met nobody tells nobody", () => {
  const lab = new Lab();
  const a = lab.start("A", { join: ["b:80"] });
  lab.pass(INTERVAL_MS);
  const before = a.calls.length;
  a.leave("SIGTERM");
  assertEquals(a.calls.length, before);
});

Deno.test("a stopping node runs no further round, and its clock goes on", () => {
  const { lab, a } = three();
  lab.reach = () => "silent";
  a.driver.enter((gossip, now) => gossip.leave(now, "SIGTERM"));
  const { rounds } = a.gossip.counts;
  const { nowMs } = a.gossip;
  lab.pass(5_000);
  assertEquals([a.gossip.counts.rounds, a.gossip.lateMs(1e9)], [rounds, 0]);
  assertEquals(a.gossip.nowMs - nowMs, 5_000);
});

Deno.test("news spread at once, but rounds keep 200 ms apart", () => {
  const { lab, a } = three();
  const fromMs = lab.nowMs;
  for (let i = 0; i < 100; i++) {
    a.decommission(`ghost${i}`);
    lab.pass(10);
  }
  // Where rosters differ, all rows follow the answer: that is no round.
  const toB = a.calls.filter(({ to, atMs, body }) =>
    to === "b:80" && atMs >= fromMs && readMessage(body).full !== true
  ).map(({ atMs }) => atMs);
  const gaps = toB.slice(1).map((time, i) => time - toB[i]!);
  assert(toB.length >= 4, `news went out ${toB.length} times in a second`);
  assertLessOrEqual(200, Math.min(...gaps), gaps.join(" "));
});

Deno.test("a charge that is news is told on at once: the next round comes within 200 ms", () => {
  const { lab, a } = three();
  const { counts } = a.gossip;
  while (a.gossip.counts.rounds === counts.rounds) lab.pass(10);
  // The next round would come after 0.9 s at the earliest.
  lab.pass(250);
  const { rounds } = a.gossip.counts;
  const upTo = a.gossip.replica.table.get("C")!.heartbeat + 1_000;
  const charges = [{ member: "C", witness: "B", upTo }];
  a.receive("B", encodeMessage({ roster: "0".repeat(16), charges }));
  lab.pass(200);
  assertGreater(a.gossip.counts.rounds, rounds);
});

Deno.test("receive() answers a push of its own ID with its boot alone: that tells a node from its twin", () => {
  const { a } = three();
  const pull = '{"v":2,"roster":"0000000000000000","rows":[],"full":true}';
  const answer = a.gossip.receive(a.now(), "A", pull);
  assert(!("error" in answer));
  const { id, boot, rows } = readMessage(answer.body);
  assertEquals([id, boot?.length, rows], ["A", 8, undefined]);
});

Deno.test("receive() tells a decommissioned caller its tombstone and takes nothing from it", () => {
  const { a } = three();
  a.decommission("X");
  const forged = ["Y", "y:80", 1e12, 0, "00000001"];
  const hashes = { roster: "0000000000000000" };
  const body = JSON.stringify({ v: 2, ...hashes, rows: [forged], tombstones: [["B"]] });
  const answer = a.gossip.receive(a.now(), "X", body);
  assert(!("error" in answer));
  assertEquals(readMessage(answer.body).tombstones, [{ id: "X", by: "A" }]);
  assertEquals([a.status("Y"), a.status("B")], [undefined, "live"]);
});

Deno.test("receive() says what is wrong with a body, and changes nothing", () => {
  const { a } = three();
  const before = a.statuses();
  for (const body of ["", "hello B\n", "\0\x01", '{"v":2}', "[]"]) {
    const answer = a.gossip.receive(a.now(), "B", body);
    assert("error" in answer && !answer.error.includes("\n"), body);
  }
  assertEquals(a.statuses(), before);
});

Deno.test("what a peer sends that is invalid is dropped, and logged once until it sends well again", () => {
  const { a } = three();
  const hashes = { roster: "0000000000000000" };
  const push = (...rows: unknown[]) => {
    assert(!("error" in a.receive("B", JSON.stringify({ v: 2, ...hashes, rows }))));
  };
  const evil = ["<b>x</b>", "h:1", 100, 0, ""];
  for (let i = 0; i < 10; i++) push(evil, ["n\n1", "h:1", 100, 0, ""]);
  assertEquals(a.notices, ["B sent 2 entries that are invalid or exceed the table's limit"]);
  assertEquals(Object.keys(a.statuses()), ["A", "B", "C"]);
});

Deno.test("calls that fail are logged once, whatever ID the member has that pushes all the while", () => {
  const lab = new Lab();
  lab.reach = (_, to) => to === "b:80" ? "silent" : "ok";
  const a = lab.start("A");
  lab.start("b:80", { address: "b:80", join: [a.address] });
  lab.pass(60_000);
  assertEquals(a.notices, ["no answer from b:80: timed out"]);
});

Deno.test("an address that fails for another reason is logged once more, and no more when reasons alternate", () => {
  const lab = new Lab();
  let reach: "silent" | "refused" = "refused";
  lab.reach = (_, to) => to === "b:80" ? reach : "ok";
  const a = lab.start("A", { join: ["b:80"] });
  for (let i = 0; i < 10; i++) {
    lab.pass(60_000);
    reach = reach === "silent" ? "refused" : "silent";
  }
  assertEquals(a.notices, [
    "no answer from b:80: connection refused",
    "no answer from b:80: timed out",
  ]);
});

Deno.test("invariant 7: of senders that are made up nothing is kept, and of one whose row comes along all is", () => {
  const { a } = three();
  a.decommission("C");
  const { forms, spread, table } = a.gossip.replica;
  const push = (from: string, ...rows: unknown[]) => {
    const body = { v: 2, roster: table.rosterHash, unit: 1_000, rows };
    assert(!("error" in a.receive(from, JSON.stringify(body))));
  };
  const { version } = spread;
  for (let i = 0; i < 1_000; i++) push(`x${i}`);
  for (let i = 0; i < 1_000; i++) assert(!forms.reads(`x${i}`), `x${i}`);
  assertEquals(spread.version, version, "nor does it count as one that knows of a decommission");
  push("D", ["D", "d:80", 100, 0, "0000000d"]);
  push("D");
  assert(forms.reads("D"));
  assertEquals(spread.version, version + 1);
});

Deno.test("a forged row under its own ID moves nothing but its heartbeat", () => {
  const { lab, a, b } = three();
  const own = a.gossip.replica.table.get("A")!;
  const forged = ["A", "evil:80", own.heartbeat + 500, 0, "ffffffff", "SIGKILL"];
  const hashes = { roster: "0000000000000000" };
  const body = JSON.stringify({ v: 2, ...hashes, rows: [forged] });
  for (const brain of [a, b]) {
    assert(!("error" in brain.receive("evil", body)));
  }
  assertEquals(a.gossip.replica.table.get("A")!.address, "a:80");
  lab.pass(2 * INTERVAL_MS);
  assertEquals(b.gossip.replica.table.get("A")!.address, "a:80");
  assertEquals([a.status("A"), b.status("A")], ["live", "live"]);
});

Deno.test("an answer to a call that nobody made is ignored", () => {
  const { a } = three();
  assertEquals(a.gossip.answered(a.now(), "stranger:80", "hello X\n\nB\nx:80\n").effects, []);
  assertEquals(a.gossip.failed(a.now(), "b:80", { refused: true, why: "x" }).effects, []);
});

Deno.test("invariant 7: a message that claims everything at once is taken only as far as it may be", () => {
  const { lab, a } = three();
  const many = <T>(count: number, entry: (i: number) => T) =>
    Array.from({ length: count }, (_, i) => entry(i));
  const hashes = { roster: "0000000000000000" };
  const body = JSON.stringify({
    v: 2,
    ...hashes,
    beat: 100,
    beats: "#".repeat(60_000),
    rows: many(10_000, (i) => [`r${i}`, `r${i}:80`, 1e12, 0, "00000001"]),
    tombstones: many(10_000, (i) => [`t${i}`]),
    charges: many(10_000, (i) => [`r${i}`, "B", 1e12 + 500]),
  });
  const fromMs = lab.nowMs;
  assert(!("error" in a.receive("B", body)));
  assertLessOrEqual(a.calls.filter(({ atMs }) => atMs >= fromMs).length, 64);
  assertEquals(Object.keys(a.statuses()).length, 20_003);
});

Deno.test("an answer that cannot be read is a call that failed: the next round makes up for it", () => {
  const { lab, nodes } = cluster(8);
  const [n0] = nodes;
  for (let i = 1; i < 8; i++) lab.strangers.set(`n${i}:80`, () => "rubbish");
  const callsIn = (ms: number) => {
    const sinceMs = lab.nowMs;
    lab.pass(ms);
    return n0!.calls.filter(({ atMs }) => atMs >= sinceMs).length;
  };
  callsIn(INTERVAL_MS);
  assertGreaterOrEqual(callsIn(1.2 * INTERVAL_MS), 4, "two, and two for those that failed");
  assert(n0!.notices.some((text) => text.startsWith("no answer from n")), n0!.notices.join());
});

Deno.test("a member keeps being called, however many contacts never answer", () => {
  const lab = new Lab();
  const a = lab.start("A");
  lab.start("B", { join: ["a:80"] });
  const addresses = Array.from({ length: 2_000 }, (_, i) => `silent${i}:80`);
  lab.strangers.set("go:80", () => ["hello Go", "", "", "go:80", ...addresses].join("\n"));
  lab.reach = (_, to) => to.startsWith("silent") ? "silent" : "ok";
  a.hear("Go", "go:80");
  lab.pass(30_000);
  const silent = a.calls.filter(({ to }) => to.startsWith("silent"));
  assert(silent.length > 500, `only ${silent.length} calls went to contacts`);
  const fromMs = silent[0]!.atMs;
  const calls = [...callsTo(a, "b:80", fromMs), ...callsTo(a, "go:80", fromMs)];
  assertLessOrEqual(25, calls.length, `A made ${calls.length} calls to members in 30 s`);
});

Deno.test("a planned stop is told, however many contacts never answer", () => {
  const addresses = Array.from({ length: 2_000 }, (_, i) => `silent${i}:80`);
  for (let waitMs = 0; waitMs < 10_000; waitMs += 370) {
    const lab = new Lab();
    const a = lab.start("A");
    const b = lab.start("B", { join: ["a:80"] });
    lab.strangers.set("go:80", () => ["hello Go", "", "", "go:80", ...addresses].join("\n"));
    lab.reach = (_, to) => to.startsWith("silent") ? "silent" : "ok";
    a.hear("Go", "go:80");
    lab.pass(1_000 + waitMs);
    a.leave("SIGTERM");
    lab.pass(100);
    assertEquals(b.status("A"), "left", `stopped after ${1_000 + waitMs} ms`);
  }
});

Deno.test("one seed replays one run, to the last call", () => {
  const run = (seed: number) => {
    const { lab, c } = three(seed);
    c.killed = true;
    lab.pass(20_000);
    return lab.brains.map(({ calls, changes }) => ({ calls, changes }));
  };
  assertEquals(run(7), run(7));
});

Deno.test("a planned stop reaches a member that a call is under way to: it is called again", () => {
  const { lab, a, b, c } = three();
  b.killed = true;
  lab.pass(10_000);
  const begun = a.calls.length;
  lab.pass(1_500);
  while (a.calls.length === begun || a.calls.at(-1)!.to !== c.address) lab.pass(0.5);
  // The call is on its way now.
  a.leave("SIGTERM");
  a.killed = false;
  lab.pass(5);
  assertEquals(c.status("A"), "left");
});

Deno.test("invariant 4: an answer that cannot be read, as news came meanwhile, is asked for again where the member's heartbeat is late", () => {
  const { lab, a, c } = three();
  // From now on only the calls of A reach C, and none for four intervals.
  let isCut = true;
  lab.reach = (from, to) => {
    if (from === c || (to === c.address && (isCut || from !== a))) return "silent";
    return "ok";
  };
  lab.pass(4 * INTERVAL_MS);
  isCut = false;
  const before = callsTo(a, c.address).length;
  for (let i = 0; callsTo(a, c.address).length === before; i++) {
    assert(i < 2 * INTERVAL_MS, "A does not call C");
    lab.pass(1);
  }
  // While that call is under way.
  a.decommission("ghost");
  lab.pass(10);
  assertEquals(callsTo(a, c.address).length, before + 2);
  const row = a.gossip.replica.table.get("C")!;
  assertLessOrEqual(a.gossip.nowMs - row.heardAtMs, 10);
});

Deno.test("nobody looks for a node's own ID while it knows others, nor for a decommissioned one, but for one that is unknown or dead", () => {
  const { lab, a, c } = three();
  const present = () => ["A", "B", "C", "Z"].map((id) => a.gossip.isPresent(id));
  assertEquals(present(), [true, true, true, false]);
  a.decommission("B");
  c.paused = true;
  lab.pass(2 * DEAD_AFTER_MS);
  assertEquals(present(), [false, true, false, false]);
});

Deno.test("what hooks are to know is news once more when a member is back, and not for one that is new: it asks for all", () => {
  const { lab, a, b, c } = three();
  a.driver.enter((gossip, now) =>
    gossip.quiet(now, { pattern: "web*", forMs: 3_600_000, why: "", by: "A" })
  );
  lab.pass(20_000);
  /** Who says it of his own accord in the seconds that follow. */
  const saidBy = (ms: number) => {
    const sinceMs = lab.nowMs;
    lab.pass(ms);
    const says = ({ atMs, body }: Brain["calls"][number]) =>
      atMs >= sinceMs && readMessage(body).tidings?.quiets !== undefined;
    return [a, b, c].filter(({ calls }) => calls.some(says)).map(({ id }) => id);
  };
  assertEquals(saidBy(5_000), []);
  const d = lab.start("D", { join: ["a:80"] });
  assertEquals(saidBy(3_000), []);
  assert(d.gossip.replica.tidings.quiets.active(d.gossip.nowMs).length === 1);
  c.paused = true;
  lab.pass(20_000);
  c.paused = false;
  lab.wake(c);
  assertEquals(saidBy(3_000), ["A", "B"]);
});

Deno.test("a time-out makes the next round go to more, unless this node itself did not run meanwhile", () => {
  const rounds = { "silent": 18, "refused": 4, "this node was stopped": 2 };
  for (const [why, expected] of Object.entries(rounds)) {
    let nowMs = 0;
    const now = () => ({ monotonicMs: nowMs, wallMs: 1e12 + nowMs });
    const own = { id: "A", address: "a:80", boot: "0000000a", seeds: [], random: seededRandom(1) };
    const gossip = new Gossip({ ...own, intervalMs: 1_000, deadAfterMs: 60_000 }, now());
    const rows = Array.from({ length: 30 }, (_, i) => {
      const boot = `${i}`.padStart(8, "0");
      return { id: `n${i}`, address: `n${i}:80`, boot, heartbeat: 1e12, ageMs: 0, left: "" };
    });
    gossip.receive(now(), "n0", encodeMessage({ roster: "0".repeat(16), rows }));
    /** Whom it calls in its next round. */
    const round = () => {
      for (;;) {
        nowMs = gossip.nextWakeMs;
        const { effects } = gossip.wake(now());
        if (!effects.some(({ kind }) => kind === "round")) continue;
        return effects.flatMap((each) => each.kind === "exchange" ? [each.to] : []);
      }
    };
    // The first are urgent, as there is news.
    for (let i = 0; i < 5; i++) round();
    const calls = round();
    assertEquals(calls.length, 2);
    if (why === "this node was stopped") {
      nowMs += 5_000;
      gossip.wake(now());
    }
    const refused = why === "refused";
    for (const to of calls) gossip.failed(now(), to, { refused, why: "no answer" });
    assertEquals(round().length, expected, why);
  }
});
