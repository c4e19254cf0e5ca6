/**
 * How two rosters that differ all the same are made equal: small ones by all rows, large ones by parts (buckets.ts).
 *
 *     caller   the hashes of its parts
 *     other    its own hashes, and its rows of the parts that differ
 *     caller   an ordinary push, with what the other lacks of these parts
 *
 * Some differences do not end so: one node keeps a member that all others refuse. Heartbeats travel by place in equal
 * rosters, so the two could not read each other's for as long. So the caller says its own row, and where heartbeats are
 * late it is told, as columns, of all in the parts that are equal: with the rows of the other parts that is everything.
 *
 * @module
 */
import { type Buckets, inDifference } from "./buckets.ts";
import { encodeColumns } from "./columns.ts";
import { firstPiece } from "./pieces.ts";
import type { Replica } from "./replica.ts";
import type { Columns } from "./stamps.ts";
import type { Row, Table } from "./table.ts";
import type { Draft, Message } from "./wire.ts";

/**
 * Delay after a repair of the roster until the next, in ms per member: a thousand rows are 50 KB and milliseconds of
 * CPU at both ends, and while many nodes start one after another all rosters differ all the time. The news travels
 * meanwhile.
 */
const FULL_GAP_MS = 2;

/** The longest such delay, in ms: where messages are lost as well, more would be felt. */
const FULL_GAP_MAX_MS = 1_000;

/**
 * Repairs that may begin within half an interval while heartbeats are late: all answers of a round come at once, and at
 * 10 % loss each third call ends without a repair, as one of four messages was lost. With the delay alone a node whose
 * roster differs for good showed a live member dead every three minutes, of 500 members or more every 25 seconds.
 */
const LATE_REPAIRS = 3;

/** When a node may begin a repair. */
export class RepairPace {
  /** When the latest few began. */
  #begunMs: readonly number[] = [];

  /** Whether one may begin, by the delay for so many members. */
  isDue(members: number, monotonicMs: number): boolean {
    return this.#within(Math.min(FULL_GAP_MS * members, FULL_GAP_MAX_MS), monotonicMs) === 0;
  }

  /** Whether one may begin where heartbeats are late. */
  isDueWhileLate(intervalMs: number, monotonicMs: number): boolean {
    return this.#within(intervalMs / 2, monotonicMs) < LATE_REPAIRS;
  }

  /** Notes that one begins. */
  begin(monotonicMs: number): void {
    this.#begunMs = [...this.#begunMs, monotonicMs].slice(-LATE_REPAIRS);
  }

  #within(ms: number, monotonicMs: number): number {
    return this.#begunMs.filter((at) => monotonicMs < at + ms).length;
  }
}

/** Asks member `to` for the parts that differ; where it or a live member is late here, for heartbeats of the rest. */
export function bucketsDraft(replica: Replica, nowMs: number, to: string | undefined): Draft {
  const { id: ownId, table } = replica;
  const draft = replica.fullDraft(nowMs, { within: (id) => id === ownId });
  draft.buckets = table.buckets;
  if (areLate(replica, nowMs, to)) draft.late = true;
  return draft;
}

/** Whether member `to` or a live one is late here. */
export function areLate(
  { table, verdicts, evidence }: Replica,
  nowMs: number,
  to: string | undefined,
): boolean {
  const isLate = (row: Row) => evidence.isLate(row, nowMs);
  const asked = to === undefined ? undefined : table.get(to);
  return (asked !== undefined && isLate(asked)) || verdicts.last.live.some(isLate);
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
  const beats = theirs.late ? beatsOfParts(replica, nowMs, theirs.buckets) : undefined;
  return { ...replica.fullDraft(nowMs, { theirs, within }), buckets, ...beats };
}

/** The heartbeats of all in the parts that are equal: exactly, as a caller that slept reads no ticks. */
function beatsOfParts({ table, pulse }: Replica, nowMs: number, theirs: Buckets): Partial<Draft> {
  const { heartbeat } = pulse;
  const differs = inDifference(table.buckets, theirs);
  const rows = table.roster().filter(({ id }) => !differs?.(id));
  return { beat: heartbeat, beats: encodeColumns(rows, { ownHeartbeat: heartbeat, nowMs }) };
}

/** Reads them in the answer to `asked`, by their places in the whole roster; undefined where a part changed since. */
export function columnsOfParts(table: Table, theirs: Message, asked: Buckets): Columns | undefined {
  const { columns, buckets } = theirs;
  if (columns === undefined || buckets === undefined) return undefined;
  const hasChanged = (hash: number, part: number) =>
    hash === buckets[part] && hash !== table.buckets[part];
  if (asked.some(hasChanged)) return undefined;
  const differs = inDifference(asked, buckets);
  const stamps = table.stamps();
  const told = stamps.blank();
  let at = 0;
  for (const [i, { id }] of stamps.rows.entries()) {
    if (differs?.(id)) continue;
    told.heartbeats[i] = columns.heartbeats[at] ?? 0;
    told.agesMs[i] = columns.agesMs[at++] ?? -1;
  }
  return told;
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
