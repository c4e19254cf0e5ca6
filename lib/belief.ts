/**
 * What this node believes when somebody tells it a member's heartbeat. Heartbeat plus age is what the member's clock
 * shows now: as the teller knows it, and as this node knows it from its own row. Between honest nodes the two differ by
 * the time that messages take. A claim far ahead is dangerous: nothing the member says counts until its clock has
 * passed the claim, so a live member would be shown dead.
 *
 *     up to a minute ahead                     believed
 *     further, of a member that is live        only if the member itself answers so: it is asked
 *     further, of any other                    believed up to the year 3000
 *
 * So a member whose clock was set forward, or that restarts with another clock, is believed after one answer of its
 * own, or when it is no longer live here. A stranger can lie by a minute at most, and then the member hears of it
 * within a round or two and jumps past it.
 *
 * Rejected: comparing with this node's own clock. Clocks of honest nodes are years off where a machine starts without
 * one.
 *
 * @module
 */
import { ageOf, type Row } from "./table.ts";

/**
 * How far ahead of the known clock a claim may be, in ms. Ages are underestimated by the time that messages take, 5 s
 * a hop at most, and of a few hops.
 */
export const CLOCK_SLACK_MS = 60_000;

/**
 * The latest heartbeat believed without an answer: the year 3000. Above it is room for members to pass what was
 * claimed of them, a minute a claim.
 */
export const HEARSAY_MAX_MS = 32_503_680_000_000;

/** A claim about a member: the heartbeat and its age. */
export interface Beat {
  readonly heartbeat: number;
  readonly ageMs: number;
}

/** The latest stamp that is believed without an answer, of a member's clock as its row tells it. */
export function reachOf(row: Row, nowMs: number): number {
  return row.heartbeat + ageOf(row, nowMs) + CLOCK_SLACK_MS;
}

/**
 * Whether a claim of `clockMs` (heartbeat plus age) is as near to the known clock as honest ones are. `missedMs`:
 * lately this node did not run for so long, so that all clocks may be that much further than it knows.
 */
export function isNear(
  row: Row,
  clockMs: number,
  at: { nowMs: number; missedMs: number },
): boolean {
  return row.heartbeat > 0 && clockMs <= reachOf(row, at.nowMs) + at.missedMs;
}

/** Whether a claim that is not near is believed all the same. */
export function isBelieved(
  heartbeat: number,
  { isAnswer, isLive }: { isAnswer: boolean; isLive: boolean },
): boolean {
  return isAnswer || (heartbeat <= HEARSAY_MAX_MS && !isLive);
}
