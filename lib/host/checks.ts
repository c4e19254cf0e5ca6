/**
 * The checks of a node: each runs again and again, never twice at once, and together they have one outcome.
 *
 * @module
 */
import type { Check } from "../config/checks.ts";
import { Connector } from "../net/connect.ts";
import { pause } from "../net/deadline.ts";
import { runCheck } from "./check_runs.ts";
import {
  type CheckOutcome,
  count,
  NO_OUTCOME,
  NO_RUN,
  outcomeOf,
  type Run,
} from "./check_verdict.ts";

/** Delay of the first run, in ms: a process that is started with the node needs a moment to be ready. */
const FIRST_RUN_MS = 1_000;

/** A pause between two runs, however long one takes, in ms: a slow command must not run without one. */
const PAUSE_MIN_MS = 500;

export interface ChecksOptions {
  readonly checks: readonly Check[];
  /** Certificates of authorities to trust besides the usual ones, in PEM. */
  readonly authorities: () => string[];
  /** Told what the checks say, whenever that is something else. */
  readonly onOutcome: (outcome: CheckOutcome) => void;
  /** Milliseconds of a clock that never goes back. */
  readonly nowMs: () => number;
  readonly wallMs: () => number;
  /** Runs a check once; by default as it says. Never rejects. */
  readonly run?: (check: Check, signal: AbortSignal) => Promise<Run>;
}

export class Checks {
  readonly #options: ChecksOptions;
  readonly #connector = new Connector({});
  readonly #tlsConnector: Connector;
  readonly #over = new AbortController();
  readonly #tallies = new Map<Check, ReturnType<typeof count>>();
  #outcome = NO_OUTCOME;

  constructor(options: ChecksOptions) {
    this.#options = options;
    this.#tlsConnector = new Connector({ caCerts: options.authorities });
    for (const check of options.checks) this.#tallies.set(check, NO_RUN);
  }

  get outcome(): CheckOutcome {
    return this.#outcome;
  }

  start(): void {
    for (const check of this.#options.checks) void this.#repeat(check);
  }

  /** Ends the runs under way, and starts no other. */
  stop(): void {
    this.#over.abort();
  }

  async #repeat(check: Check): Promise<void> {
    const { nowMs } = this.#options;
    const { signal } = this.#over;
    await pause(FIRST_RUN_MS, signal);
    while (!signal.aborted) {
      const startMs = nowMs();
      const run = await this.#run(check);
      if (signal.aborted) return;
      this.#tallies.set(check, count(this.#tallies.get(check)!, run, check, nowMs()));
      this.#review();
      await pause(Math.max(PAUSE_MIN_MS, startMs + check.everyMs - nowMs()), signal);
    }
  }

  async #run(check: Check): Promise<Run> {
    const { run, wallMs } = this.#options;
    const { signal } = this.#over;
    if (run !== undefined) return await run(check, signal);
    const connectors = { connector: this.#connector, tlsConnector: this.#tlsConnector };
    return await runCheck(check, { signal, wallMs, ...connectors });
  }

  #review(): void {
    const outcome = outcomeOf([...this.#tallies.values()]);
    const { state, words } = this.#outcome;
    if (outcome.state === state && outcome.words === words) return;
    this.#outcome = outcome;
    this.#options.onOutcome(outcome);
  }
}
