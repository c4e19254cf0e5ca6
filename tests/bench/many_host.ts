/**
 * Many nodes in one process. Says in a line when all of them see as many live members as there are nodes, and when all say that
 * the victim is dead. Run by many.ts.
 *
 * @module
 */
import { parseConfig } from "../../lib/config/config.ts";
import { start } from "../../lib/run/running_node.ts";

const [prefix = "", nodes = "0", total = "0", victim = "", ...flags] = Deno.args;

/** A shorter gap makes all calls time out at first; a longer one prolongs the start, in which all rosters differ. */
const START_GAP_MS = 200;

const seeing = new Array<number>(Number(nodes)).fill(0);
let complete = 0;
let grieving = 0;
let wrong = 0;

function say(event: string): void {
  console.log(JSON.stringify({ event, atMs: Date.now() }));
}

function read(i: number, line: string): void {
  const [, status, id] = /(?:peer|this node) is (\w+): ([^\s,:]+)/.exec(line) ?? [];
  if (status === "live" && ++seeing[i]! === Number(total) && ++complete === seeing.length) {
    say("all");
  }
  if (status !== "dead") return;
  if (id !== victim) {
    wrong++;
    say(`wrong ${line}`);
  } else if (++grieving === seeing.length) say("dead");
}

// Without a seed given, the first node is the seed of the others.
let join: string[] = [];
for (let i = 0; i < seeing.length; i++) {
  const args = [
    ...["-id", `${prefix}${i}`, "-port", "0", "-host", "127.0.0.1"],
    ...join,
    ...flags,
  ];
  const parsed = parseConfig(args, () => undefined, { hostname: "localhost", randomId: "none" });
  if (parsed.kind !== "run") throw new Error(JSON.stringify(parsed));
  const running = start(parsed.config, (line) => read(i, line));
  if (i === 0) say(`at ${running.address}`);
  if (i === 0 && !flags.includes("-join")) join = ["-join", running.address];
  await new Promise((resolve) => setTimeout(resolve, START_GAP_MS));
}
say("started");
setInterval(() => {
  const least = Math.min(...seeing);
  console.error(`${prefix}: ${complete} of ${seeing.length} see all, the last sees ${least}`);
}, 10_000);
