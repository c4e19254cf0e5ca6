/**
 * Members that this node knew in a former life, from its state file. (pure)
 *
 * They enter the table once this node has run for dead-after and an interval, each with the heartbeat it had then; for
 * longer where a member may be silent for longer (see slow.ts). A member that runs has made later heartbeats by that
 * time, which win, so what is remembered can show a member dead, but never live, and cannot spoil the age of a
 * heartbeat that still counts.
 *
 * Ages are measured by monotonic clocks alone, so in the table such a row is as old as this process. The time before,
 * by the wall clock, is only added where this node shows an age: a wrong clock misleads nobody else.
 *
 * @module
 */
import type { Row } from "./table.ts";
import type { Tombstone } from "./tombstones.ts";

/** A member as a former life last heard it. */
export interface FormerMember {
  readonly id: string;
  readonly address: string;
  /** Empty for a Go node. */
  readonly boot: string;
  readonly heartbeat: number;
  /** Ms from that heartbeat to the start of this process, by this node's wall clock. */
  readonly beforeMs: number;
}

/** How long a member may be silent, and a little more, once the table holds `size` (see `Pace.recallMs`). */
type RecallDelay = (member: FormerMember, size: number) => number;

export class FormerMembers {
  readonly #delayMs: RecallDelay;
  readonly #members = new Map<string, FormerMember>();
  readonly #recalled = new Set<FormerMember>();

  constructor(delayMs: RecallDelay) {
    this.#delayMs = delayMs;
  }

  add(member: FormerMember): void {
    this.#members.set(member.id, member);
  }

  get size(): number {
    return this.#members.size;
  }

  /** Whether any entered the table. Whoever runs was silent for longer than it may be, and would have been heard. */
  get isRecalled(): boolean {
    return this.#recalled.size > 0;
  }

  /** Members that have not entered the table yet. */
  pending(): FormerMember[] {
    return [...this.#members.values()].filter((member) => !this.#recalled.has(member));
  }

  /**
   * Returns each pending member once, when this process has run for the delay; `nowMs` is running time. The table holds
   * `known` members so far, some of them perhaps the same.
   */
  recall(nowMs: number, known = 0): FormerMember[] {
    const size = known + this.#members.size;
    if (this.#recalled.size === this.#members.size) return [];
    const due = this.pending().filter((member) => nowMs > this.#delayMs(member, size));
    for (const member of due) this.#recalled.add(member);
    return due;
  }

  /** Whether only a former life heard the member, and nobody has told of a later heartbeat since. */
  holds({ id, heartbeat }: Row | Tombstone): boolean {
    const member = this.#members.get(id);
    return member?.heartbeat === heartbeat && this.#recalled.has(member);
  }

  /** Ms to add to the age of `known` for people: the time before this process, if only a former life heard it. */
  beforeMs(known: Row | Tombstone): number {
    return this.holds(known) ? this.#members.get(known.id)!.beforeMs : 0;
  }
}
