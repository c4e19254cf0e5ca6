/**
 * Reading ticks (ticks.ts): which heartbeats and ages a message tells.
 *
 * @module
 */
import { floorStep } from "./clock.ts";
import { unfold } from "./columns.ts";
import { digitsAt, Numbers } from "./digits.ts";
import { symbolsIn } from "./entropy.ts";
import { chain, chained } from "./hash.ts";
import { AGE_MAX_MS, HEARTBEAT_MAX_MS, HEARTBEAT_STEP_MS } from "./limits.ts";
import type { Columns, Stamps } from "./stamps.ts";
import {
  AGE_STEP_MS,
  CHECK_BITS_LESS,
  CHECK_LENGTH,
  CHECKED,
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
  if (!decodeExact(ticks, { heartbeats, agesMs })) return UNREAD;
  const sender = stamps.placeOf(from);
  const read = readTicks({ ticks, stamps, sentAtMs: sentAtMs(ticks, stamps, sender, nowMs), said });
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
  readonly said: Float64Array | undefined;
}

/** Ticks by place, 0 where a member has no tick; and whether all checks held. */
interface Found {
  readonly ticks: Float64Array;
  readonly isWhole: boolean;
}

function readTicks(
  { ticks: { text, of, clockMs, unitMs }, stamps, sentAtMs, said }: Reading,
): Found | undefined {
  const count = stamps.rows.length;
  const from = CHECK_LENGTH * Math.ceil(count / CHECKED);
  const symbols = symbolsIn(text, { from, end: text.length, count });
  if (symbols === undefined || (of === "some" && said?.length !== count)) return undefined;
  const nowTick = Math.floor(clockMs / unitMs);
  const ticks = new Float64Array(count);
  let isWhole = true;
  let at = 0;
  for (let start = 0; start < count; start += CHECKED, at += CHECK_LENGTH) {
    const end = Math.min(start + CHECKED, count);
    let check = 0;
    for (let i = start; i < end; i++) {
      const symbol = symbols[i]!;
      if (symbol === 0) continue;
      const tick = of === "all"
        ? tickNear(clockOf(stamps, i, sentAtMs), nowTick - (symbol - 1), unitMs)
        : said![i]! / unitMs + symbol;
      if (tick !== Math.floor(tick)) return undefined;
      ticks[i] = tick;
      check = chain(chain(check, i), tick);
    }
    const holds = digitsAt(text, at, CHECK_LENGTH) === chained(check) >>> CHECK_BITS_LESS;
    if (holds) continue;
    isWhole = false;
    ticks.fill(0, start, end);
  }
  return { ticks, isWhole };
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

/** Reads the exact entries into `columns`; false where they are malformed. */
function decodeExact(
  { exact, clockMs }: Ticks,
  { heartbeats, agesMs }: { heartbeats: Float64Array; agesMs: Float64Array },
): boolean {
  const numbers = new Numbers(exact);
  for (let i = 0; !numbers.isAtEnd; i++) {
    const between = numbers.next();
    const behind = numbers.next();
    const age = numbers.next();
    i += between;
    if (between < 0 || behind < 0 || age < 0 || i >= heartbeats.length) return false;
    const heartbeat = floorStep(clockMs) - unfold(behind) * HEARTBEAT_STEP_MS;
    if (!(heartbeat > 0 && heartbeat <= HEARTBEAT_MAX_MS)) return false;
    heartbeats[i] = heartbeat;
    agesMs[i] = Math.min(age * AGE_STEP_MS, AGE_MAX_MS);
  }
  return true;
}
