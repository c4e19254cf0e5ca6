/**
 * What is new, by name, for as long as it travels: changes of the roster as rows beside the columns, who is slow, and
 * what hooks need.
 *
 * @module
 */

/** News travels for this many intervals: by then an epidemic through 10,000 nodes is over. */
export const NEWS_INTERVALS = 8;

/** For how long news travels, in ms. */
export interface NewsPace {
  readonly newsMs: number;
}

export class News {
  readonly #pace: NewsPace;
  /** By name: the running time at which it is no news any more. */
  readonly #untilMs = new Map<string, number>();

  constructor(pace: NewsPace) {
    this.#pace = pace;
  }

  /** Notes that something changed. */
  note(name: string, nowMs: number): void {
    // Deleted first, so that the latest comes last.
    this.#untilMs.delete(name);
    this.#untilMs.set(name, nowMs + this.#pace.newsMs);
  }

  forget(name: string): void {
    this.#untilMs.delete(name);
  }

  /** Drops what is old. */
  expire(nowMs: number): void {
    for (const [name, untilMs] of this.#untilMs) {
      if (untilMs <= nowMs) this.#untilMs.delete(name);
    }
  }

  /** What to send along: the news, the latest last, or in a full message all of `names`. */
  toSend(names: Iterable<string>, nowMs: number, isFull: boolean): string[] {
    this.expire(nowMs);
    return isFull ? [...names] : this.names();
  }

  /** The names, the latest last. */
  names(): string[] {
    return [...this.#untilMs.keys()];
  }
}
