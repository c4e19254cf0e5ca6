/**
 * A node that hears nobody: it is more likely cut off than alone in the world, and says so once.
 *
 * @module
 */
import type { Moment } from "../clock.ts";
import type { Log } from "../log.ts";
import type { StatusChange } from "../verdicts.ts";

/** Why a member is dead to a node that is cut off. */
const UNHEARD = "unheard since this node hears nobody";

export interface CutOffReportOptions {
  /** For how long this node has heard nobody, in ms, where it is cut off; 0 otherwise. */
  readonly cutOffMs: () => number;
  readonly now: () => Moment;
  readonly log: Log;
}

export class CutOffReport {
  readonly #options: CutOffReportOptions;
  #holds = false;

  constructor(options: CutOffReportOptions) {
    this.#options = options;
  }

  /** Whether this node hears nobody. */
  get holds(): boolean {
    return this.#holds;
  }

  /** Finds out whether it does, and logs when that changes. */
  look(): void {
    const { cutOffMs, log, now } = this.#options;
    const unheardMs = cutOffMs();
    if (unheardMs > 0 === this.#holds) return;
    this.#holds = unheardMs > 0;
    if (!this.#holds) return log.notice("info", "this node hears others again");
    const since = new Date(now().wallMs - unheardMs).toISOString().slice(11, 19);
    const text = `hears nobody since ${since} UTC: this node is cut off, or all others are down`;
    log.notice("warn", text);
  }

  /** A change as it should be told: a death for silence says little here. */
  explain(change: StatusChange): StatusChange {
    this.look();
    const isUnheard = this.#holds && change.from === "live" && change.to === "dead";
    return isUnheard ? { ...change, reason: UNHEARD } : change;
  }
}
