import { assert, assertEquals, assertLess, assertLessOrEqual, assertMatch } from "@std/assert";
import { encodeMessage } from "../lib/wire.ts";
import { assertShow, callsTo, INTERVAL_MS, Lab, three, TIMEOUT_MS, told } from "./support/lab.ts";
import { readMessage } from "./support/messages.ts";

Deno.test("a lone node is live, calls nobody, and answers /hello like a lone Go node that lists itself", () => {
  const lab = new Lab();
  const a = lab.start("A", { address: "127.0.0.1:19001" });
  lab.pass(3 * INTERVAL_MS);
  assertEquals(a.statuses(), { A: "live" });
  assertEquals(a.calls, []);
  assertEquals(a.gossip.hello(), "hello A\nA\n\n127.0.0.1:19001\n");
});

Deno.test("nodes that join one after the other all see all within a round", () => {
  const { lab, a, b, c } = three();
  assertShow([a, b, c], { A: "live", B: "live", C: "live" });
  assertEquals(told(a, "C"), ["null -> live: heard through B"]);
  assertEquals(lab.brains.flatMap((brain) => brain.notices), []);
});

Deno.test("30 nodes that start at once all see all within 2 s", () => {
  const lab = new Lab();
  for (let i = 0; i < 30; i++) lab.start(`n${i}`, i === 0 ? {} : { join: ["n0:80"] });
  lab.pass(2_000);
  const all = Object.fromEntries(lab.brains.map(({ id }) => [id, "live"]));
  assertShow(lab.brains, all);
});

Deno.test("nodes that all join all, themselves among them by another name, find each other", () => {
  const lab = new Lab();
  const join = ["a:80", "b:80", "alias:80"];
  const a = lab.start("A", { join });
  const b = lab.start("B", { join });
  lab.aliases.set("alias:80", "a:80");
  lab.pass(2 * INTERVAL_MS);
  assertShow([a, b], { A: "live", B: "live" });
  assertEquals(a.stop, undefined);
});

Deno.test("a node whose only seed is itself by another name takes part at once", () => {
  const lab = new Lab();
  const a = lab.start("A", { join: ["alias:80"] });
  lab.aliases.set("alias:80", "a:80");
  lab.pass(INTERVAL_MS);
  assertEquals([a.gossip.joined, a.stop], [true, undefined]);
  assertEquals(a.notices, [
    "alias:80, from -join, leads to this node itself: it has joined nobody, and tries again; " +
    "with a cluster's first node nothing is wrong",
  ]);
});

Deno.test("nodes that a load balancer leads to themselves at first say so, and find each other by later calls", () => {
  const lab = new Lab();
  let leadsToCaller = true;
  const nodes = ["A", "B"].map((id) => lab.start(id, { join: ["lb:80"] }));
  lab.host = (from, to) => {
    if (to !== "lb:80") return undefined;
    return leadsToCaller ? from : nodes.find((node) => node !== from);
  };
  lab.pass(60_000);
  for (const node of nodes) {
    assertShow([node], { [node.id]: "live" });
    assertEquals(node.notices.length, 1, node.notices.join("\n"));
    const times = callsTo(node, "lb:80");
    assertLessOrEqual(times.length, 10, `it calls less and less often: ${times.join(" ")}`);
  }
  leadsToCaller = false;
  lab.pass(32_000);
  assertShow(nodes, { A: "live", B: "live" });
  const sinceMs = lab.nowMs;
  lab.pass(60_000);
  for (const node of nodes) assertEquals(callsTo(node, "lb:80", sinceMs), []);
});

