/**
 * All that tells a crash, a hang and a slow process apart, and what it makes of a member's silence.
 *
 *     heard within dead-after, or as long as a slow member said        live; failing, if it says so (about.ts)
 *     refused by three witnesses (charges.ts)                          dead, at once
 *     silent for longer, and its host accepts connections (accepts.ts) unresponsive
 *     silent for longer                                                dead
 *
 * @module
 */
import { Accepts } from "./accepts.ts";
import type { Beat } from "./belief.ts";
import { Charges, convictionAgeIntervals } from "./charges.ts";
import { endOf } from "./ends.ts";
import type { Pace } from "./pace.ts";
import { SlowMembers, type SlowPace } from "./slow.ts";
import { ageOf, isUp, type Row, type Status, statusWhileUp } from "./table.ts";
import { inWords } from "./text.ts";

/** A silence longer than this share of what is allowed makes its member a suspect: there is time left to look. */
export const SUSPECT_SHARE = 0.6;

/** The same where heartbeats take longer than that to spread, at most: a lost member is called before it looks dead. */
const SUSPECT_SHARE_MAX = 0.9;

/**
 * A heartbeat older than this share of what its member may be silent is late. There are rounds left to ask for it: with
 * 0.6 some were not enough where 10 % of messages are lost.
 */
const LATE_SHARE = 0.5;

export interface EvidenceOptions {
  readonly pace: SlowPace & Pick<Pace, "intervalMs" | "longestIntervalMs" | "shortDeadAfterMs">;
  /**
   * How much older than its making a heartbeat may look at an interval, in ms: the step of heartbeats in a cluster of
   * many.
   */
  readonly graceMs?: (intervalMs: number) => number;
  /** How long the heartbeat of a live member may take to get here, in ms. */
  readonly spreadMs?: () => number;
}

/** What a verdict takes besides the row. */
export interface Standing {
  readonly nowMs: number;
  /** Witnesses that convict. */
  readonly witnessesNeeded: number;
  /** It is shown dead: charges that cover its heartbeats keep it so. */
  readonly isShownDead: boolean;
  /** It is shown dead or unresponsive: no longer patience brings it back, but a young heartbeat. */
  readonly isShownSilent?: boolean;
}

export class Evidence {
  readonly charges = new Charges();
  readonly accepts: Accepts;
  readonly slow: SlowMembers;
  readonly #pace: EvidenceOptions["pace"];
  readonly #graceAtMs: (intervalMs: number) => number;
  readonly #spreadMs: () => number;

  constructor(options: EvidenceOptions) {
    const { pace, graceMs = () => 0, spreadMs = () => 0 } = options;
    this.#pace = pace;
    this.#graceAtMs = graceMs;
    this.#spreadMs = spreadMs;
    this.accepts = new Accepts(pace);
    this.slow = new SlowMembers(pace);
  }

  /** What a member is now, without regard to what this node itself missed (see verdicts.ts). */
  statusOf(row: Row, standing: Standing): Status {
    const { nowMs } = standing;
    if (row.left !== "") return endOf(row.left).status;
    if (row.heartbeat === 0) return "unknown";
    if (this.#convicts(row, standing)) return "dead";
    const isSilent = standing.isShownSilent
      ? ageOf(row, nowMs) > this.#shortSilenceMs(row)
      : this.isSilent(row, nowMs);
    if (!isSilent) {
      return this.slow.isStarved(row.id) ? "unresponsive" : statusWhileUp(row);
    }
    return this.accepts.holds(row, nowMs) ? "unresponsive" : "dead";
  }

  /** How old the last heartbeat of a live member may look, in ms. */
  silenceMs(row: Pick<Row, "id" | "heartbeat">): number {
    return this.slow.silenceMs(row) + this.#graceMs;
  }

  /** The same of a member that is shown silent: by the shorter pace, while two hold. */
  #shortSilenceMs(row: Row): number {
    const { shortDeadAfterMs: deadAfterMs, intervalMs } = this.#pace;
    return this.slow.silenceMs(row, { deadAfterMs }) + this.#graceAtMs(intervalMs);
  }

