import { assertEquals } from "@std/assert";
import { floorStep } from "../lib/clock.ts";
import { encodeMessage } from "../lib/wire.ts";
import { Lab } from "./support/lab.ts";
import { Stage } from "./sim/stage.ts";
import type { OurNode } from "./sim/our_node.ts";

const FORGET_MS = 60_000;
const MINUTE_MS = 60_000;

/** Who has `id` in its table, of those that run. */
function holders(stage: Stage, id: string): string[] {
  return stage.world.up().filter((node) => node.gossip.replica.table.get(id)).map(({ id }) => id);
}

function hashes(stage: Stage): number {
  return new Set(stage.world.up().map((node) => node.gossip.replica.table.rosterHash)).size;
}

/** When each node dropped `id`. */
function dropsOf(stage: Stage, id: string): number[] {
  const atMs: number[] = [];
  const { onForgotten } = stage.world;
  stage.world.onForgotten = (node: OurNode, dropped: string) => {
    onForgotten?.(node, dropped);
    if (dropped === id) atMs.push(stage.world.nowMs);
  };
  return atMs;
}

Deno.test("a dead member is forgotten by all within a round and a half of -forget, and stays so", () => {
  const stage = new Stage({ nodes: 8, forgetMs: FORGET_MS });
  const drops = dropsOf(stage, "n3");
  const diedMs = stage.world.nowMs;
  stage.node("n3").end("closed");
  stage.run(FORGET_MS - 3_000);
  assertEquals(holders(stage, "n3").length, 7);
  stage.run(5_500);
  assertEquals([holders(stage, "n3"), drops.length, hashes(stage)], [[], 7, 1]);
  assertEquals(Math.max(...drops) - diedMs < FORGET_MS + 1_500, true);
  stage.run(3 * MINUTE_MS);
  assertEquals([holders(stage, "n3"), drops.length], [[], 7]);
});

Deno.test("a member that left is forgotten too, a decommissioned one never, nor one that lives", () => {
  const stage = new Stage({ nodes: 5, forgetMs: FORGET_MS });
  stage.node("n1").leave("SIGTERM");
  stage.node("n2").end("closed");
  stage.run(1_000);
  stage.node("n0").decommission("n2");
  stage.run(2 * FORGET_MS);
  for (const by of ["n0", "n3", "n4"]) {
    const shown = ["n0", "n1", "n2", "n3", "n4"].map((id) => stage.shows(by, id));
    assertEquals(shown, ["live", null, "decommissioned", "live", "live"]);
  }
});

Deno.test("a forgotten member that starts again is simply new, also with a clock that is behind", () => {
  for (const wallSkewMs of [0, -3_600_000]) {
    const stage = new Stage({ nodes: 5, forgetMs: FORGET_MS });
    stage.node("n3").end("closed");
    stage.run(FORGET_MS + 10_000);
    assertEquals(holders(stage, "n3"), []);
    stage.start(3, { clock: { rate: 1, wallSkewMs, wallRate: 1 } });
    stage.run(5_000);
    assertEquals([stage.allShow("n3", "live"), hashes(stage)], [true, 1]);
    assertEquals(stage.toldOf("n3", FORGET_MS).at(-1)?.change.from, null);
  }
});

Deno.test("a process that hangs for -forget is forgotten: a newcomer refuses its row, and must hear all others' heartbeats", () => {
  const stage = new Stage({ nodes: 5, forgetMs: FORGET_MS, fineMembersMax: 1 });
  stage.node("n3").stall("stopped");
  stage.run(FORGET_MS - 3_000);
  assertEquals([stage.allShow("n3", "unresponsive"), holders(stage, "n3").length], [true, 5]);
  stage.run(5_500);
  assertEquals(holders(stage, "n3"), ["n3"]);
  const startMs = stage.world.nowMs;
  stage.start(5);
  stage.run(FORGET_MS);
  assertEquals(stage.toldOf("n5", startMs).map(({ change }) => change.to), Array(4).fill("live"));
  stage.node("n3").resume();
  stage.run(10_000);
  assertEquals([stage.allShowAll(), hashes(stage)], [true, 1]);
});

