/**
 * The end of a run in words.
 *
 * @module
 */
import { summary } from "../bench/measure.ts";
import { inSeconds } from "./chronicle.ts";
import type { Result } from "./run.ts";

/** Lines of a log that are shown. */
const TAIL_LINES = 15;

/** Where the machine was short of CPU for a larger share of the run, the run says nothing. */
const SLOW_SHARE_MAX = 0.5;

/** Prints the summary, and what is wrong; returns the exit status. */
export function report(
  result: Result,
  { seed, replay, print }: { seed: string; replay: string; print: (line: string) => void },
): number {
  const { violation, crew, chronicle, rows, episodes, lastedMs, slow } = result;
  print("");
  const counts = [...chronicle.counts].sort().map(([name, count]) => `${name} ${count}`);
  print(`${episodes} episodes in ${inSeconds(lastedMs)}: ${counts.join(", ")}`);
  for (const [figure, times] of [...chronicle.figures].sort()) {
    print(`  ${figure}: ${summary(times)}`);
  }
  print(`  rows checked: ${rows}`);
  if (slow.times > 0) {
    const text = `${slow.times} times, ${inSeconds(slow.ms)} in all, held against nobody`;
    print(`  short of CPU: ${text}`);
  }
  if (violation !== undefined) {
    for (const id of violation.ids) {
      print(`\nThe last lines of ${id}:`);
      for (const line of crew.get(id)?.node.lines.slice(-TAIL_LINES) ?? []) print(`  ${line}`);
    }
    print(`\nVIOLATED invariant ${violation.invariant}: ${violation.message}`);
    print(`Replay: ${replay}`);
    return 1;
  }
  if (slow.ms > SLOW_SHARE_MAX * lastedMs) {
    print(`\nNOT JUDGED: the machine was short of CPU. Again: ${replay}`);
    return 1;
  }
  if (result.interrupted) {
    print("\nINTERRUPTED: no invariant was broken so far");
    return 130;
  }
  print(`\nPASSED seed ${seed}: invariants 2, 3, 4, 5, 6 and 8 held`);
  return 0;
}
