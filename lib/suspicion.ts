/**
 * What a node does at signs that a member crashed, its own and others': it looks for itself.
 *
 *     refused once         look again at once
 *     refused twice        charge the member (see charges.ts)
 *     charged by a caller  look, unless there are witnesses enough
 *     hung up on           a few of all who see it look
 *     not believed         ask the member itself (see belief.ts)
 *
 * A look is an exchange out of turn: whoever reaches the member brings back a later heartbeat, which clears it
 * everywhere.
 *
 * @module
 */
import type { Pace } from "./pace.ts";
import type { Replica } from "./replica.ts";
import { isUp, type Row } from "./table.ts";

/** A second refusal counts within this many intervals of the first; a single one may be a restart's. */
const AGAIN_INTERVALS = 2;

/** Expected number of nodes that look when a member closes its connections: a few more than witnesses are needed. */
const HANG_UP_LOOKS = 5;

/**
 * Looks per interval that others' words cause: enough for every witness of a rack's crash, as all who are told share
 * in them, and few for a stranger who makes nodes call addresses of his choice.
 */
const LOOKS_MAX = 8;

export interface SuspicionOptions {
  readonly id: string;
  readonly pace: Pick<Pace, "intervalMs" | "longestIntervalMs">;
  readonly random: () => number;
  readonly replica: Replica;
}

export class Suspicion {
  readonly #options: SuspicionOptions;
  readonly #refusedAtMs = new Map<string, number>();
  /** Looks at others' words in the interval that began at `#sinceMs`. */
  #looks = 0;
  #sinceMs = -Infinity;

  constructor(options: SuspicionOptions) {
    this.#options = options;
  }

  /** Takes a refusal by a member: look again, or it is charged now, which is news. */
  refused(row: Row, nowMs: number): "look" | "charged" | undefined {
    const { replica, pace } = this.#options;
    const { id } = row;
    // A Go node's heartbeats are stamps of others: no charge can be held against them.
    if (row.boot === "" || !this.#mayRun(row, nowMs)) return;
    if (replica.evidence.charges.distrusts(id, nowMs)) return;
    const before = this.#refusedAtMs.get(id);
    this.#refusedAtMs.set(id, nowMs);
    const windowMs = AGAIN_INTERVALS * pace.longestIntervalMs;
    const again = before !== undefined && nowMs - before <= windowMs;
    if (!again) return "look";
    return replica.testimony.charge(row, nowMs) ? "charged" : undefined;
  }

  answered(id: string): void {
    this.#refusedAtMs.delete(id);
  }

  /** Selects the members to look at among those that a caller charges, the first ones if they are many. */
  atCharged(charged: Iterable<Row>, nowMs: number): Row[] {
    const { id, replica } = this.#options;
    const looks: Row[] = [];
    for (const row of charged) {
      const witnesses = replica.evidence.charges.witnesses(row);
      const enough = witnesses.length >= replica.verdicts.witnessesNeeded() ||
        witnesses.includes(id);
      if (enough || !this.#mayRun(row, nowMs)) continue;
      if (!this.#mayLook(nowMs)) break;
      looks.push(row);
    }
    return looks;
  }

  /** Selects the addresses to ask among those of members whose heartbeats were not believed. */
  atDoubted(addresses: Iterable<string>, nowMs: number): string[] {
    const looks: string[] = [];
    for (const address of addresses) {
      if (!this.#mayLook(nowMs)) break;
      looks.push(address);
    }
    return looks;
  }

  #mayLook(nowMs: number): boolean {
    if (nowMs - this.#sinceMs >= this.#options.pace.intervalMs) {
      this.#sinceMs = nowMs;
      this.#looks = 0;
    }
    if (this.#looks >= LOOKS_MAX) return false;
    this.#looks++;
    return true;
  }

  /** Whether to look at a member that closed a connection: its process may have died, or may be tidying up. */
  atHangUp(row: Row, nowMs: number): boolean {
    const { random, replica } = this.#options;
    const share = HANG_UP_LOOKS / Math.max(1, replica.verdicts.liveCount - 1);
    return random() < share && this.#mayRun(row, nowMs);
  }

  /** Forgets refusals that are too old to count. */
  expire(nowMs: number): void {
    const windowMs = AGAIN_INTERVALS * this.#options.pace.longestIntervalMs;
    for (const [id, atMs] of this.#refusedAtMs) {
      if (nowMs - atMs > windowMs) this.#refusedAtMs.delete(id);
    }
  }

  #mayRun(row: Row, nowMs: number): boolean {
    const status = this.#options.replica.verdicts.statusOf(row, nowMs);
    return isUp(status) || status === "unresponsive";
  }
}
