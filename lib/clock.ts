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
 * A suspended machine's monotonic clock stands still as well: the wall clock tells, by advancing without it. A wall
 * clock that is
 * set forward looks the same, and costs an interval of rest, which is harmless.
 *
 * Rejected: letting a stall count for up to two intervals, as a plain cap would. A row three seconds old before
 * the stall would then be dead at waking, before anyone could be heard.
 */
export class RunningClock {
  readonly #stallMs: number;
  readonly #restMs: number;
  #nowMs = 0;
  #last: Moment;
  #restUntilMs: number;

  constructor(intervalMs: number, start: Moment) {
    this.#stallMs = STALL_INTERVALS * intervalMs;
    this.#restMs = intervalMs;
    this.#last = start;
    this.#restUntilMs = start.monotonicMs;
  }

  /** The running time in ms at the last step. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** The monotonic time of the last step. */
  get monotonicMs(): number {
    return this.#last.monotonicMs;
  }

  /** Advances to `now` and returns the running time; a monotonic clock that went back stands still. */
  step(now: Moment): number {
    const sinceMs = now.monotonicMs - this.#last.monotonicMs;
    if (sinceMs <= 0) return this.#nowMs;
    const asleepMs = now.wallMs - this.#last.wallMs - sinceMs;
    if (sinceMs > this.#stallMs || asleepMs > this.#stallMs) {
      this.#restUntilMs = now.monotonicMs + this.#restMs;
    } else {
      const countedFromMs = Math.max(this.#last.monotonicMs, this.#restUntilMs);
      this.#nowMs += Math.max(0, now.monotonicMs - countedFromMs);
    }
    this.#last = now;
    return this.#nowMs;
  }
}
