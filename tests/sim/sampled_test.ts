/** Tables that hold a sample of the members tell what whole tables would. */
import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { Partners } from "../../lib/partners.ts";
import { Table } from "../../lib/table.ts";
import { Dice } from "../support/dice.ts";
import { EXACT_CLOCK } from "./clock.ts";
import { addressOf, sampled, wholeSize } from "./sampled.ts";
import { PRODUCTION, World } from "./world.ts";

const NODES = 200;
const SAMPLE = 50;

/** By then the news of the start, which makes rounds come sooner, is old. */
const START_MS = 14_000;

/** By then no clock that was mistaken at the start is news any more, and rounds come at any time of an interval. */
const SETTLED_MS = 40_000;

/** A cluster that has met and runs. */
function runningWorld(sizeOf?: (body: string) => number, lostShare = 0): World {
  const dice = new Dice("sampled");
  const weather = { latencyMs: 2, lostShare, lateShare: 0, lateMs: 0, doubledShare: 0 };
  const pace = { intervalMs: 1_000, deadAfterMs: 5_000, fineMembersMax: 0, sizeOf };
  const world = new World({ core: PRODUCTION, dice, weather, ...pace });
  for (let i = 0; i < NODES; i++) {
    const seeds = i === 0 ? [] : [addressOf(0)];
    const node = { id: `n${i}`, address: addressOf(i), seeds, clock: EXACT_CLOCK };
    world.at(dice.between(0, 1_000), () => world.start(node));
  }
  world.run(START_MS);
  return world;
}

/** Ages of all heartbeats in all tables at forty moments, by clocks that are all right, the least first. */
function agesMs(world: World): number[] {
  const ages: number[] = [];
  world.run(SETTLED_MS);
  for (let i = 0; i < 40; i++) {
    world.run(world.nowMs + 237);
    for (const { id, gossip, clock } of world.up()) {
      const { wallMs } = clock.moment(world.nowMs);
      for (const row of gossip.replica.table.roster()) {
        if (row.id !== id) ages.push(wallMs - row.heartbeat);
      }
    }
  }
  return ages.sort((a, b) => a - b);
}

function inSample<T>(run: () => T): T {
  return sampled({ nodes: NODES, members: SAMPLE, dice: new Dice("draws") }, run);
}

Deno.test("the ages of a sample are those of all: their median, and what 99.9 % are below, within 5 %", () => {
  const whole = agesMs(runningWorld());
  const few = inSample(() => agesMs(runningWorld()));
  for (const share of [0.5, 0.999]) {
    const expected = whole[Math.floor(share * whole.length)]!;
    assertAlmostEquals(few[Math.floor(share * few.length)]!, expected, 0.05 * expected, `${share}`);
  }
});

Deno.test("where messages are lost, those of the sample are called as often as the crowd, within a fifth", () => {
  inSample(() => {
    const world = runningWorld(undefined, 0.1);
    const calls = { sample: 0, crowd: 0 };
    for (const node of world.up()) {
      // The first is the seed of all.
      if (node.id === "n0") continue;
      const serve = node.serve.bind(node);
      const of = Number(node.id.slice(1)) < SAMPLE ? "sample" : "crowd";
      node.serve = (request) => {
        calls[of]++;
        return serve(request);
      };
    }
    world.run(world.nowMs + 20_000);
    const expected = calls.crowd / (NODES - SAMPLE);
    assertAlmostEquals(calls.sample / (SAMPLE - 1), expected, 0.2 * expected);
  });
});

Deno.test("bytes of whole tables follow from those of a sample, within 5 %", () => {
  const spent = (world: World) => {
    world.run(SETTLED_MS);
    const { bytes } = world.network.counts;
    world.run(60_000);
    return world.network.counts.bytes - bytes;
  };
  const whole = spent(runningWorld());
  const sizeOf = (body: string) => wholeSize(body, { nodes: NODES, members: SAMPLE });
  const few = inSample(() => spent(runningWorld(sizeOf)));
  assertAlmostEquals(few, whole, 0.05 * whole);
});

Deno.test("tables hold the sample alone, and all nodes that run learn what happens to it", () => {
  inSample(() => {
    const world = runningWorld();
    for (const { gossip } of world.up()) assertEquals(gossip.replica.table.roster().length, SAMPLE);
    world.ours.get("n7")!.end("closed");
    world.run(world.nowMs + 3_000);
    const others = world.up();
    assertEquals(others.length, NODES - 1);
    for (const { id, gossip } of others) {
      assertEquals(gossip.statusOf(gossip.replica.table.get("n7")!), "dead", id);
    }
  });
});

Deno.test("afterwards all is as before, also where the run broke off", () => {
  const { choose } = Partners.prototype;
  assertThrows(() => inSample(() => assert(false, "stopped")), Error, "stopped");
  assertEquals(Partners.prototype.choose, choose);
  assertEquals(new Table().size, 0);
});