Deno.test("what a user forgets at a node that is cut off is forgotten where it hangs, too", () => {
  const stage = new Stage({ nodes: 5, fineMembersMax: 1 });
  stage.node("n3").stall("stopped");
  stage.run(10_000);
  stage.world.network.links.part(new Set(["h0:1"]));
  stage.run(60_000);
  assertEquals([stage.shows("n0", "n3"), stage.shows("n1", "n3")], ["dead", "unresponsive"]);
  stage.node("n0").forget("n3");
  stage.world.network.links.part(undefined);
  const healedMs = stage.world.nowMs;
  stage.run(30_000);
  assertEquals([holders(stage, "n3"), stage.toldOf("n0", healedMs + 10_000)], [["n3"], []]);
});

Deno.test("a node that slept while a member was forgotten shows nobody else dead: the mark tells how old its heartbeat is", () => {
  const stage = new Stage({ nodes: 12, forgetMs: FORGET_MS, fineMembersMax: 1 });
  stage.node("n1").stall("suspended");
  stage.run(3_000);
  stage.node("n2").end("closed");
  stage.run(3 * MINUTE_MS);
  assertEquals([stage.shows("n1", "n2"), holders(stage, "n2")], ["live", ["n1"]]);
  const wokeMs = stage.world.nowMs;
  stage.node("n1").resume();
  stage.run(30_000);
  const deaths = stage.told.filter(({ atMs, change }) => atMs >= wokeMs && change.to === "dead");
  assertEquals(deaths.filter(({ change }) => change.id !== "n2"), []);
  assertEquals([holders(stage, "n2"), hashes(stage)], [[], 1]);
});

Deno.test("a mark that is ahead of a live member's clock, or of an earlier heartbeat, makes it no older", () => {
  const stage = new Stage({ nodes: 3 });
  const { gossip, clock } = stage.node("n0");
  const { heartbeat, heardAtMs } = gossip.replica.table.get("n1")!;
  const ahead = { heartbeat, ageMs: 2 * MINUTE_MS };
  const earlier = { heartbeat: heartbeat - 100, ageMs: 30_000 };
  for (const mark of [ahead, earlier]) {
    const body = encodeMessage({
      roster: "0".repeat(16),
      rows: [],
      forgotten: [{ id: "n1", ...mark }],
    });
    assertEquals("error" in gossip.receive(clock.moment(stage.world.nowMs), "n2", body), false);
    assertEquals(gossip.replica.table.get("n1")?.heardAtMs, heardAtMs);
    assertEquals(stage.shows("n0", "n1"), "live");
  }
});

Deno.test("a user forgets a dead member at one node, and all drop it; the live, the unknown and the decommissioned not", () => {
  const stage = new Stage({ nodes: 6 });
  const ask = (id: string) =>
    stage.node("n0").gossip.forget(stage.node("n0").clock.moment(stage.world.nowMs), id).outcome;
  stage.node("n3").end("closed");
  stage.node("n4").end("closed");
  stage.run(3_000);
  stage.node("n0").decommission("n4");
  stage.run(1_000);
  assertEquals(["n1", "n0", "n4", "nobody"].map(ask), ["here", "here", "here", "unknown"]);
  stage.node("n0").forget("n3");
  stage.run(1_500);
  assertEquals([holders(stage, "n3"), hashes(stage), ask("n3")], [[], 1, "already"]);
  assertEquals(stage.shows("n1", "n1"), "live");
});

Deno.test("a node that was parted for long while a user forgot a member drops it as well, and brings it to nobody", () => {
  const stage = new Stage({ nodes: 6 });
  stage.node("n3").end("closed");
  stage.run(3_000);
  stage.world.network.links.part(new Set(["h5:1"]));
  stage.run(10_000);
  stage.node("n0").forget("n3");
  stage.run(30 * MINUTE_MS);
  assertEquals(holders(stage, "n3"), ["n5"]);
  stage.world.network.links.part(undefined);
  stage.run(5_000);
  assertEquals([holders(stage, "n3"), hashes(stage), stage.allShowAll()], [[], 1, true]);
});

