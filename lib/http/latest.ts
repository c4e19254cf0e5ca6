/**
 * Answers that cost their node some work, made at most twice a second and once per change of what they tell.
 *
 * @module
 */

/**
 * Rendering 1,000 members takes 1 to 3 ms as JSON and 10 to 25 ms as a page. However many callers ask, it is done this
 * seldom, so that they cannot make rounds late.
 */
const FRESH_MS = 500;

/** Keeps the latest text while it is fresh. */
export class Latest {
  #key = "";
  #text = "";
  #madeMs = -Infinity;

  text(key: string, make: () => string): string {
    const nowMs = performance.now();
    if (key !== this.#key || nowMs - this.#madeMs >= FRESH_MS) {
      this.#text = make();
      this.#key = key;
      this.#madeMs = nowMs;
    }
    return this.#text;
  }
}
