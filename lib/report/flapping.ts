/**
 * Members whose status changes often. (pure)
 *
 * @module
 */
import type { KeptChange } from "./stories.ts";

/** A member flaps that changed more often than this within {@linkcode FLAPPING_MS}. */
const FLAPPING_CHANGES = 4;

/** Until a member has been quiet for as long, in ms, it flaps. */
export const FLAPPING_MS = 600_000;

/** The most changes within ten minutes, of a member that changed too often and was not quiet since; 0 of others. */
export function flappingChanges(history: readonly KeptChange[], nowMs: number): number {
  let most = 0;
  let last = history.length - 1;
  let laterMs = nowMs;
  for (let first = last; first >= 0; first--) {
    const { atMs } = history[first]!;
    // Or dated ahead, by a clock that was set back since.
    if (Math.abs(laterMs - atMs) >= FLAPPING_MS) break;
    while (history[last]!.atMs - atMs > FLAPPING_MS) last--;
    most = Math.max(most, last - first + 1);
    laterMs = atMs;
  }
  return most > FLAPPING_CHANGES ? most : 0;
}

/** Knows when members stop flapping, which no change tells. */
export class Flapping {
  /** By ID, each until it was quiet for long enough: members that changed lately, so no more than the stories hold. */
  readonly #untilMs = new Map<string, number>();

  /** Takes the last change of a member, with those before it, oldest first. */
  changed(history: readonly KeptChange[]): void {
    const { id, atMs } = history.at(-1)!;
    if (flappingChanges(history, atMs) > 0) this.#untilMs.set(id, atMs + FLAPPING_MS);
  }

  /** How many members flap now: without a change it only falls. */
  count(wallMs: number): number {
    for (const [id, untilMs] of this.#untilMs) {
      // Further ahead than any change now could make it: the clock was set back.
      if (untilMs <= wallMs || untilMs > wallMs + FLAPPING_MS) this.#untilMs.delete(id);
    }
    return this.#untilMs.size;
  }
}
