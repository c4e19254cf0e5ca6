/**
 * How members go: the decommission that a user asks for, and a node's own last moments, in which it tells some others
 * that it stops as planned or found itself decommissioned.
 *
 * @module
 */
import type { Calls } from "./calls.ts";
import type { Turn } from "./effects.ts";
import type { Joining } from "./joining.ts";
import { shuffle } from "./partners.ts";
import type { Replica } from "./replica.ts";
import type { Rounds } from "./rounds.ts";

/** Members told before this node goes: some may be down without this node knowing. */
const FAREWELL_FANOUT = 5;

/** What became of a request to decommission a member. */
export type Decommissioned = "done" | "already" | "full";

export interface LeavingOptions {
  readonly id: string;
  readonly random: () => number;
  readonly replica: Replica;
  readonly calls: Calls;
  readonly joining: Joining;
  readonly rounds: Rounds;
}

export class Leaving {
  readonly #options: LeavingOptions;
  #active = false;

  constructor(options: LeavingOptions) {
    this.#options = options;
  }

  /** This node runs no further rounds. */
  get active(): boolean {
    return this.#active;
  }

  /** Decommissions `id` for good, as a user of this node asked, and tells its process first. */
  decommission(turn: Turn, id: string): Decommissioned {
    const { id: ownId, replica, calls, rounds } = this.#options;
    const target = replica.table.get(id);
    const merged = replica.bury(id, ownId, turn.nowMs);
    if (merged !== "changed") return merged === "full" ? "full" : "already";
    if (target !== undefined && id !== ownId) calls.tell(turn, [target.address]);
    rounds.hurry(turn.now.monotonicMs);
    return "done";
  }

  /** Tells that this node stops. */
  farewell(turn: Turn): void {
    const { replica, calls, joining, random } = this.#options;
    this.#active = true;
    if (joining.active) return;
    const live = shuffle([...replica.verdicts.last.live], random);
    calls.tell(turn, live.slice(0, FAREWELL_FANOUT).map((row) => row.address));
  }

  /** Ends this node if it finds itself decommissioned, once. */
  settle(turn: Turn): void {
    const { id, replica } = this.#options;
    if (turn.effects.some((effect) => effect.kind === "stop")) this.#active = true;
    const tombstone = replica.table.tombstone(id);
    if (tombstone === undefined || this.#active) return;
    const by = tombstone.by === "" ? "" : ` by request to ${tombstone.by}`;
    const text = `this node, ${id}, is decommissioned${by}: it stops, and its ID stays unusable`;
    this.farewell(turn);
    turn.effects.push({ kind: "stop", status: 0, text });
  }
}