Deno.test("a node that hears nobody forgets nobody, and so finds the others when it hears them again", () => {
  const stage = new Stage({ nodes: 6, forgetMs: FORGET_MS });
  stage.world.network.links.part(new Set(["h0:1"]));
  stage.run(FORGET_MS + MINUTE_MS);
  assertEquals(stage.node("n0").gossip.replica.table.roster().length, 6);
  assertEquals(holders(stage, "n0"), ["n0"]);
  stage.world.network.links.part(undefined);
  stage.run(10_000);
  assertEquals([stage.allShowAll(), hashes(stage)], [true, 1]);
});

Deno.test("a node that was off while a member was forgotten does not bring it back from its state file", () => {
  for (const offMs of [30_000, 10 * MINUTE_MS]) {
    const stage = new Stage({ nodes: 6, forgetMs: FORGET_MS });
    const off = stage.node("n5");
    stage.node("n3").end("closed");
    stage.run(10_000);
    off.leave("SIGTERM");
    stage.run(FORGET_MS + offMs);
    stage.start(5, { remembers: true });
    stage.run(15_000);
    assertEquals([holders(stage, "n3"), hashes(stage)], [[], 1]);
  }
});

Deno.test("nodes that keep all, by -forget 0, follow those that forget", () => {
  const stage = new Stage({ nodes: 4 });
  const forgetful = { ...stage.world.options, forgetMs: FORGET_MS };
  Object.assign(stage.world, { options: forgetful });
  stage.start(4);
  stage.run(3_000);
  stage.node("n2").end("closed");
  stage.run(FORGET_MS + 5_000);
  assertEquals([holders(stage, "n2"), hashes(stage)], [[], 1]);
  stage.run(10 * MINUTE_MS);
  assertEquals([holders(stage, "n2"), hashes(stage)], [[], 1]);
});

Deno.test("a Go node that lists a forgotten member brings it back to nobody", () => {
  const stage = new Stage({ nodes: 4, forgetMs: FORGET_MS });
  const clock = { rate: 1, wallSkewMs: 0, wallRate: 1 };
  stage.world.startGo({ id: "g", address: "g:1", seeds: ["h0:1"], clock });
  stage.run(5_000);
  stage.node("n2").end("closed");
  stage.run(FORGET_MS + 10_000);
  assertEquals(holders(stage, "n2"), []);
  stage.run(2 * 3_600_000 / 4);
  assertEquals(holders(stage, "n2"), []);
});

Deno.test("a Go node that goes on listing forgotten members makes no news of them", () => {
  const lab = new Lab();
  const a = lab.start("a");
  lab.start("b", { join: ["a:80"] });
  lab.pass(3_000);
  const ids = Array.from({ length: 40 }, (_, i) => `job-${i}`);
  const rows = ids.map((id) => ({
    id,
    address: `${id}:80`,
    boot: "0000000a",
    left: "SIGTERM",
    ageMs: 0,
    heartbeat: floorStep(a.now().wallMs),
  }));
  a.receive("b", encodeMessage({ roster: "0".repeat(16), rows }));
  lab.pass(5_000);
  for (const id of ids) a.driver.enter((gossip, now) => gossip.forget(now, id));
  lab.pass(60_000);
  lab.strangers.set("g:80", () => `hello g\n${ids.join(" ")}\n\ng:80\n`);
  for (let i = 0; i < 20; i++) {
    a.hear("g", "g:80");
    lab.pass(1_000);
  }
  assertEquals(a.gossip.replica.news.names(), []);
  assertEquals(ids.filter((id) => a.gossip.replica.table.get(id) !== undefined), []);
});

Deno.test("a node that stops does not forget itself, whoever asks", () => {
  const stage = new Stage({ nodes: 3 });
  const node = stage.node("n1");
  const now = () => node.clock.moment(stage.world.nowMs);
  node.gossip.leave(now(), "SIGTERM");
  assertEquals(node.gossip.forget(now(), "n1").outcome, "here");
});
