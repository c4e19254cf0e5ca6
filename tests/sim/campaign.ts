import { drawPlan } from "./plan.ts";
import { describeFailure } from "./replay.ts";
import { runPlan } from "./run.ts";
import type { Core } from "./world.ts";

/** Failures told one by one; more would only repeat them. */
const FAILURES_TOLD_MAX = 10;

/** What came of many seeds. */
export interface Summary {
  readonly seeds: number;
  readonly failures: readonly string[];
  /** Calls that nodes made. */
  readonly calls: number;
  /** Times a live member was shown dead in weather too rough to forbid it. */
  readonly falseDead: number;
  /** Rounds from the healing (see run.ts) until all tables were equal, of each seed in which all nodes had met; sorted. */
  readonly rounds: readonly number[];
}

export interface CampaignOptions {
  readonly seeds: Iterable<string>;
  /** Told each failure as it is found. */
  readonly onFailure: (text: string) => void;
  /** Called after each seed; false ends the campaign. */
  readonly onSeed?: (seeds: number, failures: number) => boolean;
}

/** Runs many seeds, one after the other. */
export function runCampaign(core: Core, options: CampaignOptions): Summary {
  const failures: string[] = [];
  const rounds: number[] = [];
  let seeds = 0;
  let calls = 0;
  let falseDead = 0;
  for (const seed of options.seeds) {
    const outcome = runPlan(core, drawPlan(seed));
    seeds++;
    calls += outcome.calls;
    falseDead += outcome.falseDead;
    if (outcome.rounds !== undefined) rounds.push(outcome.rounds);
    if (outcome.violation !== undefined) {
      failures.push(seed);
      if (failures.length <= FAILURES_TOLD_MAX) options.onFailure(describeFailure(seed, outcome));
    }
    if (options.onSeed?.(seeds, failures.length) === false) break;
  }
  return { seeds, failures, calls, falseDead, rounds: rounds.sort((a, b) => a - b) };
}

/** What came of two lots of seeds together. */
export function joinSummaries(a: Summary, b: Summary): Summary {
  return {
    seeds: a.seeds + b.seeds,
    failures: [...a.failures, ...b.failures],
    calls: a.calls + b.calls,
    falseDead: a.falseDead + b.falseDead,
    rounds: [...a.rounds, ...b.rounds].sort((x, y) => x - y),
  };
}

/** `count` seeds from `from` on; without a count, for ever. */
export function* seedsFrom(from: number, count = Infinity): Iterable<string> {
  for (let i = 0; i < count; i++) yield String(from + i);
}

/** A summary in lines. */
export function describeSummary(summary: Summary, seconds: number): string[] {
  const { seeds, failures, calls, falseDead, rounds } = summary;
  const at = (share: number) =>
    rounds[Math.min(rounds.length - 1, Math.floor(share * rounds.length))];
  return [
    `${seeds} seeds in ${seconds.toFixed(0)} s (${
      (seeds / seconds).toFixed(0)
    } a second), ${calls} calls, ` +
    `${failures.length} failed`,
    ...(rounds.length === 0 ? [] : [
      `all tables equal after the healing: median ${at(0.5)}, 99 % ${at(0.99)}, worst ${
        at(1)
      } of a node's rounds, of 10 at most`,
    ]),
    `live members shown dead where more than 10 % of messages were lost or late: ${falseDead} times`,
    ...(failures.length === 0 ? ["PASSED"] : [`FAILED: seeds ${failures.slice(0, 50).join(" ")}`]),
  ];
}
