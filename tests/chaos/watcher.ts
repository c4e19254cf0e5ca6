/**
 * Asks one process what it sees, a few times a second, as long as it runs.
 *
 * @module
 */
import { setTimeout as pause } from "node:timers/promises";
import type { MemberView } from "../../lib/report/members.ts";
import type { Process } from "./crew.ts";
import { type View, Violation } from "./judge.ts";
import { SLOW_MS } from "./slowness.ts";
import type { Truth } from "./truth.ts";

/** The wait between two looks at one node. */
const LOOK_EVERY_MS = 250;

/** Suspicion a second at all nodes together: the harness must not become the load. */
const LOOKS_PER_SECOND_MAX = 80;

const TIMEOUT_MS = 5_000;

/** A node that runs and does not answer for so long hangs. */
const HANG_MS = 30_000;

export interface WatcherOptions {
  readonly truth: Truth;
  /** How many nodes are watched. */
  readonly count: () => number;
  readonly onView: (process: Process, view: View) => void;
  readonly onSlow: (process: Process, ms: number) => void;
}

/** Resolves when the process has ended. Throws a Violation. */
export async function watch(process: Process, options: WatcherOptions): Promise<void> {
  const { truth, count, onView, onSlow } = options;
  const { id, node } = process;
  let answeredMs = performance.now();
  const over = () => !node.running || process.ending !== undefined;
  while (!over()) {
    await pause(Math.max(LOOK_EVERY_MS, count() * 1_000 / LOOKS_PER_SECOND_MAX));
    if (over()) return;
    if (truth.isStalled(id) || truth.isStarving(id)) answeredMs = performance.now();
    if (truth.isStalled(id)) continue;
    const fromMs = performance.now();
    const rows = await ask(process.address);
    const untilMs = performance.now();
    // Stopped, or about to end, or resumed or fed while it was asked.
    if (over() || truth.isStalled(id) || truth.upSinceMs(id) > fromMs) continue;
    if (untilMs - fromMs > SLOW_MS && !truth.isStarving(id)) onSlow(process, untilMs - fromMs);
    if (rows !== undefined) {
      answeredMs = untilMs;
      onView(process, { fromMs, untilMs, rows });
    } else if (untilMs - answeredMs > HANG_MS) {
      throw new Violation("7", [id], `${id} runs and does not answer`);
    }
  }
}

async function ask(address: string): Promise<Map<string, MemberView> | undefined> {
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const response = await fetch(`http://${address}/members`, { signal });
    const { members } = await response.json() as { members: MemberView[] };
    return new Map(members.map((member) => [member.id, member]));
  } catch {
    return undefined;
  }
}
