/**
 * Lists of changes in the order of time. (pure)
 *
 * @module
 */
import type { Status } from "../table.ts";

/** When something changed, and to what. */
interface Timed {
  readonly atMs: number;
  readonly to: Status | "forgotten";
}

/** Whether a change is there already. */
export function holds(changes: readonly Timed[], { atMs, to }: Timed): boolean {
  for (let i = indexFrom(changes, atMs); changes[i]?.atMs === atMs; i++) {
    if (changes[i]!.to === to) return true;
  }
  return false;
}

/** Where the changes from a time on begin. */
export function indexFrom(changes: readonly Timed[], ms: number): number {
  let low = 0;
  let high = changes.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (changes[middle]!.atMs < ms) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Puts a change behind those of its time and before: clocks step back, and others tell of what was. */
export function insert<T extends Timed>(changes: T[], change: T): void {
  const last = changes.at(-1);
  if (last === undefined || last.atMs <= change.atMs) changes.push(change);
  else changes.splice(indexFrom(changes, change.atMs + 1), 0, change);
}
