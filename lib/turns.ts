/**
 * Whose turn it is to tell. The live nodes that carry a hook share its work without leader or quorum: all put one
 * another in the same order, by a hash of the hook and the ID. The first acts at once, the k-th after 2k seconds
 * in which it heard of no attempt and no success.
 *
 *     k = 0       acts as soon as a change is due; who just started comes last for a while
 *     k = 1, 2..  after 2 s, 4 s.. unless it was told, or somebody tries
 *     failed      the cluster waits 1, 2, 4 .. 30 s, then it is the turn of the next in the order
 *     done        where others failed, the order begins with who did it for the next two minutes
 *
 * Rejected: an order per change. Of forty deaths many nodes would each tell some, and of two nodes that disagree which
 * of many changes came first, both would tell.
 *
 * @module
 */
import { hashOf } from "./hash.ts";
import type { Attempt } from "./tries.ts";

/** How long each waits longer than the one before, in ms: ten times what news takes in a calm cluster of hundreds. */
const TURN_MS = 2_000;

/** An attempt that takes longer than this, in ms, failed: hosts end theirs after 30 s. */
const TRYING_MAX_MS = 35_000;

/** The first wait after a failure, in ms, doubled with each further one, up to the second. */
const BACK_OFF_MS = 1_000;
const BACK_OFF_MAX_MS = 30_000;

/** The carriers of a hook in the order of their turns; those that just started come last. */
export function inOrder(
  hook: string,
  carriers: Iterable<string>,
  isNew: (id: string) => boolean = () => false,
): string[] {
  const ranked = Array.from(new Set(carriers), (id) => {
    return { id, rank: hashOf(`${hook} ${id}`) - (isNew(id) ? 2 ** 32 : 0) };
  });
  return ranked.sort((a, b) => b.rank - a.rank || (a.id < b.id ? -1 : 1)).map(({ id }) => id);
}

/** How long the cluster waits after so many failed attempts, in ms. */
export function backOffMs(failures: number): number {
  return Math.min(BACK_OFF_MS * 2 ** Math.max(0, failures - 1), BACK_OFF_MAX_MS);
}

/** A node's place in the order. */
export interface Place {
  /** How many come before it. */
  readonly index: number;
  /** When it is the turn of the first. */
  readonly fromMs: number;
}

/** The place of node `id` for changes that are due at `dueMs`. */
export function placeOf(of: {
  readonly hook: string;
  readonly id: string;
  /** The live nodes that carry the hook, `id` among them. */
  readonly carriers: readonly string[];
  /** The last attempt at the hook, by any node. */
  readonly attempt: Attempt | undefined;
  readonly dueMs: number;
  readonly isNew?: (id: string) => boolean;
  /** Whether a carrier's process ran at that time already: the attempts of a former one ended with it. */
  readonly ranAt?: (id: string, atMs: number) => boolean;
}): Place {
  const { hook, id, carriers, attempt, dueMs, isNew, ranAt = () => true } = of;
  if (attempt === undefined || (attempt.state === "done" && attempt.failures === 0)) {
    return { index: inOrder(hook, carriers, isNew).indexOf(id), fromMs: dueMs };
  }
  const all = inOrder(hook, [...carriers, attempt.by], isNew);
  // It begins with whoever succeeded where others failed, as it can reach the receiver; or behind whoever tried last.
  const first = all.indexOf(attempt.by) + (attempt.state === "done" ? 0 : 1);
  const order = [...all.slice(first), ...all.slice(0, first)].filter((each) =>
    carriers.includes(each)
  );
  const isTrying = attempt.state === "trying" && attempt.by !== id &&
    carriers.includes(attempt.by) &&
    ranAt(attempt.by, attempt.atMs);
  const restMs = attempt.state === "failed"
    ? backOffMs(attempt.failures)
    : isTrying
    ? TRYING_MAX_MS
    : 0;
  return { index: order.indexOf(id), fromMs: Math.max(dueMs, attempt.atMs + restMs) };
}

/**
 * Waiting for one's turn. When those before are found dead, or who tries is, all others move up: the first then acts at
 * once, and the rest count their seconds anew, or the time that passed would make two act at once.
 */
export class Queue {
  #index = 0;
  #fromMs = -Infinity;
  #movedMs = -Infinity;

  /** The running time at which the turn of a node in that place comes. */
  atMs({ index, fromMs }: Place, nowMs: number): number {
    if (index < this.#index || fromMs < this.#fromMs) this.#movedMs = nowMs;
    this.#index = index;
    this.#fromMs = fromMs;
    return index === 0 ? fromMs : Math.max(fromMs, this.#movedMs) + TURN_MS * index;
  }
}
