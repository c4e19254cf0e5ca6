import { assert, assertEquals, assertLess, assertLessOrEqual, assertMatch } from "@std/assert";
import { readMessage } from "./support/messages.ts";
import { encodeMessage } from "../lib/wire.ts";
import { cluster, INTERVAL_MS, Lab, three, told } from "./support/lab.ts";

Deno.test("a killed process is dead within 3 s everywhere, by three witnesses of its closed port", () => {
  const { lab, nodes } = cluster(16);
  nodes[5]!.killed = true;
  lab.pass(3_000);
  for (const node of nodes) {
    if (node.killed) continue;
    assertEquals(node.status("n5"), "dead", node.id);
    const reason = told(node, "n5").at(-1)!;
    assertMatch(reason, /^live -> dead: connection refused, witnessed by (n\d+, )+n\d+ and n\d+$/);
  }
});

Deno.test("of two nodes the one left finds a killed process dead within 4 s", () => {
  const lab = new Lab();
  const a = lab.start("A");
  const b = lab.start("B", { join: ["a:80"] });
  lab.pass(2 * INTERVAL_MS);
  b.killed = true;
  lab.pass(4_000);
  assertEquals(told(a, "B").at(-1), "live -> dead: connection refused, witnessed by A");
});

Deno.test("invariant 4: one node's firewall shows nobody dead, and its refusals then count for nothing", () => {
  const { lab, nodes } = cluster(8);
  const walled = nodes[2]!;
  lab.reach = (from, to) => from === walled && to === "n5:80" ? "refused" : "ok";
  lab.pass(60_000);
  for (const node of nodes) {
    assertEquals(node.changes.filter(({ to }) => to === "dead"), [], node.id);
  }
  const { charges } = nodes[0]!.gossip.replica.evidence;
  assert(charges.empty, "n5 is still charged");
});

// All refuse alike, as after a crash: that its own calls still come is known a moment later.
Deno.test("a member hidden from all by a firewall is live again within 3 s, by its own calls, and stays so", () => {
  const STEP_MS = 100;
  for (let seed = 1; seed <= 10; seed++) {
    const { lab, nodes } = cluster(8, seed);
    lab.reach = (_, to) => to === "n5:80" ? "refused" : "ok";
    const deadMs = nodes.map(() => 0);
    for (let ms = 0; ms < 10_000; ms += STEP_MS) {
      lab.pass(STEP_MS);
      for (const [i, node] of nodes.entries()) {
        deadMs[i] = node.status("n5") === "dead" ? deadMs[i]! + STEP_MS : 0;
        assertLess(deadMs[i]!, 3_000, `${node.id} of seed ${seed}`);
      }
    }
    const before = nodes.map(({ changes }) => changes.length);
    lab.pass(60_000);
    assertEquals(nodes.map(({ changes }) => changes.length), before, `seed ${seed}`);
    for (const node of nodes) assertEquals(node.status("n5"), "live", `${node.id} of seed ${seed}`);
  }
});

Deno.test("one refusal alone charges nobody: the process may just be starting again", () => {
  const { lab, a, b, c } = three();
  let refusals = 0;
  lab.reach = (_, to) => to === "c:80" && refusals++ === 0 ? "refused" : "ok";
  while (refusals === 0) lab.pass(100);
  lab.pass(INTERVAL_MS);
  for (const brain of [a, b, c]) {
    const charged = brain.calls.filter(({ body }) => readMessage(body).charges !== undefined);
    assertEquals(charged, [], brain.id);
  }
});

Deno.test("no crash makes the nodes left chatter: they go back to one round an interval", () => {
  const { lab, a, b, c } = three();
  c.killed = true;
  lab.pass(60_000);
  const quietMs = lab.nowMs;
  lab.pass(20_000);
  for (const brain of [a, b]) {
    const calls = brain.calls.filter(({ atMs }) => atMs > quietMs).length;
    // A live one each round, the dead one every other round.
    assertLessOrEqual(calls, 45, `${brain.id} made ${calls} calls in 20 s`);
  }
});

/** Pushes charges of so many witnesses against all others to the first of 64, again and again for two intervals. */
function slander(witnesses: number): { looks: number; bodies: string[] } {
  const { lab, nodes } = cluster(64);
  const [victim] = nodes;
  const { calls, gossip } = victim!;
  const first = calls.length;
  let looks = 0;
  for (let i = 0; i < 20; i++) {
    const charges = gossip.replica.table.roster().flatMap(({ id, heartbeat }) =>
      Array.from({ length: witnesses }, (_, w) => ({
        member: id,
        witness: w === 0 ? "liar" : `liar${w}`,
        upTo: heartbeat + 30_000,
      }))
    );
    const before = calls.length;
    victim!.receive("liar", encodeMessage({ roster: "0".repeat(16), charges }));
    looks += calls.length - before;
    lab.pass(INTERVAL_MS / 10);
  }
  return { looks, bodies: calls.slice(first).map(({ body }) => body) };
}

Deno.test("invariant 7: a stranger who charges everybody makes a node look at eight an interval", () => {
  const { looks } = slander(1);
  assert(looks > 0);
  // The last round of calls, which is urgent, starts at once as well.
  assertLessOrEqual(looks, 3 * 8);
});

Deno.test("invariant 7: a stranger who charges everybody makes a node tell of 64 charges at a time", () => {
  const told = slander(8).bodies.map((body) => readMessage(body).charges?.length ?? 0);
  assertEquals(Math.max(...told), 64);
});

Deno.test("of 64, twelve killed at once are dead within 3 s to all who are left", () => {
  const { lab, nodes } = cluster(64);
  const killed = nodes.slice(10, 22);
  for (const node of killed) node.killed = true;
  lab.pass(3_000);
  for (const node of nodes) {
    if (node.killed) continue;
    for (const { id } of killed) assertEquals(node.status(id), "dead", `${node.id} of ${id}`);
  }
});
