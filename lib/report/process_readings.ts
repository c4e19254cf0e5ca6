/**
 * What this process has cost so far, for the metrics.
 *
 * @module
 */
import type { Readings } from "./metrics.ts";

export async function readProcess(): Promise<Readings["process"]> {
  // Loading Node's part of the runtime takes 5 MB: only a node that is scraped pays for it.
  const { cpuUsage } = await import("node:process");
  const { user, system } = cpuUsage();
  return {
    cpuSeconds: (user + system) / 1e6,
    residentBytes: Deno.memoryUsage().rss,
    startSeconds: performance.timeOrigin / 1000,
  };
}
