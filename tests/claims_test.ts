import { assertEquals, assertLessOrEqual } from "@std/assert";
import { Calls } from "../lib/calls.ts";
import { Claims } from "../lib/claims.ts";
import { Joining } from "../lib/joining.ts";
import { Pace } from "../lib/pace.ts";
import { Replica } from "../lib/replica.ts";
import {
  assertShow,
  type Brain,
  cluster,
  DEAD_AFTER_MS,
  INTERVAL_MS,
  Lab,
  told,
} from "./support/lab.ts";
import { AWAKE } from "./support/awake.ts";

/** Lines that tell of an address that two members give. */
function linesOf(brain: Brain): string[] {
  return brain.notices.filter((text) => text.includes("-advertise"));
}

function assertNobodyDead(brains: readonly Brain[]): void {
  for (const brain of brains) {
    const deaths = brain.changes.filter(({ to }) => to === "dead");
    assertEquals(deaths.map(({ id, reason }) => `${id}: ${reason}`), [], brain.id);
  }
}

/** Hosts that give one address, each of which it leads to itself, as `localhost` does; each joins the first by its IP. */
function clones(count: number): { lab: Lab; nodes: Brain[] } {
  const lab = new Lab();
  const nodes: Brain[] = [];
  lab.host = (_from, to) => to === "10.0.0.1:80" ? nodes[0] : undefined;
  for (let i = 0; i < count; i++) {
    const join = i === 0 ? [] : ["10.0.0.1:80"];
    nodes.push(lab.start(`n${i}`, { address: "pi:80", join }));
    lab.pass(300);
  }
  return { lab, nodes };
}

Deno.test("two members that give one address, which leads each to itself, are live to each other, and each names the other once", () => {
  const { lab, nodes } = clones(2);
  lab.pass(60_000);
  assertShow(nodes, { n0: "live", n1: "live" });
  assertNobodyDead(nodes);
  const advice = "start each with -advertise and a name or address that leads to it alone";
  for (const [node, other] of [[nodes[0]!, "n1"], [nodes[1]!, "n0"]] as const) {
    const line = `${other} gives its peers this node's address, pi:80: ${advice}`;
    assertEquals(linesOf(node), [line]);
  }
});

Deno.test("of five members that give one address all are live to all, and each tells one line", () => {
  const { lab, nodes } = clones(5);
  lab.pass(60_000);
  assertShow(nodes, { n0: "live", n1: "live", n2: "live", n3: "live", n4: "live" });
  assertNobodyDead(nodes);
  for (const node of nodes) assertEquals(linesOf(node).length, 1, node.id);
});

Deno.test("a failed call to a loopback address that a member of another host gives says what that address leads to", () => {
  for (const given of ["127.0.0.1:81", "localhost:81", "[::1]:81"]) {
    const lab = new Lab();
    // Each loopback leads its caller to its own host, where nobody listens at that port but the node that gives it.
    lab.host = (from, to) => to === given && from.address === given ? from : undefined;
    lab.reach = (from, to) => to === given && from.address !== given ? "refused" : "ok";
    const a = lab.start("A", { address: "10.0.0.1:80" });
    const b = lab.start("B", { address: given, join: ["10.0.0.1:80"] });
    lab.pass(60_000);
    assertShow([a, b], { A: "live", B: "live" });
    assertEquals(a.notices, [
      `no answer from ${given}: connection refused; B gives its peers this address, which leads ` +
      "to this host itself: if it runs elsewhere, start it with -advertise",
    ]);
  }
});

Deno.test("a failed call to a loopback address gets no such hint on a host whose nodes all give one, or without a member there", () => {
  const lab = new Lab();
  const a = lab.start("A", { address: "127.0.0.1:80", join: ["127.0.0.1:82"] });
  const b = lab.start("B", { address: "127.0.0.1:81", join: ["127.0.0.1:80"] });
  lab.pass(3_000);
  b.killed = true;
  lab.pass(3_000);
  assertEquals(a.notices, [
    "no answer from 127.0.0.1:82: connection refused",
    "no answer from 127.0.0.1:81: connection refused",
  ]);
  const c = lab.start("C", { address: "10.0.0.1:80", join: ["127.0.0.1:82"] });
  lab.pass(3_000);
  assertEquals(c.notices, ["no answer from 127.0.0.1:82: connection refused"]);
});

