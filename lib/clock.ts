/**
 * Time as the core is given it; the running clock, on which ages are measured; and this node's own heartbeat.
 *
 * @module
 */
import { HEARTBEAT_MAX_MS, HEARTBEAT_STEP_MS } from "./limits.ts";
import type { Pace } from "./pace.ts";

/**
 * Time, as the core is given it. The monotonic clock measures ages; the wall clock only stamps this node's own
 * heartbeats, so a wrong or stepping wall clock harms nobody.
 */
export interface Moment {
  /** A clock that never goes back, in ms from any origin. */
  readonly monotonicMs: number;
  /** Milliseconds since the epoch, right or wrong. */
  readonly wallMs: number;
}

/** A step longer than this many intervals is a stall: on a healthy node rounds are never further apart. */
const STALL_INTERVALS = 2;

/**
 * Later than this, in ms, a node did not run when it had asked to: timers of a healthy node are a few ms late. As it
 * asks about once an interval, latenesses below it slow its clock by two in a hundred at most.
 */
const LATE_MS = 20;

/**
 * Others' clocks run on while time does not count. Within so many intervals all members that live are heard, and what
 * did not count before is of no more use: whoever claims that a clock is so much further lies.
 */
const MISSED_INTERVALS = 60;

/** A longer stall, in ms, may outlast what others keep of members that they dropped meanwhile (see forgotten.ts). */
const LONG_SLEEP_MS = 3_600_000;

/**
 * Monotonic time less stalls: the clock on which ages are measured.
 *
 * A node that did not run (SIGSTOP, a suspended machine, a starved CPU) heard nobody, and that says nothing about the
 * others. So the time in which it did not run does not count, nor does the interval after it, in which it hears what
 * it missed: everybody's age is as it was, and it accuses nobody, not even by what others tell it that slept as well
 * (see verdicts.ts).
 *
 * Nor does time by which it runs later than it asked to, however short the steps are, nor as much time after it: a node
 * that hardly gets to run accuses nobody.
 *
 * A suspended machine's monotonic clock stops too: the wall clock tells, by advancing without it. A wall clock that
 * is set forward looks the same, and costs an interval of rest, which is harmless.
 *
 * Rejected: letting a stall count for up to two intervals, as a plain cap would. A row three seconds old before the
 * stall would then be dead at waking, before anyone could be heard.
 */
export class RunningClock {
  readonly #pace: Pick<Pace, "longestIntervalMs">;
  #nowMs = 0;
  #sleptMs = 0;
  #lostMs = 0;
  #uncountedMs = 0;
  /** What did not count in the present span of `MISSED_INTERVALS`, and in the one before. */
  #missedMs = 0;
  #missedBeforeMs = 0;
  #spanEndMs = -Infinity;
  #last: Moment;
  #restUntilMs: number;
  #wakingUntilMs = -Infinity;
  #longSleepMs = -Infinity;

  constructor(pace: Pick<Pace, "longestIntervalMs">, start: Moment) {
    this.#pace = pace;
    this.#last = start;
    this.#restUntilMs = start.monotonicMs;
  }

  /** The running time in ms at the last step. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** The time in ms that did not count: stalls, suspensions and all rests. */
  get sleptMs(): number {
    return this.#sleptMs;
  }

  /** The same, and the time by which this node ran late: by all of it an end that is set on this clock comes later. */
  get lostMs(): number {
    return this.#lostMs;
  }

  /** How much further than this node knows the clocks of members that live may be, in ms. */
  get missedMs(): number {
    return this.#missedMs + this.#missedBeforeMs;
  }

  /** The monotonic time that did not count, in ms. */
  get uncountedMs(): number {
    return this.#uncountedMs;
  }

  /** The running time of the last long stall: what was heard before it is that much older than it looks. */
  get longSleepMs(): number {
    return this.#longSleepMs;
  }

  /** Whether a stall ended less than an interval ago. */
  get isWaking(): boolean {
    return this.#last.monotonicMs < this.#wakingUntilMs;
  }

  /** The monotonic time of the last step. */
  get monotonicMs(): number {
    return this.#last.monotonicMs;
  }

