/**
 * The latest changes of the roster: what travels as rows beside the columns.
 *
 * @module
 */

/** Roster changes travel as rows for this many intervals: by then an epidemic through 10,000 nodes is over. */
export const NEWS_INTERVALS = 8;

export class News {
  readonly #lifeMs: number;
  /** By ID: the running time at which it is no news any more. */
  readonly #untilMs = new Map<string, number>();

  constructor(intervalMs: number) {
    this.#lifeMs = NEWS_INTERVALS * intervalMs;
  }

  /** Notes that a member's roster entry changed. */
  note(id: string, nowMs: number): void {
    // Deleted first, so that the latest comes last.
    this.#untilMs.delete(id);
    this.#untilMs.set(id, nowMs + this.#lifeMs);
  }

  forget(id: string): void {
    this.#untilMs.delete(id);
  }

  /** Drops what is old. */
  expire(nowMs: number): void {
    for (const [id, untilMs] of this.#untilMs) if (untilMs <= nowMs) this.#untilMs.delete(id);
  }

  /** The IDs, the latest last. */
  ids(): string[] {
    return [...this.#untilMs.keys()];
  }
}
