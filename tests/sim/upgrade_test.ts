/**
 * A rolling upgrade: nodes of the last program before ticks beside nodes of this one, in a cluster of so many that ticks
 * travel. The old program comes from the history of this repository, where it is tagged `wire-v2`.
 */
import { assert, assertEquals } from "@std/assert";
import { loadCore } from "./mutants.ts";
import { Stage } from "./stage.ts";
import { type Core, PRODUCTION as NEW } from "./world.ts";

/** What the tag names: a clone may come without tags. */
const WIRE_V2 = "b1faa02";

const NODES = 16;

async function git(...args: string[]): Promise<Uint8Array | undefined> {
  try {
    const { success, stdout } = await new Deno.Command("git", { args, stderr: "null" }).output();
    return success ? stdout : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

const archive = await git("archive", "--format=tar", WIRE_V2, "lib");

/** Unpacks the old program and loads its brain; `use` it before it is deleted. */
async function withOldCore(use: (core: Core) => void): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "gossiper_wire_v2_" });
  try {
    await Deno.writeFile(`${folder}/lib.tar`, archive!);
    const args = ["-xf", `${folder}/lib.tar`, "-C", folder];
    const { success } = await new Deno.Command("tar", { args }).output();
    assert(success, "tar unpacks it");
    use(await loadCore(folder));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test({
  name:
    "16 nodes are upgraded one by one, from the program before ticks: nobody is ever shown dead",
  // A copy without history has no old program.
  ignore: archive === undefined,
  fn: () =>
    withOldCore((old) => {
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
