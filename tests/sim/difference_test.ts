/**
 * Rosters that differ for good, in a cluster of so many that heartbeats travel by place in equal rosters: a node keeps a member
 * that others refuse.
 */
import { assertEquals, assertLess } from "@std/assert";
import { HEARSAY_MAX_MS } from "../../lib/belief.ts";
import { rowOf } from "../support/peer.ts";
import { Stage } from "./stage.ts";

const NODES = 40;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** Who was told dead since then, and by whom. */
function deaths(stage: Stage, sinceMs: number): string[] {
  return stage.told.filter(({ atMs, change }) => atMs >= sinceMs && change.to === "dead")
    .map(({ by, atMs, change }) => `${atMs} ${by}: ${change.id}`);
}

/** Who has a member in its table. */
function holders(stage: Stage, id: string): string[] {
  return stage.world.up().filter((node) => node.gossip.replica.table.get(id)).map(({ id }) => id);
}

/** A cluster some of which hold a member that the others never believe: only they heard itself, in a year to come. */
function withRefused(holding: number, lostShare = 0): Stage {
  const stage = new Stage({ nodes: NODES, fineMembersMax: 1, lostShare });
  // No process made that heartbeat, which the invariants would ask about.
  const { onChange } = stage.world;
  stage.world.onStep = undefined;
  stage.world.onChange = (node, change) => {
    if (change.id !== "refused") onChange?.(node, change);
  };
  const refused = rowOf("refused", { address: "refused:1", heartbeat: HEARSAY_MAX_MS + MINUTE_MS });
  for (const { gossip } of stage.world.up().slice(0, holding)) {
    gossip.replica.merge(refused, "refused", gossip.nowMs);
  }
  return stage;
}

/** For so many minutes each shows each as live, and so many keep the member that the others refuse. */
function assertNobodyDead(
  stage: Stage,
  { minutes, holding }: { minutes: number; holding: number },
) {
  const sinceMs = stage.world.nowMs;
  stage.run(minutes * MINUTE_MS);
  assertEquals(deaths(stage, sinceMs), []);
  assertEquals([holders(stage, "refused").length, stage.allShowAll()], [holding, true]);
}

/** Bytes that each node says in a second. */
function bytesEach(stage: Stage, seconds: number): number {
  const { counts } = stage.world.network;
  const before = counts.bytes;
  stage.run(seconds * 1_000);
  return (counts.bytes - before) / NODES / seconds;
}

for (const holding of [1, NODES / 2]) {
  Deno.test(`invariant 4: where ${holding} of ${NODES} nodes keep a member that all others refuse, each shows each as live`, () => {
    assertNobodyDead(withRefused(holding), { minutes: 1, holding });
  });
}

Deno.test("invariant 4: where 10 % of messages are lost as well, such a node shows nobody dead in five minutes", () => {
  assertNobodyDead(withRefused(1, 0.1), { minutes: 5, holding: 1 });
});

Deno.test("where half a cluster keeps a member that the other half refuses, each node says eight times as much as at rest at most", () => {
  const restBytes = bytesEach(withRefused(0), 20);
  assertLess(bytesEach(withRefused(NODES / 2), 20), 8 * restBytes);
});

Deno.test("invariant 4: a node that slept until all had forgotten that a member died, marks and all, shows nobody else dead", () => {
  const stage = new Stage({ nodes: 12, forgetMs: MINUTE_MS, fineMembersMax: 1 });
  stage.world.onStep = undefined;
  stage.node("n1").stall("suspended");
  stage.run(3_000);
  stage.node("n2").end("closed");
  stage.run(MINUTE_MS + HOUR_MS + MINUTE_MS);
  const wokeMs = stage.world.nowMs;
  stage.node("n1").resume();
  stage.run(3_000);
  assertEquals([stage.shows("n1", "n2"), holders(stage, "n2")], ["live", ["n1"]]);
  assertEquals(stage.allShow("n1", "live"), true, "its own row is read where rosters differ");
  stage.run(30_000);
  const others = deaths(stage, wokeMs).filter((death) => !death.endsWith(": n2"));
  assertEquals(others, []);
});
