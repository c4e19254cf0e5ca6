/**
 * Mistakes in this program that it noticed: counted, and logged once an hour for each place, as a caller who found one
 * can cause a million.
 *
 * @module
 */
import { bugPlace, describeBug, type Log } from "../log.ts";
import { OncePer } from "../once.ts";

const LOGGED = { keysMax: 100, periodMs: 3_600_000 };

export class Bugs {
  readonly #log: Log;
  readonly #once = new OncePer(LOGGED);

  constructor(log: Log) {
    this.#log = log;
  }

  /** Logs one; `nowMs` is on a clock that never goes back. */
  report(error: unknown, nowMs: number): void {
    const once = this.#once.admit(bugPlace(error), nowMs);
    if (once !== "no") this.#log.notice("error", describeBug(error));
  }
}
