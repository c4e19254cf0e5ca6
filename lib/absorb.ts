/**
 * Merges a message into this node's copy of the table: what of it is believed, and what it says of this node.
 *
 * @module
 */
import { CLOCK_SLACK_MS, isBelieved, isNear } from "./belief.ts";
import type { Call } from "./calls.ts";
import { MOVED_UNITS } from "./forms.ts";
import type { Mark } from "./forgotten.ts";
import { columnsOfParts } from "./repair.ts";
import type { Replica } from "./replica.ts";
import type { Columns } from "./stamps.ts";
import { isUp, type Merged, type Report, type Row } from "./table.ts";
import type { Origin } from "./testimony.ts";
import { decodeTicks, type Read } from "./ticks_read.ts";
import type { Message } from "./wire.ts";

/** Where a message came from, and when. */
export interface MessageOrigin extends Origin {
  /** It answers a call of this node: `via` is at an address that this node knows. */
  readonly isAnswer: boolean;
  /** What the message answers. */
  readonly call?: Pick<Call, "said" | "parts">;
}

/** What a message changed. */
export interface Absorbed extends Read {
  /** The rosters are equal now. */
  readonly equal: boolean;
  /** It held something that others should hear at once. */
  readonly urgent: boolean;
  /** The row of another process under this node's ID, if the message held one. */
  readonly own: Report | undefined;
  /** Members that the sender itself charges: this node should look at them. */
  readonly charged: ReadonlySet<Row>;
  /** Addresses of members whose heartbeats were not believed: this node should ask them. */
  readonly doubted: ReadonlySet<string>;
  /** Entries refused because the table is full. */
  readonly refused: number;
}

/** Merges a message into `replica`. */
export function absorb(replica: Replica, message: Message, origin: MessageOrigin): Absorbed {
  const { table } = replica;
  const { via, nowMs } = origin;
  const doubted = new Set<string>();
  let urgent = false;
  let refused = 0;
  let own: Report | undefined;
  const count = (merged: Merged) => {
    if (merged === "changed") urgent = true;
    if (merged === "full") refused++;
  };
  for (const { id, by } of message.tombstones ?? []) count(replica.bury(id, by, nowMs, true));
  for (const report of message.rows ?? []) {
    const row = table.get(report.id);
    if (report.id === replica.id && report.boot !== row?.boot) own = report;
    if (!mayTake(replica, row, report, origin)) {
      // A process that began anew may be elsewhere.
      const address = row?.boot === report.boot ? row.address : report.address;
      if (report.id !== replica.id) doubted.add(address);
    } else if (report.id === replica.id) replica.overtake(report, nowMs);
    else count(replica.merge(report, via, nowMs));
  }
  for (const mark of message.forgotten ?? []) {
    const row = table.get(mark.id);
    if (mark.id === replica.id) {
      if (mayTake(replica, row, mark, origin)) replica.overtake(mark, nowMs);
      continue;
    }
    const isNear = row !== undefined && agrees(replica, row, mark, nowMs);
    if (replica.forgotten.take(mark, { via, nowMs, isNear })) urgent = true;
  }
  const equal = message.roster === table.rosterHash;
  const { columns, unread } = readHeartbeats(replica, message, { ...origin, equal });
  if (columns !== undefined && absorbColumns(replica, columns, { ...origin, doubted })) {
    urgent = true;
  }
  const charged = new Set<Row>();
  for (const charge of message.charges ?? []) {
    if (replica.testimony.takeCharge(charge, origin)) urgent = true;
    const row = table.get(charge.member);
    if (row !== undefined && charge.witness === via) charged.add(row);
  }
  for (const accept of message.accepts ?? []) {
    if (replica.testimony.takeAccept(accept, origin)) urgent = true;
  }
  if (message.readers && equal) replica.forms.take(message.readers, table.roster(), nowMs);
  for (const said of message.slow ?? []) replica.testimony.takeSlow(said, nowMs);
  if (message.tidings && replica.tidings.take(message.tidings, nowMs)) urgent = true;
  return { equal, columns, unread, urgent, own, charged, doubted, refused };
}

const NOTHING_READ: Read = { columns: undefined, unread: false };

/** Reads what a message of an equal roster tells of all, in either form; or of the parts that this node asked for. */
function readHeartbeats(
  { table }: Replica,
  message: Message,
  { via, nowMs, call, equal }: MessageOrigin & { equal: boolean },
): Read {
  const { columns, ticks } = message;
  if (call?.parts) return { columns: columnsOfParts(table, message, call.parts), unread: false };
  if (!equal) return NOTHING_READ;
  if (ticks === undefined) return { columns, unread: false };
  return decodeTicks(ticks, table.stamps(), { from: via, nowMs, said: call?.said });
}

function absorbColumns(
  replica: Replica,
  told: Columns,
  { doubted, ...from }: MessageOrigin & { doubted: Set<string> },
): boolean {
  const { table, evidence, unitMs = Infinity } = replica;
  const { nowMs } = from;
  let urgent = false;
  const at = { nowMs, missedMs: replica.clock.missedMs };
  const stamps = table.stamps();
  table.disturb(evidence.members());
  // Nearer than what is doubted below, and than what makes a clock another.
  const slackMs = Math.min(CLOCK_SLACK_MS, MOVED_UNITS * unitMs);
  for (const place of stamps.merge(told, { nowMs, slackMs })) {
    const row = stamps.rows[place]!;
    const heartbeat = told.heartbeats[place]!;
    const ageMs = told.agesMs[place]!;
    const isFar = !isNear(row, heartbeat + ageMs, at);
    if (isFar && !isBelievedOf(replica, { id: row.id, row, heartbeat }, from)) {
      if (row.id !== replica.id) doubted.add(row.address);
    } else if (row.id === replica.id) replica.overtake({ heartbeat, ageMs }, nowMs);
    else if (replica.refresh(row, { heartbeat, ageMs }, from)) urgent = true;
  }
  return urgent;
}

/** Whether what somebody says of a member is what its clock can show, as far as this node knows it. */
function agrees({ clock }: Replica, row: Row, { heartbeat, ageMs }: Mark, nowMs: number): boolean {
  return isNear(row, heartbeat + ageMs, { nowMs, missedMs: clock.missedMs });
}

/** Whether a report's heartbeat is believed; an older one changes nothing. */
function mayTake(
  replica: Replica,
  row: Row | undefined,
  report: Mark,
  origin: MessageOrigin,
): boolean {
  const { id, heartbeat } = report;
  if (row !== undefined && heartbeat < row.heartbeat) return true;
  if (row !== undefined && agrees(replica, row, report, origin.nowMs)) return true;
  return isBelievedOf(replica, { id, row, heartbeat }, origin);
}

/** Whether a heartbeat that is far from the known clock is believed all the same. */
function isBelievedOf(
  replica: Replica,
  { id, row, heartbeat }: { id: string; row: Row | undefined; heartbeat: number },
  { via, isAnswer, nowMs }: MessageOrigin,
): boolean {
  return isBelieved(heartbeat, {
    // What the member says of itself, or what a member that this node called says of this node.
    isAnswer: isAnswer && (id === via || id === replica.id),
    // A Go node has no clock of its own: whoever hears it makes its heartbeats.
    isLive: row !== undefined && row.boot !== "" &&
      isUp(replica.verdicts.statusOf(row, nowMs)),
  });
}
