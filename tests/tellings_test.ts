/** What hooks promise, one story each, on virtual time; invariant 12 is checked at every step as well. */
import { assert, assertEquals, assertGreaterOrEqual, assertLessOrEqual } from "@std/assert";
import type { Status } from "../lib/table.ts";
import type { HookPlan } from "./sim/hooks.ts";
import { Stage, type StageOptions } from "./sim/stage.ts";

const ALL = ["n0", "n1", "n2", "n3", "n4", "n5", "n6", "n7"];

interface Options extends Partial<StageOptions> {
  readonly statuses?: readonly Status[];
  readonly carriers?: readonly string[];
  readonly cutOff?: boolean;
}

/** Eight nodes, of which `carriers` (all) tell a pager of those that are `statuses` (dead). */
function stageOf(
  { statuses = ["dead"], carriers = ALL, cutOff = false, ...rest }: Options = {},
): Stage {
  const hook: HookPlan = { name: "pager", statuses, carriers, cutOff };
  return new Stage({ nodes: 8, hooks: [hook], ...rest });
}

/** All carriers stop and start again, one after the other. */
function restartAll(stage: Stage, ids: readonly string[], remembers = true): void {
  for (const id of ids) {
    stage.node(id).leave("SIGTERM");
    stage.run(2_000);
    const seeds = ids.filter((other) => other !== id).map((other) =>
      other.replace("n", "h") + ":1"
    );
    stage.start(Number(id.slice(1)), { remembers, seeds });
    stage.run(10_000);
  }
}

/** When `id` was first shown as `status` since then. */
function shownMs(stage: Stage, id: string, status: Status, sinceMs: number): number {
  const told = stage.toldOf(id, sinceMs).filter(({ change }) => change.to === status);
  return Math.min(...told.map(({ atMs }) => atMs));
}

Deno.test("a death is told once, within a second of the verdict, and the return once", () => {
  for (let i = 0; i < 10; i++) {
    const stage = stageOf({ seed: `death ${i}` });
    const diedMs = stage.world.nowMs;
    stage.node("n3").end("closed");
    stage.run(20_000);
    const [death, ...more] = stage.messages("pager");
    assertEquals([death?.says, more], [["n3 dead"], []]);
    assertLessOrEqual(death!.atMs - shownMs(stage, "n3", "dead", diedMs), 2_000, `death ${i}`);
    stage.start(3);
    stage.run(20_000);
    assertEquals(stage.says("pager"), [["n3 dead"], ["n3 live"]]);
  }
});

Deno.test("where the owner dies as well, another tells both deaths", () => {
  for (let i = 0; i < 20; i++) {
    const stage = stageOf({ seed: `owner ${i}` });
    stage.node("n3").end("closed");
    stage.run(20_000);
    const [first] = stage.messages("pager");
    stage.start(3);
    stage.run(20_000);
    // The next death would be told by the same node, which dies with it, or just before it is done.
    const diedMs = stage.world.nowMs;
    stage.node("n3").end("closed");
    stage.run(i * 100);
    stage.node(first!.by).end("closed");
    stage.run(20_000);
    const told = new Set(stage.says("pager", diedMs).flat());
    assertEquals(told, new Set(["n3 dead", `${first!.by} dead`]), `owner ${i}`);
    const [message] = stage.messages("pager", diedMs);
    assertLessOrEqual(message!.atMs - shownMs(stage, "n3", "dead", diedMs), 4_500, `owner ${i}`);
  }
});

Deno.test("where the owner is killed as it tells and starts again at once, another tells", () => {
  for (let i = 0; i < 3; i++) {
    const stage = stageOf({ seed: `owner again ${i}`, carriers: ["n0", "n1", "n2", "n3"] });
    const receiver = stage.world.receiver("pager");
    receiver.mood = "hangs";
    stage.node("n4").end("closed");
    stage.runUntil(() => receiver.attempts.length > 0, 20_000);
    const { id } = receiver.attempts[0]!.by;
    stage.run(600);
    receiver.mood = "well";
    const killedMs = stage.world.nowMs;
    stage.node(id).end("closed");
    stage.run(200);
    stage.start(Number(id.slice(1)), { seeds: ["h5:1"] });
    stage.run(20_000);
    const [death, ...more] = stage.messages("pager").filter(({ says }) => says.includes("n4 dead"));
    assertEquals([death?.says, more], [["n4 dead"], []]);
    assertLessOrEqual(death!.atMs - killedMs, 4_500, `owner again ${i}`);
  }
});

