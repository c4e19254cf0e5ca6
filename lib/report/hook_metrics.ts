/**
 * Metrics of the hooks that this node carries; without any it has no such metric. (pure)
 *
 * @module
 */
import type { TellingCounts } from "../tellings.ts";
import { counter, type Family, gauge } from "./prometheus.ts";

/** The families of `counts`, which are by hook. */
export function hookFamilies(counts: ReadonlyMap<string, TellingCounts>): Family[] {
  if (counts.size === 0) return [];
  const each = (of: (counted: TellingCounts) => number): Family["samples"] =>
    Array.from(counts, ([hook, counted]) => [{ hook }, of(counted)]);
  return [
    counter("gossiper_hook_told_total", "Messages that this node told.", each(({ told }) => told)),
    counter(
      "gossiper_hook_failed_total",
      "Attempts of this node to tell that failed.",
      each(({ failed }) => failed),
    ),
    gauge(
      "gossiper_hook_pending",
      "Changes that are due and that nobody has told yet.",
      each(({ pending }) => pending),
    ),
    gauge(
      "gossiper_hook_oldest_pending_seconds",
      "For how long the oldest of these has been due.",
      each(({ oldestPendingMs }) => oldestPendingMs / 1000),
    ),
  ];
}