Deno.test("a planned stop is told where a member is reached at the address it was joined at alone", () => {
  const { lab, nodes } = clones(2);
  lab.pass(5_000);
  nodes[1]!.leave("SIGTERM");
  lab.pass(INTERVAL_MS);
  assertEquals(nodes[0]!.status("n1"), "left");
});

for (
  const [where, host] of [
    ["the one that had it first", (pair: Brain[]) => pair[0]],
    ["the one that came last", (pair: Brain[]) => pair[1]],
    ["one or the other", (pair: Brain[], call: number) => pair[call % 2]],
  ] as const
) {
  Deno.test(`two members of an address that leads the others to ${where} stay live, and every node tells of it once`, () => {
    for (let seed = 1; seed <= 5; seed++) {
      const { lab, nodes } = cluster(8, seed);
      const [first] = nodes;
      const pair = [first!];
      let calls = 0;
      lab.host = (from, to) => {
        if (to !== first!.address) return undefined;
        return pair.includes(from) ? from : host(pair, calls++);
      };
      const second = lab.start("second", { address: first!.address, join: ["n1:80"] });
      pair.push(second);
      // For so long the last could be one that took the port of the first.
      lab.pass(3 * INTERVAL_MS);
      const all = [...nodes, second];
      const before = all.map(({ changes }) => changes.length);
      for (const node of all) assertLessOrEqual(told(node, "n0").length, 3, `seed ${seed}`);
      lab.pass(60_000);
      assertEquals(all.map(({ changes }) => changes.length), before, `seed ${seed}`);
      for (const node of all) assertEquals(linesOf(node).length, 1, `${linesOf(node)}`);
    }
  });
}

for (const id of ["again", "zero"]) {
  Deno.test(`a process started again at its address as '${id}' ends what it was before within 2 s, and is no second member`, () => {
    for (const size of [4, 16]) {
      const { lab, nodes } = cluster(size);
      const old = nodes[2]!;
      old.killed = true;
      lab.start(id, { address: old.address, join: ["n0:80"] });
      lab.pass(2_000);
      const others = lab.brains.filter((brain) => brain !== old);
      for (const node of others) assertEquals(node.status(old.id), "dead", `${node.id} of ${size}`);
      lab.pass(10_000);
      for (const node of others) assertEquals(linesOf(node), []);
    }
  });
}

Deno.test("a process that was another for half a second ends that one within 2 s, and is no second member", () => {
  const { lab, nodes } = cluster(6);
  for (const id of ["m2", "n2"]) {
    nodes.find(({ killed, address }) => !killed && address === "n2:80")!.killed = true;
    nodes.push(lab.start(id, { address: "n2:80", join: ["n0:80"] }));
    lab.pass(500);
  }
  lab.pass(1_500);
  for (const node of nodes.filter(({ killed }) => !killed)) {
    assertEquals([node.status("m2"), node.status("n2")], ["dead", "live"], node.id);
  }
  lab.pass(10_000);
  for (const node of nodes) assertEquals(linesOf(node), [], node.id);
});

Deno.test("of two members that came to one address at the same moment either may have lost it; of others who came first", () => {
  const pace = new Pace({ intervalMs: INTERVAL_MS, deadAfterMs: DEAD_AFTER_MS });
  const replica = new Replica({
    clock: AWAKE,
    id: "me",
    address: "me:80",
    boot: "0000000a",
    random: () => 0,
    pace,
  });
  const joining = new Joining({ address: "me:80", boot: "0000000a", pace, active: false });
  const calls = new Calls({ address: "me:80", replica, joining });
  const claims = new Claims({ id: "me", address: "me:80", pace, replica, calls });
  let nowMs = 10_000;
  const come = (...ids: string[]) => {
    for (const id of ids) {
      const row = { id, address: "n:80", boot: "00000001", heartbeat: 1_764_000_000_000 + nowMs };
      replica.merge({ ...row, ageMs: 0, left: "" }, id, nowMs);
    }
    replica.verdicts.survey(nowMs);
    claims.surveyed(turn());
  };
  const turn = () => ({ now: { monotonicMs: nowMs, wallMs: nowMs }, nowMs, effects: [] });
  const lostTo = (holder: string) => claims.replaced(turn(), "n:80", holder).map(({ id }) => id);
  come("a", "b");
  assertEquals([lostTo("a"), lostTo("b")], [["b"], ["a"]]);
  nowMs += 100;
  come("c");
  assertEquals([lostTo("c"), lostTo("a")], [["a", "b"], ["b"]]);
});
