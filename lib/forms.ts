/**
 * Who reads ticks (ticks.ts), and who is to be told exactly, once: an older program reads columns alone.
 *
 * A node says so in each message, once its cluster is of many; so small clusters send no byte of it. Rejected: as a word
 * of the member. All would say it in the moment in which the cluster grows, and as news of each to each.
 *
 * @module
 */
import type { Read } from "./ticks_read.ts";
import type { Message } from "./wire.ts";

/** How columns are written. */
export type Form = "columns" | "ticks";

export class Forms {
  readonly #readers = new Set<string>();
  readonly #once = new Set<string>();

  /**
   * Notes what a member's message says of its program. It is told exactly next where it could not read this node's
   * ticks, or this node could not read its own.
   */
  heard(id: string, { unitMs, columns, unread }: Message, read: Read): void {
    if (unitMs !== undefined) this.#readers.add(id);
    else if (columns !== undefined) this.forget(id);
    if (unread || read.unread) this.#once.add(id);
  }

  /** The form of the next message to a member. */
  next(id: string | undefined): Form {
    if (id === undefined || !this.#readers.has(id) || this.#once.delete(id)) return "columns";
    return "ticks";
  }

  forget(id: string): void {
    this.#readers.delete(id);
    this.#once.delete(id);
  }
}
