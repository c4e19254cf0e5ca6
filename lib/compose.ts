/**
 * The messages a node sends: compact where little changed, or in full.
 *
 * @module
 */
import type { Pulse } from "./clock.ts";
import { encodeColumns } from "./columns.ts";
import type { Evidence } from "./evidence.ts";
import type { Form, Forms } from "./forms.ts";
import type { Forgotten, Mark } from "./forgotten.ts";
import { ROWS_BYTES_MAX, TOMBSTONES_BYTES_MAX } from "./limits.ts";
import type { News } from "./news.ts";
import { covers, sameRoster } from "./roster.ts";
import type { Columns } from "./stamps.ts";
import { ageOf, type Report, type Row, type Table } from "./table.ts";
import { encodeTicks } from "./ticks.ts";
import type { Tidings } from "./tidings.ts";
import type { Read } from "./ticks_read.ts";
import type { Verdicts } from "./verdicts.ts";
import type { Draft, Message } from "./wire.ts";

/** News that travels as rows, the latest first: a full exchange repairs whatever was missed before. */
const NEWS_MAX = 32;

/**
 * The same as a share of the table, where that is more: a full exchange of a thousand rows costs more than 125 rows
 * each way.
 */
const NEWS_SHARE_MAX = 1 / 8;

/** Bytes of news: nine times what 10,000 members' ticks take, some 200 rows. Past it a repair costs less. */
const NEWS_BYTES_MAX = 16 * 1024;

/** Bytes of a row's JSON beyond its ID, address and reason: stamps, boot, quotes and commas. */
const ROW_OVERHEAD_BYTES = 50;

/** The same of a tombstone, beyond its two IDs: quotes, brackets and commas. */
const TOMBSTONE_OVERHEAD_BYTES = 8;

/** What a message is composed from: a node's copy of the table. */
export interface MessageSource {
  readonly id: string;
  readonly table: Table;
  readonly pulse: Pick<Pulse, "heartbeat">;
  readonly unitMs: number | undefined;
  readonly forms: Forms;
  readonly news: News;
  readonly evidence: Evidence;
  readonly forgotten: Forgotten;
  readonly tidings: Tidings;
  readonly verdicts: Pick<Verdicts, "isOfSleep">;
}

/** How a message tells heartbeats: in which form, and without what the reader told of an equal roster. */
interface Wording {
  readonly form: Form;
  readonly knows?: Columns | undefined;
}

/** Composes a push: hashes, all heartbeats, and the latest news. */
export function composePush(source: MessageSource, nowMs: number, form: Form): Draft {
  const draft = withHeartbeats(source, nowMs, { form });
  addNews(draft, source, nowMs);
  addEvidence(draft, source, nowMs, false);
  addTidings(draft, source, nowMs, { isFull: false, theirs: undefined });
  return draft;
}

/**
 * Composes the answer to a push, as it was read: to an equal roster no news, and no heartbeat that it told. Ticks are
 * answered with ticks, unless they could not be read.
 */
export function composeAnswer(
  source: MessageSource,
  nowMs: number,
  { theirs, read: { columns, unread } }: { theirs: Message; read: Read },
): Draft {
  const form = theirs.ticks && !unread ? "ticks" : "columns";
  const draft = withHeartbeats(source, nowMs, { form, knows: unread ? undefined : columns });
  if (unread) draft.unread = true;
  if (theirs.roster !== source.table.rosterHash) addNews(draft, source, nowMs);
  addEvidence(draft, source, nowMs, false);
  addTidings(draft, source, nowMs, { isFull: false, theirs });
  return draft;
}

/** A message with the heartbeats alone. */
function withHeartbeats(source: MessageSource, nowMs: number, { form, knows }: Wording): Draft {
  const { id, table, evidence, forms, unitMs, pulse: { heartbeat } } = source;
  const stamps = table.stamps();
  const { rows: roster } = stamps;
  // Filled in one by one: spreading optional parts would cost as much as the columns.
  const draft: Draft = { roster: table.rosterHash };
  if (unitMs !== undefined) {
    draft.unitMs = unitMs;
    const readers = forms.toSend(roster, nowMs);
    if (readers !== undefined) draft.readers = readers;
  }
  if (unitMs === undefined || form === "columns") {
    draft.beat = heartbeat;
    draft.beats = encodeColumns(roster, { ownHeartbeat: heartbeat, nowMs }, knows);
    return draft;
  }
  const own = table.get(id);
  const clockMs = Math.floor(heartbeat + (own === undefined ? 0 : ageOf(own, nowMs)));
  const ids = [...forms.moved(nowMs), ...evidence.charges.members()];
  const exact = ids.length === 0 ? undefined : new Set(ids);
  const at = { clockMs, unitMs, nowMs, exact };
  draft.ticks = encodeTicks(stamps, at, knows);
  return draft;
}

