/**
 * What Linux says of processes and the loopback, and how figures are printed.
 *
 * @module
 */

/** The kernel counts CPU time in hundredths of a second. */
const TICK_MS = 10;

export interface Usage {
  readonly atMs: number;
  /** Bytes and packets over the loopback, headers included. */
  readonly bytes: number;
  readonly packets: number;
  /** CPU time of all the processes together. */
  readonly cpuMs: number;
  readonly residentMb: number[];
}

/** Reads the loopback's counters, and the processes' CPU time and memory. */
export async function readUsage(pids: readonly number[]): Promise<Usage> {
  const devices = await Deno.readTextFile("/proc/net/dev");
  const [, lo = ""] = /^\s*lo:(.*)$/m.exec(devices) ?? [];
  const [bytes = 0, packets = 0] = lo.trim().split(/\s+/).map(Number);
  let cpuMs = 0;
  const residentMb: number[] = [];
  for (const pid of pids) {
    cpuMs += await cpuMsOf(pid);
    const status = await Deno.readTextFile(`/proc/${pid}/status`);
    residentMb.push(Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0) / 1024);
  }
  return { atMs: performance.now(), bytes, packets, cpuMs, residentMb };
}

/** CPU time of one process, in steps of 10 ms. */
export async function cpuMsOf(pid: number): Promise<number> {
  const stat = await Deno.readTextFile(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

/** Median, 95th percentile and worst; milliseconds are written as seconds. */
export function summary(values: readonly number[], scale = 1000, unit = " s"): string {
  if (values.length === 0) return "not measured";
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
  const words = (value: number) => (value / scale).toFixed(2) + unit;
  return `median ${words(at(0.5))}, p95 ${words(at(0.95))}, worst ${
    words(at(1))
  } (of ${sorted.length})`;
}

/** Rows as a Markdown table. */
export function table(rows: readonly (readonly [string, string])[]): string {
  return ["| figure | measured |", "|---|---|", ...rows.map(([a, b]) => `| ${a} | ${b} |`)].join(
    "\n",
  );
}
