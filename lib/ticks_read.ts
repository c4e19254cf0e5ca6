/**
 * Reading ticks (ticks.ts): which heartbeats and ages a message tells.
 *
 * @module
 */
import { floorStep } from "./clock.ts";
import { unfold } from "./columns.ts";
import { bitAt, BITS, digitsAt, Numbers } from "./digits.ts";
import { chain, chained } from "./hash.ts";
import { AGE_MAX_MS, HEARTBEAT_MAX_MS, HEARTBEAT_STEP_MS } from "./limits.ts";
import type { Columns, Stamps } from "./stamps.ts";
import {
  AGE_STEP_MS,
  CHECK_BITS_LESS,
  CHECK_LENGTH,
  CHECKED,
  GROUP,
  OLDEST_UNITS,
  remainderOf,
  REMAINDERS,
  type Ticks,
} from "./ticks.ts";

/** What was read of a message's heartbeats. */
export interface Read {
  /** What it told of an equal roster. */
  readonly columns: Columns | undefined;
  /** It told ticks of an equal roster that could not all be read. */
  readonly unread: boolean;
}

/**
 * How far a tick may be ahead of the clock that the reader knows, in units: half of what the remainders leave beyond
 * the oldest. Ages are underestimated by the time that messages take, more at one node than at another.
 */
const AHEAD_UNITS = (REMAINDERS - OLDEST_UNITS) / 2;

const UNREAD: Read = { columns: undefined, unread: true };

/** Who told, and when it is read. */
export interface Hearing {
  readonly from: string;
  readonly nowMs: number;
  /** The heartbeats in the reader's own message, which this one answers. */
  readonly said?: Float64Array | undefined;
}

/** Reads what `from` told of the roster that the reader has; where the text is malformed nothing. */
export function decodeTicks(
  ticks: Ticks,
  stamps: Stamps,
  { from, nowMs, said }: Hearing,
): Read {
  const { length } = stamps.rows;
  const heartbeats = new Float64Array(length);
  const agesMs = new Float64Array(length).fill(-1);
  const isExact = decodeExact(ticks, { heartbeats, agesMs });
  if (isExact === undefined) return UNREAD;
  const sender = stamps.placeOf(from);
  const reading = {
    ticks,
    stamps,
    sentAtMs: sentAtMs(ticks, stamps, sender, nowMs),
    isExact,
    said,
  };
  const read = ticks.of === "all" ? readAll(reading) : readSome(reading);
  if (read === undefined) return UNREAD;
  const { unitMs } = ticks;
  for (let i = 0; i < length; i++) {
    const heartbeat = read.ticks[i]! * unitMs;
    if (!(heartbeat > 0 && heartbeat <= HEARTBEAT_MAX_MS)) continue;
    heartbeats[i] = heartbeat;
    const known = stamps.heartbeats[i]!;
    // What is known already says nothing, not even of its age: that is the reader's own.
    if (heartbeat > known) {
      agesMs[i] = Math.max(0, nowMs - stamps.heardAtMs[i]! - (heartbeat - known));
    }
  }
  // The sender's own heartbeat is as old as it says, whatever was thought of its clock.
  if (sender >= 0 && read.ticks[sender]! > 0 && heartbeats[sender]! > 0) {
    agesMs[sender] = Math.max(0, ticks.clockMs - heartbeats[sender]!);
  }
  return { columns: { heartbeats, agesMs }, unread: !read.isWhole };
}

/** The running time at which the sender's clock showed what it wrote; now, where that is not known or not yet. */
function sentAtMs({ clockMs }: Ticks, stamps: Stamps, sender: number, nowMs: number): number {
  const heartbeat = stamps.heartbeats[sender] ?? 0;
  if (heartbeat === 0) return nowMs;
  return Math.min(nowMs, stamps.heardAtMs[sender]! + clockMs - heartbeat);
}

interface Reading {
  readonly ticks: Ticks;
  readonly stamps: Stamps;
  readonly sentAtMs: number;
  /** By place: the member is told exactly, or not at all. */
  readonly isExact: Uint8Array;
  readonly said: Float64Array | undefined;
}

/** Ticks by place, 0 where a member has no tick; and whether all checks held. */
interface Found {
  readonly ticks: Float64Array;
  readonly isWhole: boolean;
}

