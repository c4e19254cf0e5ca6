/**
 * This node's copy of the table with its own row in it, and how two copies are made equal.
 *
 * A push carries the columns, in roster order, and as rows only the latest news. Where the rosters are equal once the news
 * is merged, the columns are too. The answer is made the same way. Where they still differ, the caller sends all its rows
 * in one more request, and the answer is what those lack.
 *
 * @module
 */
import { type Charge, Charges, chargeUpTo } from "./charges.ts";
import type { Moment } from "./clock.ts";
import { encodeColumns } from "./columns.ts";
import { HEARTBEAT_MAX_MS, HEARTBEAT_STEP_MS, ROWS_BYTES_MAX } from "./limits.ts";
import { ageOf, type Report, type Row, Table } from "./table.ts";
import { Watch } from "./watch.ts";
import type { Draft, Message } from "./wire.ts";

/** Roster changes stay news, and travel as rows, this many intervals: an epidemic through 10,000 nodes is over by then. */
const NEWS_INTERVALS = 8;

/** More news than this is sent as a full table, where rosters differ at all. */
const NEWS_MAX = 32;

/** How far beyond the known heartbeat a charge may reach: dead-after is an hour at most. */
const CHARGE_AHEAD_MAX_MS = 3_600_000;

/** Bytes of a row's JSON beyond its ID, address and reason: stamps, boot, quotes and commas. */
const ROW_OVERHEAD_BYTES = 50;

export interface ReplicaOptions {
  readonly id: string;
  readonly address: string;
  readonly boot: string;
  readonly intervalMs: number;
  readonly deadAfterMs: number;
  readonly random: () => number;
}

/** What absorbing a message came to. */
export interface Absorbed {
  /** Roster and tombstones are equal now, as far as the message tells. */
  readonly equal: boolean;
  /** Something that others should hear at once. */
  readonly urgent: boolean;
  /** Another process' row under this node's ID, if the message held one. */
  readonly own: Report | undefined;
  /** Members charged by the sender itself, whom this node should look at. */
  readonly charged: readonly Row[];
  /** Reports refused as the table is full. */
  readonly refused: number;
}

export class Replica {
  readonly table = new Table();
  readonly charges = new Charges();
  readonly watch: Watch;
  readonly #options: ReplicaOptions;
  readonly #news = new Map<string, number>();
  #heartbeat = 0;
  #beatAtMs = -Infinity;
  #left = "";

  constructor(options: ReplicaOptions) {
    this.#options = options;
    const { id, intervalMs, deadAfterMs } = options;
    this.watch = new Watch({
      id,
      intervalMs,
      deadAfterMs,
      table: this.table,
      charges: this.charges,
    });
  }

  /** This node's own last heartbeat. */
  get heartbeat(): number {
    return this.#heartbeat;
  }

  get left(): boolean {
    return this.#left !== "";
  }

