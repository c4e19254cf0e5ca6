/**
 * What nodes say against or for a member, this one or others: checked here before it counts as evidence.
 *
 * @module
 */
import { type Accept, acceptedAt } from "./accepts.ts";
import { reachOf } from "./belief.ts";
import { type Charge, chargeUpTo } from "./charges.ts";
import type { Evidence } from "./evidence.ts";
import type { Slowness } from "./slow.ts";
import type { Row, Table } from "./table.ts";
import type { Verdicts } from "./verdicts.ts";

/** Who said something, and the running time at which it came. */
export interface Origin {
  readonly via: string;
  readonly nowMs: number;
}

export interface TestimonyOptions {
  /** This node's ID. */
  readonly id: string;
  readonly table: Table;
  readonly evidence: Evidence;
  readonly verdicts: Verdicts;
  /** Takes a charge against this node itself; true if a later heartbeat had to answer it. */
  readonly answer: (charge: Charge, nowMs: number) => boolean;
}

export class Testimony {
  readonly #options: TestimonyOptions;

  constructor(options: TestimonyOptions) {
    this.#options = options;
  }

  /** Charges a member that refused this node twice; true if that is news. */
  charge(row: Row, nowMs: number): boolean {
    const { id: witness, table } = this.#options;
    // The last survey lists who was decommissioned since, of whom nothing would ever take the charge away.
    if (table.get(row.id) !== row) return false;
    const charge = { member: row.id, witness, upTo: chargeUpTo(row, nowMs) };
    return this.#addCharge(charge, row, { via: witness, nowMs });
  }

  /** Takes another node's charge; true if it is news. */
  takeCharge(charge: Charge, origin: Origin): boolean {
    const { id, table, evidence, answer } = this.#options;
    const row = table.get(charge.member);
    if (row === undefined || charge.witness === charge.member) return false;
    if (charge.upTo > reachOf(row, origin.nowMs)) return false;
    if (row.id === id) return answer(charge, origin.nowMs);
    // A member dead by its age needs no charge, and each would be news again at its return.
    if (row.heartbeat === 0 || evidence.isSettled(row, origin.nowMs)) return false;
    return this.#addCharge(charge, row, origin);
  }

  #addCharge(charge: Charge, row: Row, { via, nowMs }: Origin): boolean {
    const { evidence, verdicts } = this.#options;
    const news = evidence.charges.add(charge, row, nowMs);
    if (news) verdicts.touchId(row.id, via);
    return news;
  }

  /** Notes that a member accepted a connection and did not answer; true if others should know at once. */
  accepted(row: Row, nowMs: number): boolean {
    const { id } = this.#options;
    const accept = { member: row.id, witness: id, at: acceptedAt(row, nowMs) };
    return this.takeAccept(accept, { via: id, nowMs });
  }

  /** Takes evidence that a member's host accepts connections; true if others should know at once. */
  takeAccept(accept: Accept, { via, nowMs }: Origin): boolean {
    const { id, table, evidence, verdicts } = this.#options;
    const row = table.get(accept.member);
    // A Go node's heartbeats are stamps of others; this node knows of itself.
    if (row === undefined || row.boot === "" || row.left !== "" || row.id === id) return false;
    // No clock is trusted further than it is known: evidence must lapse.
    const at = Math.min(accept.at, acceptedAt(row, nowMs));
    if (!evidence.accepts.add({ ...accept, at }, row, nowMs)) return false;
    verdicts.touchId(row.id, via);
    return evidence.isSuspect(row, nowMs);
  }

  /** Takes what a slow member says of its rounds. */
  takeSlow(said: Slowness, nowMs: number): void {
    const { id, table, evidence } = this.#options;
    const row = table.get(said.member);
    if (row === undefined || row.boot === "" || row.id === id) return;
    if (said.at <= reachOf(row, nowMs)) evidence.slow.add(said, nowMs);
  }
}
