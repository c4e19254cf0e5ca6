/**
 * What nodes that hardly get to run do to a cluster, and it to them: four of 32 in CPU groups of 2 % of a core, each
 * shared with 16 busy loops. Run as root by `deno task bench:starved [SECONDS]`.
 *
 * @module
 */
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "@std/cli/parse-args";
import { Fleet, type FleetNode } from "../fleet/fleet.ts";
import { CpuGroup } from "../support/cgroup.ts";
import { canUnshare, runInside } from "./inside.ts";
import { table } from "./measure.ts";

const NODES = 32;
const STARVED = 4;

/** Of one core, for a node and its busy loops. */
const SHARE = 0.02;
const BUSY = 16;

const SICK = ["dead", "unresponsive"];
const options = parseArgs(Deno.args, { boolean: ["inside"] });
const forMs = Number(options._[0] ?? 120) * 1000;

if (!options.inside && await canUnshare()) {
  Deno.exit(await runInside(import.meta.filename!));
}

await using fleet = new Fleet({ flags: ["-port", "0", "-host", "127.0.0.1"] });
await fleet.start(NODES);
if (!await fleet.until(() => fleet.allSeeAll())) throw new Error("not all see all");
await pause(10_000);

const starved = fleet.nodes.slice(-STARVED);
const healthy = fleet.nodes.slice(0, -STARVED);
await using groups = new AsyncDisposableStack();
const sinceMs = performance.now();
for (const node of starved) {
  const group = groups.use(await CpuGroup.make(`gossiper-starved-${Deno.pid}-${node.id}`, SHARE));
  await group.take(node.pid);
  await group.addBusy(BUSY);
}
await pause(forMs);

console.log(table([
  ["`dead` told at healthy nodes about the starved", count(healthy, starved, ["dead"])],
  ["any change of status told at healthy nodes about the starved", count(healthy, starved)],
  [
    "`unresponsive` told at healthy nodes about the starved",
    count(healthy, starved, ["unresponsive"]),
  ],
  [
    "`dead` or `unresponsive` told at the starved about healthy nodes",
    count(starved, healthy, SICK),
  ],
  [
    "`dead` or `unresponsive` told at healthy nodes about healthy nodes",
    count(healthy, healthy, SICK),
  ],
]));

for (const { lines } of healthy) {
  for (const line of lines) if (/peer is dead/.test(line)) console.log(line);
}
/** How often `observers` told a status of `members` since the starving began. */
function count(observers: FleetNode[], members: FleetNode[], statuses?: string[]): string {
  let told = 0;
  for (const observer of observers) {
    for (const { id } of members) {
      if (id === observer.id) continue;
      for (const sight of observer.sights.get(id) ?? []) {
        if (sight.atMs > sinceMs && (statuses?.includes(sight.status) ?? true)) told++;
      }
    }
  }
  return String(told);
}
