/**
 * How fast a cluster is whole again: its two halves cannot reach each other for a minute, then they can. Run by
 * `deno task bench:parted [NODES]`.
 *
 * Each node is in a network namespace of its own, so this needs Linux, nft, and the right to make namespaces.
 *
 * @module
 */
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "@std/cli/parse-args";
import { Namespaces, unshared } from "../chaos/namespaces.ts";
import { Fleet } from "../fleet/fleet.ts";
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

if (options.inside) await measure();
else Deno.exit(await runInside());

/** Runs this program again where namespaces can be made. */
async function runInside(): Promise<number> {
  const self = [Deno.execPath(), "run", "-A", import.meta.filename!, ...Deno.args, "--inside"];
  const command = await unshared(self);
  if (typeof command === "string") throw new Error(`Cannot part a network here: ${command}`);
  const [program = "", ...args] = command;
  return (await new Deno.Command(program, { args }).spawn().status).code;
}

async function measure(): Promise<void> {
  console.log(`${count} nodes, halves parted for ${PARTED_MS / 1000} s, ${parts} times`);
  const place = new Namespaces();
  const ids = Array.from({ length: count }, (_, i) => `n${i + 1}`);
  await using fleet = new Fleet({ prefix: (id) => place.prefix(id) });
  for (const id of ids) {
    const flags = await place.prepare(id);
    const seed = place.addressOf("n1")!;
    const node = fleet.add(id, id === "n1" ? flags : [...flags, "-join", seed]);
    if (id === "n1") await node.listening;
  }
  if (!await fleet.until(() => fleet.allSeeAll())) throw new Error("not all see all");
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