Deno.test("a node that joins nobody yet tries its seeds every second at least, and tells of it once", () => {
  const lab = new Lab();
  const a = lab.start("A", { join: ["b:80"] });
  lab.pass(60_000);
  const times = callsTo(a, "b:80");
  const gaps = times.map((time, i) => time - (times[i - 1] ?? 0));
  assertLessOrEqual(Math.max(...gaps), 1_000 + 2, gaps.join(" "));
  assertEquals(a.notices, ["no answer from b:80: connection refused"]);
  const b = lab.start("B");
  lab.pass(4 * INTERVAL_MS);
  assertShow([a, b], { A: "live", B: "live" });
  assertEquals(a.notices.slice(1), ["b:80 answers again, as B"]);
});

Deno.test("a seed whose answer is lost is called again once the back-off is over, not a round later", () => {
  const lab = new Lab();
  const b = lab.start("B");
  let lost = 1;
  lab.reach = () => lost-- > 0 ? "silent" : "ok";
  const a = lab.start("A", { join: ["b:80"] });
  lab.pass(TIMEOUT_MS + 260);
  assertShow([a, b], { A: "live", B: "live" });
});

Deno.test("a node that nobody joins again is found by those who know it", () => {
  const { lab, a, b, c } = three();
  c.killed = true;
  lab.pass(20_000);
  const again = lab.start("C");
  lab.pass(3 * INTERVAL_MS);
  assertShow([a, b, again], { A: "live", B: "live", C: "live" });
});

Deno.test("invariant 8: a node started again with its ID jumps past its old heartbeat, even with a slow clock", () => {
  for (const clockAheadMs of [0, -3_600_000, 3_600_000]) {
    const { lab, a, b, c } = three();
    c.killed = true;
    lab.pass(10_000);
    const before = a.gossip.replica.table.get("C")!.heartbeat;
    const again = lab.start("C", { join: ["a:80"], clockAheadMs });
    lab.pass(2 * INTERVAL_MS);
    assertShow([a, b, again], { A: "live", B: "live", C: "live" });
    assertLess(
      before,
      a.gossip.replica.table.get("C")!.heartbeat,
      `clock ${clockAheadMs} ms ahead`,
    );
    assertMatch(told(a, "C").at(-1)!, /^dead -> live: restarted/);
  }
});

Deno.test("a node started again at once at its address is live at once, and told of as restarted", () => {
  const { lab, a, b, c } = three();
  c.killed = true;
  const again = lab.start("C", { join: ["a:80"] });
  lab.pass(INTERVAL_MS);
  assertShow([a, b, again], { A: "live", B: "live", C: "live" });
  assertMatch(told(a, "C").at(-1)!, /^live -> live: restarted/);
});

Deno.test("a node started again at another address is live there", () => {
  const { lab, a, b, c } = three();
  c.killed = true;
  const again = lab.start("C", { join: ["a:80"], address: "other:80" });
  lab.pass(INTERVAL_MS);
  assertShow([a, b, again], { A: "live", B: "live", C: "live" });
  assertEquals(b.gossip.replica.table.get("C")?.address, "other:80");
});

Deno.test("a node whose old address now belongs to another still starts at a new one", () => {
  const { lab, a, b, c } = three();
  c.killed = true;
  const d = lab.start("D", { join: ["a:80"], address: "c:80" });
  const again = lab.start("C", { join: ["a:80"], address: "other:80" });
  lab.pass(3 * INTERVAL_MS);
  assert(again.gossip.joined, "C still only pulls");
  assertShow([a, b, d, again], { A: "live", B: "live", C: "live", D: "live" });
});

Deno.test("a node refuses to start where its ID is live at another address, and disturbs nobody", () => {
  const { lab, a, b, c } = three();
  const before = a.changes.length;
  const twin = lab.start("C", { join: ["a:80"], address: "other:80" });
  lab.pass(INTERVAL_MS);
  assertEquals(twin.stop?.status, 1);
  assertEquals(
    twin.stop?.text,
    "ID 'C' is in use by the node at c:80: stop that node, or choose another -id",
  );
  twin.killed = true;
  lab.pass(2 * INTERVAL_MS);
  assertEquals(a.gossip.replica.table.get("C")?.address, "c:80");
  assertEquals([a.changes.length, c.stop], [before, undefined]);
  assertShow([a, b, c], { A: "live", B: "live", C: "live" });
});