/** Adds the last of the rows and tombstones that are news. */
function addNews(
  draft: Draft,
  { table, news, forgotten, verdicts }: MessageSource,
  nowMs: number,
): void {
  news.expire(nowMs);
  const names = news.names();
  if (names.length === 0) return;
  const rows: Report[] = [];
  const tombstones: { id: string; by: string }[] = [];
  const marks: Mark[] = [];
  const newsMax = Math.max(NEWS_MAX, Math.floor(table.roster().length * NEWS_SHARE_MAX));
  let bytes = 0;
  for (const told of names.slice(-newsMax).reverse()) {
    if (bytes >= NEWS_BYTES_MAX) break;
    const row = table.get(told);
    const tombstone = table.tombstone(told);
    if (row !== undefined && !verdicts.isOfSleep(row, nowMs)) rows.push(reportOf(row, nowMs));
    if (tombstone !== undefined) tombstones.push({ id: told, by: tombstone.by });
    const mark = forgotten.mark(told, nowMs);
    if (mark !== undefined) marks.push(mark);
    bytes += row === undefined ? told.length + ROW_OVERHEAD_BYTES : bytesOf(row);
  }
  if (rows.length > 0) draft.rows = rows.reverse();
  if (tombstones.length > 0) draft.tombstones = tombstones.reverse();
  if (marks.length > 0) draft.forgotten = marks.reverse();
}

/** Of which part of the roster a full message tells, and beginning where. */
interface Extent {
  /** What the reader told: it lacks the rest. */
  readonly theirs?: Message | undefined;
  /** Only of these IDs: the rosters differ there, in more than heartbeats. */
  readonly within?: ((id: string) => boolean) | undefined;
  /** A share of all. */
  readonly start: number;
}

/**
 * Composes the full form: all rows and tombstones of an extent. Both are cut at a size, so that repeated exchanges
 * bring even the largest table across.
 */
export function fullDraft(
  source: MessageSource,
  nowMs: number,
  { theirs, within, start }: Extent,
): Draft {
  const { table, forgotten, verdicts } = source;
  const isKnown = within === undefined ? covers : sameRoster;
  const known = new Map(theirs?.rows?.map((row) => [row.id, row]));
  const rows: Report[] = [];
  let bytes = 0;
  for (const row of from(table.roster(), start)) {
    if (within?.(row.id) === false || verdicts.isOfSleep(row, nowMs)) continue;
    const their = known.get(row.id);
    if (their !== undefined && isKnown(their, row)) continue;
    rows.push(reportOf(row, nowMs));
    bytes += bytesOf(row);
    if (bytes >= ROWS_BYTES_MAX) break;
  }
  const draft: Draft = { roster: table.rosterHash, rows };
  if (source.unitMs !== undefined) draft.unitMs = source.unitMs;
  const tombstones = tombstonesBeyond(table, { theirs, within, start });
  if (tombstones.length > 0) draft.tombstones = tombstones;
  const marks = forgotten.toSend(nowMs, { theirs: theirs?.forgotten, within });
  if (marks.length > 0) draft.forgotten = marks;
  addEvidence(draft, source, nowMs, true);
  addTidings(draft, source, nowMs, { isFull: true, theirs });
  return draft;
}

/** Adds what is known of members in trouble. */
function addEvidence(
  draft: Draft,
  { id, table, evidence }: MessageSource,
  nowMs: number,
  isFull: boolean,
): void {
  const { charges, accepts, slow } = evidence;
  if (!charges.empty) draft.charges = charges.toSend(id);
  if (!accepts.empty) {
    const isSuspect = (member: string) => {
      const row = table.get(member);
      return row !== undefined && evidence.isSuspect(row, nowMs);
    };
    const told = accepts.toSend(isSuspect);
    if (told.length > 0) draft.accepts = told;
  }
  if (!slow.empty) {
    const told = slow.toSend(nowMs, isFull);
    if (told.length > 0) draft.slow = told;
  }
}

/** Adds what hooks need, where there is any. */
function addTidings(
  draft: Draft,
  { tidings }: MessageSource,
  nowMs: number,
  { isFull, theirs }: { isFull: boolean; theirs: Message | undefined },
): void {
  const part = tidings.part(nowMs, isFull, theirs?.tidings);
  if (part !== undefined) draft.tidings = part;
}

function tombstonesBeyond(
  table: Table,
  { theirs, within, start }: Extent,
): { id: string; by: string }[] {
  const buried = new Set(theirs?.tombstones?.map(({ id }) => id));
  const tombstones: { id: string; by: string }[] = [];
  let bytes = 0;
  for (const { id, by } of from([...table.tombstones()], start)) {
    if (buried.has(id) || within?.(id) === false) continue;
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

/** Bytes of a row's JSON, about. */
function bytesOf({ id, address, left, about }: Row): number {
  return id.length + address.length + left.length + (about?.bytes ?? 0) + ROW_OVERHEAD_BYTES;
}

function reportOf(row: Row, nowMs: number): Report {
  const { id, address, boot, heartbeat, left, about } = row;
  return { id, address, boot, heartbeat, ageMs: ageOf(row, nowMs), left, about };
}
