/**
 * `deno task sim`: random clusters on virtual time, each checked at every step.
 *
 *     deno task sim                     random seeds until Ctrl-C
 *     deno task sim --seeds 1000        so many; --from S: from that one on
 *     deno task sim 42                  one seed, told in full
 *     deno task sim --mutate            break each rule: does a seed find out?
 *     deno task sim --report            the figures of lib/PROTOCOL.md; --nodes 10,100: for those sizes only;
 *                                       --lost 0,10: at such losses only, in percent
 */
import { parseArgs } from "@std/cli/parse-args";
import { describeSummary, joinSummaries, runCampaign, seedsFrom } from "./campaign.ts";
import { mutateAll } from "./mutate.ts";
import { replay } from "./replay.ts";
import { reportAll } from "./report.ts";
import { PRODUCTION } from "./world.ts";

/** How often Ctrl-C is heard, and the progress line renewed. */
const SLICE_MS = 1_000;

const USAGE =
  "Usage: deno task sim [SEED] [--seeds N] [--from S] [--mutate] [--report [--nodes N,...] [--lost PERCENT,...]]";

const args = parseArgs(Deno.args, {
  string: ["_", "seeds", "from", "nodes", "lost"],
  boolean: ["mutate", "report"],
  unknown: (arg, key) => key === undefined || fail(`Unknown flag '${arg}'`),
});
const print = (line: string) => console.log(line);
const [seed, ...more] = args._.map(String);
if (more.length > 0) fail(`Cannot replay more than one seed: '${more[0]}' is one too many`);
const from = readNumbers("from")?.[0];
if (seed !== undefined) exit(replay(PRODUCTION, seed, print));
else if (args.mutate) exit(await mutateAll(from ?? 1, print));
else if (args.report) {
  const only = { nodes: readNumbers("nodes"), lostPercent: readNumbers("lost") };
  reportAll(only, String(from ?? 1), print);
} else exit(await campaign(from, readNumbers("seeds")?.[0]));

/** Runs seeds in slices, between which Ctrl-C is heard. */
async function campaign(
  from = crypto.getRandomValues(new Uint32Array(1))[0]!,
  count = Infinity,
): Promise<boolean> {
  print(`seeds from ${from} on${count === Infinity ? ", until Ctrl-C" : ""}`);
  const startMs = performance.now();
  const seconds = () => (performance.now() - startMs) / 1000;
  let stopped = false;
  Deno.addSignalListener("SIGINT", () => stopped = true);
  let total = runCampaign(PRODUCTION, { seeds: [], onFailure: print });
  while (!stopped && total.seeds < count) {
    const sliceMs = performance.now();
    const slice = runCampaign(PRODUCTION, {
      seeds: seedsFrom(from + total.seeds, count - total.seeds),
      onFailure: (text) => print(`\r${text}`),
      onSeed: () => performance.now() - sliceMs < SLICE_MS,
    });
    total = joinSummaries(total, slice);
    showProgress(
      `${total.seeds} seeds in ${seconds().toFixed(0)} s, ${total.failures.length} failed`,
    );
    await new Promise((resolve) => setTimeout(resolve));
  }
  for (const line of ["", ...describeSummary(total, seconds())]) print(line);
  return total.failures.length === 0;
}

function showProgress(text: string): void {
  if (Deno.stdout.isTerminal()) Deno.stdout.writeSync(new TextEncoder().encode(`\r${text} `));
}

/** A flag's value, whole numbers between commas. */
function readNumbers(flag: "seeds" | "from" | "nodes" | "lost"): number[] | undefined {
  if (args[flag] === undefined) return undefined;
  const text = String(args[flag]);
  const numbers = text.split(",").map(Number);
  if (text === "" || !numbers.every(Number.isSafeInteger)) {
    fail(`Cannot read --${flag}: current value is '${text}'`);
  }
  return numbers;
}

function fail(text: string): never {
  console.error(`${text}\n${USAGE}`);
  Deno.exit(2);
}

// A signal listener would keep the process.
function exit(passed: boolean): never {
  Deno.exit(passed ? 0 : 1);
}
