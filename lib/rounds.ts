/**
 * When the next round is, and which addresses it calls.
 *
 * @module
 */
import type { Contacts } from "./contacts.ts";
import type { Turn } from "./effects.ts";
import type { Evidence } from "./evidence.ts";
import type { Self } from "./options.ts";
import type { Pace } from "./pace.ts";
import { fanout, Partners, shuffle, URGENT_FANOUT } from "./partners.ts";
import { Reach, SILENT_MIN } from "./reach.ts";
import type { Row } from "./table.ts";

/**
 * The least time between two rounds, in ms, however urgent the news. An urgent round takes the place of the next
 * regular one. Rejected: one without heartbeats, beside it. With a join a second among 300 each node called 5.9 times a
 * second instead of 4.4, and sent a fifth more.
 */
const URGENT_GAP_MS = 200;

/**
 * The same after so many urgent rounds in a row: when all nodes of a cluster start at once, calls would take the CPU
 * that the last ones need to start. The news of a crash takes fewer rounds.
 */
const STORM_GAP_MS = 500;
const STORM_ROUNDS = 5;

/**
 * The gap doubles after as many more, up to this share of an interval: a long interval means many nodes, and a
 * thousand that start one after another would call each other without end.
 */
const STORM_GAP_SHARE = 0.5;

/**
 * The gap grows to a whole interval as rounds come up to so many ms late: on a busy host urgent calls take the CPU
 * that their answers need, until all time out. Without this, a thousand nodes on two cores never converge.
 */
const BUSY_MS = 125;

/** A round comes up to this share of an interval early or late, so that nodes do not run in step. */
const JITTER_SHARE = 0.1;

/**
 * Failed calls to live members that the next round makes up for, at most: it goes to as many more. At 30 % loss none
 * of 32 looks dead then (without, one in three hours), and without loss it costs nothing. More would be a stampede
 * when a whole rack is lost.
 */
const MADE_UP_MAX = 2;

/**
 * A round that is so many ms late means that the process starves: calls that timed out say nothing of others then, and
 * more of them would take what CPU there is.
 */
const STARVED_MS = 250;

export interface RoundsOptions extends Pick<Self, "address" | "random"> {
  readonly pace: Pick<Pace, "intervalMs" | "deadAfterMs">;
  /** The monotonic time of the first round. */
  readonly startMs: number;
}

/** Whom a round may call, and when. */
export interface RoundInput {
  /** Live members of which those to call are drawn. */
  readonly live: readonly Row[];
  /** All of them: with those that never answered (strangers.ts). */
  readonly all: readonly Row[];
  readonly hung: readonly Row[];
  readonly gone: readonly Row[];
  /** Contacts whose back-off is over. */
  readonly due: readonly string[];
  /** This node has met nobody yet. */
  readonly alone: boolean;
  readonly evidence: Evidence;
  /** Ms until this node may stamp another heartbeat: a round before would have none to tell. */
  readonly stepInMs: number;
}

export class Rounds {
  readonly #options: RoundsOptions;
  readonly #partners = new Partners();
  readonly #reach = new Reach();
  #lastMs = -Infinity;
  #nextMs: number;
  #count = 0;
  /** Urgent rounds in a row. */
  #urgent = 0;
  /** Calls to live members that failed since the last round. */
  #missed = 0;
  /** By how much the last rounds were late, `BUSY_MS` at most. */
  #lateMs = 0;

  constructor(options: RoundsOptions) {
    this.#options = options;
    this.#nextMs = options.startMs;
  }

  /** The monotonic time of the next round. */
  get nextMs(): number {
    return this.#nextMs;
  }

  /** Rounds begun. */
  get count(): number {
    return this.#count;
  }

  /** Brings the next round forward for urgent news. */
  hurry(monotonicMs: number): void {
    this.#nextMs = Math.min(
      this.#nextMs,
      Math.max(monotonicMs, this.#lastMs + this.#urgentGapMs()),
    );
  }

  #urgentGapMs(): number {
    const busyGapMs = this.#lateMs / BUSY_MS * this.#options.pace.intervalMs;
    return Math.max(this.#stormGapMs(), busyGapMs);
  }