Deno.test("only what lasts is told, counted from the change; a flap is told neither way", () => {
  const stage = stageOf({ tellAfterMs: 30_000 });
  stage.node("n3").end("closed");
  stage.run(20_000);
  stage.start(3);
  stage.run(60_000);
  assertEquals(stage.says("pager"), []);
  const diedMs = stage.world.nowMs;
  stage.node("n3").end("closed");
  stage.run(60_000);
  const [death] = stage.messages("pager");
  assertEquals(death?.says, ["n3 dead"]);
  const afterMs = death!.atMs - shownMs(stage, "n3", "dead", diedMs);
  assertGreaterOrEqual(afterMs, 30_000);
  assertLessOrEqual(afterMs, 32_500);
  const backMs = stage.world.nowMs;
  stage.start(3);
  stage.run(29_000);
  assertEquals(stage.says("pager", backMs), []);
  stage.run(5_000);
  assertEquals(stage.says("pager", backMs), [["n3 live"]]);
});

Deno.test("a planned stop and a decommission are told at once where a hook asks for them, else not at all", () => {
  for (const statuses of [["dead", "left", "decommissioned"], ["dead"]] as const) {
    const stage = stageOf({ statuses, tellAfterMs: 30_000 });
    stage.node("n3").leave("SIGTERM");
    stage.node("n0").decommission("n4");
    stage.run(3_000);
    const told = statuses.length > 1 ? ["n3 left", "n4 decommissioned"] : [];
    assertEquals(stage.says("pager").flat().sort(), told);
    stage.run(60_000);
    assertEquals(stage.says("pager").flat().sort(), told);
  }
});

Deno.test("a program that ends by itself is dead at once, and told once, each time it runs", () => {
  const stage = stageOf({ statuses: ["dead", "left"] });
  for (let life = 0; life < 3; life++) {
    stage.node("n3").leave("dead 137 SIGKILL web");
    stage.run(20_000);
    stage.start(3);
    stage.run(20_000);
  }
  const turn = [["n3 dead"], ["n3 live"]];
  assertEquals(stage.says("pager"), [...turn, ...turn, ...turn]);
});

Deno.test("a member that starts and stops as planned is told of each time, each under its own key", () => {
  const stage = stageOf({ statuses: ["left"] });
  for (let life = 0; life < 2; life++) {
    stage.node("n3").leave("SIGTERM");
    stage.run(20_000);
    stage.start(3);
    stage.run(20_000);
  }
  assertEquals(stage.says("pager"), [["n3 left"], ["n3 live"], ["n3 left"], ["n3 live"]]);
  const keys = stage.world.receiver("pager").delivered.map(({ telling }) => telling.key);
  assertEquals(new Set(keys).size, 4, keys.join(" "));
});

Deno.test("of one silence only what is worse is told again", () => {
  const stage = stageOf({ statuses: ["dead", "unresponsive"] });
  stage.node("n3").stall("stopped");
  stage.run(30_000);
  assertEquals(stage.says("pager"), [["n3 unresponsive"]]);
  stage.node("n3").end("closed");
  stage.run(30_000);
  assertEquals(stage.says("pager"), [["n3 unresponsive"], ["n3 dead"]]);
});

Deno.test("a check that fails is told, and that it passes again, each time under its own key", () => {
  const stage = stageOf({ statuses: ["dead", "failing"] });
  for (let turn = 0; turn < 3; turn++) {
    stage.node("n3").say("http 503", "");
    stage.run(10_000);
    stage.node("n3").say("", "");
    stage.run(10_000);
  }
  const turn = [["n3 failing"], ["n3 live"]];
  assertEquals(stage.says("pager"), [...turn, ...turn, ...turn]);
  const keys = stage.world.receiver("pager").delivered.map(({ telling }) => telling.key);
  assertEquals(new Set(keys).size, 6, keys.join(" "));
});

