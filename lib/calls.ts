/**
 * The calls under way, at most one per address, and what the log should hear of them: an address is named when it
 * starts to fail, fails for another reason, and answers again, not every round; so is a peer that sends invalid
 * entries.
 *
 * @module
 */
import type { Buckets } from "./buckets.ts";
import type { Turn } from "./effects.ts";
import type { Form } from "./forms.ts";
import type { Joining } from "./joining.ts";
import { areLate, bucketsDraft, RepairPace, settlingDraft } from "./repair.ts";
import { joinDraft, otherPieces } from "./pieces.ts";
import type { Replica } from "./replica.ts";
import { Strangers } from "./strangers.ts";
import { isUp, type Row } from "./table.ts";
import { type Draft, encodeMessage, type Message } from "./wire.ts";

/** Calls under way at once; a round that finds no room leaves the rest to the next. */
const IN_FLIGHT_MAX = 64;

/**
 * Calls under way to addresses where no live member is known that ever answered: they may never do, and must leave room
 * for members (3 of the round, 8 suspects, 5 at a farewell).
 */
const STRANGERS_MAX = 48;

/** Addresses and peers whose trouble is remembered; past it, trouble is logged anew. */
const TROUBLED_MAX = 4_096;

/** Reasons logged until an address answers: refused, silent, a certificate, and one more. Some differ at each call. */
const REASONS_MAX = 4;

/**
 * What a call asks for: what is new, the parts of the roster that differ, or whatever the caller lacks, which settles
 * any difference; a node that joins, for a piece of its first table.
 */
type Asks = "news" | "parts" | "all" | "piece";

/** A node takes part with so much of its first table still to come: it waits for no lost answer. */
const PIECES_OUT_MAX = 1 / 4;

export interface Call {
  /** The member called; undefined where none is known at the address. */
  readonly id: string | undefined;
  readonly asks: Asks;
  /** Nobody who ever answered is known there. */
  readonly toStranger: boolean;
  /** The hash of this node's roster when it called. */
  readonly roster: string;
  /** The time that did not count when it called. */
  readonly uncountedMs: number;
  /** In roster order, the heartbeats that it told as ticks: an answer counts from them. */
  said?: Float64Array;
  /** The hashes of this node's parts, where it asked for the heartbeats of those that are equal. */
  parts?: Buckets;
}

/** How a call failed. */
export interface CallFailure {
  /** The host is up and the port closed. */
  readonly refused: boolean;
  /** The host accepted a new connection, and no answer came. */
  readonly accepted?: boolean;
  /** In words, for the log. */
  readonly why: string;
}

export interface CallsOptions {
  /** This node's own address, never called. */
  readonly address: string;
  readonly replica: Replica;
  /** While it is active, this node takes no part yet: it only pulls. */
  readonly joining: Joining;
}

export class Calls {
  readonly strangers = new Strangers();
  readonly #options: CallsOptions;
  readonly #underWay = new Map<string, Call>();
  readonly #callAgain = new Set<string>();
  readonly #repairs = new RepairPace();
  /** With the reasons that were logged. */
  readonly #troubled = new Map<string, string[]>();
  #toStrangers = 0;
  /** Pieces of the first table that this node asked for. */
  #pieces = 0;

  constructor(options: CallsOptions) {
    this.#options = options;
  }

