import type { Truth } from "./truth.ts";

/** An answer that takes longer shows that the machine is short of CPU: then nothing is held against the node. */
export const SLOW_MS = 1_000;

/** Where this process gets to run so much too late, nothing is held against any node. */
const LATE_MS = 500;

const LOOK_EVERY_MS = 100;

/** How often, and how long in all, the machine was short of CPU. */
export class Slowness {
  times = 0;
  ms = 0;
  readonly #truth: Truth;

  constructor(truth: Truth) {
    this.#truth = truth;
  }

  /** These nodes did not get to run for so long, until now. */
  note(ids: readonly string[], ms: number): void {
    this.times++;
    this.ms += ms;
    for (const id of ids) this.#truth.ranLate(id, performance.now());
  }

  /** Notices when this process does not get to run: then others may not either. Returns what ends it. */
  watch(): () => void {
    let beforeMs = performance.now();
    const timer = setInterval(() => {
      const nowMs = performance.now();
      const lateMs = nowMs - beforeMs - LOOK_EVERY_MS;
      beforeMs = nowMs;
      if (lateMs > LATE_MS) this.note(this.#truth.running, lateMs);
    }, LOOK_EVERY_MS);
    return () => clearInterval(timer);
  }
}
