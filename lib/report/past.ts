/**
 * The past of the cluster as this node saw it: changes of status over weeks, for questions about a time, and for
 * uptimes. (pure)
 *
 * Each change has the time of the wall clock of the node that saw it. While this node was off or suspended it saw
 * nothing: such a gap counts as unknown, until another node told what it saw then.
 *
 * @module
 */
import { isUp, type Status } from "../table.ts";
import { holds, indexFrom, insert } from "./in_time.ts";

/** Changes kept: those of 16 MB on disk, in some 25 MB of memory where so much happened. */
export const PAST_CHANGES_MAX = 160_000;

/** Age of the oldest change kept: a quarter of a year. */
export const PAST_AGE_MAX_MS = 90 * 24 * 3_600_000;

/** Gaps kept: more starts than that are answered by the latest. */
const GAPS_MAX = 1_000;

/**
 * How far ahead a clock was that was set by hand or to another time zone. What is further ahead was seen by a clock
 * that was right, and the present one is behind, as that of a board without a battery is at first.
 */
const AHEAD_MAX_MS = 24 * 3_600_000;

/** Changes in one answer: 150 KB. Changes of one millisecond are not parted. */
export const PAGE_MAX = 1_000;

/** What a member became; `forgotten` ends its story (see forgotten.ts). */
export type Became = Status | "forgotten";

/** A change as it is kept. */
export interface PastChange {
  /** Ms since the epoch, by the clock of the node that saw it. */
  readonly atMs: number;
  readonly id: string;
  readonly from: Status | null;
  readonly to: Became;
  readonly reason: string;
  /** The node that told it, where this one was off. */
  readonly by?: string | undefined;
}

/** A time in which this node was off or suspended, and nobody told what happened. */
export interface Gap {
  readonly fromMs: number;
  readonly toMs: number;
}

/** An entry of the file: a change, a gap, or the node that told what happened in one. */
export type PastEntry =
  | { readonly kind: "change"; readonly change: PastChange }
  | { readonly kind: "gap"; readonly gap: Gap }
  | { readonly kind: "told"; readonly gap: Gap; readonly by: string };

/** Which changes are asked for: times in ms since the epoch, the end not included. */
export interface PastQuery {
  readonly fromMs: number;
  readonly toMs: number;
  readonly id?: string | undefined;
}

/** A page of changes, oldest first. */
export interface PastPage {
  readonly changes: readonly PastChange[];
  /** From where the next page goes on; undefined: this is the last. */
  readonly nextMs: number | undefined;
}

export class Past {
  /** Oldest first. */
  #changes: PastChange[] = [];
  /** By their beginnings; where clocks were set they may overlap. */
  #gaps: Gap[] = [];
  readonly #byId = new Map<string, PastChange[]>();
  readonly #max: number;

  constructor(max = PAST_CHANGES_MAX) {
    this.#max = max;
  }

