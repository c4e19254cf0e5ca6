/**
 * Who carries a hook: live members say so in their words.
 *
 * @module
 */
import { readAbout } from "./about.ts";
import type { Replica } from "./replica.ts";
import { isUp, type Row } from "./table.ts";

/** A member's process, and since when it is known. */
interface Came {
  readonly boot: string;
  readonly atMs: number;
  /** Another was known before, which ended by then; the first that is known may have run for long. */
  readonly isNext: boolean;
}

/**
 * The live nodes that carry a hook, as one of them sees them. A process that just started tells nothing yet (see
 * tellings.ts): it comes last for a while, or each change would wait for its turn to pass.
 */
export class Carriers {
  readonly #replica: Replica;
  /** The process of each member that was seen last, and since when. */
  readonly #came = new Map<string, Came>();

  constructor(replica: Replica) {
    this.#replica = replica;
  }

  /** Looks at a member that changed: it may be another process. */
  note({ id, boot }: Row, nowMs: number): void {
    const came = this.#came.get(id);
    if (came?.boot === boot) return;
    this.#came.set(id, { boot, atMs: nowMs, isNext: came !== undefined });
  }

  keepOnly(isKnown: (id: string) => boolean): void {
    for (const id of this.#came.keys()) if (!isKnown(id)) this.#came.delete(id);
  }

  /**
   * Whether a member just started: for less long than a process tells nothing after its start, or its turn and
   * another's would be at one time.
   */
  isNew(id: string, nowMs: number): boolean {
    return nowMs < (this.#came.get(id)?.atMs ?? -Infinity) + this.#replica.pace.deadAfterMs;
  }

  /** Whether a member's process ran at `atMs` already: one that ended since does nothing any more. */
  ranAt(id: string, atMs: number): boolean {
    const came = this.#came.get(id);
    return came === undefined || !came.isNext || came.atMs <= atMs;
  }

  /** Who carries a hook; this node, which asks, is one of them. */
  of(hook: string, nowMs: number): string[] {
    const { id, verdicts } = this.#replica;
    const others = verdicts.last.live.filter((row) =>
      // The last survey may be an interval old.
      carries(row, hook) && isUp(verdicts.statusOf(row, nowMs))
    );
    return [id, ...others.map((row) => row.id)];
  }
}

function carries({ about }: Row, hook: string): boolean {
  // Most say nothing of hooks, and a text is searched faster than read.
  if (about === undefined || !about.text.includes('"hooks"')) return false;
  return readAbout(about).hooks.includes(hook);
}
