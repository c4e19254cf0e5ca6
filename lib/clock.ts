/**
 * Time, as the core is given it. The monotonic clock measures ages; the wall clock only stamps this
 * node's own heartbeats, so a wrong or stepping wall clock harms nobody.
 */
export interface Moment {
  /** A clock that never goes back, in ms from any origin. */
  readonly monotonicMs: number;
  /** Milliseconds since the epoch, right or wrong. */
  readonly wallMs: number;
}

/** A step longer than this many intervals is a stall: rounds are never further apart on a healthy node. */
const STALL_INTERVALS = 2;

/**
 * Monotonic time less stalls: the clock that ages are measured on.
 *
 * A node that did not run (SIGSTOP, a suspended machine, a starved CPU) heard nobody, and that says
 * nothing about them. So the time it did not run does not count, nor does the interval after it, in which
 * it hears what it missed: it wakes with everyone's age as it was, and accuses nobody.
 *
 * Rejected: letting a stall count for up to two intervals, as a plain cap would. A row three seconds old before
 * the stall would then be dead at waking, before anyone could be heard.
 */
export class RunningClock {
  readonly #intervalMs: number;
  #nowMs = 0;
  #monotonicMs: number;
  #restUntilMs: number;

  constructor(intervalMs: number, startMs: number) {
    this.#intervalMs = intervalMs;
    this.#monotonicMs = startMs;
    this.#restUntilMs = startMs;
  }

  /** The running time in ms at the last step. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** The monotonic time of the last step. */
  get monotonicMs(): number {
    return this.#monotonicMs;
  }

  /** Advances to `monotonicMs` and returns the running time; a clock that went back stands still. */
  step(monotonicMs: number): number {
    const sinceMs = monotonicMs - this.#monotonicMs;
    if (sinceMs <= 0) return this.#nowMs;
    if (sinceMs > STALL_INTERVALS * this.#intervalMs) {
      this.#restUntilMs = monotonicMs + this.#intervalMs;
    } else {
      const countedFromMs = Math.max(this.#monotonicMs, this.#restUntilMs);
      this.#nowMs += Math.max(0, monotonicMs - countedFromMs);
    }
    this.#monotonicMs = monotonicMs;
    return this.#nowMs;
  }
}