function readAll(
  { ticks: { text, unitMs }, stamps, sentAtMs, isExact }: Reading,
): Found | undefined {
  const { length } = stamps.rows;
  const ticks = new Float64Array(length);
  const groups = Math.ceil(length / GROUP);
  const checks = Math.ceil(length / CHECKED);
  if (text.length !== 2 * groups + CHECK_LENGTH * checks) return undefined;
  let isWhole = true;
  let at = 0;
  for (let start = 0; start < length; start += CHECKED) {
    const end = Math.min(start + CHECKED, length);
    for (let first = start; first < end; first += GROUP, at += 2) {
      let group = digitsAt(text, at, 2);
      for (let i = Math.min(first + GROUP, end) - 1; i >= first; i--) {
        ticks[i] = group % REMAINDERS;
        group = Math.floor(group / REMAINDERS);
      }
    }
    let check = 0;
    for (let i = start; i < end; i++) {
      if (isExact[i] === 1 || stamps.heartbeats[i] === 0) {
        ticks[i] = 0;
        continue;
      }
      const tick = tickNear(clockOf(stamps, i, sentAtMs), ticks[i]!, unitMs);
      ticks[i] = tick;
      check = chain(chain(check, i), tick);
    }
    const holds = digitsAt(text, at, CHECK_LENGTH) === chained(check) >>> CHECK_BITS_LESS;
    at += CHECK_LENGTH;
    if (holds) continue;
    isWhole = false;
    ticks.fill(0, start, end);
  }
  return { ticks, isWhole };
}

function readSome({ ticks: { text, unitMs }, stamps, sentAtMs, said }: Reading): Found | undefined {
  const { length } = stamps.rows;
  const bitsEnd = Math.ceil(length / BITS);
  const end = text.length - CHECK_LENGTH;
  if (said?.length !== length || end < bitsEnd) return undefined;
  const ticks = new Float64Array(length);
  const numbers = new Numbers(text, bitsEnd, end);
  for (let i = 0; !numbers.isAtEnd; i++) {
    const place = numbers.next();
    i += Math.floor(place / 2);
    if (place < 0 || i >= length) return undefined;
    if (place % 2 === 0) ticks[i] = said[i]! / unitMs + 2;
    else {
      const remainder = numbers.next();
      if (remainder < 0) return undefined;
      ticks[i] = tickNear(clockOf(stamps, i, sentAtMs), remainder, unitMs);
    }
  }
  let check = 0;
  for (let i = 0; i < length; i++) {
    const bit = bitAt(text, i);
    if (bit < 0) return undefined;
    if (bit === 1) ticks[i] = said[i]! / unitMs + 1;
    if (ticks[i] !== Math.floor(ticks[i]!)) return undefined;
    if (ticks[i]! > 0) check = chain(chain(check, i), ticks[i]!);
  }
  const isWhole = digitsAt(text, end, CHECK_LENGTH) === chained(check) >>> CHECK_BITS_LESS;
  return { ticks: isWhole ? ticks : ticks.fill(0), isWhole };
}

/** What the clock of the member at a place showed at a running time. */
function clockOf({ heartbeats, heardAtMs }: Stamps, i: number, atMs: number): number {
  return heartbeats[i]! + atMs - heardAtMs[i]!;
}

/** The tick with that remainder that a member may have told when its clock showed `clockMs`. */
function tickNear(clockMs: number, remainder: number, unitMs: number): number {
  const latest = Math.floor(clockMs / unitMs + AHEAD_UNITS);
  return latest - remainderOf(latest - remainder);
}

/** Reads the exact entries into `columns`; by place, who is told so; undefined where they are malformed. */
function decodeExact(
  { exact, clockMs }: Ticks,
  { heartbeats, agesMs }: { heartbeats: Float64Array; agesMs: Float64Array },
): Uint8Array | undefined {
  const isExact = new Uint8Array(heartbeats.length);
  const numbers = new Numbers(exact);
  for (let i = 0; !numbers.isAtEnd; i++) {
    const place = numbers.next();
    i += Math.floor(place / 2);
    if (place < 0 || i >= isExact.length) return undefined;
    isExact[i] = 1;
    if (place % 2 === 0) continue;
    const behind = numbers.next();
    const age = numbers.next();
    if (behind < 0 || age < 0) return undefined;
    const heartbeat = floorStep(clockMs) - unfold(behind) * HEARTBEAT_STEP_MS;
    if (!(heartbeat > 0 && heartbeat <= HEARTBEAT_MAX_MS)) return undefined;
    heartbeats[i] = heartbeat;
    agesMs[i] = Math.min(age * AGE_STEP_MS, AGE_MAX_MS);
  }
  return isExact;
}