  /** Takes an entry, as it happens or from a file. */
  add(entry: PastEntry): void {
    if (entry.kind === "gap") {
      this.#gaps = [...this.#gaps, entry.gap].sort((a, b) => a.fromMs - b.fromMs).slice(-GAPS_MAX);
    } else if (entry.kind === "told") {
      const { fromMs, toMs } = entry.gap;
      this.#gaps = this.#gaps.filter((gap) => gap.fromMs !== fromMs || gap.toMs !== toMs);
    } else {
      const { change } = entry;
      const own = this.#byId.get(change.id);
      // Written twice, as the first write was cut short.
      if (own !== undefined && holds(own, change)) return;
      if (own !== undefined && change.by === undefined) this.#bringBack(own, change.atMs);
      insert(this.#changes, change);
      if (own === undefined) this.#byId.set(change.id, [change]);
      else insert(own, change);
      // A tenth at once, as the rest is indexed anew.
      if (this.#changes.length > this.#max) this.#cut(this.#changes.length - 0.9 * this.#max);
    }
  }

  /**
   * From when on changes are kept. A gap that is longer than that does not count: at a start with a clock that is years
   * ahead there seems to be one, and it must not make all that was known old.
   */
  keptFromMs(wallMs: number): number {
    let keptMs = wallMs - PAST_AGE_MAX_MS;
    for (const gap of this.#gaps.toReversed()) {
      if (gap.toMs > keptMs && isEndless(gap)) keptMs -= gap.toMs - gap.fromMs;
    }
    return keptMs;
  }

  /** Drops what is older than it may be. */
  expire(wallMs: number): void {
    const keptMs = this.keptFromMs(wallMs);
    const count = indexFrom(this.#changes, keptMs);
    if (count > 0) this.#cut(count);
    this.#gaps = this.#gaps.filter(({ toMs }) => toMs >= keptMs);
  }

  /** When the oldest change kept was seen; undefined: nothing is kept. */
  get firstMs(): number | undefined {
    return this.#changes[0]?.atMs;
  }

  /** When the newest was. */
  get lastMs(): number | undefined {
    return this.#changes.at(-1)?.atMs;
  }

  get gaps(): readonly Gap[] {
    return this.#gaps;
  }

  /** The changes that are asked for, in pages. */
  page({ fromMs, toMs, id }: PastQuery): PastPage {
    const changes = id === undefined ? this.#changes : this.#byId.get(id) ?? [];
    const first = indexFrom(changes, fromMs);
    const end = indexFrom(changes, toMs);
    let last = Math.min(first + PAGE_MAX, end);
    while (last > first && last < end && changes[last]!.atMs === changes[last - 1]!.atMs) last++;
    const nextMs = last < end ? changes[last]!.atMs : undefined;
    return { changes: changes.slice(first, last), nextMs };
  }

  /** What a member was at a time; undefined: nothing is known of it. */
  became(id: string, ms: number): Became | undefined {
    const changes = this.#byId.get(id) ?? [];
    return changes[indexFrom(changes, ms + 1) - 1]?.to;
  }

  /** The last change of each member up to a time, sorted by ID; without those forgotten by then. */
  at(ms: number): PastChange[] {
    const states: PastChange[] = [];
    for (const changes of this.#byId.values()) {
      const change = changes[indexFrom(changes, ms + 1) - 1];
      if (change !== undefined && change.to !== "forgotten") states.push(change);
    }
    return states.sort((a, b) => a.id < b.id ? -1 : 1);
  }

  /**
   * For how long, from `fromMs` to `toMs`, a member was live, and for how long it should have been as far as this node
   * knows: not while it was off as planned, nor in gaps.
   */
  uptime(
    id: string,
    { fromMs, toMs }: Omit<PastQuery, "id">,
  ): { readonly upMs: number; readonly knownMs: number } {
    const changes = this.#byId.get(id) ?? [];
    let upMs = 0;
    let downMs = 0;
    for (let i = Math.max(0, indexFrom(changes, fromMs) - 1); i < changes.length; i++) {
      const { atMs, to } = changes[i]!;
      if (atMs >= toMs) break;
      const spanMs = this.#knownMs(
        Math.max(atMs, fromMs),
        Math.min(changes[i + 1]?.atMs ?? Infinity, toMs),
      );
      if (to === "live") upMs += spanMs;
      else if (to === "failing" || to === "dead" || to === "unresponsive") downMs += spanMs;
    }
    return { upMs, knownMs: upMs + downMs };
  }

  /** Ms of a span that are in no gap. */
  #knownMs(fromMs: number, toMs: number): number {
    let ms = Math.max(0, toMs - fromMs);
    let countedMs = fromMs;
    for (const gap of this.#gaps) {
      ms -= Math.max(0, Math.min(gap.toMs, toMs) - Math.max(gap.fromMs, countedMs));
      countedMs = Math.max(countedMs, gap.toMs);
    }
    return ms;
  }

  /** What this node saw of a member before was no later: its clock was ahead then, and would come true. */
  #bringBack(own: PastChange[], atMs: number): void {
    const lastMs = own.findLast(({ by }) => by === undefined)?.atMs ?? -Infinity;
    if (lastMs - atMs > AHEAD_MAX_MS) return;
    for (const ahead of own.splice(indexFrom(own, atMs + 1))) {
      const place = this.#changes.indexOf(ahead);
      // The last change of a member stays known once it is too old to be listed.
      if (place >= 0) this.#changes.splice(place, 1);
      const change = ahead.by === undefined ? { ...ahead, atMs } : ahead;
      for (const changes of [this.#changes, own]) insert(changes, change);
    }
  }

  #cut(count: number): void {
    this.#changes = this.#changes.slice(Math.ceil(count));
    const firstMs = this.#changes[0]?.atMs ?? Infinity;
    for (const [id, changes] of this.#byId) {
      // The last one before is kept: it says what the member was since.
      const gone = indexFrom(changes, firstMs) - 1;
      if (changes.at(-1)!.atMs < firstMs && !isLasting(changes.at(-1)!.to)) this.#byId.delete(id);
      else if (gone > 0) changes.splice(0, gone);
    }
  }
}

/** Whether a gap is longer than anybody remembers: the node was off for very long, or its clock was ahead. */
export function isEndless({ fromMs, toMs }: Gap): boolean {
  return toMs - fromMs > PAST_AGE_MAX_MS;
}

/** Whether a status that a member has had for very long is still of use. */
function isLasting(to: Became): boolean {
  return to !== "forgotten" && (isUp(to) || to === "unresponsive");
}