  /**
   * Advances to `now` and returns the running time; if the monotonic clock went back, it does not advance. `askedMs`:
   * the monotonic time at which this node wanted to run.
   */
  step(now: Moment, askedMs = Infinity): number {
    const sinceMs = now.monotonicMs - this.#last.monotonicMs;
    if (sinceMs <= 0) return this.#nowMs;
    const asleepMs = now.wallMs - this.#last.wallMs - sinceMs;
    // Of the longest interval, as this node's own may just have become shorter than the round under way.
    const { longestIntervalMs: restMs } = this.#pace;
    const stallMs = STALL_INTERVALS * restMs;
    this.#passSpan(now.monotonicMs);
    if (sinceMs > stallMs || asleepMs > stallMs) {
      this.#restUntilMs = this.#wakingUntilMs = now.monotonicMs + restMs;
      const stalledMs = sinceMs + Math.max(0, asleepMs);
      this.#sleptMs += stalledMs;
      this.#lostMs += stalledMs;
      this.#missedMs += stalledMs;
      this.#uncountedMs += sinceMs;
      if (stalledMs >= LONG_SLEEP_MS) this.#longSleepMs = this.#nowMs;
    } else {
      const fromMs = Math.max(this.#last.monotonicMs, this.#restUntilMs);
      const lateMs = now.monotonicMs - Math.max(this.#last.monotonicMs, askedMs);
      const isLate = lateMs > LATE_MS;
      const countedMs = Math.max(0, now.monotonicMs - fromMs - (isLate ? lateMs : 0));
      this.#nowMs += countedMs;
      this.#sleptMs += Math.max(0, Math.min(now.monotonicMs, fromMs) - this.#last.monotonicMs);
      this.#lostMs += sinceMs - countedMs;
      this.#missedMs += sinceMs - countedMs;
      this.#uncountedMs += sinceMs - countedMs;
      if (isLate) {
        const lateRestMs = Math.min(lateMs, restMs);
        this.#restUntilMs = Math.max(this.#restUntilMs, now.monotonicMs + lateRestMs);
      }
    }
    this.#last = now;
    return this.#nowMs;
  }

  #passSpan(monotonicMs: number): void {
    const lateMs = monotonicMs - this.#spanEndMs;
    if (lateMs < 0) return;
    const spanMs = MISSED_INTERVALS * this.#pace.longestIntervalMs;
    this.#missedBeforeMs = lateMs < spanMs ? this.#missedMs : 0;
    this.#missedMs = 0;
    this.#spanEndMs = monotonicMs + spanMs;
  }
}

/**
 * A wall clock that steps further ahead than this while a node runs, in ms, is not followed: it is wrong, as it was
 * right before, and a heartbeat is never taken back. A year: a clock that was off for as long may yet be corrected.
 */
const LEAP_MAX_MS = 366 * 24 * 3_600_000;

/** A clock before the year 2020 was not set yet, so any step ahead corrects it. */
const CLOCK_SET_MS = 1_577_836_800_000;

export class Pulse {
  #heartbeat = 0;
  #clockMs = 0;
  #readAtMs = -Infinity;

  /** The last stamp, in ms since the epoch by this node's clock. */
  get heartbeat(): number {
    return this.#heartbeat;
  }

  /** Ms from the last stamp to what the clock showed when it was last read. */
  get ageMs(): number {
    return this.#clockMs - this.#heartbeat;
  }

  /**
   * Stamps a heartbeat, the last step of `stepMs` that its clock has reached. False if that is stamped already.
   *
   * The clock is its last reading plus the time since, or the wall clock where that is later by more than a tenth.
   * Growing by the time since, and not by one step, keeps stamp plus age equal to it, on which charges and ticks rely.
   */
  beat(now: Moment, stepMs = HEARTBEAT_STEP_MS): boolean {
    const sinceMs = now.monotonicMs - this.#readAtMs;
    if (sinceMs < HEARTBEAT_STEP_MS) return false;
    const pacedMs = this.#pacedMs(now.monotonicMs);
    const leaps = this.#clockMs >= CLOCK_SET_MS && now.wallMs > pacedMs + LEAP_MAX_MS;
    // Clocks that are read one after the other differ by a little, which must not add up.
    const isAhead = !leaps && now.wallMs > pacedMs + HEARTBEAT_STEP_MS;
    this.#clockMs = Math.min(isAhead ? now.wallMs : pacedMs, HEARTBEAT_MAX_MS);
    this.#readAtMs = now.monotonicMs;
    const stamp = Math.max(HEARTBEAT_STEP_MS, this.#clockMs - this.#clockMs % stepMs);
    if (stamp <= this.#heartbeat) return false;
    this.#heartbeat = stamp;
    return true;
  }

  /** Jumps past `stamp`, which others hold against this node: the heartbeat of a former life, or a charge. */
  jumpPast(stamp: number, monotonicMs: number): void {
    if (stamp < this.#heartbeat) return;
    const pacedMs = this.#pacedMs(monotonicMs);
    // Not behind the clock, or others would count the heartbeat as older than it is.
    const heartbeat = Math.max(stamp + HEARTBEAT_STEP_MS, floorStep(pacedMs));
    this.#heartbeat = Math.min(heartbeat, HEARTBEAT_MAX_MS);
    this.#clockMs = Math.max(pacedMs, this.#heartbeat);
    // A reading as well: the next one must not count the time before it once more.
    this.#readAtMs = monotonicMs;
  }

  /** The last reading plus the time since; a clock before the epoch counts as the first step. */
  #pacedMs(monotonicMs: number): number {
    return this.#clockMs === 0 ? HEARTBEAT_STEP_MS : this.#clockMs + monotonicMs - this.#readAtMs;
  }
}

/** The whole step at or before `ms`; a clock before the epoch counts as the first step. */
export function floorStep(ms: number): number {
  return Math.max(HEARTBEAT_STEP_MS, Math.floor(ms / HEARTBEAT_STEP_MS) * HEARTBEAT_STEP_MS);
}