  #stormGapMs(): number {
    if (this.#urgent < STORM_ROUNDS) return URGENT_GAP_MS;
    const doublings = Math.floor(this.#urgent / STORM_ROUNDS) - 1;
    const mostMs = Math.max(STORM_GAP_MS, STORM_GAP_SHARE * this.#options.pace.intervalMs);
    return Math.min(STORM_GAP_MS * 2 ** doublings, mostMs);
  }

  /** Brings the next round forward to when the first contact may be called again, for a node that has met nobody. */
  awaitContact(contacts: Contacts, monotonicMs: number): void {
    this.#nextMs = Math.min(this.#nextMs, contacts.nextDueMs(monotonicMs));
  }

  /** Brings the next round forward to now: a node that has just joined is news to all. */
  now(monotonicMs: number): void {
    this.#nextMs = monotonicMs;
  }

  /** Notes that a call to a live member failed: the next round goes to one more. */
  missed(id: string, why: { readonly refused: boolean; readonly nowMs: number }): void {
    this.#missed++;
    if (!why.refused) this.#reach.silent(id, why.nowMs);
  }

  /** Notes that a member was heard directly. */
  heard(id: string): void {
    this.#reach.heard(id);
  }

  /** Notes that a member became live: it takes its place in the deck. */
  admit(id: string): void {
    this.#partners.admit(id, this.#options.random);
  }

  /** Begins a round, sets the time of the next, and returns the addresses to call. */
  begin({ now: { monotonicMs }, nowMs, effects }: Turn, input: RoundInput): Set<string> {
    const { address, pace: { intervalMs, deadAfterMs }, random } = this.#options;
    const { live, hung, gone, due, alone, evidence } = input;
    const regular = fanout(live.length + 1);
    const urgent = monotonicMs - this.#lastMs < intervalMs * (1 - JITTER_SHARE);
    const lateMs = this.#noteLateness(monotonicMs);
    const isStarved = lateMs > STARVED_MS;
    // A node that slept for an interval or longer missed much, and looks for it.
    const asksMore = !isStarved || lateMs >= intervalMs;
    const missed = asksMore ? Math.min(this.#missed, MADE_UP_MAX) : 0;
    const found = this.#reach.begin(nowMs - deadAfterMs);
    const search = isStarved ? 0 : found;
    const strangers = search === 0 ? [] : this.#strangersFor(search, input);
    const chosen = this.#partners.choose({
      live,
      hung,
      gone,
      ownAddress: address,
      fanout: (urgent ? Math.max(regular, URGENT_FANOUT) : regular) +
        Math.max(missed, search - strangers.length),
      isSilent: (id) => this.#reach.isSilent(id),
      isSuspect: (row) => asksMore && evidence.isSuspect(row, nowMs),
      lookShare: (row) =>
        evidence.accepts.lookShare(row, { callers: live.length + 1, nowMs, intervalMs }),
      random,
    });
    for (const { address } of strangers) chosen.add(address);
    for (const contact of due) chosen.add(contact);
    this.#urgent = urgent && !alone ? this.#urgent + 1 : 0;
    this.#missed = 0;
    this.#count++;
    effects.push({ kind: "round", lateMs });
    this.#scheduleNext(monotonicMs, input.stepInMs);
    return chosen;
  }

  /** By how much the round that begins is late, in ms. */
  #noteLateness(monotonicMs: number): number {
    const lateMs = monotonicMs - this.#nextMs;
    // It halves, as one round may be on time by luck. It is bounded, so that a host that slept soon hurries again.
    this.#lateMs = Math.max(Math.min(lateMs, BUSY_MS), this.#lateMs / 2);
    return lateMs;
  }

  #scheduleNext(monotonicMs: number, stepInMs: number): void {
    const { pace: { intervalMs }, random } = this.#options;
    const pauseMs = intervalMs * (1 + JITTER_SHARE * (2 * random() - 1));
    this.#lastMs = monotonicMs;
    this.#nextMs = monotonicMs + Math.max(pauseMs, stepInMs);
  }

  /**
   * Those of a search who never answered, by their share: a node that is cut off while young knows few others. Only
   * where members that answered are silent now, and not just one that never did: made-up members never answer.
   */
  #strangersFor(search: number, { live, all }: Pick<RoundInput, "live" | "all">): Row[] {
    const isSilent = ({ id }: Row) => this.#reach.isSilent(id);
    if (live.filter(isSilent).length < SILENT_MIN) return [];
    const open = all.filter((row) => !isSilent(row));
    const answered = new Set(live);
    const strangers = open.filter((row) => !answered.has(row));
    const share = strangers.length / Math.max(1, open.length);
    return shuffle(strangers, this.#options.random).slice(0, Math.round(search * share));
  }
}
