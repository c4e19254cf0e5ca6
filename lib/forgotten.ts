/**
 * Members that are dropped from the table and stay out of it: the silent and the left, once they are so for long
 * (`-forget`), or as a user asks. Unlike a decommission this burns no ID: a member that beats again is new.
 *
 * Ages travel, so all nodes drop a row at about the same moment. But ages differ a little, and a node that was parted
 * holds what the others dropped. So a dropped row leaves a mark: "no heartbeat of this member up to this one counts".
 * It goes to all as news, and to every node that sends such a row again; a later heartbeat voids it. A mark lasts until
 * all should have dropped the row by its age, and for an hour after a node last told of the member.
 *
 * @module
 */
import { isBelieved } from "./belief.ts";
import { AGE_MAX_MS } from "./limits.ts";
import type { Pace } from "./pace.ts";
import { ageOf, isUp, type Row, type Status, type Table } from "./table.ts";
import type { Verdicts } from "./verdicts.ts";

/** Marks kept, the last told of: what a cluster of random IDs drops in an hour of restarts. */
const MARKS_MAX = 4_096;

/** Marks in one message, the last told of: 10 KB; those beyond come with the next exchanges. */
export const MARKS_TOLD_MAX = 256;

/** How much ages may differ: by what clocks and sleeping nodes lose in three days. */
const GRACE_MS = 3_600_000;

/** What one node tells another of a forgotten member. */
export interface Mark {
  readonly id: string;
  /** The last heartbeat that counts no more. */
  readonly heartbeat: number;
  /** Time since it was made. */
  readonly ageMs: number;
}

/** A mark, dated on this node's running clock. */
interface DatedMark {
  readonly id: string;
  readonly heartbeat: number;
  readonly heardAtMs: number;
  /** When it is dropped, unless somebody tells of it again. */
  untilMs: number;
}

/** A member that was dropped, for the log and whoever keeps more about it. */
export interface Dropped {
  readonly id: string;
  /** Why, in words. */
  readonly reason: string;
}

/** What became of a request to forget a member: `here` says that it is neither dead nor left. */
export type Forgot = "done" | "already" | "unknown" | "here";

export interface ForgottenOptions {
  /** This node's ID: it never forgets itself. */
  readonly id: string;
  readonly table: Table;
  readonly verdicts: Verdicts;
  /** For how long members are silent or left before they are dropped; Infinity: never. */
  readonly pace: Pick<Pace, "forgetMs">;
  /** Makes news of a mark. */
  readonly tell: (id: string, nowMs: number) => void;
}

export class Forgotten {
  /** Members dropped, until somebody takes them out of here. */
  readonly dropped: Dropped[] = [];
  readonly #options: ForgottenOptions;
  /** By ID, the last told of at the end. */
  readonly #marks = new Map<string, DatedMark>();

  constructor(options: ForgottenOptions) {
    this.#options = options;
  }

  /** The mark of a member. */
  get(id: string): { readonly heartbeat: number; readonly heardAtMs: number } | undefined {
    return this.#marks.get(id);
  }

  /** A member's mark as it travels. */
  mark(id: string, nowMs: number): Mark | undefined {
    const kept = this.#marks.get(id);
    return kept && { id, heartbeat: kept.heartbeat, ageMs: ageOf(kept, nowMs) };
  }

  /** The marks for a full message, `within` a part of the roster, without those that `theirs` holds. */
  toSend(
    nowMs: number,
    { theirs = [], within }: {
      theirs?: readonly Mark[] | undefined;
      within?: ((id: string) => boolean) | undefined;
    } = {},
  ): Mark[] {
    const known = new Map(theirs.map(({ id, heartbeat }) => [id, heartbeat]));
    const marks = [...this.#marks.values()].filter(({ id, heartbeat }) =>
      heartbeat > (known.get(id) ?? -1) && within?.(id) !== false
    );
    return marks.slice(-MARKS_TOLD_MAX).map(({ id }) => this.mark(id, nowMs)!);
  }

  /**
   * Whether a report of a member that is not in the table says nothing that counts: it is as old as rows that are
   * dropped, or not later than what was. A later heartbeat voids the mark.
   */
  refuses(report: Mark, nowMs: number): boolean {
    const { id, heartbeat, ageMs } = report;
    const { table, pace: { forgetMs } } = this.#options;
    if (table.get(id) !== undefined) return false;
    let kept = this.#marks.get(id);
    if (kept !== undefined && heartbeat > kept.heartbeat) {
      this.#marks.delete(id);
      kept = undefined;
    }
    const said = kept ?? { id, heartbeat, heardAtMs: nowMs - ageMs };
    if (kept === undefined && (heartbeat === 0 || ageMs < forgetMs)) return false;
    this.#keep(said, nowMs);
    this.#options.tell(id, nowMs);
    return true;
  }

