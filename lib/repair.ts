/**
 * How two rosters that differ all the same are made equal: small ones by all rows, large ones by parts (buckets.ts).
 *
 *     caller   the hashes of its parts
 *     other    its own hashes, and its rows of the parts that differ
 *     caller   an ordinary push, with what the other lacks of these parts
 *
 * @module
 */
import { inDifference } from "./buckets.ts";
import { firstPiece } from "./pieces.ts";
import type { Replica } from "./replica.ts";
import type { Draft, Message } from "./wire.ts";

/** Asks for the parts that differ. */
export function bucketsDraft(replica: Replica, nowMs: number): Draft {
  const { buckets } = replica.table;
  return { ...replica.fullDraft(nowMs, { within: () => false }), buckets };
}

/** Answers a request, begun at `start`, a share of all, for all rows, or for the parts that differ. */
export function repairAnswer(
  replica: Replica,
  nowMs: number,
  { theirs, start }: { theirs: Message; start: number },
): Draft {
  const { buckets } = replica.table;
  if (theirs.buckets === undefined) return replica.fullDraft(nowMs, { theirs });
  const within = theirs.full
    ? firstPiece(replica, start)
    : inDifference(buckets, theirs.buckets) ?? (() => false);
  if (within === undefined) return replica.fullDraft(nowMs, { theirs });
  return { ...replica.fullDraft(nowMs, { theirs, within }), buckets };
}

/**
 * The push that follows an answer with `buckets`, as it was merged: what its sender lacks, and the heartbeats that
 * could not be read before. Undefined where the rosters differ and their parts do not: two hashes of a part met.
 */
export function settlingDraft(
  replica: Replica,
  nowMs: number,
  { theirs, equal }: { theirs: Message; equal: boolean },
): Draft | undefined {
  const draft = replica.draft(nowMs, replica.forms.next(theirs.id));
  if (equal) return draft;
  const within = inDifference(replica.table.buckets, theirs.buckets!);
  if (within === undefined) return undefined;
  const { rows, tombstones, forgotten } = replica.fullDraft(nowMs, { theirs, within });
  // In place of the news: what of that was not told before is among them.
  if (rows) draft.rows = rows;
  if (tombstones) draft.tombstones = tombstones;
  if (forgotten) draft.forgotten = forgotten;
  return draft;
}
