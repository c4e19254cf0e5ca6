/**
 * This node's own heartbeat: stamps that grow strictly, at the pace of true time, whatever the wall clock does.
 *
 * @module
 */
import type { Moment } from "./clock.ts";
import { HEARTBEAT_MAX_MS, HEARTBEAT_STEP_MS } from "./limits.ts";

export class Pulse {
  #heartbeat = 0;
  #beatAtMs = -Infinity;

  /** The last stamp, in ms since the epoch by this node's clock. */
  get heartbeat(): number {
    return this.#heartbeat;
  }

  /**
   * Stamps a heartbeat, at most one each tenth of a second: the wall clock's tenth, or the last stamp plus the time
   * since, if that is later. False if it is too soon.
   *
   * Growing by the time since, not by one step, keeps stamp plus age this node's clock, which charges rely on.
   */
  beat(now: Moment): boolean {
    const sinceMs = now.monotonicMs - this.#beatAtMs;
    if (sinceMs < HEARTBEAT_STEP_MS) return false;
    const paceMs = this.#heartbeat === 0 ? 0 : floorStep(sinceMs);
    this.#stamp(Math.max(floorStep(now.wallMs), this.#heartbeat + paceMs));
    this.#beatAtMs = now.monotonicMs;
    return true;
  }

  /** Jumps past `stamp`, which others hold against this node: a former life's heartbeat, or a charge. */
  jumpPast(stamp: number): void {
    if (stamp >= this.#heartbeat) this.#stamp(stamp + HEARTBEAT_STEP_MS);
  }

  #stamp(heartbeat: number): void {
    this.#heartbeat = Math.min(heartbeat, HEARTBEAT_MAX_MS);
  }
}

/** The whole step at or before `ms`; a clock before the epoch counts as the first step. */
export function floorStep(ms: number): number {
  return Math.max(HEARTBEAT_STEP_MS, Math.floor(ms / HEARTBEAT_STEP_MS) * HEARTBEAT_STEP_MS);
}
