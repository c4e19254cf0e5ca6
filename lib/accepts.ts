/**
 * Sick or gone: who found that a silent member's host still accepts connections, and when.
 *
 * The kernel of a hung or starved process goes on accepting connections on its port; that of a lost host does not. So
 * a call that opened a new connection and got no answer is evidence that the process exists: while it lasts, a member
 * silent for dead-after is `unresponsive`, and `dead` once it lapses.
 *
 * The evidence is a stamp on the member's own clock, as a charge is (see charges.ts): its heartbeat plus its age when
 * the connection opened. A later heartbeat voids it, and an old message cannot renew it. It is told only while the
 * member is silent, so a healthy cluster pays nothing.
 *
 * What waits in front of a process, such as a load balancer, accepts for it: then nobody can tell that it is gone.
 *
 * @module
 */
import { HEARTBEAT_STEP_MS } from "./limits.ts";
import type { Pace } from "./pace.ts";
import { ageOf, type Row } from "./table.ts";

/** Members with evidence at one time; a greater mass of hung hosts is shown dead. */
export const ACCEPTED_MAX = 1_024;

/** Witnesses kept per member, the latest: as many as a log line names. */
export const ACCEPT_WITNESSES_MAX = 3;

/** Entries in one message: 5 KB. Others travel in the next ones. */
export const ACCEPTS_TOLD_MAX = 64;

/**
 * Evidence lapses after so many dead-afters: a look takes up to an interval, and its news two more to reach all, so
 * one dead-after left some without it in time.
 */
const LAPSE_DEAD_AFTERS = 2;

/**
 * Or after this share of the silence, if that is longer: so a process that hangs for a day is called some hundred times
 * by the whole cluster. Each call takes a place in its accept queue, of some hundred, until it runs again.
 */
const LAPSE_SHARE = 1 / 4;

/** The longest lapse, in ms: that late it is known that the host of a process that hung for hours is lost. */
const LAPSE_MAX_MS = 900_000;

/** Looks are due once evidence is older than this share of its lapse. */
const LOOK_SHARE = 1 / 4;

/** Looks expected from the whole cluster in the rest of the lapse: one in a thousand has none in its first half. */
const LOOKS = 12;

/** That a member's host accepted a connection, as it travels. */
export interface Accept {
  readonly member: string;
  readonly witness: string;
  /** What the member's clock showed then. */
  readonly at: number;
}

export class Accepts {
  readonly #pace: Pick<Pace, "deadAfterMs">;
  /** By member, then witness; the latest witness last. */
  readonly #byMember = new Map<string, Map<string, number>>();

  constructor(pace: Pick<Pace, "deadAfterMs">) {
    this.#pace = pace;
  }

  get empty(): boolean {
    return this.#byMember.size === 0;
  }

  /** Whether anything is known of a member, even if it lapsed. */
  has(id: string): boolean {
    return this.#byMember.has(id);
  }

  /** IDs of members of whom anything is known. */
  members(): Iterable<string> {
    return this.#byMember.keys();
  }

  /** Merges evidence about `row`; true if it is the first that holds. */
  add({ witness, at }: Accept, row: Row, nowMs: number): boolean {
    if (at <= row.heartbeat) return false;
    const isFirst = !this.holds(row, nowMs);
    let witnesses = this.#byMember.get(row.id);
    if (witnesses === undefined) {
      if (this.#byMember.size >= ACCEPTED_MAX) return false;
      this.#byMember.set(row.id, witnesses = new Map());
    }
    if ((witnesses.get(witness) ?? 0) >= at) return false;
    witnesses.set(witness, at);
    const latest = [...witnesses].sort(([, a], [, b]) => a - b).slice(-ACCEPT_WITNESSES_MAX);
    this.#byMember.set(row.id, new Map(latest));
    return isFirst && this.holds(row, nowMs);
  }

  /** Whether evidence holds: it is later than the member's heartbeat, and has not lapsed. */
  holds(row: Row, nowMs: number): boolean {
    return this.lapsesMs(row, nowMs) > nowMs;
  }

  /** The running time at which the evidence lapses, if no more comes; -Infinity without any. */
  lapsesMs(row: Row, nowMs: number): number {
    const latest = this.#latest(row);
    return latest === undefined
      ? -Infinity
      : row.heardAtMs + (latest - row.heartbeat) + this.#lapseMs(row, nowMs);
  }

  /** The witnesses of a silent member, for people. */
  witnesses(row: Row): string[] {
    return [...this.#byMember.get(row.id) ?? []]
      .filter(([, at]) => at > row.heartbeat).map(([witness]) => witness);
  }

  /** Each caller's chance, in one round, to look at an unresponsive member whose evidence gets old. */
  lookShare(row: Row, at: { callers: number; nowMs: number; intervalMs: number }): number {
    const lapseMs = this.#lapseMs(row, at.nowMs);
    const restMs = this.lapsesMs(row, at.nowMs) - at.nowMs;
    if (restMs > (1 - LOOK_SHARE) * lapseMs) return 0;
    const rounds = Math.max(1, (1 - LOOK_SHARE) * lapseMs / at.intervalMs);
    return LOOKS / rounds / at.callers;
  }

  /** Drops what a later heartbeat voids, and what lapsed. */
  expire(row: Row, nowMs: number): void {
    if (this.#byMember.has(row.id) && !this.holds(row, nowMs)) this.forget(row.id);
  }

  forget(id: string): void {
    this.#byMember.delete(id);
  }

  /** The entries to send along about members that are silent. */
  toSend(isSilent: (id: string) => boolean): Accept[] {
    const told: Accept[] = [];
    for (const [member, witnesses] of this.#byMember) {
      if (!isSilent(member)) continue;
      for (const [witness, at] of witnesses) told.push({ member, witness, at });
      if (told.length >= ACCEPTS_TOLD_MAX) break;
    }
    return told.slice(0, ACCEPTS_TOLD_MAX);
  }

  #latest(row: Row): number | undefined {
    const witnesses = this.#byMember.get(row.id);
    if (witnesses === undefined) return undefined;
    const latest = Math.max(...witnesses.values());
    return latest > row.heartbeat ? latest : undefined;
  }

  #lapseMs(row: Row, nowMs: number): number {
    const longMs = Math.min(LAPSE_SHARE * ageOf(row, nowMs), LAPSE_MAX_MS);
    return Math.max(LAPSE_DEAD_AFTERS * this.#pace.deadAfterMs, longMs);
  }
}

/** The stamp of evidence found `nowMs`: what the member's clock shows, as far as its row tells. */
export function acceptedAt(row: Row, nowMs: number): number {
  const ageMs = ageOf(row, nowMs);
  return row.heartbeat + ageMs - ageMs % HEARTBEAT_STEP_MS;
}
