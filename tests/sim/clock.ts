import type { Moment } from "../../lib/clock.ts";

/** How a host's clocks differ from true time. */
export interface ClockFault {
  /** Seconds the monotonic clock counts in a true second. */
  readonly rate: number;
  /** The wall clock's error at the start, and the seconds it counts in a true second (0: it stands). */
  readonly wallSkewMs: number;
  readonly wallRate: number;
}

export const EXACT_CLOCK: ClockFault = { rate: 1, wallSkewMs: 0, wallRate: 1 };

/** True time 0 by an exact wall clock: 2026-01-01. */
const EPOCH_MS = 1_767_225_600_000;

/** The two clocks of one host, read off true time. */
export class HostClock {
  readonly #fault: ClockFault;
  readonly #startMs: number;
  #wallStepMs = 0;
  #lostMs = 0;
  #wasSetForward = false;

  constructor(fault: ClockFault, startMs: number) {
    this.#fault = fault;
    this.#startMs = startMs;
  }

  moment(trueMs: number): Moment {
    const { wallSkewMs, wallRate } = this.#fault;
    const wallMs = EPOCH_MS + this.#startMs + wallSkewMs + this.#wallStepMs +
      (trueMs - this.#startMs) * wallRate;
    return { monotonicMs: this.monotonicMs(trueMs), wallMs: Math.floor(wallMs) };
  }

  monotonicMs(trueMs: number): number {
    return (trueMs - this.#startMs - this.#lostMs) * this.#fault.rate;
  }

  /** The true time at which the monotonic clock will show `monotonicMs`. */
  trueMs(monotonicMs: number): number {
    return monotonicMs / this.#fault.rate + this.#startMs + this.#lostMs;
  }

  stepWall(byMs: number): void {
    this.#wallStepMs += byMs;
    if (byMs > 0) this.#wasSetForward = true;
  }

  /** Its wall clock was set forward, or runs faster than time: stamps by it say too little of how old they are. */
  get runsAhead(): boolean {
    return this.#wasSetForward || this.#fault.wallRate > 1;
  }

  /** The machine was suspended: its monotonic clock did not count `forMs`. */
  lose(forMs: number): void {
    this.#lostMs += forMs;
  }
}