  /** Keeps a mark for longer, where there is one: Go nodes list its member without end, so that is no news. */
  renew(id: string, nowMs: number): boolean {
    const kept = this.#marks.get(id);
    if (kept !== undefined) this.#keep(kept, nowMs);
    return kept !== undefined;
  }

  /** Drops a member that is dead or left, as a user of this node asked. */
  ask(id: string, nowMs: number): Forgot {
    const { table } = this.#options;
    const row = table.get(id);
    if (row === undefined) {
      if (table.tombstone(id) !== undefined) return "here";
      return this.#marks.has(id) ? "already" : "unknown";
    }
    // Itself not even while it stops.
    if (id === this.#options.id || !isGone(this.#statusOf(row, nowMs))) return "here";
    this.#drop(row, row, nowMs, "as asked");
    return "done";
  }

  /**
   * Takes the mark of another node; says whether a member was dropped. `isNear`: the member's clock can show it.
   * Then the heartbeat here is no younger, whatever this node thinks that slept since. Or the member would live here
   * alone, in a roster that is nobody else's, and this node could not read how the others are.
   */
  take(
    mark: Mark,
    { via, nowMs, isNear }: { via: string; nowMs: number; isNear: boolean },
  ): boolean {
    const { table } = this.#options;
    const { id, heartbeat, ageMs } = mark;
    if (table.tombstone(id) !== undefined) return false;
    if (!isBelieved(heartbeat, { isAnswer: false, isLive: false })) return false;
    const said = { heartbeat, heardAtMs: nowMs - Math.min(ageMs, AGE_MAX_MS) };
    const row = table.get(id);
    if (row === undefined) {
      if (heartbeat > (this.#marks.get(id)?.heartbeat ?? -1)) this.#keep({ id, ...said }, nowMs);
      return false;
    }
    if (row.heartbeat > heartbeat) return false;
    if (isNear) table.refresh(row, row.heartbeat, said.heardAtMs);
    // Never who is live here: an observer that was cut off may have asked.
    if (isUp(this.#statusOf(row, nowMs))) return false;
    this.#drop(row, said, nowMs, `as ${via} told`);
    return true;
  }

  /**
   * Drops the members that are silent or left for long, and the marks of which nobody tells any more. The unresponsive
   * as well: whoever does not have them yet refuses rows of that age, and its roster would never be the others' own.
   */
  expire(nowMs: number): void {
    const { table, verdicts, pace: { forgetMs } } = this.#options;
    for (const { id, untilMs } of this.#marks.values()) {
      if (untilMs <= nowMs) this.#marks.delete(id);
    }
    const { live, hung, gone } = verdicts.last;
    // A node that hears nobody forgets nobody: it could find nobody again.
    if (live.length === 0) return;
    for (const row of [...hung, ...gone]) {
      const ageMs = ageOf(row, nowMs);
      if (ageMs < forgetMs || table.get(row.id) !== row) continue;
      const status = this.#statusOf(row, nowMs);
      if (!isUp(status)) this.#drop(row, row, nowMs, `${status} for ${hours(ageMs)}`);
    }
  }

  #statusOf(row: Row, nowMs: number): Status {
    return this.#options.verdicts.statusOf(row, nowMs);
  }

  #drop(row: Row, at: Pick<Row, "heartbeat" | "heardAtMs">, nowMs: number, reason: string): void {
    const { id } = row;
    const { heartbeat, heardAtMs } = at;
    this.#options.table.drop(row);
    this.#keep({ id, heartbeat, heardAtMs }, nowMs);
    this.#options.tell(id, nowMs);
    this.dropped.push({ id, reason });
  }

  #keep({ id, heartbeat, heardAtMs }: Omit<DatedMark, "untilMs">, nowMs: number): void {
    const droppedMs = heardAtMs + Math.min(this.#options.pace.forgetMs, AGE_MAX_MS);
    // Deleted first, so that the latest comes last.
    this.#marks.delete(id);
    this.#marks.set(id, {
      id,
      heartbeat,
      heardAtMs,
      untilMs: Math.max(droppedMs, nowMs) + GRACE_MS,
    });
    for (const first of this.#marks.keys()) {
      if (this.#marks.size <= MARKS_MAX) break;
      this.#marks.delete(first);
    }
  }
}

function hours(ms: number): string {
  return ms < 3_600_000 ? `${Math.floor(ms / 1000)} s` : `${Math.floor(ms / 3_600_000)} h`;
}

function isGone(status: Status): boolean {
  return status === "dead" || status === "left";
}
