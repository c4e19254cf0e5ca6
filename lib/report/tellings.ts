/**
 * What hooks were told of each member: by whom, when, and what came of it. (pure)
 *
 * @module
 */

/** Tellings kept per member: days of one that restarts, an hour of one that flaps. */
export const TELLINGS_MAX = 10;

/** Members of whom they are kept, the one told of longest ago going first. */
export const TOLD_MEMBERS_MAX = 4_096;

/** That a hook was told of a member. */
export interface ToldView {
  readonly hook: string;
  /** The node that told. */
  readonly by: string;
  /** RFC 3339, by this node's clock. */
  readonly at: string;
  /** How the command or call ended: "200", "exited with 0". */
  readonly result: string;
}

/** What this node learns: that somebody told a hook of members. */
export interface Learned {
  readonly hook: string;
  readonly ids: readonly string[];
  readonly by: string;
  /** Time since it was told, in ms. */
  readonly ageMs: number;
  readonly words: string;
}

export class Tellings {
  readonly #byId = new Map<string, ToldView[]>();

  /** Adds one, learned at `wallMs` of this node's wall clock. */
  record({ hook, ids, by, ageMs, words }: Learned, wallMs: number): void {
    const at = new Date(wallMs - ageMs).toISOString();
    for (const id of ids) {
      const told = [...this.#byId.get(id) ?? [], { hook, by, at, result: words }];
      this.#byId.delete(id);
      this.#byId.set(id, told.slice(-TELLINGS_MAX));
      if (this.#byId.size <= TOLD_MEMBERS_MAX) continue;
      for (const oldest of this.#byId.keys()) {
        this.#byId.delete(oldest);
        break;
      }
    }
  }

  /** Those of a member, oldest first. */
  of(id: string): readonly ToldView[] {
    return this.#byId.get(id) ?? [];
  }
}
