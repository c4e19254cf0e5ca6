/**
 * When a carrier listens before it tells: after its start, after a sleep, while it is cut off and once it is back.
 *
 *     it met others            it sees within dead-after and two intervals who runs
 *     it meets nobody          the others do not run, or it is cut off: it listens once it recalls them (former.ts)
 *     they turn up after all   it listens anew
 *
 * @module
 */
import { CutOff } from "./cut_off.ts";
import type { Replica } from "./replica.ts";

/** After it met the others a node waits for dead-after and so many intervals: by then it knows who runs. */
const SETTLE_INTERVALS = 2;

export class Listening {
  readonly cutOff: CutOff;
  readonly #replica: Replica;
  /** Until then this node holds its tongue; infinite before it has begun to listen. */
  #untilMs = Infinity;
  /** Whether it had met another when it last looked; undefined before it has begun to listen. */
  #hasMet: boolean | undefined;
  #cutOffAt: number | undefined;
  #sleptMs = 0;

  constructor(replica: Replica) {
    this.#replica = replica;
    this.cutOff = new CutOff(replica.pace);
  }

  get untilMs(): number {
    return this.#untilMs;
  }

  /** This node's heartbeat when it was cut off; undefined while it is not. */
  get cutOffAt(): number | undefined {
    return this.#cutOffAt;
  }

  /** Notes whether this node is cut off, or hears others again, or slept; false: it has not begun to listen. */
  look(nowMs: number, joined: boolean): boolean {
    const { id, table, former, verdicts, pace, clock: { sleptMs } } = this.#replica;
    const { live, hung } = verdicts.last;
    const others = live.length + hung.length;
    this.cutOff.survey(joined ? others : former.size, nowMs);
    if (!joined && (others > 0 || !former.isRecalled)) return false;
    const isCutOff = this.cutOff.isCutOff(nowMs);
    const isBack = this.#cutOffAt !== undefined && !isCutOff;
    const hasSlept = sleptMs - this.#sleptMs > pace.newsMs;
    if (joined !== this.#hasMet || isBack || hasSlept) {
      this.#untilMs = nowMs + pace.deadAfterMs + SETTLE_INTERVALS * pace.longestIntervalMs;
    }
    this.#hasMet = joined;
    this.#sleptMs = sleptMs;
    this.#cutOffAt = isCutOff ? this.#cutOffAt ?? table.get(id)?.heartbeat ?? 0 : undefined;
    return true;
  }
}
