/**
 * Whether members reach this node. One that nobody can call is live all the same, as its own calls bring its
 * heartbeats: a closed port, or an address that leads elsewhere, would never be noticed.
 *
 * @module
 */
import type { Gossip } from "../gossip.ts";
import type { Log } from "../log.ts";

/**
 * Dead-afters without a call, 30 intervals or more: each live member calls at least two in every interval, so even at
 * 80 % loss a node would have had ten calls by then.
 */
const UNREACHED_DEAD_AFTERS = 6;

export interface ReachedOptions {
  readonly id: string;
  /** The address that peers are given. */
  readonly address: string;
  readonly log: Pick<Log, "notice">;
}

export class Reached {
  readonly #gossip: Gossip;
  readonly #options: ReachedOptions;
  /** When a member called last, or there was none to call, by the clock that counts no sleep of this node. */
  #calledAtMs = 0;
  #trouble: string | undefined;

  constructor(gossip: Gossip, options: ReachedOptions) {
    this.#gossip = gossip;
    this.#options = options;
  }

  /** That no member reaches this node, in one line; undefined while one does, and while no other is live. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  /** Notes a call of member `from`. */
  called(from: string): void {
    if (from !== this.#options.id) this.#calledAtMs = this.#gossip.nowMs;
  }

  /** Looks once a round; reports once what is wrong, and once that it is right again. */
  round(): void {
    const { id, address, log } = this.#options;
    const { nowMs, replica: { verdicts, pace } } = this.#gossip;
    // Go nodes call as others do, but say nothing that would tell whether they should.
    const hasCallers = verdicts.last.live.some((row) => row.id !== id && row.boot !== "");
    if (!hasCallers) this.#calledAtMs = nowMs;
    const before = this.#trouble;
    const isReached = nowMs - this.#calledAtMs <= UNREACHED_DEAD_AFTERS * pace.deadAfterMs;
    this.#trouble = isReached ? undefined : `no member reaches this node at ${address}: ` +
      "open its port to them, or set -advertise";
    if (before === undefined && this.#trouble !== undefined) log.notice("warn", this.#trouble);
    if (before !== undefined && isReached && hasCallers) {
      log.notice("info", `members reach this node again at ${address}`);
    }
  }
}