Deno.test("a receiver that is down for a minute is tried a few times by the whole cluster, and then told once", () => {
  const stage = stageOf();
  const receiver = stage.world.receiver("pager");
  receiver.mood = "down";
  stage.node("n3").end("closed");
  stage.run(60_000);
  const tried = receiver.attempts.length;
  assertGreaterOrEqual(tried, 5);
  assertLessOrEqual(tried, 8);
  assertGreaterOrEqual(new Set(receiver.attempts.map(({ by }) => by.id)).size, 4);
  receiver.mood = "well";
  stage.run(40_000);
  assertEquals(stage.says("pager"), [["n3 dead"]]);
  assertEquals(new Set(receiver.attempts.map(({ telling }) => telling.key)).size, 1);
});

Deno.test("a receiver whose answers are lost is told again, under the same key, and by no two at once", () => {
  const stage = stageOf();
  const receiver = stage.world.receiver("pager");
  receiver.mood = "deaf";
  stage.node("n3").end("closed");
  stage.run(20_000);
  const { attempts } = receiver;
  assertGreaterOrEqual(attempts.length, 2);
  assertEquals(new Set(attempts.map(({ telling }) => telling.key)).size, 1);
  for (const [i, { beganMs }] of attempts.entries()) {
    assertGreaterOrEqual(beganMs, attempts[i - 1]?.endedMs ?? 0);
  }
});

Deno.test("quiet: a node that slept through its end does not bring it back", () => {
  for (const kind of ["suspended", "stopped"] as const) {
    const stage = stageOf({ seed: kind });
    stage.node("n0").quiet("*", 120_000);
    stage.run(5_000);
    stage.node("n3").stall(kind);
    stage.run(600_000);
    stage.node("n3").resume();
    stage.run(10_000);
    for (const { id, gossip } of stage.world.up()) {
      assertEquals(gossip.replica.tidings.quiets.active(gossip.nowMs), [], `${kind} ${id}`);
    }
  }
});

Deno.test("quiet: what happens meanwhile is told when it ends, if it still lasts; others are told at once", () => {
  const stage = stageOf();
  stage.node("n0").quiet("n3", 60_000);
  stage.node("n1").quiet("n4*", 600_000);
  stage.run(3_000);
  for (const id of ["n3", "n4", "n5"]) stage.node(id).end("closed");
  stage.run(30_000);
  assertEquals(stage.says("pager"), [["n5 dead"]]);
  stage.start(4);
  stage.run(30_000);
  assertEquals(stage.says("pager"), [["n5 dead"], ["n3 dead"]]);
  stage.node("n4").end("closed");
  stage.run(20_000);
  // Who asks is not who asked before.
  stage.node("n2").quiet("n4*", 0);
  stage.run(5_000);
  assertEquals(stage.says("pager"), [["n5 dead"], ["n3 dead"], ["n4 dead"]]);
  assertEquals(
    stage.node("n7").gossip.replica.tidings.quiets.active(stage.node("n7").gossip.nowMs),
    [],
  );
});

Deno.test("who comes late learns what is to be quiet, and for how long", () => {
  const stage = stageOf();
  stage.node("n0").quiet("n3", 60_000);
  stage.run(20_000);
  stage.start(8);
  stage.run(3_000);
  const { gossip } = stage.node("n8");
  const [quiet] = gossip.replica.tidings.quiets.active(gossip.nowMs);
  assertEquals([quiet?.pattern, quiet?.by], ["n3", "n0"]);
  // As of the last time the node ran, less than a round ago.
  assertGreaterOrEqual(quiet!.leftMs, 36_900);
  assertLessOrEqual(quiet!.leftMs, 38_200);
});

Deno.test("a carrier that starts again repeats nothing, and knows that a return is due", () => {
  for (const remembers of [true, false]) {
    const stage = stageOf();
    stage.node("n3").end("closed");
    stage.run(10_000);
    // All carriers start again, one after the other; each learns from those that still know.
    for (const id of ALL.filter((id) => id !== "n3")) {
      stage.node(id).end("closed");
      stage.run(500);
      stage.start(Number(id.slice(1)), { remembers, seeds: ["h0:1", "h1:1"] });
      stage.run(20_000);
    }
    assertEquals(stage.says("pager").filter((says) => says.includes("n3 dead")).length, 1);
    stage.start(3);
    stage.run(20_000);
    assertEquals(stage.says("pager").filter((says) => says.includes("n3 live")).length, 1);
  }
});

