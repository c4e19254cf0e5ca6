/**
 * The form of columns for many members: one small number per member.
 *
 * In a cluster of many a heartbeat is a whole multiple of the interval (Pulse in clock.ts): its **tick** says which.
 * Heartbeat plus age is what the member's clock shows, which a reader knows from its own row of the member. So it needs
 * no age, and of the tick only the remainder by six: of the ticks that may be told at all, one has it.
 *
 *     push      every member's remainder, five members in two characters; a check every 1,020 members
 *     answer    only those of which the reader has an older tick: how many members come between, and the remainder
 *     exact     beside either, as in columns.ts: who is silent for long, charged, a Go node, has another step, or
 *               whose clock changed lately (forms.ts)
 *
 * Clocks are not trusted with heartbeats, as they only compress: the checks are over whole ticks. Where one fails (a
 * clock was set, this node slept), the reader says so and is told as columns.ts does.
 *
 * A reader takes a clock as it was when the message was sent, by what it knows of the sender's: so late messages and
 * replayed ones tell what they told.
 *
 * Rejected: rounding heartbeats where they are sent. A reader would hold one that was never made, and the greater of
 * two would no longer be the later.
 *
 * @module
 */
import { floorStep } from "./clock.ts";
import { type Columns, fold, OLDER_MS } from "./columns.ts";
import { putDigits, putNumber, roomFor, textOf } from "./digits.ts";
import { mix } from "./hash.ts";
import { HEARTBEAT_STEP_MS } from "./limits.ts";
import { ageOf, type Row } from "./table.ts";

/** Columns as ticks, as they travel. */
export interface Ticks {
  /** What the sender's clock showed when it wrote them. */
  readonly clockMs: number;
  /** Ms from a tick to the next: the sender's interval. */
  readonly unitMs: number;
  /** Of all members (a push), or of those of which the reader knows less (an answer). */
  readonly of: "all" | "some";
  readonly text: string;
  /** The members that are told exactly. */
  readonly exact: string;
}

/** When and by whom ticks are written. */
export interface Writing {
  readonly clockMs: number;
  readonly unitMs: number;
  readonly nowMs: number;
  /** IDs of members that are charged, or whose clock changed; undefined: nobody is, as in calm. */
  readonly exact: ReadonlySet<string> | undefined;
}

/**
 * In a cluster of more members heartbeats are whole intervals, which travel as ticks: ages count from them then, and
 * who falls silent is known up to an interval later.
 */
export const FINE_MEMBERS_MAX = 256;

/** Remainders that tell ticks apart; five of them fit two characters, as 6^5 < 91^2. */
export const REMAINDERS = 6;
export const GROUP = 5;

/** Ages up to this are told as ticks, in units: what is older may be a member's last, and all want to know its age. */
export const OLDEST_UNITS = 4.4;

/** Members under one check of four characters: 26 bits, as 2^26 < 91^4. */
export const CHECKED = 204 * GROUP;
export const CHECK_LENGTH = 4;
export const CHECK_BITS_LESS = 6;

/** Ages that are told exactly are in whole steps of so many ms: whoever passes them on rounds them down again. */
export const AGE_STEP_MS = 10;

/** Who is silent for longer, in ms, is long known to be, and is told of in one of so many ticks. */
const LONG_MS = 60_000;
const TURNS = 16;

/** Writes `rows`, all in roster order. */
export function encodeTicks(rows: readonly Row[], at: Writing): Ticks {
  const bytes = roomFor(rows.length + CHECK_LENGTH);
  let length = 0;
  let group = 0;
  let check = 0;
  let others = 0;
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!;
    const tick = tickOf(row, at);
    group *= REMAINDERS;
    if (tick >= 0) {
      group += remainderOf(tick);
      check = mix(mix(check, i), tick);
    } else if (row.heartbeat > 0) others++;
    const isLast = i === rows.length - 1;
    if (i % GROUP === GROUP - 1 || isLast) {
      length = putDigits(bytes, length, group, 2);
      group = 0;
    }
    if (i % CHECKED === CHECKED - 1 || isLast) {
      length = putDigits(bytes, length, check >>> CHECK_BITS_LESS, CHECK_LENGTH);
      check = 0;
    }
  }
  const text = textOf(bytes, length);
  const exact = others === 0 ? "" : encodeExact(rows, at, undefined);
  return { clockMs: at.clockMs, unitMs: at.unitMs, of: "all", text, exact };
}

/** Writes those of `rows` of which a reader `knows` less. */
export function encodeLater(rows: readonly Row[], at: Writing, knows: Columns): Ticks {
  const bytes = roomFor(rows.length + CHECK_LENGTH);
  let length = 0;
  let check = 0;
  let next = 0;
  let others = 0;
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!;
    const tick = tickOf(row, at);
    if (tick < 0) {
      if (row.heartbeat > 0) others++;
      continue;
    }
    if (knows.heartbeats[i]! >= row.heartbeat) continue;
    length = putNumber(bytes, length, (i - next) * REMAINDERS + remainderOf(tick));
    check = mix(mix(check, i), tick);
    next = i + 1;
  }
  length = putDigits(bytes, length, check >>> CHECK_BITS_LESS, CHECK_LENGTH);
  const text = textOf(bytes, length);
  const exact = others === 0 ? "" : encodeExact(rows, at, knows);
  return { clockMs: at.clockMs, unitMs: at.unitMs, of: "some", text, exact };
}

/** The tick of a row that can be told so; -1 of another. */
function tickOf(row: Row, { unitMs, nowMs, exact }: Writing): number {
  const tick = row.heartbeat / unitMs;
  if (tick === 0 || tick !== Math.floor(tick) || row.boot === "") return -1;
  if (nowMs - row.heardAtMs > OLDEST_UNITS * unitMs || exact?.has(row.id)) return -1;
  return tick;
}

/** The remainder of a whole number, in a fifth of the time that `%` takes with numbers of this size. */
export function remainderOf(tick: number): number {
  return tick - REMAINDERS * Math.floor(tick / REMAINDERS);
}

/** Writes the rows that are not told as ticks: those in their turn, and without what the reader `knows`, exactly. */
function encodeExact(rows: readonly Row[], at: Writing, knows: Columns | undefined): string {
  const bytes = roomFor(3 * rows.length);
  let length = 0;
  let next = 0;
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!;
    if (row.heartbeat === 0 || tickOf(row, at) >= 0) continue;
    const ageMs = ageOf(row, at.nowMs);
    const isTold = (ageMs < LONG_MS || isTurn(i, at)) &&
      !(knows?.heartbeats[i] === row.heartbeat && ageMs < knows.agesMs[i]! + OLDER_MS);
    if (!isTold && knows !== undefined) continue;
    length = putNumber(bytes, length, 2 * (i - next) + (isTold ? 1 : 0));
    next = i + 1;
    if (!isTold) continue;
    const behindMs = floorStep(at.clockMs) - row.heartbeat;
    length = putNumber(bytes, length, fold(behindMs / HEARTBEAT_STEP_MS));
    length = putNumber(bytes, length, Math.floor(ageMs / AGE_STEP_MS));
  }
  return textOf(bytes, length);
}

function isTurn(i: number, { clockMs, unitMs }: Writing): boolean {
  return (Math.floor(clockMs / unitMs) + i) % TURNS === 0;
}
