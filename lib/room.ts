/**
 * Who makes room in a full table: such that tables agree, no member that is live is lost, and a flood of made-up
 * members does not keep newcomers out for longer than they look live.
 *
 *     never heard from    first
 *     gone for long       next: dead or left, the longest first, in steps of doubled time
 *     live                never: a table full of live members takes no more
 *
 * A full table keeps the first of all that it is told of, in an order that is the same on all nodes: so two full
 * tables with different entries become equal. Among members gone for about as long, and among tombstones, a hash of
 * the ID decides: ages differ a little from node to node, and by the alphabet a stranger could choose what goes.
 *
 * @module
 */
import { hashOf } from "./hash.ts";

/** The least time between two listings of those who can make room, in ms: it looks at the whole table. */
const LISTING_GAP_MS = 1_000;

interface Candidate<T> {
  readonly entry: T;
  readonly class: number;
  readonly hash: number;
}

export class Room<T extends { readonly id: string }> {
  readonly #classOf: (entry: T, nowMs: number) => number;
  /** The first to go at the end. */
  #candidates: Candidate<T>[] = [];
  #listedAtMs = -Infinity;

  /** Entries of a greater class go first, those of class 0 never. */
  constructor(classOf: (entry: T, nowMs: number) => number) {
    this.#classOf = classOf;
  }

  /** The one of `entries` that goes so that `newcomer` finds room; undefined: it finds none. */
  madeFor(newcomer: T, entries: ReadonlyMap<string, T>, nowMs: number): T | undefined {
    if (nowMs - this.#listedAtMs >= LISTING_GAP_MS) this.#list(entries, nowMs);
    const least = this.#candidate(newcomer, nowMs);
    for (let last = this.#candidates.at(-1); last !== undefined; last = this.#candidates.at(-1)) {
      const { entry } = last;
      // Gone by another way since the listing, or heard again.
      const isCurrent = entries.get(entry.id) === entry && this.#classOf(entry, nowMs) > 0;
      if (isCurrent && compare(last, least) <= 0) return undefined;
      this.#candidates.pop();
      if (isCurrent) return entry;
    }
    return undefined;
  }

  #list(entries: ReadonlyMap<string, T>, nowMs: number): void {
    this.#listedAtMs = nowMs;
    this.#candidates = [];
    for (const entry of entries.values()) {
      const candidate = this.#candidate(entry, nowMs);
      if (candidate.class > 0) this.#candidates.push(candidate);
    }
    this.#candidates.sort(compare);
  }

  #candidate(entry: T, nowMs: number): Candidate<T> {
    return { entry, class: this.#classOf(entry, nowMs), hash: hashOf(entry.id) };
  }
}

function compare<T extends { readonly id: string }>(a: Candidate<T>, b: Candidate<T>): number {
  if (a.class !== b.class) return a.class < b.class ? -1 : 1;
  if (a.hash !== b.hash) return a.hash - b.hash;
  return a.entry.id < b.entry.id ? -1 : a.entry.id > b.entry.id ? 1 : 0;
}