  /**
   * Stamps a heartbeat, at most one each tenth of a second: the wall clock's tenth, or the last one plus the time since,
   * if that is later. So stamps grow strictly, at the pace of true time, whatever the wall clock does.
   */
  beat(now: Moment, nowMs: number): void {
    const sinceMs = now.monotonicMs - this.#beatAtMs;
    if (sinceMs < HEARTBEAT_STEP_MS) return;
    const paceMs = this.#heartbeat === 0 ? 0 : floorStep(Math.min(sinceMs, HEARTBEAT_MAX_MS));
    const stamp = Math.max(floorStep(Math.max(now.wallMs, 0)), this.#heartbeat + paceMs);
    this.#stamp(Math.min(stamp, HEARTBEAT_MAX_MS), nowMs);
    this.#beatAtMs = now.monotonicMs;
  }

  /** Announces a planned stop with a new heartbeat. */
  leave(reason: string, nowMs: number): void {
    this.#left = reason;
    this.#stamp(this.#heartbeat + HEARTBEAT_STEP_MS, nowMs);
    this.watch.touchId(this.#options.id, this.#options.id);
  }

  /** Jumps past `stamp`: a former life of this ID, or a charge against this node, reaches that far. */
  jumpPast(stamp: number, nowMs: number): void {
    if (stamp < this.#heartbeat) return;
    this.#stamp(Math.min(stamp + HEARTBEAT_STEP_MS, HEARTBEAT_MAX_MS), nowMs);
  }

  #stamp(heartbeat: number, nowMs: number): void {
    const { id, address, boot } = this.#options;
    this.#heartbeat = heartbeat;
    const merged = this.table.merge(
      { id, address, boot, heartbeat, ageMs: 0, left: this.#left },
      nowMs,
    );
    if (merged === "changed") this.#note(id, nowMs);
    const row = this.table.get(id);
    if (row !== undefined) this.watch.touch(row, id);
  }

  /** Hears a Go node, which has no heartbeat of its own, alive at `address`; true if the roster changed. */
  hearGo(id: string, address: string, at: { now: Moment; nowMs: number }): boolean {
    const { now, nowMs } = at;
    const row = this.table.get(id);
    const fresh = row !== undefined && row.heartbeat > 0 && row.address === address &&
      ageOf(row, nowMs) < this.#options.intervalMs / 2;
    if (fresh) return false;
    const stamp = Math.max(
      (row?.heartbeat ?? 0) + HEARTBEAT_STEP_MS,
      floorStep(Math.max(now.wallMs, 0)),
    );
    const heartbeat = Math.min(stamp, HEARTBEAT_MAX_MS);
    return this.#merge({ id, address, boot: "", heartbeat, ageMs: 0, left: "" }, id, nowMs) ===
      "changed";
  }

  /** Notes that `id` exists, of which only the ID is known; true if that is new. */
  hearOf(id: string, via: string, nowMs: number): boolean {
    if (this.table.get(id) !== undefined) return false;
    const report = { id, address: "", boot: "", heartbeat: 0, ageMs: 0, left: "" };
    return this.#merge(report, via, nowMs) === "changed";
  }

  /** Decommissions `id` at the word of `by`. */
  bury(id: string, by: string, nowMs: number): "changed" | "same" | "full" {
    const merged = this.table.bury(id, by);
    if (merged !== "changed") return merged === "full" ? "full" : "same";
    this.charges.drop(id);
    this.watch.touchId(id, by);
    this.#note(id, nowMs);
    return merged;
  }

  /** Charges a member that refused this node twice; true if that is news. */
  charge(row: Row, nowMs: number): boolean {
    const charge = { member: row.id, witness: this.#options.id, upTo: chargeUpTo(row, nowMs) };
    const news = this.charges.add(charge, row, nowMs);
    if (news) this.watch.touchId(row.id, this.#options.id);
    return news;
  }

  /** The compact form: hashes, columns, news and charges. */
  draft(nowMs: number): Draft {
    const { table, charges } = this;
    for (const [id, untilMs] of this.#news) if (untilMs <= nowMs) this.#news.delete(id);
    const rows: Report[] = [];
    const tombstones: { id: string; by: string }[] = [];
    if (this.#news.size <= NEWS_MAX) {
      for (const id of this.#news.keys()) {
        const row = table.get(id);
        const tombstone = table.tombstone(id);
        if (row !== undefined) rows.push(report(row, nowMs));
        if (tombstone !== undefined) tombstones.push({ id, by: tombstone.by });
      }
    }
    return {
      roster: table.rosterHash,
      tombs: table.tombsHash,
      beat: this.#heartbeat,
      ...encodeColumns(table.roster(), { ownHeartbeat: this.#heartbeat, nowMs }),
      ...(rows.length > 0 && { rows }),
      ...(tombstones.length > 0 && { tombstones }),
      ...(!charges.empty && { charges: [...charges.list()] }),
    };
  }

  /** The full form: all rows, or what `theirs` lacks of them; from a random place on, cut at a size. */
  fullDraft(nowMs: number, theirs: Message | undefined): Draft {
    const roster = this.table.roster();
    const known = new Map(theirs?.rows?.map((row) => [row.id, row]));
    const rows: Report[] = [];
    let bytes = 0;
    const start = Math.floor(this.#options.random() * roster.length);
    for (let i = 0; i < roster.length && bytes < ROWS_BYTES_MAX; i++) {
      const row = roster[(start + i) % roster.length]!;
      const their = known.get(row.id);
      if (their !== undefined && covers(their, row)) continue;
      rows.push(report(row, nowMs));
      bytes += row.id.length + row.address.length + row.left.length + ROW_OVERHEAD_BYTES;
    }
    const buried = new Set(theirs?.tombstones?.map(({ id }) => id));
    const tombstones = [];
    if (theirs?.tombs !== this.table.tombsHash) {
      for (const { id, by } of this.table.tombstones()) {
        if (!buried.has(id)) tombstones.push({ id, by });
      }
    }
    return {
      roster: this.table.rosterHash,
      tombs: this.table.tombsHash,
      rows,
      ...(tombstones.length > 0 && { tombstones }),
      ...(!this.charges.empty && { charges: [...this.charges.list()] }),
    };
  }

  /** Joins a message of `via` into the table. */
  absorb(message: Message, via: string, nowMs: number): Absorbed {
    const { table } = this;
    let urgent = false;
    let refused = 0;
    let own: Report | undefined;
    for (const { id, by } of message.tombstones ?? []) {
      const merged = this.bury(id, by, nowMs);
      if (merged === "changed") urgent = true;
      if (merged === "full") refused++;
    }
    for (const row of message.rows ?? []) {
      if (row.id === this.#options.id) {
        if (row.boot !== this.#options.boot) own = row;
        continue;
      }
      const merged = this.#merge(row, via, nowMs);
      if (merged === "changed") urgent = true;
      if (merged === "full") refused++;
    }
    const equal = message.roster === table.rosterHash && message.tombs === table.tombsHash;
    const roster = table.roster();
    if (
      message.columns?.heartbeats.length === roster.length && message.roster === table.rosterHash
    ) {
      if (this.#absorbColumns(message.columns, roster, { via, nowMs })) urgent = true;
    }
    const charged: Row[] = [];
    for (const charge of message.charges ?? []) {
      if (this.#absorbCharge(charge, nowMs, via)) urgent = true;
      const row = table.get(charge.member);
      if (row !== undefined && charge.witness === via && !charged.includes(row)) charged.push(row);
    }
    return { equal, urgent, own, charged, refused };
  }

  #absorbColumns(
    columns: NonNullable<Message["columns"]>,
    roster: readonly Row[],
    { via, nowMs }: { via: string; nowMs: number },
  ): boolean {
    let urgent = false;
    for (let i = 0; i < roster.length; i++) {
      const row = roster[i]!;
      const ageMs = columns.agesMs[i]!;
      if (ageMs < 0 || row.id === this.#options.id) continue;
      const merged = this.table.refresh(row, columns.heartbeats[i]!, nowMs - ageMs);
      if (merged === "fresher" && this.#freshened(row, { via, restarted: false, nowMs })) {
        urgent = true;
      }
    }
    return urgent;
  }

  #absorbCharge(charge: Charge, nowMs: number, via: string): boolean {
    if (charge.member === this.#options.id) {
      // Somebody thinks this node is gone: a heartbeat beyond the charge clears it everywhere.
      const plausible = charge.upTo <= this.#heartbeat + CHARGE_AHEAD_MAX_MS;
      if (charge.upTo < this.#heartbeat || !plausible) return false;
      this.jumpPast(charge.upTo, nowMs);
      return true;
    }
    const row = this.table.get(charge.member);
    if (row === undefined || row.left !== "" || charge.witness === charge.member) return false;
    if (charge.upTo > row.heartbeat + CHARGE_AHEAD_MAX_MS) return false;
    const news = this.charges.add(charge, row, nowMs);
    if (news) this.watch.touchId(row.id, via);
    return news;
  }

  #merge(report: Report, via: string, nowMs: number): "same" | "fresher" | "changed" | "full" {
    const before = this.table.get(report.id);
    const boot = before?.boot;
    const merged = this.table.merge(report, nowMs);
    if (merged === "same" || merged === "full") return merged;
    const row = this.table.get(report.id)!;
    const urgent = this.#freshened(row, { via, restarted: boot !== row.boot, nowMs });
    if (merged === "changed") this.#note(row.id, nowMs);
    return urgent ? "changed" : merged;
  }

  /** A later heartbeat came; true if it clears the member of charges, which all should hear. */
  #freshened(row: Row, at: { via: string; restarted: boolean; nowMs: number }): boolean {
    this.watch.touch(row, at.via);
    return !this.charges.empty && this.charges.answer(row, at.restarted, at.nowMs);
  }

  #note(id: string, nowMs: number): void {
    this.#news.set(id, nowMs + NEWS_INTERVALS * this.#options.intervalMs);
  }
}

function report(row: Row, nowMs: number): Report {
  const { id, address, boot, heartbeat, left } = row;
  return { id, address, boot, heartbeat, ageMs: ageOf(row, nowMs), left };
}

/** Whether `report` tells its receiver nothing that `row` knows better. */
function covers(report: Report, row: Row): boolean {
  return report.heartbeat >= row.heartbeat && report.address === row.address &&
    report.boot === row.boot && report.left === row.left;
}

function floorStep(ms: number): number {
  return Math.floor(ms - ms % HEARTBEAT_STEP_MS);
}
