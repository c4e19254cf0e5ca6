/**
 * A live cluster under real faults: `deno task chaos [SEED] [--nodes N] [--minutes M] [--program "COMMAND"]`.
 *
 * Where it may, it runs inside network namespaces of its own, in which the network can be broken as well; nothing of
 * them outlives it, whatever ends it.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { whyNoStarving } from "./acts.ts";
import { findFaketime } from "./crew.ts";
import { Namespaces, unshared } from "./namespaces.ts";
import { Loopback } from "./place.ts";
import { report } from "./report.ts";
import { DEAD_AFTER_MS, INTERVAL_MS, Run } from "./run.ts";

const USAGE = `Usage: deno task chaos [SEED] [--nodes N] [--minutes M] [--program "COMMAND"]

Runs a cluster of real processes under faults drawn from the seed, and checks what the nodes show.

  --nodes N             nodes to start with, 4 to 100 (default 8)
  --minutes M           how long, up to 600 (default 2)
  --program "COMMAND"   what runs a node, without its flags (default: this source)
  --loopback            no namespaces: all on 127.0.0.1, the network left whole`;

const NODES_MIN = 4;
const NODES_MAX = 100;
const MINUTES_MAX = 600;

const args = parseArgs(Deno.args, {
  string: ["_", "nodes", "minutes", "program"],
  boolean: ["help", "loopback", "inside"],
  unknown: (arg) => arg.startsWith("-") ? usage(`Unknown option ${arg}`) : true,
});
if (args.help) usage();
const nodes = Number(args.nodes ?? 8);
const minutes = Number(args.minutes ?? 2);
const program = args.program === undefined
  ? undefined
  : String(args.program).split(" ").filter((word) => word !== "");
if (!Number.isInteger(nodes) || nodes < NODES_MIN || nodes > NODES_MAX) {
  usage(`Give --nodes as a number from ${NODES_MIN} to ${NODES_MAX}`);
}
if (!(minutes > 0 && minutes <= MINUTES_MAX)) usage(`Give --minutes up to ${MINUTES_MAX}`);
if (args._.length > 1) usage("Give one seed");
if (program?.length === 0) usage("Give --program a command");
const seed = String(args._[0] ?? Math.floor(Math.random() * 1e9));

Deno.exit(await main());

async function main(): Promise<number> {
  if (args.inside) return await play(new Namespaces(), readToEnd());
  const why = args.loopback ? "as asked" : await enter();
  if (typeof why === "number") return why;
  console.log(`Left out, ${why}: partitions, one-way drops, rejects, loss`);
  return await play(new Loopback(), interrupted());
}

async function play(place: Namespaces | Loopback, stop: Promise<void>): Promise<number> {
  const faketime = await findFaketime();
  if (faketime === undefined) console.log("Left out, as there is no libfaketime: wrong clocks");
  const unstarvable = await whyNoStarving();
  if (unstarvable !== undefined) {
    console.log(`Left out, as there is no CPU cgroup (${unstarvable}): starving`);
  }
  console.log(
    `seed ${seed}: ${nodes} nodes, ${minutes} min, interval ${INTERVAL_MS / 1000} s, ` +
      `dead-after ${DEAD_AFTER_MS / 1000} s; ${place.name}`,
  );
  const print = (line: string) => console.log(line);
  const starvable = unstarvable === undefined;
  const run = new Run({ seed, nodes, minutes, place, program, faketime, starvable, print });
  const result = await run.play(stop);
  const quoted = replayArgs().map((arg) => arg.includes(" ") ? `"${arg}"` : arg);
  const replay = `deno task chaos ${quoted.join(" ")}`;
  return report(result, { seed, replay, print });
}

/** The arguments that say the same again, with the seed. */
function replayArgs(): string[] {
  return [
    ...[seed, "--nodes", String(nodes), "--minutes", String(minutes)],
    ...program === undefined ? [] : ["--program", program.join(" ")],
    ...args.loopback ? ["--loopback"] : [],
  ];
}

/** Runs this once more inside namespaces, and returns its status; or says why that can't be. */
async function enter(): Promise<number | string> {
  const self = [Deno.execPath(), "run", "-A", "--quiet", import.meta.filename!];
  const command = await unshared([...self, ...replayArgs(), "--inside"]);
  if (typeof command === "string") return `as namespaces cannot be had (${command})`;
  const [name = "", ...rest] = command;
  // The end of its input tells it to stop, also where this process is killed.
  const child = new Deno.Command(name, { args: rest, stdin: "piped" }).spawn();
  void interrupted().then(() => child.stdin.close());
  return (await child.status).code;
}

/** Resolves at Ctrl-C or SIGTERM. */
function interrupted(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      Deno.addSignalListener(signal, () => resolve());
    }
  });
}

/** Resolves at the end of standard input. Ctrl-C reaches this process too: who started it will say so. */
async function readToEnd(): Promise<void> {
  void interrupted();
  for await (const _ of Deno.stdin.readable) { /* nothing is said */ }
}

function usage(problem?: string): never {
  console.error(problem === undefined ? USAGE : `${problem}\n\n${USAGE}`);
  Deno.exit(problem === undefined ? 0 : 2);
}
