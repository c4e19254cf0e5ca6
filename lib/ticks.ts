/**
 * The form of columns for many members: one small number per member.
 *
 * In a cluster of many a heartbeat is a whole multiple of the interval (Pulse in clock.ts): its **tick** says which.
 * Heartbeat plus age is what the member's clock shows, which a reader knows from its own row of the member. So it needs
 * no age, and of the tick only the remainder by six: of the ticks that may be told at all, one has it.
 *
 *     push      for each member how many ticks it is behind the sender's clock, by six
 *     answer    for each member how many ticks more it made than the reader told, up to six
 *     exact     beside either, as in columns.ts: who is silent for long, charged, a Go node, has another step, or
 *               whose clock changed lately (forms.ts)
 *
 * Where clocks agree, most members are behind by the same, so entropy coding (entropy.ts) makes two bits of it or less.
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
import { fold, OLDER_MS } from "./columns.ts";
import { putDigits, putNumber, roomFor, textOf } from "./digits.ts";
import { FRAME_LENGTH, putSymbols, SYMBOLS } from "./entropy.ts";
import { chain, chained } from "./hash.ts";
import { HEARTBEAT_STEP_MS } from "./limits.ts";
import type { Columns, Stamps } from "./stamps.ts";

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

/** Remainders that tell ticks apart. Of the symbols one says that the member is not told as a tick. */
export const REMAINDERS = SYMBOLS - 1;

/** Ticks that a member may be later than the reader told, to be told as ticks. */
const LATER_MAX = SYMBOLS - 1;

/** Ages up to this are told as ticks, in units: what is older may be a member's last, and all want to know its age. */
export const OLDEST_UNITS = 4.4;

/** Members under one check of four characters: 26 bits, as 2^26 < 91^4. */
export const CHECKED = 1_020;
export const CHECK_LENGTH = 4;
export const CHECK_BITS_LESS = 6;

/** Ages that are told exactly are in whole steps of so many ms: whoever passes them on rounds them down again. */
export const AGE_STEP_MS = 10;

/**
 * Who is silent for longer, in ms and in units, is long known to be, and is told of in one of so many ticks. At an
 * interval of a minute all heartbeats that are passed on are a minute old.
 */
const LONG_MS = 60_000;
const LONG_UNITS = 10;
const TURNS = 16;

/** Writes a roster, or, for a reader that `knows` something, those of whom it knows less. */
export function encodeTicks(stamps: Stamps, at: Writing, knows?: Columns): Ticks {
  // What the loop reads stands in constants: looked up for each member it would take twice as long.
  const { rows, heartbeats, heardAtMs, steady } = stamps;
  const { clockMs, unitMs, nowMs, exact: exactIds } = at;
  const count = rows.length;
  const nowTick = Math.floor(clockMs / unitMs);
  const oldestMs = OLDEST_UNITS * unitMs;
  const symbols = new Uint8Array(count);
  const others: number[] = [];
  const bytes = roomFor(count + FRAME_LENGTH);
  let length = 0;
  for (let start = 0; start < count; start += CHECKED) {
    const end = Math.min(start + CHECKED, count);
    let check = 0;
    for (let i = start; i < end; i++) {
      const heartbeat = heartbeats[i]!;
      if (heartbeat === 0) continue;
      const tick = heartbeat / unitMs;
      const isTick = tick === Math.floor(tick) && nowMs - heardAtMs[i]! <= oldestMs &&
        (steady[i] === 1 || rows[i]!.boot !== "") && !exactIds?.has(rows[i]!.id);
      const symbol = !isTick
        ? -1
        : knows === undefined
        ? 1 + remainderOf(nowTick - tick)
        : later(heartbeat - knows.heartbeats[i]!, unitMs);
      if (symbol === 0) continue;
      if (symbol < 0) {
        others.push(i);
        continue;
      }
      symbols[i] = symbol;
      check = chain(chain(check, i), tick);
    }
    length = putDigits(bytes, length, chained(check) >>> CHECK_BITS_LESS, CHECK_LENGTH);
  }
  length = putSymbols(bytes, length, symbols);
  const text = textOf(bytes, length);
  const exact = encodeExact(stamps, others, at, knows);
  return { clockMs, unitMs, of: knows === undefined ? "all" : "some", text, exact };
}

/** How many ticks more a heartbeat is than the reader told, 0 where it is not later; -1 where no symbol says it. */
function later(laterMs: number, unitMs: number): number {
  if (laterMs <= 0) return 0;
  const ticks = laterMs / unitMs;
  return ticks <= LATER_MAX && ticks === Math.floor(ticks) ? ticks : -1;
}

/** The remainder of a whole number. Most are one already; of the others, `%` takes five times as long. */
export function remainderOf(tick: number): number {
  if (tick >= 0 && tick < REMAINDERS) return tick;
  return tick - REMAINDERS * Math.floor(tick / REMAINDERS);
}

/** Writes the members at `places` exactly: those in their turn, and without what the reader `knows`. */
function encodeExact(
  { heartbeats, heardAtMs }: Stamps,
  places: readonly number[],
  at: Writing,
  knows?: Columns,
): string {
  if (places.length === 0) return "";
  const bytes = roomFor(3 * places.length);
  const longMs = Math.max(LONG_MS, LONG_UNITS * at.unitMs);
  let length = 0;
  let next = 0;
  for (const i of places) {
    const heartbeat = heartbeats[i]!;
    const ageMs = Math.max(0, at.nowMs - heardAtMs[i]!);
    if (ageMs >= longMs && !isTurn(i, at)) continue;
    if (knows?.heartbeats[i] === heartbeat && ageMs < knows.agesMs[i]! + OLDER_MS) continue;
    length = putNumber(bytes, length, i - next);
    next = i + 1;
    const behindMs = floorStep(at.clockMs) - heartbeat;
    length = putNumber(bytes, length, fold(behindMs / HEARTBEAT_STEP_MS));
    length = putNumber(bytes, length, Math.floor(ageMs / AGE_STEP_MS));
  }
  return textOf(bytes, length);
}

function isTurn(i: number, { clockMs, unitMs }: Writing): boolean {
  return (Math.floor(clockMs / unitMs) + i) % TURNS === 0;
}
