/** What hooks promise where much happens at once, or nothing: forty deaths, halves, a link that comes and goes, an idle hour. */
import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import { Gossip } from "../../lib/gossip.ts";
import type { Status } from "../../lib/table.ts";
import type { HookPlan } from "./hooks.ts";
import { Stage, type StageOptions } from "./stage.ts";
import { PRODUCTION } from "./world.ts";

function ids(from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, i) => `n${from + i}`);
}

function pager(nodes: number, statuses: readonly Status[] = ["dead"]): HookPlan {
  return { name: "pager", statuses, cutOff: true, carriers: ids(0, nodes) };
}

function stageOf(nodes: number, options: Partial<StageOptions> = {}): Stage {
  return new Stage({ nodes, hooks: [pager(nodes)], ...options });
}

for (const how of ["closed", "lost"] as const) {
  Deno.test(`forty deaths of 64 (${how}) are two messages at most, and so are forty returns`, () => {
    for (const seed of ["forty 1", "forty 2", "forty 3"]) {
      const stage = stageOf(64, { seed });
      const diedMs = stage.world.nowMs;
      const dead = ids(24, 64);
      for (const id of dead) stage.node(id).end(how);
      stage.run(20_000);
      const deaths = stage.says("pager", diedMs);
      assertEquals(deaths.flat().sort(), dead.map((id) => `${id} dead`).sort(), seed);
      assertLessOrEqual(deaths.length, 2, `${seed}: ${JSON.stringify(deaths)}`);
      const backMs = stage.world.nowMs;
      for (const id of dead) stage.start(Number(id.slice(1)));
      stage.run(30_000);
      const returns = stage.says("pager", backMs);
      assertEquals(returns.flat().sort(), dead.map((id) => `${id} live`).sort(), seed);
      assertLessOrEqual(returns.length, 2, `${seed}: ${JSON.stringify(returns)}`);
    }
  });
}

Deno.test("of two halves each tells the other's deaths once, and when they are whole somebody tells the returns once", () => {
  for (const seed of ["halves 1", "halves 2", "halves 3", "halves 4"]) {
    const stage = stageOf(16, { seed });
    const partedMs = stage.world.nowMs;
    const [left, right] = [ids(0, 8), ids(8, 16)];
    stage.world.network.links.part(new Set(left.map((id) => stage.node(id).address)));
    stage.run(60_000);
    const deaths = stage.messages("pager", partedMs);
    const toldBy = (half: readonly string[]) =>
      deaths.filter(({ by }) => half.includes(by)).flatMap(({ says }) => says).sort();
    assertEquals(toldBy(left), right.map((id) => `${id} dead`).sort(), seed);
    assertEquals(toldBy(right), left.map((id) => `${id} dead`).sort(), seed);
    const healedMs = stage.world.nowMs;
    stage.world.network.links.part(undefined);
    stage.run(60_000);
    const returns = stage.says("pager", healedMs);
    assertEquals(returns.flat().sort(), ids(0, 16).map((id) => `${id} live`).sort(), seed);
    assertLessOrEqual(returns.length, 2, `${seed}: ${JSON.stringify(returns)}`);
  }
});

Deno.test("of a member whose link is 20 s up and 20 s down nobody is told where changes must last 30 s", () => {
  const stage = stageOf(8, { tellAfterMs: 30_000 });
  for (let turn = 0; turn < 10; turn++) {
    stage.world.network.links.part(new Set(["h3:1"]));
    stage.run(20_000);
    assert(stage.allShow("n3", "dead"));
    stage.world.network.links.part(undefined);
    stage.run(20_000);
    assert(stage.allShow("n3", "live"));
  }
  const others = stage.messages("pager").filter(({ by }) => by !== "n3");
  assertEquals(others, []);
  // It is cut off, and says so itself.
  assert(stage.messages("pager").every(({ says }) => says.join() === "n3 cut-off"));
});

/** Production's, but it takes no notice of the hooks that its words name. */
class Hookless extends Gossip {
  constructor(...[options, now]: ConstructorParameters<typeof Gossip>) {
    super({ ...options, hooks: [] }, now);
  }
}

Deno.test("in an idle hour nobody is called, and hooks cost no byte and no wake beyond their names", () => {
  const idle = (core: StageOptions["core"]) => {
    const stage = stageOf(4, { core: core! });
    let steps = 0;
    const { onStep } = stage.world;
    stage.world.onStep = (node) => {
      steps++;
      onStep?.(node);
    };
    stage.run(3_600_000);
    return { stage, steps, counts: stage.world.network.counts };
  };
  const without = idle({ ...PRODUCTION, Gossip: Hookless });
  const { stage, steps, counts } = idle(PRODUCTION);
  assertEquals(stage.messages("pager"), []);
  assertEquals({ steps, ...counts }, { steps: without.steps, ...without.counts });
});
