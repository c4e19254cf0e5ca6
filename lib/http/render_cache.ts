/**
 * Answers that cost their node some work: each made at most twice a second while nothing changes, and all together in a
 * bounded share of the time, whoever asks for what.
 *
 * @module
 */
import { refuse } from "./body.ts";

/**
 * Rendering 1,000 members takes 1 to 3 ms as JSON and 10 to 25 ms as a page. However many callers ask, it is done this
 * seldom for each form of the answer.
 */
export const FRESH_MS = 500;

/** Age up to which a text is given where there is no time to make a new one; it holds the time of which it tells. */
const KEPT_MS = 5_000;

/** In each second, rendering begins only until it has taken this long: ever new queries must make no round late. */
export const BUSY_MS_MAX = 100;

/** Texts kept: every form of /members that there is. */
export const TEXTS_MAX = 64;

/** Characters of all texts kept, unless the latest alone is longer: the pages of four people in a large cluster. */
export const TEXTS_LENGTH_MAX = 4 * 1024 * 1024;

export interface Made {
  readonly text: string;
  /** Changes with what the text tells. */
  readonly version: string;
  readonly atMs: number;
}

/** Keeps the latest texts while they are fresh. */
export class RenderCache {
  readonly #nowMs: () => number;
  /** The one made longest ago first. */
  readonly #made = new Map<string, Made>();
  #length = 0;
  #sinceMs = -Infinity;
  #busyMs = 0;
  #plainMs = -Infinity;

  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs;
  }

  /**
   * The text for `key`, which names all that `make` takes from the request. The empty key is what most callers ask for:
   * others never keep it from being made. Refuses the request (503) if there is no time to make the text now.
   */
  get(key: string, version: string, make: () => string): Made {
    return this.find(key, version, make) ??
      refuse(503, "Try again in a second: this node is asked for too many different views");
  }

  /**
   * The same; undefined if there is no time to make the text now. Of the texts that are `plain`, which are for readers
   * of what most ask for, others never keep one from being made in half a second.
   */
  find(key: string, version: string, make: () => string, plain = false): Made | undefined {
    const nowMs = this.#nowMs();
    const known = this.#made.get(key);
    const ageMs = known === undefined ? Infinity : nowMs - known.atMs;
    if (known !== undefined && known.version === version && ageMs < FRESH_MS) return known;
    if (nowMs - this.#sinceMs >= 1_000) [this.#sinceMs, this.#busyMs] = [nowMs, 0];
    const isDue = key === "" && ageMs >= FRESH_MS || plain && nowMs - this.#plainMs >= FRESH_MS;
    if (isDue || this.#busyMs < BUSY_MS_MAX) {
      if (plain) this.#plainMs = nowMs;
      return this.#make(key, version, make);
    }
    return known !== undefined && ageMs <= KEPT_MS ? known : undefined;
  }

  #make(key: string, version: string, make: () => string): Made {
    const atMs = this.#nowMs();
    const made = { text: make(), version, atMs };
    this.#busyMs += this.#nowMs() - atMs;
    this.#drop(key);
    this.#made.set(key, made);
    this.#length += made.text.length;
    for (const oldest of [...this.#made.keys()].slice(0, -1)) {
      const isRoom = this.#made.size <= TEXTS_MAX && this.#length <= TEXTS_LENGTH_MAX;
      if (isRoom && atMs - this.#made.get(oldest)!.atMs <= KEPT_MS) break;
      this.#drop(oldest);
    }
    return made;
  }

  #drop(key: string): void {
    this.#length -= this.#made.get(key)?.text.length ?? 0;
    this.#made.delete(key);
  }
}
