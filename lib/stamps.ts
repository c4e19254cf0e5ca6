/**
 * Heartbeats as columns: of all that is known of a member only two numbers change every second, so they stand in
 * arrays, in roster order. What happens to all members at once (reading a message, writing one, a survey) is a loop
 * over numbers, and looks at a member itself only where something else happened to it.
 *
 * A member is a `Seat`: who it is, and its place in the columns. When somebody comes or goes, the roster is seated
 * anew, in new columns; who is not in it any more keeps its place in the old ones.
 *
 * @module
 */
import type { About } from "./about.ts";
import type { RosterEntry } from "./roster.ts";

/** A member as the table holds it: what was reported, dated on this node's running clock. */
export interface Row extends RosterEntry {
  /** The running time at which the heartbeat was made. */
  readonly heardAtMs: number;
}

/** What a message tells of all members: in roster order; an age of -1 says nothing about the member. */
export interface Columns {
  readonly heartbeats: readonly number[] | Float64Array;
  readonly agesMs: readonly number[] | Float64Array;
}

/** The same, to be filled in as a message is read. */
export interface ColumnBuffers extends Columns {
  readonly heartbeats: Float64Array;
  readonly agesMs: Float64Array;
}

/** What the table knows of all members. */
export class Stamps {
  /** The members, sorted by ID. */
  readonly rows: readonly Row[];
  /** The last heartbeat of each. */
  readonly heartbeats: Float64Array;
  /** The running time at which it was made. */
  readonly heardAtMs: Float64Array;
  /**
   * 1 for a member that was live at the last survey and of which nothing changed since but its heartbeat: there is
   * nothing more to find out of it while it beats.
   */
  readonly steady: Uint8Array;
  /** Reused. */
  #buffers: ColumnBuffers | undefined;

  constructor(rows: readonly Row[]) {
    this.rows = rows;
    this.heartbeats = new Float64Array(rows.length);
    this.heardAtMs = new Float64Array(rows.length);
    this.steady = new Uint8Array(rows.length);
    for (let i = 0; i < rows.length; i++) {
      const { heartbeat, heardAtMs } = rows[i]!;
      this.heartbeats[i] = heartbeat;
      this.heardAtMs[i] = heardAtMs;
    }
  }

  /**
   * Merges what a message of this roster tells of steady members whose clocks show what they should, to within
   * `slackMs`. Returns the places of all others of whom it tells as much as is known, or more.
   */
  merge(told: Columns, { nowMs, slackMs }: { nowMs: number; slackMs: number }): number[] {
    const { heartbeats, heardAtMs, steady } = this;
    const others: number[] = [];
    const count = Math.min(heartbeats.length, told.heartbeats.length);
    for (let i = 0; i < count; i++) {
      const heartbeat = told.heartbeats[i]!;
      const ageMs = told.agesMs[i]!;
      const known = heartbeats[i]!;
      if (ageMs < 0 || heartbeat < known) continue;
      const saidAtMs = nowMs - ageMs;
      const knownAtMs = heardAtMs[i]!;
      if (steady[i] === 0 || Math.abs(heartbeat - known - (saidAtMs - knownAtMs)) > slackMs) {
        others.push(i);
      } else if (heartbeat > known || saidAtMs < knownAtMs) {
        heartbeats[i] = heartbeat;
        heardAtMs[i] = saidAtMs;
      }
    }
    return others;
  }

  /**
   * Columns that tell nothing yet, for one message: the next call empties them. To make them anew for each would take a
   * quarter of the time of reading it.
   */
  blank(): ColumnBuffers {
    const { length } = this.rows;
    this.#buffers ??= { heartbeats: new Float64Array(length), agesMs: new Float64Array(length) };
    this.#buffers.heartbeats.fill(0);
    this.#buffers.agesMs.fill(-1);
    return this.#buffers;
  }

  /** The place of member `id`; -1 if it is not in the roster. */
  placeOf(id: string): number {
    let [from, to] = [0, this.rows.length];
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (this.rows[middle]!.id < id) from = middle + 1;
      else to = middle;
    }
    return this.rows[from]?.id === id ? from : -1;
  }
}

/** A row in columns. */
export class Seat implements Row {
  readonly id: string;
  address: string;
  boot: string;
  left: string;
  about: About | undefined;
  #stamps: Stamps;
  #place = 0;

  constructor(entry: RosterEntry, heardAtMs: number) {
    this.id = entry.id;
    this.address = entry.address;
    this.boot = entry.boot;
    this.left = entry.left;
    this.about = entry.about;
    this.#stamps = new Stamps([{ ...entry, heardAtMs }]);
  }

  /** Seats members in columns of their own, in this order. */
  static all(seats: readonly Seat[]): Stamps {
    const stamps = new Stamps(seats);
    for (let place = 0; place < seats.length; place++) {
      const seat = seats[place]!;
      stamps.steady[place] = seat.#stamps.steady[seat.#place]!;
      seat.#stamps = stamps;
      seat.#place = place;
    }
    return stamps;
  }

  get heartbeat(): number {
    return this.#stamps.heartbeats[this.#place]!;
  }

  get heardAtMs(): number {
    return this.#stamps.heardAtMs[this.#place]!;
  }

  /** Takes what changed but for the heartbeat. */
  take({ address, boot, left, about }: RosterEntry): void {
    this.address = address;
    this.boot = boot;
    this.left = left;
    this.about = about;
    this.disturb();
  }

  /** Takes a heartbeat. */
  date(heartbeat: number, heardAtMs: number): void {
    this.#stamps.heartbeats[this.#place] = heartbeat;
    this.#stamps.heardAtMs[this.#place] = heardAtMs;
  }

  /** Something happened to the member, so the next survey looks at it. */
  disturb(): void {
    this.#stamps.steady[this.#place] = 0;
  }
}
