/**
 * Who carries a hook: live members say so in their words.
 *
 * @module
 */
import { readAbout } from "./about.ts";
import type { Replica } from "./replica.ts";
import { isUp, type Row } from "./table.ts";

/**
 * The live nodes that carry a hook, as one of them sees them. A process that just started tells nothing yet (see
 * tellings.ts): it comes last for a while, or each change would wait for its turn to pass.
 */
export class Carriers {
  readonly #replica: Replica;
  /** The process of each member that was seen last, and since when. */
  readonly #came = new Map<string, { readonly boot: string; readonly atMs: number }>();

  constructor(replica: Replica) {
    this.#replica = replica;
  }

  /** Looks at a member that changed: it may be another process. */
  note({ id, boot }: Row, nowMs: number): void {
    if (this.#came.get(id)?.boot !== boot) this.#came.set(id, { boot, atMs: nowMs });
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
