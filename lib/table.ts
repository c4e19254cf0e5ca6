/**
 * The liveness table: who takes part, and when each member was last heard.
 *
 * Every member stamps its own heartbeats, so two reports about it never conflict: the later stamp is newer. Merging
 * takes the greater of two rows under one total order, so messages may be lost, doubled, replayed or reordered, and
 * all tables still end up equal.
 *
 * The order, greatest first: tombstone, heartbeat, boot, address, left, about (roster.ts). The time at which a
 * heartbeat was heard rides along: of two reports of one heartbeat the earlier time counts, as ages are only ever
 * underestimated on their way.
 *
 * Status is derived from a row and the time, never stored: decommissioned > left > unknown > live, failing,
 * unresponsive or dead.
 *
 * At its bound the table keeps those that room.ts puts first; all of the above holds below it.
 *
 * @module
 */
import { type Buckets, RosterHash } from "./buckets.ts";
import { AGE_MAX_MS, MEMBERS_MAX, TOMBSTONES_MAX } from "./limits.ts";
import { Room } from "./room.ts";
import { compare, type RosterEntry, rosterKey, sameRoster } from "./roster.ts";
import { type Row, Seat, type Stamps } from "./stamps.ts";
import { type Tombstone, Tombstones } from "./tombstones.ts";

export type { Row } from "./stamps.ts";

/**
 * Every status, trouble first: the order in which people see them. A planned stop is no trouble, so `left` comes after
 * `live`.
 */
export const STATUSES = [
  "dead",
  "unresponsive",
  "failing",
  "unknown",
  "live",
  "left",
  "decommissioned",
] as const;

/** A member's status, as this node sees it now. */
export type Status = typeof STATUSES[number];

/** Whether a member with that status gossips: what else it does may fail. */
export function isUp(status: Status): boolean {
  return status === "live" || status === "failing";
}

/** The status of a member that gossips, as it says itself. */
export function statusWhileUp({ about }: Row): Status {
  return about?.failing ? "failing" : "live";
}

/** What one node tells another about a member. */
export interface Report extends RosterEntry {
  /** Time since that heartbeat was made, as far as the sender knows. */
  readonly ageMs: number;
}

/** What a merge did: nothing, a newer heartbeat, a change of the roster, or a refusal because the table is full. */
export type Merged = "same" | "fresher" | "changed" | "full";