Deno.test("what a quiet keeps back, or has not lasted yet, is told once though all carriers start again meanwhile", () => {
  for (const tellAfterMs of [0, 60_000]) {
    for (const remembers of [true, false]) {
      const stage = new Stage({
        nodes: 4,
        seed: `rolling ${tellAfterMs} ${remembers}`,
        tellAfterMs,
        hooks: [{ name: "pager", statuses: ["dead"], carriers: ALL, cutOff: false }],
      });
      if (tellAfterMs === 0) stage.node("n0").quiet("*", 120_000);
      stage.run(2_000);
      stage.node("n3").end("lost");
      stage.run(10_000);
      restartAll(stage, ["n0", "n1", "n2"], remembers);
      assertEquals(stage.says("pager"), []);
      stage.run(120_000);
      assertEquals(stage.says("pager"), [["n3 dead"]]);
    }
  }
});

Deno.test("what was told before a quiet is not told again after it by carriers that started meanwhile", () => {
  const stage = stageOf({ carriers: ["n0", "n1", "n2"] });
  stage.node("n3").end("closed");
  stage.run(10_000);
  stage.node("n0").quiet("*", 120_000);
  stage.run(2_000);
  restartAll(stage, ["n0", "n1", "n2"], false);
  stage.run(180_000);
  assertEquals(stage.says("pager"), [["n3 dead"]]);
});

Deno.test("a cluster that starts as a whole tells nothing of those that stay down", () => {
  const stage = stageOf();
  const sinceMs = stage.world.nowMs;
  for (const id of ALL) stage.node(id).end("lost");
  for (const i of [0, 1, 2, 3, 4]) stage.start(i, { remembers: true, seeds: ["h0:1"] });
  stage.run(60_000);
  assert(stage.allShow("n7", "dead"));
  assertEquals(stage.says("pager", sinceMs), []);
});

Deno.test("the only carrier tells what it missed while it was down, in one message, and what is known not again", () => {
  const stage = stageOf({ carriers: ["n0"] });
  stage.node("n6").end("closed");
  stage.run(10_000);
  stage.node("n0").end("closed");
  stage.node("n4").end("closed");
  stage.node("n5").end("closed");
  stage.run(60_000);
  stage.start(0, { remembers: true, seeds: ["h1:1"] });
  stage.run(20_000);
  assertEquals(stage.says("pager"), [["n6 dead"], ["n4 dead", "n5 dead"]]);
});

Deno.test("a node that is cut off tells only that, once, where a hook asks for it; the others tell that it is dead", () => {
  for (const cutOff of [true, false]) {
    const stage = stageOf({ cutOff });
    stage.world.network.links.part(new Set(["h3:1"]));
    stage.run(60_000);
    const messages = stage.messages("pager");
    assertEquals(messages.filter(({ by }) => by !== "n3").map(({ says }) => says), [["n3 dead"]]);
    const own = messages.filter(({ by }) => by === "n3").map(({ says }) => says);
    assertEquals(own, cutOff ? [["n3 cut-off"]] : []);
    const healedMs = stage.world.nowMs;
    stage.world.network.links.part(undefined);
    stage.run(30_000);
    assertEquals(stage.says("pager", healedMs), [["n3 live"]]);
  }
});

Deno.test("the only one that comes back after a power cut tells who is down, or that it is cut off where no host answers", () => {
  const others = ["n1", "n2", "n3", "n4"];
  for (const how of ["closed", "lost"] as const) {
    const stage = stageOf({ nodes: 5, cutOff: true });
    stage.node("n0").end("closed");
    for (const id of others) stage.node(id).end(how);
    stage.run(60_000);
    stage.start(0, { remembers: true });
    stage.run(60_000);
    const deaths = others.map((id) => `${id} dead`);
    assertEquals(stage.says("pager"), how === "closed" ? [deaths] : [["n0 cut-off"]]);
    const backMs = stage.world.nowMs;
    stage.start(1);
    stage.run(30_000);
    // Cut off it took nothing as known; with another carrier it does.
    assertEquals(stage.says("pager", backMs), how === "closed" ? [["n1 live"]] : []);
  }
});

