/**
 * The messages a node sends: compact where little changed, or in full.
 *
 * @module
 */
import { type Columns, encodeColumns } from "./columns.ts";
import type { Evidence } from "./evidence.ts";
import type { Forgotten, Mark } from "./forgotten.ts";
import { ROWS_BYTES_MAX, TOMBSTONES_BYTES_MAX } from "./limits.ts";
import { ageOf, type Report, type Row, type Table } from "./table.ts";
import type { Tidings } from "./tidings.ts";
import type { Draft, Message } from "./wire.ts";

/** News that travels as rows, the latest first: a full exchange repairs whatever was missed before. */
const NEWS_MAX = 32;

/**
 * The same as a share of the table, where that is more: a full exchange of a thousand rows costs more than 125 rows
 * each way.
 */
const NEWS_SHARE_MAX = 1 / 8;

/** Bytes of a row's JSON beyond its ID, address and reason: stamps, boot, quotes and commas. */
const ROW_OVERHEAD_BYTES = 50;

/** The same of a tombstone, beyond its two IDs: quotes, brackets and commas. */
const TOMBSTONE_OVERHEAD_BYTES = 8;

/** What a message is composed from. */
export interface Source {
  /** The ID of the node that sends it. */
  readonly id: string;
  readonly table: Table;
  readonly evidence: Evidence;
  readonly forgotten: Forgotten;
  readonly tidings: Tidings;
  readonly nowMs: number;
}

/**
 * Composes the compact form: hashes, columns without what the reader `knows`, and the last of the rows and tombstones
 * that `news` names, oldest first.
 */
export function compactDraft(
  source: Source,
  own: {
    heartbeat: number;
    news: readonly string[];
    knows?: Columns | undefined;
    theirs?: Message | undefined;
  },
): Draft {
  const { table, forgotten, nowMs } = source;
  const { heartbeat, news, knows } = own;
  // Filled in one by one: spreading optional parts would cost as much as the columns.
  const draft: Draft = {
    roster: table.rosterHash,
    beat: heartbeat,
    beats: encodeColumns(table.roster(), { ownHeartbeat: heartbeat, nowMs }, knows),
  };
  if (news.length > 0) {
    const rows: Report[] = [];
    const tombstones: { id: string; by: string }[] = [];
    const marks: Mark[] = [];
    const newsMax = Math.max(NEWS_MAX, Math.floor(table.roster().length * NEWS_SHARE_MAX));
    for (const told of news.slice(-newsMax)) {
      const row = table.get(told);
      const tombstone = table.tombstone(told);
      if (row !== undefined) rows.push(reportOf(row, nowMs));
      if (tombstone !== undefined) tombstones.push({ id: told, by: tombstone.by });
      const mark = forgotten.mark(told, nowMs);
      if (mark !== undefined) marks.push(mark);
    }
    if (rows.length > 0) draft.rows = rows;
    if (tombstones.length > 0) draft.tombstones = tombstones;
    if (marks.length > 0) draft.forgotten = marks;
  }
  addEvidence(draft, source, false);
  addTidings(draft, source, { isFull: false, theirs: own.theirs });
  return draft;
}

/**
 * Composes the full form: all rows and tombstones that `theirs` lacks. Both begin at `start`, a share of all, and are
 * cut at a size, so that repeated exchanges bring even the largest table across.
 */
export function fullDraft(
  source: Source,
  { theirs, start }: { theirs: Message | undefined; start: number },
): Draft {
  const { table, forgotten, nowMs } = source;
  const known = new Map(theirs?.rows?.map((row) => [row.id, row]));
  const rows: Report[] = [];
  let bytes = 0;
  for (const row of from(table.roster(), start)) {
    const their = known.get(row.id);
    if (their !== undefined && covers(their, row)) continue;
    rows.push(reportOf(row, nowMs));
    bytes += row.id.length + row.address.length + row.left.length + ROW_OVERHEAD_BYTES +
      (row.about?.text.length ?? 0);
    if (bytes >= ROWS_BYTES_MAX) break;
  }
  const draft: Draft = { roster: table.rosterHash, rows };
  const tombstones = tombstonesBeyond(theirs, table, start);
  if (tombstones.length > 0) draft.tombstones = tombstones;
  const marks = forgotten.told(nowMs, theirs?.forgotten);
  if (marks.length > 0) draft.forgotten = marks;
  addEvidence(draft, source, true);
  addTidings(draft, source, { isFull: true, theirs });
  return draft;
}

/** Adds what is known of members in trouble. */
function addEvidence(draft: Draft, { id, table, evidence, nowMs }: Source, isFull: boolean): void {
  const { charges, accepts, slow } = evidence;
  if (!charges.empty) draft.charges = charges.told(id);
  if (!accepts.empty) {
    const isSuspect = (member: string) => {
      const row = table.get(member);
      return row !== undefined && evidence.isSuspect(row, nowMs);
    };
    const told = accepts.told(isSuspect);
    if (told.length > 0) draft.accepts = told;
  }
  if (!slow.empty) {
    const told = slow.told(nowMs, isFull);
    if (told.length > 0) draft.slow = told;
  }
}

/** Adds what hooks need, where there is any. */
function addTidings(
  draft: Draft,
  { tidings, nowMs }: Source,
  { isFull, theirs }: { isFull: boolean; theirs: Message | undefined },
): void {
  const part = tidings.part(nowMs, isFull, theirs?.tidings);
  if (part !== undefined) draft.tidings = part;
}

function tombstonesBeyond(
  theirs: Message | undefined,
  table: Table,
  start: number,
): { id: string; by: string }[] {
  const buried = new Set(theirs?.tombstones?.map(({ id }) => id));
  const tombstones: { id: string; by: string }[] = [];
  let bytes = 0;
  for (const { id, by } of from([...table.tombstones()], start)) {
    if (buried.has(id)) continue;
    tombstones.push({ id, by });
    bytes += id.length + by.length + TOMBSTONE_OVERHEAD_BYTES;
    if (bytes >= TOMBSTONES_BYTES_MAX) break;
  }
  return tombstones;
}

/** All of a list, beginning at a share of it. */
function* from<T>(list: readonly T[], start: number): Iterable<T> {
  const first = Math.floor(start * list.length);
  for (let i = 0; i < list.length; i++) yield list[(first + i) % list.length]!;
}

function reportOf(row: Row, nowMs: number): Report {
  const { id, address, boot, heartbeat, left, about } = row;
  return { id, address, boot, heartbeat, ageMs: ageOf(row, nowMs), left, about };
}

/** Whether `row` would tell the sender of `report` nothing new. */
function covers(report: Report, row: Row): boolean {
  return report.heartbeat >= row.heartbeat && report.address === row.address &&
    report.boot === row.boot && report.left === row.left &&
    report.about?.text === row.about?.text;
}