/** T, with its fields to be filled in or changed. */
export type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export class Table {
  /** IDs that made room at a bound or were dropped: `Replica` takes them from here, and forgets all about them. */
  readonly discarded: string[] = [];
  readonly #seats = new Map<string, Seat>();
  readonly #tombstones: Tombstones;
  readonly #rosterHash = new RosterHash();
  readonly #membersMax: number;
  readonly #room: Room<Row>;
  /** Sorted by ID, but for the last that came: sorting anew costs little then. */
  #order: readonly Seat[] = [];
  readonly #came: Seat[] = [];
  /** Undefined once somebody came or went. */
  #stamps: Stamps | undefined;
  #version = 0;

  constructor(
    { members = MEMBERS_MAX, tombstones = TOMBSTONES_MAX, silenceMs = (_: Row) => Infinity } = {},
  ) {
    this.#membersMax = members;
    this.#tombstones = new Tombstones(tombstones);
    this.#room = new Room((row, nowMs) => goneClass(row, nowMs, silenceMs(row)));
  }

  /** Members that are not decommissioned. */
  get size(): number {
    return this.#seats.size;
  }

  /** It holds as many members as it may: a newcomer takes the place of one who is gone, or finds none. */
  get isFull(): boolean {
    return this.#seats.size >= this.#membersMax;
  }

  /** Grows with every change of the roster or the tombstones: whatever was built at an equal version still holds. */
  get version(): number {
    return this.#version;
  }

  /** Equal on two nodes when their rosters are: the same IDs, addresses, boots, words and tombstones. */
  get rosterHash(): string {
    return this.#rosterHash.toString();
  }

  /** The same by parts. */
  get buckets(): Buckets {
    return this.#rosterHash.buckets;
  }

  get(id: string): Row | undefined {
    return this.#seats.get(id);
  }

  tombstone(id: string): Tombstone | undefined {
    return this.#tombstones.get(id);
  }

  /** Members that are not decommissioned, sorted by ID: the roster order that columns travel in. */
  roster(): readonly Row[] {
    return this.stamps().rows;
  }

  /** The same, with the heartbeats as columns, until somebody comes or goes. */
  stamps(): Stamps {
    if (this.#stamps === undefined) {
      this.#order = [...this.#order, ...this.#came.splice(0)]
        .filter((seat) => this.#seats.get(seat.id) === seat)
        .sort((a, b) => a.id < b.id ? -1 : 1);
      this.#stamps = Seat.all(this.#order);
    }
    return this.#stamps;
  }

  tombstones(): Iterable<Tombstone> {
    return this.#tombstones.values();
  }

  get tombstoneCount(): number {
    return this.#tombstones.size;
  }

  /** Merges `report` into the table; `nowMs` is the running time to which its age is counted. */
  merge(report: Report, nowMs: number): Merged {
    if (this.#tombstones.has(report.id)) return "same";
    const heardAtMs = nowMs - Math.min(Math.max(report.ageMs, 0), AGE_MAX_MS);
    const seat = this.#seats.get(report.id);
    if (seat === undefined) return this.#add(new Seat(report, heardAtMs), nowMs);
    return sameRoster(seat, report)
      ? this.refresh(seat, report.heartbeat, heardAtMs)
      : this.#replace(seat, report, heardAtMs);
  }

  /** Merges a heartbeat of a member whose roster entry the sender shares: a merge without a report. */
  refresh(row: Row, heartbeat: number, heardAtMs: number): Merged {
    if (heartbeat < row.heartbeat) return "same";
    const isLater = heartbeat > row.heartbeat;
    if (isLater || heardAtMs < row.heardAtMs) (row as Seat).date(heartbeat, heardAtMs);
    return isLater ? "fresher" : "same";
  }

  /** Has the next survey look at these members, as something happened to them. */
  disturb(ids: Iterable<string>): void {
    for (const id of ids) this.#seats.get(id)?.disturb();
  }

  #add(seat: Seat, nowMs: number): Merged {
    if (this.isFull) {
      const gone = this.#room.madeFor(seat, this.#seats, nowMs);
      if (gone === undefined) return "full";
      this.#remove(gone);
      this.discarded.push(gone.id);
    }
    this.#seats.set(seat.id, seat);
    this.#came.push(seat);
    this.#rosterHash.toggle(seat.id, rosterKey(seat));
    this.#stamps = undefined;
    this.#version++;
    return "changed";
  }

  /** Drops a row that is of no more use (see forgotten.ts). */
  drop(row: Row): void {
    this.#remove(row);
    this.discarded.push(row.id);
    this.#version++;
  }

  #remove(row: Row): void {
    this.#seats.delete(row.id);
    this.#rosterHash.toggle(row.id, rosterKey(row));
    this.#stamps = undefined;
  }

  /** Decommissions `id`, known or not, for good; what the bound on tombstones does is told at `Tombstones.add`. */
  bury(id: string, by: string, toldAtMs?: number): Merged {
    const row = this.#seats.get(id);
    const { address, heartbeat, heardAtMs } = row ?? { address: "", heartbeat: 0, heardAtMs: 0 };
    const tombstone = { id, by, address, heartbeat, heardAtMs };
    const { merged, gone } = this.#tombstones.add(tombstone, toldAtMs);
    if (merged !== "changed") return merged;
    if (gone !== undefined) {
      this.#rosterHash.toggle(gone, gone);
      this.discarded.push(gone);
    }
    if (row !== undefined) this.#remove(row);
    this.#rosterHash.toggle(id, id);
    this.#version++;
    return "changed";
  }

  #replace(seat: Seat, report: Report, heardAtMs: number): Merged {
    const isStale = compare(report, seat) < 0;
    if (isStale) {
      // An equal heartbeat still dates the row, whichever address came with it.
      if (report.heartbeat === seat.heartbeat) this.refresh(seat, report.heartbeat, heardAtMs);
      return "same";
    }
    this.#rosterHash.toggle(seat.id, rosterKey(seat));
    this.refresh(seat, report.heartbeat, heardAtMs);
    seat.take(report);
    this.#rosterHash.toggle(seat.id, rosterKey(seat));
    this.#version++;
    return "changed";
  }
}

/** Who makes room first at the bound (see room.ts): 0 for the live, which may be silent for `silenceMs`. */
function goneClass(row: Row, nowMs: number, silenceMs: number): number {
  const status = statusByAge(row, nowMs, silenceMs);
  if (status === "live") return 0;
  if (status === "unknown") return Infinity;
  return 1 + Math.max(0, Math.floor(Math.log2(ageOf(row, nowMs) / silenceMs)));
}

/** The age of a row: ms since its heartbeat was made, on the running clock. */
export function ageOf(row: { readonly heardAtMs: number }, nowMs: number): number {
  return Math.max(0, nowMs - row.heardAtMs);
}

/** The status of a row by its age alone; what else is known of a member can tell otherwise (see evidence.ts). */
export function statusByAge(row: Row, nowMs: number, deadAfterMs: number): Status {
  if (row.left !== "") return "left";
  if (row.heartbeat === 0) return "unknown";
  return ageOf(row, nowMs) <= deadAfterMs ? "live" : "dead";
}
