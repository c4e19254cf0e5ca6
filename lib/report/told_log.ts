/**
 * What hooks were told of each member: by whom, when, and what came of it. (pure)
 *
 * @module
 */
import type { Status } from "../table.ts";
import type { Told } from "../told.ts";

/** Tellings kept per member: days of one that restarts, an hour of one that flaps. */
export const TELLINGS_MAX = 10;

/** Members of whom they are kept, the one told of longest ago going first. */
export const TOLD_MEMBERS_MAX = 4_096;

/** That a hook was told of a member. */
export interface ToldView {
  readonly hook: string;
  /** What the member had become. */
  readonly to: Status;
  /** The node that told. */
  readonly by: string;
  /** RFC 3339, by this node's clock. */
  readonly at: string;
  /** How the command or call ended: "200", "exited with 0". */
  readonly result: string;
}

export class ToldLog {
  readonly #byId = new Map<string, ToldView[]>();

  /** Adds one, learned at `wallMs` of this node's wall clock. */
  record({ hook, id, to, by, ageMs, result }: Told, wallMs: number): void {
    const at = new Date(wallMs - ageMs).toISOString();
    const told = [...this.#byId.get(id) ?? [], { hook, to, by, at, result }];
    // Deleted first, so that the last told comes last.
    this.#byId.delete(id);
    this.#byId.set(id, told.slice(-TELLINGS_MAX));
    for (const oldest of this.#byId.keys()) {
      if (this.#byId.size <= TOLD_MEMBERS_MAX) break;
      this.#byId.delete(oldest);
    }
  }

  /** Those of a member, oldest first. */
  of(id: string): readonly ToldView[] {
    return this.#byId.get(id) ?? [];
  }
}
