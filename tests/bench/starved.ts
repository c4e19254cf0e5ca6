/**
 * What nodes that hardly get to run, that pause, or that packets do not reach do to a cluster, and it to them. Run as root by
 * `deno task bench:starved [SECONDS] [ROW...]`: so long each (120), and which (all) of starved, pauses, loss, lost.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { Namespaces } from "../chaos/namespaces.ts";
import { runApart } from "./apart.ts";
import { table } from "./measure.ts";
import { measureLoss, measureLost, measurePauses, measureStarved, type Rows } from "./sick.ts";

const ROWS: Record<string, (forMs: number, place: Namespaces) => Promise<Rows>> = {
  starved: measureStarved,
  pauses: measurePauses,
  loss: measureLoss,
  lost: measureLost,
};

const options = parseArgs(Deno.args, { boolean: ["inside"] });
const [seconds = 120, ...asked] = options._;
const names = asked.length > 0 ? asked.map(String) : Object.keys(ROWS);
const unknown = names.find((name) => !Object.hasOwn(ROWS, name));
if (unknown !== undefined || !(Number(seconds) > 0)) {
  console.error(`Usage: deno task bench:starved [SECONDS] [${Object.keys(ROWS).join(" | ")}]...`);
  Deno.exit(2);
}
if (!options.inside) Deno.exit(await runApart(import.meta.filename!));

const place = new Namespaces();
const rows: [string, string][] = [];
for (const name of names) rows.push(...await ROWS[name]!(Number(seconds) * 1000, place));
console.log(table(rows));
