/**
 * A rolling upgrade: nodes of the last program before ticks beside nodes of this one, in a cluster of so many that ticks
 * travel.
 */
import { assertEquals } from "@std/assert";
import { HAS_OLD_PROGRAM, withOldProgram } from "../support/old_program.ts";
import { loadCore } from "./mutants.ts";
import { Stage } from "./stage.ts";
import { PRODUCTION as NEW } from "./world.ts";

const NODES = 16;

Deno.test({
  name:
    "16 nodes are upgraded one by one, from the program before ticks: nobody is ever shown dead",
  ignore: !HAS_OLD_PROGRAM,
  fn: () =>
    withOldProgram(async (folder) => {
      const old = await loadCore(folder);
      const stage = new Stage({ nodes: NODES, core: old, fineMembersMax: 1, seed: "upgrade" });
      for (let i = 0; i < NODES; i++) {
        stage.node(`n${i}`).leave("SIGTERM");
        stage.run(300);
        const seeds = [`h${(i + 1) % NODES}:1`];
        stage.start(i, { core: NEW, seeds });
        stage.run(4_000);
      }
      stage.run(10_000);
      const deaths = stage.told.filter(({ change }) => change.to === "dead");
      assertEquals(deaths.map(({ by, atMs, change }) => `${atMs} ${by}: ${change.id}`), []);
      for (const node of stage.world.up()) {
        const { table } = node.gossip.replica;
        const shown = table.roster().map((row) => node.gossip.statusOf(row));
        assertEquals(shown, Array(NODES).fill("live"), node.id);
        const step = table.get(node.id)!.heartbeat % 1_000;
        assertEquals(step, 0, "it speaks ticks by now");
      }
    }),
});
