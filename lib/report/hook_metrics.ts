/**
 * Metrics of the hooks that this node carries; without any it has no such metric. (pure)
 *
 * @module
 */
import type { TellingCounts } from "../tellings.ts";
import type { Family } from "./prometheus.ts";

/** The families of `counts`, which are by hook. */
export function hookFamilies(counts: ReadonlyMap<string, TellingCounts>): Family[] {
  if (counts.size === 0) return [];
  const family = (
    type: Family["type"],
    name: string,
    help: string,
    of: (each: TellingCounts) => number,
  ): Family => ({
    ...{ name: `gossiper_hook_${name}`, type, help },
    samples: Array.from(counts, ([hook, each]) => [{ hook }, of(each)]),
  });
  return [
    family("counter", "told_total", "Messages that this node told.", ({ told }) => told),
    family("counter", "failed_total", "Attempts of this node that failed.", ({ failed }) => failed),
    family("gauge", "pending", "Changes due that nobody has told yet.", ({ pending }) => pending),
    family(
      "gauge",
      "oldest_pending_seconds",
      "For how long the oldest of these has been due.",
      ({ oldestPendingMs }) => oldestPendingMs / 1000,
    ),
  ];
}
