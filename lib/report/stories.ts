/**
 * What a node remembers of its members: each change of status, numbered, with its time and reason. (pure)
 *
 * One change is the last line of its member's story, an event of `GET /events` and the reason on the page, so all of
 * them always agree.
 *
 * @module
 */
import { type About, readAbout, type Said } from "../about.ts";
import type { StatusChange } from "../verdicts.ts";
import type { Status } from "../table.ts";

/** Changes kept per member: days of one that restarts, minutes of one that flaps. */
export const HISTORY_MAX = 50;

/**
 * Changes that all stories should hold together, about 30 MB: a larger table has shorter stories. A table that grows
 * suddenly may hold twice as many, as a story is only cut when it grows.
 */
const HISTORIES_MAX = 131_072;

/** Changes by which a reader of events can be behind and still resume: a restart of 500 nodes. */
export const RESUMABLE_MAX = 1_024;

/** A change of status as this node saw it; also a `change` event of `GET /events`. */
export interface ChangeView {
  readonly id: string;
  readonly address: string;
  /** Null if the member entered the table. */
  readonly from: Status | null;
  readonly to: Status;
  /** RFC 3339, by this node's clock. */
  readonly at: string;
  /** Why, in words: "no heartbeat for 5.0 s". */
  readonly reason: string;
  /** What the member said it was then. */
  readonly tags: Said["tags"];
  /** The event's number in `GET /events`. */
  readonly event: number;
}

/** A change as it is kept; {@linkcode changeView} writes its time out. */
export interface KeptChange extends Omit<ChangeView, "at" | "tags"> {
  readonly about?: About | undefined;
  /** Ms since the epoch, by this node's clock. */
  readonly atMs: number;
}

export interface StoriesLimits {
  readonly history: number;
  readonly histories: number;
  readonly resumable: number;
}

export class Stories {
  readonly #limits: StoriesLimits;
  readonly #histories = new Map<string, KeptChange[]>();
  /** The last changes of all members: event n is at index n modulo the length. */
  readonly #ring: KeptChange[] = [];
  #lastEvent = 0;

  constructor(
    limits = { history: HISTORY_MAX, histories: HISTORIES_MAX, resumable: RESUMABLE_MAX },
  ) {
    this.#limits = limits;
  }

  /** The number of the last change; 0 if there was none. */
  get lastEvent(): number {
    return this.#lastEvent;
  }

  /** Numbers a change, made at `atMs` of the wall clock by a member that says `about`, and adds it to its story. */
  record(change: StatusChange, atMs: number, about?: About): KeptChange {
    const { id, address, from, to, reason } = change;
    const kept = { id, address, from, to, reason, about, atMs, event: ++this.#lastEvent };
    this.#ring[kept.event % this.#limits.resumable] = kept;
    const history = this.#histories.get(id);
    if (history === undefined) {
      // Members that made room in a full table leave their stories behind.
      if (this.#histories.size >= this.#limits.histories) this.#forgetOldest();
      // A literal has room for one, an empty list that grows for 17: most members live on and add nothing.
      this.#histories.set(id, [kept]);
      return kept;
    }
    history.push(kept);
    if (history.length > this.#allowance()) {
      history.splice(0, history.length - this.#allowance());
    }
    return kept;
  }

  /** The member's last change. */
  latest(id: string): KeptChange | undefined {
    return this.#histories.get(id)?.at(-1);
  }

  /** The member's changes, oldest first. */
  history(id: string): readonly KeptChange[] {
    return this.#histories.get(id) ?? [];
  }

  /** The changes after event `event`, oldest first; undefined if some are forgotten, or there was no such event. */
  since(event: number): readonly KeptChange[] | undefined {
    const count = this.#lastEvent - event;
    if (!Number.isSafeInteger(event) || event < 0) return undefined;
    if (count < 0 || count > this.#limits.resumable) return undefined;
    return Array.from(
      { length: count },
      (_, i) => this.#ring[(event + 1 + i) % this.#limits.resumable]!,
    );
  }

  #forgetOldest(): void {
    for (const id of this.#histories.keys()) return void this.#histories.delete(id);
  }

  #allowance(): number {
    const { history, histories } = this.#limits;
    return Math.max(1, Math.min(history, Math.floor(histories / this.#histories.size)));
  }
}

/** A change as `GET /events`, `GET /members/NNN` and the page show it. */
export function changeView(kept: KeptChange): ChangeView {
  const { id, address, from, to, atMs, reason, about, event } = kept;
  const { tags } = readAbout(about);
  return { id, address, from, to, at: new Date(atMs).toISOString(), reason, tags, event };
}
