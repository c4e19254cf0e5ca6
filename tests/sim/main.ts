/**
 * `deno task sim`: random clusters on virtual time, each checked at every step.
 *
 *     deno task sim                     random seeds until Ctrl-C
 *     deno task sim --seeds 1000        so many; --from S: from that one on
 *     deno task sim 42                  one seed, told in full
 *     deno task sim --mutate            break each rule: does a seed find out?
 *     deno task sim --report            the figures of lib/PROTOCOL.md; --nodes 1000: for that size only
 */
import { parseArgs } from "@std/cli/parse-args";
import { describeSummary, runCampaign, seedsFrom } from "./campaign.ts";
import { mutateAll } from "./mutate.ts";
import { replay } from "./replay.ts";
import { reportAll } from "./report.ts";
import { PRODUCTION } from "./world.ts";

/** How often the progress line is renewed. */
const PROGRESS_MS = 1_000;

const args = parseArgs(Deno.args, {
  string: ["seeds", "from", "nodes"],
  boolean: ["mutate", "report"],
  unknown: (arg, key) => {
    if (key === undefined) return true;
    console.error(
      `Unknown flag '${arg}': there are --seeds, --from, --mutate, --report and --nodes`,
    );
    Deno.exit(2);
  },
});
const print = (line: string) => console.log(line);
const [seed] = args._;
if (seed !== undefined) exit(replay(PRODUCTION, String(seed), print));
else if (args.mutate) exit(await mutateAll(Number(args.from ?? 1), print));
else if (args.report) {
  reportAll(
    args.nodes === undefined ? undefined : String(args.nodes).split(",").map(Number),
    String(args.from ?? 1),
    print,
  );
} else exit(await campaign());

function exit(passed: boolean): void {
  Deno.exitCode = passed ? 0 : 1;
}

/** Runs seeds in slices, between which Ctrl-C is heard. */
async function campaign(): Promise<boolean> {
  const from = Number(args.from ?? crypto.getRandomValues(new Uint32Array(1))[0]);
  const count = args.seeds === undefined ? Infinity : Number(args.seeds);
  print(`seeds from ${from} on${count === Infinity ? ", until Ctrl-C" : ""}`);
  const seeds = seedsFrom(from, count)[Symbol.iterator]();
  const startMs = performance.now();
  const total = {
    seeds: 0,
    calls: 0,
    falseDead: 0,
    failures: [] as string[],
    rounds: [] as number[],
  };
  let stopped = false;
  Deno.addSignalListener("SIGINT", () => stopped = true);
  while (!stopped && total.seeds < count) {
    const sliceMs = performance.now();
    const slice = runCampaign(PRODUCTION, {
      seeds: { [Symbol.iterator]: () => ({ next: () => seeds.next() }) },
      onFailure: (text) => print(`\r${text}`),
      onSeed: () => performance.now() - sliceMs < PROGRESS_MS,
    });
    total.seeds += slice.seeds;
    total.calls += slice.calls;
    total.falseDead += slice.falseDead;
    total.failures.push(...slice.failures);
    total.rounds.push(...slice.rounds);
    progress(total.seeds, total.failures.length, (performance.now() - startMs) / 1000);
    await new Promise((resolve) => setTimeout(resolve));
  }
  const summary = { ...total, rounds: total.rounds.sort((a, b) => a - b) };
  for (const line of ["", ...describeSummary(summary, (performance.now() - startMs) / 1000)]) {
    print(line);
  }
  Deno.exit(total.failures.length === 0 ? 0 : 1);
}

function progress(seeds: number, failures: number, seconds: number): void {
  if (!Deno.stdout.isTerminal()) return;
  const text = `\r${seeds} seeds, ${(seeds / seconds).toFixed(0)} a second, ${failures} failed `;
  Deno.stdout.writeSync(new TextEncoder().encode(text));
}
