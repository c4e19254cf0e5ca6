/**
 * Callers of other clusters: refused, and named in the log.
 *
 * @module
 */
import type { Log } from "../log.ts";
import { OncePer } from "../once.ts";

/** Callers that the log names in a period: enough to find a mistake, whoever invents callers. */
const LOGGED = { keysMax: 64, periodMs: 3_600_000 };

export class ForeignCallers {
  readonly #cluster: string;
  readonly #log: Log;
  readonly #logged = new OncePer(LOGGED);

  constructor(cluster: string, log: Log) {
    this.#cluster = cluster;
    this.#log = log;
  }

  /** Why a caller is refused: it belongs to another cluster. Undefined if it does not; logged once for each caller. */
  refusal(
    caller: { from: string; via: string; cluster: string },
    nowMs: number,
  ): string | undefined {
    const { from, via, cluster } = caller;
    if (cluster === this.#cluster) return undefined;
    const told = this.#logged.admit(`${from} ${via}`, nowMs);
    const text = `it belongs to cluster '${cluster}', this node to '${this.#cluster}'`;
    if (told !== "no") this.#log.notice("warn", `refused ${from} (${via}): ${text}`);
    if (told === "last") {
      this.#log.notice("warn", "further nodes of other clusters: not logged for an hour");
    }
    return `This node belongs to cluster '${this.#cluster}', not '${cluster}': see -cluster`;
  }
}