Deno.test("who starts while it is cut off tells nothing of the others, nor later of what they took as known", () => {
  const stage = stageOf({ cutOff: true });
  for (const id of ALL) stage.node(id).end("lost");
  for (const i of [0, 1, 2, 3, 4]) stage.start(i, { remembers: true, seeds: ["h0:1"] });
  stage.run(60_000);
  stage.node("n3").end("closed");
  stage.world.network.links.part(new Set(["h3:1"]));
  stage.run(20_000);
  stage.start(3, { remembers: true });
  stage.run(60_000);
  stage.world.network.links.part(undefined);
  stage.run(60_000);
  assertEquals(stage.says("pager"), [["n3 dead"], ["n3 cut-off"], ["n3 live"]]);
});

Deno.test("a hook for the live tells who joins and who returns, not who was there", () => {
  const stage = stageOf({ statuses: ["live"] });
  stage.start(8);
  stage.run(10_000);
  stage.node("n3").end("closed");
  stage.run(10_000);
  stage.start(3);
  stage.run(10_000);
  assertEquals(stage.says("pager"), [["n8 live"], ["n3 live"]]);
});

Deno.test("a carrier that cannot reach the receiver delays one change, not each", () => {
  const stage = stageOf();
  const receiver = stage.world.receiver("pager");
  const first = () => receiver.attempts[0]?.by;
  const { fare } = receiver;
  receiver.fare = () => {
    const isFirst = receiver.attempts.at(-1)!.by === first();
    return isFirst ? { tookMs: 4_000, arrives: false, answers: false } : fare.call(receiver);
  };
  const victims = () => ALL.filter((id) => id !== first()?.id && stage.node(id).up);
  stage.node("n3").end("closed");
  stage.run(15_000);
  for (let i = 0; i < 3; i++) {
    stage.node(victims().at(-1)!).end("closed");
    stage.run(15_000);
  }
  assertEquals(stage.messages("pager").length, 4);
  assertEquals(receiver.attempts.filter(({ by }) => by === first()).length, 1);
});

Deno.test("every node learns what was told, by whom and with what result", () => {
  const stage = stageOf({ carriers: ["n0", "n1"] });
  stage.node("n3").end("closed");
  stage.run(10_000);
  const [message] = stage.messages("pager");
  for (const node of stage.world.up()) {
    const [told, ...more] = node.gossip.tellings.remembered(node.gossip.nowMs);
    assertEquals([told?.hook, told?.id, told?.to, told?.by], ["pager", "n3", "dead", message!.by]);
    assertEquals(more, []);
  }
});

Deno.test("the only carrier, stopped for a moment, tells at once; for longer than news lives, it listens first", () => {
  for (const [stoppedMs, listens] of [[4_000, false], [12_000, true]] as const) {
    const stage = stageOf({ carriers: ["n0"] });
    stage.node("n0").stall("stopped");
    stage.run(stoppedMs);
    stage.node("n0").resume();
    const diedMs = stage.world.nowMs;
    stage.node("n3").end("closed");
    stage.run(30_000);
    const [death, ...more] = stage.messages("pager");
    assertEquals([death?.says, more], [["n3 dead"], []]);
    assertEquals(death!.atMs - diedMs >= 7_000, listens, `${stoppedMs}: ${death!.atMs - diedMs}`);
  }
});

Deno.test("a node that is cut off again tells it again", () => {
  const stage = stageOf({ cutOff: true });
  for (let times = 0; times < 2; times++) {
    stage.world.network.links.part(new Set(["h3:1"]));
    stage.run(60_000);
    stage.world.network.links.part(undefined);
    stage.run(60_000);
  }
  const own = stage.messages("pager").filter(({ by }) => by === "n3").map(({ says }) => says);
  assertEquals(own, [["n3 cut-off"], ["n3 cut-off"]]);
});
