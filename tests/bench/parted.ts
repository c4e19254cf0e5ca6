/**
 * How fast a cluster is whole again: its two halves cannot reach each other for a minute, then they can. Run by
 * `deno task bench:parted [NODES]`.
 *
 * @module
 */
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "@std/cli/parse-args";
import { Namespaces } from "../chaos/namespaces.ts";
import { runApart, startApart } from "./apart.ts";
import { summary } from "./measure.ts";

/** As many as there are namespaces for, and more than two cores can run. */
const NODES_MAX = 128;

/** Much longer than dead-after: each half has given the other up. */
const PARTED_MS = 60_000;

/** The time to come to rest after the start, and between two parts. */
const REST_MS = 20_000;

/** Longer than any healing should take. */
const HEALED_MS = 120_000;

const options = parseArgs(Deno.args, { string: ["parts"], boolean: ["inside"] });
const count = Math.min(Number(options._[0] ?? 16), NODES_MAX);
const parts = Number(options.parts ?? 5);

if (!options.inside) Deno.exit(await runApart(import.meta.filename!));

await measure();

async function measure(): Promise<void> {
  console.log(`${count} nodes, halves parted for ${PARTED_MS / 1000} s, ${parts} times`);
  const place = new Namespaces();
  await using fleet = await startApart(place, count);
  const ids = fleet.nodes.map(({ id }) => id);
  const healed: number[] = [];
  for (let i = 0; i < parts; i++) {
    await pause(REST_MS);
    await place.setFaults([{ kind: "part", ids: ids.filter((_, at) => at % 2 === 0) }]);
    await pause(PARTED_MS);
    if (fleet.allSeeAll()) throw new Error("the network was not parted");
    await place.setFaults([]);
    const atMs = performance.now();
    if (!await fleet.until(() => fleet.allSeeAll(), HEALED_MS)) throw new Error("not all see all");
    healed.push(performance.now() - atMs);
    console.log(`all see all ${(healed.at(-1)! / 1000).toFixed(2)} s after the heal`);
  }
  console.log(`\nparted and healed until all see all: ${summary(healed)}`);
}
