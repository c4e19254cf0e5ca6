/**
 * The tombstones of a table: permanent, and bounded apart from members.
 *
 * @module
 */
import { Room } from "./room.ts";

/** The permanent mark of a decommissioned ID, with what was last known of the member. */
export interface Tombstone {
  readonly id: string;
  /** The node that was asked to decommission it; empty if a Go node told. */
  readonly by: string;
  readonly address: string;
  readonly heartbeat: number;
  readonly heardAtMs: number;
}

interface Added {
  readonly merged: "same" | "changed" | "full";
  readonly gone?: string;
}

export class Tombstones {
  readonly #byId = new Map<string, Tombstone>();
  readonly #max: number;
  readonly #room = new Room<Tombstone>(() => 1);

  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#byId.size;
  }

  has(id: string): boolean {
    return this.#byId.has(id);
  }

  get(id: string): Tombstone | undefined {
    return this.#byId.get(id);
  }

  values(): Iterable<Tombstone> {
    return this.#byId.values();
  }

  /**
   * Adds a tombstone, or takes the greater `by` of two. At the bound one that a user asks for (`toldAtMs` undefined)
   * is refused: none makes room for it. For one that other nodes told, at running time `toldAtMs`, another may go
   * (`gone`, its ID): two full sets would never agree otherwise.
   */
  add(tombstone: Tombstone, toldAtMs?: number): Added {
    const { id, by } = tombstone;
    const known = this.#byId.get(id);
    if (known !== undefined) {
      if (by > known.by) this.#byId.set(id, { ...known, by });
      return { merged: "same" };
    }
    if (this.#byId.size < this.#max) {
      this.#byId.set(id, tombstone);
      return { merged: "changed" };
    }
    if (toldAtMs === undefined) return { merged: "full" };
    const gone = this.#room.madeFor(tombstone, this.#byId, toldAtMs);
    if (gone === undefined) return { merged: "full" };
    this.#byId.delete(gone.id);
    this.#byId.set(id, tombstone);
    return { merged: "changed", gone: gone.id };
  }
}