  /** Pushes what is new to each address; before this node takes part it asks for all rows instead. */
  push(turn: Turn, addresses: Iterable<string>): void {
    const { replica, joining } = this.#options;
    const full = joining.active;
    // Whoever is called now would send a first piece once more.
    if (full && this.isPulling) return;
    const asks = full ? "all" : "news";
    const bodies: { [form in Form]?: string } = {};
    let said: Float64Array | undefined;
    for (const to of addresses) {
      if (!this.#start(to, asks)) continue;
      const call = this.#underWay.get(to)!;
      const form = replica.forms.next(call.id);
      if (form === "ticks") call.said = said ??= this.#heartbeats();
      const body = bodies[form] ??= encodeMessage(
        full ? joinDraft(replica) : replica.draft(turn.nowMs, form),
      );
      turn.effects.push({ kind: "exchange", to, body });
    }
  }

  /** Pushes what must not be missed: once more where a call under way began before this was known. */
  tell(turn: Turn, addresses: readonly string[]): void {
    for (const to of addresses) if (this.#underWay.has(to)) this.#callAgain.add(to);
    this.push(turn, addresses);
  }

  /**
   * Goes on after a call to a node whose roster is, or was, another than this node's (see repair.ts), unless this node
   * just did so with another: its roster is not that of `to`.
   */
  repair(turn: Turn, to: string, after: { call: Call; theirs: Message; equal: boolean }): void {
    const { call, theirs, equal } = after;
    const { replica } = this.#options;
    const { unitMs } = replica;
    const { now: { monotonicMs }, nowMs } = turn;
    const settles = call.asks === "parts" && theirs.buckets !== undefined;
    const isNews = call.asks === "news" && !equal;
    // Of another half it may have no row here yet: its own message says it as well.
    const reads = theirs.unitMs !== undefined || replica.forms.reads(theirs.id);
    const byParts = isNews && unitMs !== undefined && reads;
    // Whether any is late is asked last: it goes through all live members.
    const begins = isNews && this.#repairs.isDue(replica.table.size, monotonicMs) ||
      byParts && this.#repairs.isDueWhileLate(unitMs, monotonicMs) &&
        areLate(replica, nowMs, theirs.id);
    if (!(begins || settles) || !this.#start(to, byParts ? "parts" : "all")) return;
    if (begins) this.#repairs.begin(monotonicMs);
    let draft: Draft | undefined;
    if (byParts) draft = bucketsDraft(replica, nowMs, theirs.id);
    else if (settles) draft = settlingDraft(replica, nowMs, { theirs, equal });
    draft ??= { ...replica.fullDraft(nowMs), full: true };
    const asked = this.#underWay.get(to)!;
    if (draft.ticks) asked.said = this.#heartbeats();
    if (draft.late) asked.parts = draft.buckets!.slice();
    turn.effects.push({ kind: "exchange", to, body: encodeMessage(draft) });
  }

  #heartbeats(): Float64Array {
    return this.#options.replica.table.stamps().heartbeats.slice();
  }

  /** Calls for what a first table lacks (see pieces.ts). */
  pull(turn: Turn, theirs: Message, random: () => number): void {
    if (this.#pieces > 0) return;
    const { nowMs } = turn;
    for (const { to, draft } of otherPieces(this.#options.replica, { theirs, nowMs, random })) {
      if (!this.#start(to, "piece")) continue;
      this.#pieces++;
      turn.effects.push({ kind: "exchange", to, body: encodeMessage(draft) });
    }
  }

  /** Whether more than a quarter of the pieces of a first table are still to come: one that is lost is repaired. */
  get isPulling(): boolean {
    if (this.#pieces === 0) return false;
    const out = [...this.#underWay.values()].filter(({ asks }) => asks === "piece").length;
    return out > this.#pieces * PIECES_OUT_MAX;
  }

  /** Starts a call, unless one to that address or too many others are under way. */
  #start(to: string, asks: Asks): boolean {
    const { address, replica } = this.#options;
    if (to === "" || to === address || this.#underWay.has(to)) return false;
    const id = replica.verdicts.memberAt(to)?.id;
    if (this.#underWay.size >= IN_FLIGHT_MAX) return false;
    const toStranger = id === undefined || this.strangers.has(id);
    if (toStranger) {
      if (this.#toStrangers >= STRANGERS_MAX) return false;
      this.#toStrangers++;
    }
    const { uncountedMs } = replica.clock;
    this.#underWay.set(to, { id, asks, toStranger, roster: replica.table.rosterHash, uncountedMs });
    return true;
  }

  /** Whether the counts agree: strangers are among the calls under way, and all are within their bounds. */
  get isConsistent(): boolean {
    const { size } = this.#underWay;
    return this.#toStrangers >= 0 && this.#toStrangers <= size && size <= IN_FLIGHT_MAX;
  }

  /** Ends the call to `to` and returns it. */
  end(turn: Turn, to: string): Call | undefined {
    const call = this.#underWay.get(to);
    this.#underWay.delete(to);
    if (call?.toStranger) this.#toStrangers--;
    if (this.#callAgain.delete(to)) this.push(turn, [to]);
    return call;
  }

  /** The live members from which those to call are drawn: with few of those that may never answer. */
  callable(random: () => number): readonly Row[] {
    const { live } = this.#options.replica.verdicts.last;
    let underWay = 0;
    for (const { id, toStranger } of this.#underWay.values()) {
      if (toStranger && id !== undefined) underWay++;
    }
    return this.strangers.thin(live, { underWay, random });
  }

  /** Notes trouble with an address or peer; true if it, or its reason, is new. */
  trouble(key: string, why = ""): boolean {
    const reasons = this.#troubled.get(key) ?? [];
    if (reasons.includes(why) || reasons.length >= REASONS_MAX) return false;
    if (reasons.length === 0 && this.#troubled.size >= TROUBLED_MAX) this.#troubled.clear();
    this.#troubled.set(key, [...reasons, why]);
    return true;
  }

  /** Whether trouble with an address or peer was noted last. */
  isTroubled(key: string): boolean {
    return this.#troubled.has(key);
  }

  /** Whether nobody needs to look for member `id`: it is live, and answers at its address, which is not this node's. */
  isPresent(id: string, nowMs: number): boolean {
    const { address } = this.#options;
    const { table, verdicts, id: ownId } = this.#options.replica;
    // Where this node answered itself others may answer the next call: it looks for them while it knows none.
    if (id === ownId) return verdicts.last.live.length > 0;
    if (table.tombstone(id) !== undefined) return true;
    const row = table.get(id);
    return row !== undefined && isUp(verdicts.statusOf(row, nowMs)) &&
      row.address !== address && !this.#troubled.has(row.address);
  }

  /** Notes that an address or peer is well; true if there was trouble before. */
  well(key: string): boolean {
    return this.#troubled.delete(key);
  }
}
