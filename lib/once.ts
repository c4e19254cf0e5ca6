/**
 * Log once per key: a caller who can choose keys, or repeat one, cannot flood the log. (pure)
 *
 * @module
 */

export interface OncePerOptions {
  /** Keys remembered, so also the lines that one period can cause. */
  readonly keysMax: number;
  /** Length of a period in ms; in the next one every key is new again. */
  readonly periodMs: number;
}

/** `first`: log it. `last`: log it, and that further keys are not logged. `no`: do not log it. */
export type Once = "first" | "last" | "no";

/** Remembers which keys were logged in the current period. */
export class OncePer {
  readonly #options: OncePerOptions;
  readonly #keys = new Set<string>();
  #sinceMs = -Infinity;

  constructor(options: OncePerOptions) {
    this.#options = options;
  }

  /** Whether to log something about `key` now; `nowMs` is on a clock that never goes back. */
  admit(key: string, nowMs: number): Once {
    const { keysMax, periodMs } = this.#options;
    if (nowMs - this.#sinceMs > periodMs) {
      this.#keys.clear();
      this.#sinceMs = nowMs;
    }
    if (this.#keys.has(key) || this.#keys.size >= keysMax) return "no";
    this.#keys.add(key);
    return this.#keys.size === keysMax ? "last" : "first";
  }
}
