/**
 * Whom this node reached lately and whom not. A node that is cut off together with a few others uses this to find them
 * and to keep calling those it found: they hear each other well, and must not show each other dead.
 *
 * @module
 */

/**
 * This node seems cut off if, since the last round, calls that timed out outnumber members that were heard by this
 * factor. At 10 % loss that happens in one round of two hundred.
 */
const SILENT_SHARE = 3;

/** Fewer calls that timed out say nothing. */
export const SILENT_MIN = 2;

/**
 * Live members that such a node calls beyond its fan-out, for each call that timed out. With half as many, and 32 at
 * most, some of eight that were cut off with each other among 100 showed each other dead in two of 24 runs.
 */
const SEARCH_FACTOR = 8;

/**
 * The same, at most. Of 100 members it has called each one in three rounds, before those that it heard of last a moment
 * before the cut would look dead. Calls into a cut burden nobody else. More would leave no room among the calls under
 * way (calls.ts) for what else a round does.
 */
const SEARCH_MAX = 44;

/** Members heard in one round that are counted: more than calls that can time out in it. */
const HEARD_MAX = 64;

export class Reach {
  /** The running time at which a call to each member timed out, if it was not heard since. */
  readonly #silentAtMs = new Map<string, number>();
  /** Since the last round. */
  readonly #heard = new Set<string>();
  #silent = 0;

  /** Notes that a call to a member timed out. */
  silent(id: string, nowMs: number): void {
    this.#silentAtMs.set(id, nowMs);
    this.#silent++;
  }

  /** Notes that a member was heard directly: it answered, or called. */
  heard(id: string): void {
    this.#silentAtMs.delete(id);
    if (this.#heard.size < HEARD_MAX) this.#heard.add(id);
  }

  /** Whether the last call to a member timed out, and it was not heard since. */
  isSilent(id: string): boolean {
    return this.#silentAtMs.has(id);
  }

  /** Begins a round: forgets what is older than `sinceMs`, and returns how many more members to call. */
  begin(sinceMs: number): number {
    for (const [id, atMs] of this.#silentAtMs) if (atMs < sinceMs) this.#silentAtMs.delete(id);
    const isCutOff = this.#silent >= SILENT_MIN && this.#silent >= SILENT_SHARE * this.#heard.size;
    const search = isCutOff ? Math.min(SEARCH_FACTOR * this.#silent, SEARCH_MAX) : 0;
    this.#silent = 0;
    this.#heard.clear();
    return search;
  }
}
