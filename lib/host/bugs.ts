/**
 * Mistakes in this program, as the log tells them.
 *
 * @module
 */
import { bugPlace, describeBug, type Log } from "../log.ts";
import { OncePer } from "../once.ts";

/** Each place in the program is told of once an hour: a caller who found a mistake can cause it a million times. */
const LOGGED = { keysMax: 100, periodMs: 3_600_000 };

export class BugLog {
  readonly #log: Log;
  readonly #logged = new OncePer(LOGGED);

  constructor(log: Log) {
    this.#log = log;
  }

  /** Logs a mistake, unless its place was logged within the hour; `nowMs` is monotonic. */
  note(error: unknown, nowMs: number): void {
    const once = this.#logged.admit(bugPlace(error), nowMs);
    if (once !== "no") this.#log.notice("error", describeBug(error));
  }
}
