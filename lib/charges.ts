/**
 * Crash evidence: who found a member's port closed, and up to which heartbeat that counts.
 *
 * Over TCP "connection refused" is not silence: the host is up and the process is gone. A node that is refused twice
 * running charges the member: "it made no heartbeat later than this stamp". With enough witnesses, none contradicted
 * by a later heartbeat, the member is dead without waiting for dead-after.
 *
 * A charge names a stamp on the member's own clock: the heartbeat that the witness knew plus its age. So it covers
 * heartbeats made before the refusal that are still on their way, is void once a later one arrives, and can be
 * replayed without effect. The greatest stamp of each witness counts, so charges merge as rows do.
 *
 * Rejected: charging the very heartbeat that the witness knew. In a cluster of 64 the last heartbeats of a killed
 * process spread for seconds, and each would wipe out the evidence gathered against the one before.
 *
 * @module
 */
import { HEARTBEAT_STEP_MS } from "./limits.ts";
import { ageOf, type Row } from "./table.ts";

/**
 * Witnesses needed to convict, where the cluster has as many other members: one or two firewalls cannot make a live
 * member look dead.
 */
export const WITNESSES_NEEDED = 3;

/** Witnesses kept per member: a few more than needed, as some may be withdrawn. */
export const WITNESSES_MAX = 8;

/** Members charged at one time; a larger mass failure is left to dead-after. */
export const CHARGED_MAX = 1_024;

/**
 * Charges in one message: those of a rack of ten or of twenty, and 5 KB. More travel in the next ones, as those that
 * nobody needs any more are void; a stranger who charges everybody makes nobody send much.
 */
export const CHARGES_TOLD_MAX = 64;

/**
 * For how long, in ms, refusals of a member are ignored after one was contradicted: it was a firewall's, not a
 * crash's.
 */
export const DISTRUST_MS = 600_000;

/**
 * Added to the stamp that a witness charges up to, in ms. Ages are rounded down at each hop, so the member's clock is
 * underestimated, and its last heartbeat, still on its way, would pass for one made after the refusal. A member that
 * runs is cleared this much later.
 */
const CHARGE_SLACK_MS = 500;

/** One member's charges, as they travel. */
export interface Charge {
  readonly member: string;
  readonly witness: string;
  /** The member made no heartbeat later than this stamp, by its own clock. */
  readonly upTo: number;
}

export class Charges {
  readonly #byMember = new Map<string, Map<string, number>>();
  readonly #distrustedUntilMs = new Map<string, number>();

  /** Whether no member is charged: the steady state then skips all else. */
  get empty(): boolean {
    return this.#byMember.size === 0;
  }

  /** Merges a charge; true if it is news that counts against `row` at `nowMs`. */
  add(charge: Charge, row: Row, nowMs: number): boolean {
    if (charge.upTo < row.heartbeat || this.distrusts(row.id, nowMs)) return false;
    let witnesses = this.#byMember.get(row.id);
    if (witnesses === undefined) {
      if (this.#byMember.size >= CHARGED_MAX) return false;
      this.#byMember.set(row.id, witnesses = new Map());
    }
    const known = witnesses.get(charge.witness);
    if (known === undefined && witnesses.size >= WITNESSES_MAX) return false;
    if (known !== undefined && known >= charge.upTo) return false;
    // Deleted first, so that the latest come last.
    witnesses.delete(charge.witness);
    witnesses.set(charge.witness, charge.upTo);
    const isNews = known === undefined || known < row.heartbeat;
    if (isNews) {
      this.#byMember.delete(row.id);
      this.#byMember.set(row.id, witnesses);
    }
    return isNews;
  }

  /** The witnesses whose charges hold against the member's heartbeat. */
  witnesses(row: Row): string[] {
    const witnesses = this.#byMember.get(row.id);
    if (witnesses === undefined) return [];
    const standing = [];
    for (const [witness, upTo] of witnesses) if (upTo >= row.heartbeat) standing.push(witness);
    return standing;
  }

  isCharged(id: string): boolean {
    return this.#byMember.has(id);
  }

  /** IDs of those charged. */
  members(): Iterable<string> {
    return this.#byMember.keys();
  }

  /**
   * Drops the charges that a later heartbeat of the member voids; true if none is left, so the member is cleared.
   * Unless it `restarted`, the refusals were a firewall's and are ignored for the next ten minutes. Heard `direct`ly,
   * the heartbeat is proof without slack: the member itself has just spoken.
   */
  answer(row: Row, how: { restarted: boolean; direct: boolean }, nowMs: number): boolean {
    const witnesses = this.#byMember.get(row.id);
    if (witnesses === undefined) return false;
    const slackMs = how.direct ? CHARGE_SLACK_MS : 0;
    for (const [witness, upTo] of witnesses) {
      if (upTo - slackMs < row.heartbeat) witnesses.delete(witness);
    }
    if (witnesses.size > 0) return false;
    this.#byMember.delete(row.id);
    if (!how.restarted) this.#distrustedUntilMs.set(row.id, nowMs + DISTRUST_MS);
    return true;
  }

  /** Whether refusals of a member count for nothing now: it beat after charges, so a firewall may have refused. */
  distrusts(id: string, nowMs: number): boolean {
    const untilMs = this.#distrustedUntilMs.get(id);
    if (untilMs === undefined) return false;
    if (nowMs < untilMs) return true;
    this.#distrustedUntilMs.delete(id);
    return false;
  }

  /** Forgets a member that is decommissioned, left, or dead by its age: charges add nothing then. */
  drop(id: string): void {
    this.#byMember.delete(id);
  }

  /** Forgets all about a member that is no longer in the table. */
  forget(id: string): void {
    this.#byMember.delete(id);
    this.#distrustedUntilMs.delete(id);
  }

  /**
   * The charges to send along: first those of `witness`, the sender, which make others look, then those it was told;
   * each the latest first.
   */
  toSend(witness: string): Charge[] {
    const own: Charge[] = [];
    const others: Charge[] = [];
    for (const charge of [...this.list()].reverse()) {
      (charge.witness === witness ? own : others).push(charge);
    }
    return [...own, ...others].slice(0, CHARGES_TOLD_MAX);
  }

  /** All charges, those of the member charged last at the end. */
  *list(): Iterable<Charge> {
    for (const [member, witnesses] of this.#byMember) {
      for (const [witness, upTo] of witnesses) yield { member, witness, upTo };
    }
  }
}

/** The stamp up to which a witness charges: the member's own clock at the refusal. */
export function chargeUpTo(row: Pick<Row, "heartbeat" | "heardAtMs">, nowMs: number): number {
  const ageMs = ageOf(row, nowMs) + CHARGE_SLACK_MS;
  return row.heartbeat + ageMs - ageMs % HEARTBEAT_STEP_MS;
}

/** How many witnesses convict, given how many other members are live. */
export function witnessesNeeded(othersLive: number): number {
  return Math.max(1, Math.min(WITNESSES_NEEDED, othersLive));
}

/**
 * The least age, in intervals, of a heartbeat that witnesses can overrule. A running member beats every interval, so
 * a younger one may just not have been heard yet. With fewer than three witnesses the refusals may all be one
 * firewall's, and the member's own calls may be lost: the margin is wider then.
 */
export function convictionAgeIntervals(needed: number): number {
  return needed >= WITNESSES_NEEDED ? 1.25 : needed === 2 ? 3 : 4;
}
