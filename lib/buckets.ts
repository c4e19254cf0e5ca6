/**
 * The roster in parts: where two large rosters differ, a hash of each part says where, so that the rows of those parts
 * travel and not all.
 *
 * A member or tombstone is in the bucket that a hash of its ID names. Of two that differ in one row both sides send
 * their hashes, and one row in 256 or so.
 *
 * Rejected: a tree of hashes. It needs a request per level, and one of 65,536 members would not be much cheaper.
 *
 * @module
 */
import { digitsAt, putDigits, roomFor, textOf } from "./digits.ts";
import { hashOf, SetHash } from "./hash.ts";

/** Parts of a roster: of 10,000 members a part is 40 rows, 3 KB, and all hashes are 1.3 KB. */
export const BUCKETS = 256;

/** Characters of a part's hash: 2^32 < 91^5. */
const HASH_LENGTH = 5;

/** The hash of each part of a roster, each of 32 bits. */
export type Buckets = Uint32Array;

/** The part in which an ID is. */
export function bucketOf(id: string): number {
  return hashOf(id) % BUCKETS;
}

/** The hash of a roster, as a whole and by parts. */
export class RosterHash {
  readonly buckets: Buckets = new Uint32Array(BUCKETS);
  readonly #whole = new SetHash();

  /** Adds what the roster says of an ID, or takes it out again. */
  toggle(id: string, text: string): void {
    this.buckets[bucketOf(id)]! ^= this.#whole.toggle(text);
  }

  /** The hash of the whole. */
  toString(): string {
    return this.#whole.toString();
  }
}

/** Whether an ID is in a part in which two rosters differ; undefined where no part does. */
export function inDifference(a: Buckets, b: Buckets): ((id: string) => boolean) | undefined {
  return a.some((hash, i) => hash !== b[i])
    ? (id) => a[bucketOf(id)] !== b[bucketOf(id)]
    : undefined;
}

/** The hashes of a roster without any member. */
export const NO_BUCKETS: Buckets = new Uint32Array(BUCKETS);

/** Writes the hashes of all parts; nothing for none. */
export function bucketsText(buckets: Buckets): string {
  if (buckets === NO_BUCKETS) return "";
  const bytes = roomFor(BUCKETS * HASH_LENGTH);
  let length = 0;
  for (const hash of buckets) length = putDigits(bytes, length, hash, HASH_LENGTH);
  return textOf(bytes, length);
}

/** Reads them back; undefined where they are malformed. */
export function readBuckets(text: unknown): Buckets | undefined {
  if (text === "") return NO_BUCKETS;
  if (typeof text !== "string" || text.length !== BUCKETS * HASH_LENGTH) return undefined;
  const buckets = new Uint32Array(BUCKETS);
  for (let i = 0; i < BUCKETS; i++) {
    const hash = digitsAt(text, i * HASH_LENGTH, HASH_LENGTH);
    if (!(hash < 2 ** 32)) return undefined;
    buckets[i] = hash;
  }
  return buckets;
}
