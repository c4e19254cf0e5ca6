import { assert, assertEquals, assertMatch } from "@std/assert";
import { encodeMessage } from "../lib/wire.ts";
import {
  assertShow,
  callsTo,
  DEAD_AFTER_MS,
  INTERVAL_MS,
  Lab,
  three,
  told,
} from "./support/lab.ts";

Deno.test("an answer that is neither ours nor a Go node's is a failure like any other", () => {
  const lab = new Lab();
  const answers = ["", "\n", "<html>", "{}", '{"v":2}', "hello", "hello <b>x</b>\n\n\n", "\0\xff"];
  answers.forEach((answer, i) => lab.strangers.set(`s${i}:80`, () => answer));
  const a = lab.start("A", { join: [...lab.strangers.keys()] });
  lab.pass(5 * INTERVAL_MS);
  assertEquals(a.statuses(), { A: "live" });
  assertEquals(a.notices.length, answers.length);
  for (const notice of a.notices) assertMatch(notice, /^no answer from s\d:80: [\x20-\x7e]+$/);
  assert(!a.gossip.joined);
});

Deno.test("a Go node heard through its GET is live, and dead when it falls silent", () => {
  const lab = new Lab();
  const a = lab.start("A");
  const b = lab.start("B", { join: ["a:80"] });
  lab.strangers.set("go:80", () => "hello Go\nA\n\ngo:80\na:80\n");
  for (let i = 0; i < 5; i++) {
    a.hear("Go", "go:80");
    lab.pass(2_000);
  }
  assertShow([a, b], { A: "live", B: "live", Go: "live" });
  assertEquals(told(a, "Go"), ["null -> live: heard directly"]);
  lab.strangers.clear();
  lab.pass(DEAD_AFTER_MS + 2 * INTERVAL_MS);
  assertShow([a, b], { A: "live", B: "live", Go: "dead" });
});

Deno.test("a Go node heard only by its answers is live", () => {
  const lab = new Lab();
  lab.strangers.set("go:80", () => "hello Go\n\n\ngo:80\n");
  const a = lab.start("A", { join: ["go:80"] });
  lab.pass(20_000);
  assertEquals(a.statuses(), { A: "live", Go: "live" });
  assertEquals(a.changes.length, 2);
});

Deno.test("a Go node's list is hearsay: its IDs are unknown, its addresses are asked who they are", () => {
  const lab = new Lab();
  lab.strangers.set("go:80", () => "hello Go\nGhost C\n\ngo:80\nalias:80\nghost:80\n");
  lab.start("C");
  lab.aliases.set("alias:80", "c:80");
  const a = lab.start("A", { join: ["go:80"] });
  lab.pass(2 * INTERVAL_MS);
  assertEquals(a.statuses(), { A: "live", C: "live", Ghost: "unknown", Go: "live" });
  assertEquals(
    callsTo(a, "alias:80").length,
    1,
    "an alias is called again though its member is known",
  );
  assertEquals([...a.gossip.contacts.unanswered()].map(({ address }) => address), ["ghost:80"]);
  assertEquals(
    a.gossip.hello(),
    "hello A\nA C Ghost Go\n\na:80\nc:80\ngo:80\nghost:80\n",
  );
});

Deno.test("invariant 8: a bare GET in the name of one of ours is no evidence of it, live or dead", () => {
  const { lab, a, c } = three();
  a.hear("C", "evil:80");
  assertEquals(a.gossip.replica.table.get("C")?.address, "c:80");
  c.killed = true;
  lab.pass(10_000);
  a.hear("C", "evil:80");
  assertEquals([a.status("C"), a.gossip.replica.table.get("C")?.address], ["dead", "c:80"]);
});

Deno.test("a Go node that answers with the ID of one of ours is not heard while that one lives", () => {
  const { lab, a, b, c } = three();
  lab.strangers.set("go:80", () => "hello C\nC\n\ngo:80\n");
  a.hear("Go", "go:80");
  lab.pass(10_000);
  for (const brain of [a, b, c]) {
    assertEquals(brain.status("C"), "live");
    assertEquals(brain.gossip.replica.table.get("C")?.address, "c:80");
  }
  // When it is gone, its ID may have gone back to a Go node.
  c.killed = true;
  lab.pass(20_000);
  assertEquals([a.status("C"), b.status("C")], ["live", "live"]);
  assertEquals(b.gossip.replica.table.get("C")?.address, "go:80");
});

Deno.test("a Go node cannot pass for this node itself, nor come back from its tombstone", () => {
  const { lab, a } = three();
  a.decommission("Go");
  a.hear("Go", "go:80");
  a.hear("A", "evil:80");
  lab.pass(INTERVAL_MS);
  assertEquals(a.status("Go"), "decommissioned");
  assertEquals(a.gossip.replica.table.get("A")?.address, "a:80");
});

Deno.test("an ID that a Go node decommissioned is decommissioned, and the empty one is nobody", () => {
  const lab = new Lab();
  lab.strangers.set("go:80", () => "hello Go\nX\n X\ngo:80\n");
  const a = lab.start("A", { join: ["go:80"] });
  lab.pass(INTERVAL_MS);
  assertEquals(a.statuses(), { A: "live", Go: "live", X: "decommissioned" });
  assertEquals(told(a, "X"), ["null -> decommissioned: decommissioned, told by a Go node"]);
});

Deno.test("what a Go node decommissions later is learnt within seconds, though it calls for itself", () => {
  const lab = new Lab();
  const nodes = ["A", "B", "C"].map((id) => lab.start(id, id === "A" ? {} : { join: ["a:80"] }));
  let byes = "";
  lab.strangers.set("go:80", () => `hello Go\nX\n${byes}\ngo:80\n`);
  for (let i = 0; i < 20; i++) {
    // Its GETs keep it from ever being a suspect.
    for (const node of nodes) node.hear("Go", "go:80");
    lab.pass(1_000);
    if (i === 10) byes = " X";
    if (i >= 15) {
      for (const node of nodes) assertEquals(node.status("X"), "decommissioned", node.id);
    }
  }
});

Deno.test("hello() gives one address a line, this node's first, each once, and no ID of the decommissioned in line 2", () => {
  const { a } = three();
  a.decommission("B");
  a.decommission("ghost");
  assertEquals(a.gossip.hello(), "hello A\nA C\nB ghost\na:80\nc:80\n");
});

Deno.test("a Go node of which nothing but ID and address was known is live once it is heard", () => {
  const { lab, a } = three();
  lab.strangers.set("go:80", () => "hello Go\n\n\ngo:80\n");
  const row = { id: "Go", address: "go:80", boot: "", heartbeat: 0, ageMs: 0, left: "" };
  a.receive("B", encodeMessage({ roster: "0".repeat(16), rows: [row] }));
  assertEquals(a.status("Go"), "unknown");
  a.hear("Go", "go:80");
  assertEquals(a.status("Go"), "live");
});