  get #graceMs(): number {
    return this.#graceAtMs(this.#pace.longestIntervalMs);
  }

  /** How old it may look of a member of whom nothing is known here. */
  get usualSilenceMs(): number {
    return this.#pace.deadAfterMs + this.#graceMs;
  }

  /** IDs of members of whom anything is known here. */
  *members(): Iterable<string> {
    yield* this.charges.members();
    yield* this.accepts.members();
    yield* this.slow.members();
  }

  /** Whether anything is known here of a member. */
  has(id: string): boolean {
    return this.charges.isCharged(id) || this.accepts.has(id) || this.slow.has(id);
  }

  /** Whether a member was silent for longer than it may be. */
  isSilent(row: Row, nowMs: number): boolean {
    return ageOf(row, nowMs) > this.silenceMs(row);
  }

  /** Whether a member's heartbeat is late, though it may be on its way. */
  isLate(row: Row, nowMs: number): boolean {
    return ageOf(row, nowMs) > LATE_SHARE * this.silenceMs(row);
  }

  /** Whether a member is on the way there. */
  isSuspect(row: Row, nowMs: number): boolean {
    const silenceMs = this.slow.silenceMs(row);
    const [ageMs, graceMs] = [ageOf(row, nowMs), this.#graceMs];
    // Most are younger, and need not be held against how long heartbeats spread.
    if (ageMs <= SUSPECT_SHARE * silenceMs + graceMs) return false;
    return ageMs > Math.min(this.#spreadMs(), SUSPECT_SHARE_MAX * silenceMs) + graceMs;
  }

  /** Whether nothing but a heartbeat can change what is shown of a silent member. */
  isSettled(row: Row, nowMs: number): boolean {
    return row.left !== "" || (this.isSilent(row, nowMs) && !this.accepts.has(row.id));
  }

  /** The running time at which the status of a member may next change by itself; Infinity if it cannot. */
  dueMs(row: Row, status: Status, at: Pick<Standing, "nowMs" | "witnessesNeeded">): number {
    const { nowMs, witnessesNeeded } = at;
    const silentMs = row.heardAtMs + this.silenceMs(row);
    if (status === "unresponsive") {
      const lapsesMs = this.accepts.lapsesMs(row, nowMs);
      return this.slow.isStarved(row.id) ? Math.max(silentMs, lapsesMs) : lapsesMs;
    }
    if (!isUp(status)) return Infinity;
    if (!this.charges.isCharged(row.id)) return silentMs;
    const convictableMs = row.heardAtMs + this.#convictionAgeMs(witnessesNeeded);
    return convictableMs >= nowMs ? Math.min(silentMs, convictableMs) : silentMs;
  }

  /** Takes a heartbeat before the member's row does: it can end a silence. Another `boot` is another process. */
  hears(row: Row | undefined, told: Beat & Pick<Row, "boot">, nowMs: number): void {
    if (row === undefined || !this.isInQuestion(row.id)) return;
    if (told.heartbeat <= row.heartbeat) return;
    // Another process, or one that was shown dead: its first heartbeat is a return.
    if (told.boot !== row.boot || !this.accepts.has(row.id) && this.isSilent(row, nowMs)) {
      return this.slow.recovered(row.id);
    }
    // Between the two heartbeats: one that comes late, as out of a state file, ends no silence.
    const gapMs = ageOf(row, nowMs) - told.ageMs;
    if (gapMs > this.silenceMs(row) && this.accepts.has(row.id)) {
      this.slow.ended(row, gapMs, told.heartbeat);
    } else this.slow.beats(row, told.heartbeat);
  }

  /** Whether the next heartbeat of a member says more than that it is live. */
  isInQuestion(id: string): boolean {
    return this.accepts.has(id) || this.slow.isStarved(id);
  }

  /** Drops what counts no more. */
  expire(row: Row, nowMs: number): void {
    this.accepts.expire(row, nowMs);
    this.slow.expire(row);
    if (this.isSettled(row, nowMs)) this.charges.drop(row.id);
  }

  /** Why a member is dead, in words. */
  whyDead(row: Row, standing: Standing): string {
    return this.#convicts(row, standing)
      ? `connection refused, witnessed by ${inWords(this.charges.witnesses(row))}`
      : `no heartbeat for ${(ageOf(row, standing.nowMs) / 1000).toFixed(1)} s`;
  }

  /** Why a member is unresponsive, in words. */
  whyUnresponsive(row: Row): string {
    const witnesses = inWords(this.accepts.witnesses(row));
    if (witnesses === "") return "beats too seldom to be live";
    return `accepts connections and does not answer, seen by ${witnesses}`;
  }

  forget(id: string): void {
    this.charges.forget(id);
    this.accepts.forget(id);
    this.slow.forget(id);
  }

  #convicts(row: Row, { nowMs, witnessesNeeded, isShownDead }: Standing): boolean {
    const { charges } = this;
    if (!charges.isCharged(row.id)) return false;
    if (charges.witnesses(row).length < witnessesNeeded) return false;
    // Heartbeats made before the crash still spread: those that the charges cover must not show the dead as live
    // again.
    return isShownDead || ageOf(row, nowMs) > this.#convictionAgeMs(witnessesNeeded);
  }

  #convictionAgeMs(witnessesNeeded: number): number {
    const { longestIntervalMs } = this.#pace;
    return convictionAgeIntervals(witnessesNeeded) * longestIntervalMs + this.#graceMs;
  }
}
