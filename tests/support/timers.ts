/**
 * Timers that a test looks at and runs by hand, and a clock that it moves by hand, in place of the system's, for code that
 * sets and reads its own.
 *
 * @module
 */

interface Timer {
  readonly delayMs: number;
  readonly run: () => void;
}

export class Timers implements Disposable {
  readonly #system = { setTimeout: globalThis.setTimeout, clearTimeout: globalThis.clearTimeout };
  /** In the order in which they were set. */
  readonly #timers = new Map<number, Timer>();
  #set = Promise.withResolvers<void>();
  #lastId = 0;

  constructor() {
    Object.assign(globalThis, {
      setTimeout: (run: () => void, delayMs = 0) => {
        this.#timers.set(++this.#lastId, { delayMs, run });
        this.#set.resolve();
        return this.#lastId;
      },
      clearTimeout: (id: number) => void this.#timers.delete(id),
    });
  }

  /** The delays of all timers that are set. */
  get delays(): number[] {
    return [...this.#timers.values()].map(({ delayMs }) => delayMs);
  }

  /** Runs the first timer, or the first with this delay, once it is set, and gives its delay. */
  async next(wantedMs?: number): Promise<number> {
    const isWanted = ([, { delayMs }]: [number, Timer]) =>
      wantedMs === undefined || delayMs === wantedMs;
    let found: [number, Timer] | undefined;
    while ((found = [...this.#timers].find(isWanted)) === undefined) {
      this.#set = Promise.withResolvers<void>();
      await this.#set.promise;
    }
    const [id, { delayMs, run }] = found;
    this.#timers.delete(id);
    run();
    return delayMs;
  }

  [Symbol.dispose](): void {
    Object.assign(globalThis, this.#system);
  }
}

/** What `performance.now()` tells until this is disposed of. */
export class HandClock implements Disposable {
  readonly #system = performance.now;
  nowMs = 1_000_000;

  constructor() {
    performance.now = () => this.nowMs;
  }

  [Symbol.dispose](): void {
    performance.now = this.#system;
  }
}
