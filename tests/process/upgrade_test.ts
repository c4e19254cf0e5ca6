/** A rolling upgrade of real processes, from the last program before ticks, while people ask. */
import { assertEquals } from "@std/assert";
import { Fleet, FleetNode } from "../fleet/fleet.ts";
import { HAS_OLD_PROGRAM, withOldProgram } from "../support/old_program.ts";

const NODES = 16;

/** Whoever asks a node meanwhile; a node that restarts does not answer. */
async function ask(fleet: Fleet, until: AbortSignal): Promise<number> {
  let answered = 0;
  while (!until.aborted) {
    for (const node of fleet.running) {
      try {
        const response = await fetch(`http://${await node.listening}/members`);
        await response.body?.cancel();
        if (response.ok) answered++;
      } catch {
        // It stops, or starts.
      }
    }
  }
  return answered;
}

Deno.test({
  name: `${NODES} processes are upgraded one by one while people ask: nobody is ever shown dead`,
  ignore: !HAS_OLD_PROGRAM,
  fn: () =>
    withOldProgram(async (folder) => {
      const command = [Deno.execPath(), "run", "-A", "--quiet", `${folder}/main.ts`];
      const flags = ["-host", "127.0.0.1", "-port", "0", "-cluster", `u${Deno.pid}`];
      await using fleet = new Fleet({ command, flags });
      await fleet.start(NODES);
      assertEquals(await fleet.until(() => fleet.allSeeAll()), true, "all see all");
      const stop = new AbortController();
      const asked = ask(fleet, stop.signal);
      for (const old of [...fleet.nodes]) {
        const address = await old.listening;
        old.kill("SIGTERM");
        await old.ended;
        const seed = await fleet.running[0]!.listening;
        const [host, port] = address.split(":");
        const args = ["-host", host!, "-port", port!, "-cluster", `u${Deno.pid}`, "-join", seed];
        fleet.nodes.push(new FleetNode(old.id, args));
        const isBack = await fleet.until(() => fleet.allSeeAll());
        assertEquals(isBack, true, `all see all after ${old.id} was upgraded`);
      }
      stop.abort();
      assertEquals(await asked > NODES, true, "nodes answered meanwhile");
      const wrong = fleet.nodes.flatMap(({ id, sights }) =>
        [...sights.values()].flat().filter(({ status }) => status === "dead")
          .map(({ line }) => `${id}: ${line}`)
      );
      assertEquals(wrong, []);
    }),
});
