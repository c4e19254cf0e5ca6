/**
 * Who reads ticks (ticks.ts), who is to be told exactly, once, and who is to be told of exactly: an older program reads
 * columns alone, and a member whose clock changed is dated wrong by all who do not know that.
 *
 * A node says so in each message, once its cluster is of many. Others pass it on while it is news: a bit per member in
 * roster order, for whoever has the same roster. So small clusters send no byte of it. Rejected: as a word of the
 * member. Older programs would take it for a change of the roster, and all would say it when the cluster grows.
 *
 * @module
 */
import type { Beat } from "./belief.ts";
import { bitAt, BITS, charCodeOf, roomFor, textOf } from "./digits.ts";
import { News, type NewsPace } from "./news.ts";
import { ageOf, type Row } from "./table.ts";
import type { Read } from "./ticks_read.ts";
import type { Message } from "./wire.ts";

/** How columns are written. */
export type Form = "columns" | "ticks";

/**
 * A clock is another than the one known where the two differ by more than this share of a unit: the time that messages
 * take is less.
 */
export const MOVED_UNITS = 0.3;

export class Forms {
  readonly #readers = new Set<string>();
  readonly #once = new Set<string>();
  readonly #moved: News;
  readonly #pace: NewsPace;
  #newsUntilMs = -Infinity;

  constructor(pace: NewsPace) {
    this.#pace = pace;
    this.#moved = new News(pace);
  }

  /**
   * Takes a heartbeat before the member's row does: where its clock is another than this node knew, the member is told
   * of exactly for a while, so that all learn it.
   */
  dates(
    row: Row | undefined,
    { heartbeat, ageMs }: Beat,
    { nowMs, unitMs }: { nowMs: number; unitMs: number | undefined },
  ): void {
    if (row === undefined || unitMs === undefined) return;
    if (row.heartbeat === 0 || heartbeat <= row.heartbeat) return;
    const movedMs = heartbeat + ageMs - (row.heartbeat + ageOf(row, nowMs));
    if (Math.abs(movedMs) > MOVED_UNITS * unitMs) this.#moved.note(row.id, nowMs);
  }

  /** IDs of members whose clock is another than was known. */
  moved(nowMs: number): string[] {
    this.#moved.expire(nowMs);
    return this.#moved.names();
  }

  /**
   * Notes what a member's message says of its program. It is told exactly next where it could not read this node's
   * ticks, or this node could not read its own.
   */
  heard(id: string, message: Message, at: { read: Read; nowMs: number }): void {
    if (message.unitMs !== undefined) this.#add(id, at.nowMs);
    else if (message.columns !== undefined) this.forget(id);
    if (message.unread || at.read.unread) this.#once.add(id);
  }

  /** Whether a member is known to read ticks, and whatever came with them. */
  reads(id: string | undefined): boolean {
    return id !== undefined && this.#readers.has(id);
  }

  /** The form of the next message to a member. */
  next(id: string | undefined): Form {
    return this.reads(id) && !this.#once.delete(id!) ? "ticks" : "columns";
  }

  /** Who of a roster reads ticks; undefined where that is no news. */
  toSend(roster: readonly Row[], nowMs: number): string | undefined {
    if (nowMs >= this.#newsUntilMs) return undefined;
    const bytes = roomFor(roster.length);
    let length = 0;
    for (let i = 0; i < roster.length; i += BITS) {
      let bits = 0;
      for (let j = 0; j < BITS && i + j < roster.length; j++) {
        if (this.#readers.has(roster[i + j]!.id)) bits |= 1 << j;
      }
      bytes[length++] = charCodeOf(bits);
    }
    return textOf(bytes, length);
  }

  /** Takes what another told of an equal roster. */
  take(told: string, roster: readonly Row[], nowMs: number): void {
    for (let i = 0; i < roster.length; i++) {
      if (bitAt(told, i) === 1) this.#add(roster[i]!.id, nowMs);
    }
  }

  /** Forgets a member, or what is known of its program. */
  forget(id: string): void {
    this.#readers.delete(id);
    this.#once.delete(id);
    this.#moved.forget(id);
  }

  #add(id: string, nowMs: number): void {
    if (this.#readers.has(id)) return;
    this.#readers.add(id);
    this.#newsUntilMs = nowMs + this.#pace.newsMs;
  }
}
