/**
 * Whether this node is cut off: it knew others that ran, and hears none of them any more. What it thinks of them then
 * is about its own link, not about them.
 *
 * @module
 */
import { readAbout } from "./about.ts";
import type { ChangeToTell } from "./hook.ts";
import type { Self } from "./options.ts";
import type { Pace } from "./pace.ts";
import type { Row } from "./table.ts";

/** Others that ran when any was last heard: of one alone, that it is down is likelier. */
const OTHERS_MIN = 2;

/** A healthy node is answered each interval; after so many without it waits before it tells of others. */
const DOUBT_INTERVALS = 2;

/** How often this node calls, and when it counts as cut off. */
export type CutOffPace = Pick<Pace, "intervalMs" | "deadAfterMs">;

export class CutOff {
  readonly #pace: CutOffPace;
  /** The running time of the first call since a call was answered or refused, or a message came. */
  #unheardSinceMs = Infinity;
  #others = 0;

  constructor(pace: CutOffPace) {
    this.#pace = pace;
  }

  /** Notes that this node called somebody. */
  called(nowMs: number): void {
    this.#unheardSinceMs = Math.min(this.#unheardSinceMs, nowMs);
  }

  /** Notes that this node heard a host that runs: an answer, a refusal, a message. */
  heard(): void {
    this.#unheardSinceMs = Infinity;
  }

  /** Notes how many others run, as far as this node knows. */
  survey(others: number, nowMs: number): void {
    if (!this.#isUnheard(nowMs, this.#doubtMs)) this.#others = others;
  }

  /** Whether this node may be cut off: the next answer tells. */
  inDoubt(nowMs: number): boolean {
    return this.#others >= OTHERS_MIN && this.#isUnheard(nowMs, this.#doubtMs);
  }

  /** Whether it is. */
  isCutOff(nowMs: number): boolean {
    return this.#others >= OTHERS_MIN && this.#isUnheard(nowMs, this.#pace.deadAfterMs);
  }

  get #doubtMs(): number {
    return DOUBT_INTERVALS * this.#pace.intervalMs;
  }

  #isUnheard(nowMs: number, forMs: number): boolean {
    return nowMs - this.#unheardSinceMs > forMs;
  }
}

/** The change that says that this node is cut off: its boot and its heartbeat at the first moment name it. */
export function cutOffChange(
  { id, address, boot }: Pick<Self, "id" | "address" | "boot">,
  row: Row | undefined,
  atHeartbeat: number,
): ChangeToTell {
  return {
    key: [id, boot, "cut-off", atHeartbeat].join("/"),
    id,
    address,
    tags: readAbout(row?.about).tags,
    from: undefined,
    to: "cut-off",
    reason: "no other member answers",
    ageMs: 0,
  };
}
