/**
 * The roster: what is known of a member besides its age, and which of two such entries is the greater, in the order
 * that merging takes.
 *
 * @module
 */
import type { About } from "./about.ts";

/** What is known of a member, without its age. */
export interface RosterEntry {
  readonly id: string;
  /** `host:port`, or empty when only the ID is known. */
  readonly address: string;
  /** Drawn when the member's process started; empty for a Go node, which has none. */
  readonly boot: string;
  /** The member's own stamp in ms since the epoch; 0: never heard from. */
  readonly heartbeat: number;
  /** Why the member stopped as planned, announced with this heartbeat; empty while it runs. */
  readonly left: string;
  /** What the member says of itself; undefined: nothing. */
  readonly about?: About | undefined;
}

/** The total order of which merging takes the greater; the tombstone, above all, is kept apart. */
export function compare(a: RosterEntry, b: RosterEntry): number {
  if (a.heartbeat !== b.heartbeat) return a.heartbeat - b.heartbeat;
  if (a.boot !== b.boot) return a.boot < b.boot ? -1 : 1;
  if (a.address !== b.address) return a.address < b.address ? -1 : 1;
  if (a.left !== b.left) return a.left < b.left ? -1 : 1;
  const [aboutA = "", aboutB = ""] = [a.about?.text, b.about?.text];
  if (aboutA !== aboutB) return aboutA < aboutB ? -1 : 1;
  return 0;
}

/** Whether a report tells nothing of a member but a heartbeat. */
export function sameRoster(a: RosterEntry, b: RosterEntry): boolean {
  return a.address === b.address && a.boot === b.boot && a.left === b.left &&
    a.about?.text === b.about?.text && (a.heartbeat > 0) === (b.heartbeat > 0);
}

/** Whether `row` would tell the sender of `report` nothing new. */
export function covers(report: RosterEntry, row: RosterEntry): boolean {
  return report.heartbeat >= row.heartbeat && report.address === row.address &&
    report.boot === row.boot && report.left === row.left &&
    report.about?.text === row.about?.text;
}

/**
 * What the roster's hash takes of a row. A first heartbeat changes it too: from then on the columns carry the member.
 */
export function rosterKey(row: RosterEntry): string {
  const heard = row.heartbeat > 0 ? 1 : 0;
  const about = row.about === undefined ? "" : ` ${row.about.text}`;
  return `${row.id} ${row.address} ${row.boot} ${row.left} ${heard}${about}`;
}