Deno.test("a node that finds a twin once both run says so, and runs on", () => {
  const lab = new Lab();
  const a = lab.start("A");
  const one = lab.start("X", { address: "one:80" });
  const other = lab.start("X", { address: "other:80", join: ["one:80"] });
  lab.pass(INTERVAL_MS);
  assertEquals([other.stop?.status, one.stop, a.stop], [1, undefined, undefined]);
});

Deno.test("a node decommissioned while it was away ends with status 0 and says why", () => {
  const { lab, a, b, c } = three();
  c.killed = true;
  assertEquals(a.decommission("C"), "done");
  lab.pass(INTERVAL_MS);
  const again = lab.start("C", { join: ["b:80"] });
  lab.pass(INTERVAL_MS);
  assertEquals(again.stop, {
    status: 0,
    text: "this node, C, is decommissioned by request to A: it stops, and its ID stays unusable",
  });
  again.killed = true;
  lab.pass(10 * INTERVAL_MS);
  assertShow([a, b], { A: "live", B: "live", C: "decommissioned" });
});

Deno.test("a node that left is live again once it is started again", () => {
  const { lab, a, b, c } = three();
  c.leave("SIGINT");
  lab.pass(10_000);
  const again = lab.start("C", { join: ["a:80"] });
  lab.pass(2 * INTERVAL_MS);
  assertShow([a, b, again], { A: "live", B: "live", C: "live" });
});

Deno.test("invariant 4: nodes that only resolve their own names keep in touch by the address they joined", () => {
  for (const size of [2, 3, 8]) {
    const lab = new Lab();
    lab.start("n0");
    lab.aliases.set("10.0.0.1:80", "n0:80");
    lab.reach = (from, to) => to === "10.0.0.1:80" || to === from.address ? "ok" : "silent";
    for (let i = 1; i < size; i++) lab.start(`n${i}`, { join: ["10.0.0.1:80"] });
    lab.pass(60_000);
    const all = Object.fromEntries(lab.brains.map(({ id }) => [id, "live"]));
    assertShow(lab.brains, all);
    for (const brain of lab.brains) {
      assertEquals(brain.changes.filter(({ to }) => to === "dead"), [], brain.id);
      const told = brain.notices.filter((line) => line.includes("-advertise"));
      const expected =
        "n0 answers at 10.0.0.1:80, but not at n0:80, the address it gives its peers: " +
        "start it with -advertise and a name or address that they can reach";
      assertEquals(told, brain.id === "n0" ? [] : [expected]);
    }
  }
});

Deno.test("a member that was refused for a moment, and then answers at another of its names, gives no wrong address", () => {
  const lab = new Lab();
  const a = lab.start("A");
  lab.aliases.set("alias:80", "a:80");
  const b = lab.start("B", { join: ["alias:80"] });
  lab.pass(10_000);
  let calls = 0;
  // As at a restart: its port is open again between a call to its own address and one to the other.
  lab.reach = (_from, to) => to === "a:80" && calls++ < 3 ? "refused" : "ok";
  lab.pass(60_000);
  assert(calls > 3);
  assertShow([a, b], { A: "live", B: "live" });
  assertEquals(b.notices.filter((line) => line.includes("-advertise")), []);
});

Deno.test("who waits for its seeds takes part once a member pushes to it, not when another that joins asks it", () => {
  const { b } = three();
  const push = b.calls.map(({ body }) => body).findLast((body) => readMessage(body).columns);
  const pull = encodeMessage({ roster: "0".repeat(16), full: true, rows: [] });
  const waits = new Lab().start("Z", { join: ["seed:80"] });
  waits.receive("Y", pull);
  assertEquals(waits.gossip.joined, false);
  waits.receive("B", push!);
  assertEquals(waits.gossip.joined, true);
});
