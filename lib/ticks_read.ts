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
import type { ColumnBuffers, Columns, Stamps } from "./stamps.ts";
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
  const columns = stamps.blank();
  if (!decodeExact(ticks, columns)) return UNREAD;
  const sender = stamps.placeOf(from);
  const sent = sentAtMs(ticks, stamps, sender, nowMs);
  const isWhole = readTicks(ticks, { stamps, sender, sentAtMs: sent, nowMs, said }, columns);
  return isWhole === undefined ? UNREAD : { columns, unread: !isWhole };
}

/** The running time at which the sender's clock showed what it wrote; now, where that is not known or not yet. */
function sentAtMs({ clockMs }: Ticks, stamps: Stamps, sender: number, nowMs: number): number {
  const heartbeat = stamps.heartbeats[sender] ?? 0;
  if (heartbeat === 0) return nowMs;
  return Math.min(nowMs, stamps.heardAtMs[sender]! + clockMs - heartbeat);
}

interface Reading {
  readonly stamps: Stamps;
  readonly sender: number;
  readonly sentAtMs: number;
  readonly nowMs: number;
  readonly said: Float64Array | undefined;
}

/** The ticks under one check, 0 where a member has none. Reused. */
const checked = new Float64Array(CHECKED);

/** Reads the ticks into `columns`; whether all checks held, or undefined where the text is malformed. */
function readTicks(ticks: Ticks, reading: Reading, columns: ColumnBuffers): boolean | undefined {
  const { text, of, clockMs, unitMs } = ticks;
  const { stamps: { heartbeats, heardAtMs }, sentAtMs, said } = reading;
  const count = heartbeats.length;
  const from = CHECK_LENGTH * Math.ceil(count / CHECKED);
  const symbols = symbolsIn(text, { from, end: text.length, count });
  if (symbols === undefined || (of === "some" && said?.length !== count)) return undefined;
  const nowTick = Math.floor(clockMs / unitMs);
  let isWhole = true;
  let at = 0;
  for (let start = 0; start < count; start += CHECKED, at += CHECK_LENGTH) {
    const length = Math.min(CHECKED, count - start);
    let check = 0;
    for (let j = 0; j < length; j++) {
      const i = start + j;
      const symbol = symbols[i]!;
      checked[j] = 0;
      if (symbol === 0) continue;
      let tick: number;
      if (of === "all") {
        const showedMs = heartbeats[i]! + sentAtMs - heardAtMs[i]!;
        tick = tickNear(showedMs, nowTick - (symbol - 1), unitMs);
      } else {
        tick = said![i]! / unitMs + symbol;
        if (tick !== Math.floor(tick)) return undefined;
      }
      checked[j] = tick;
      check = chain(chain(check, i), tick);
    }
    const holds = digitsAt(text, at, CHECK_LENGTH) === chained(check) >>> CHECK_BITS_LESS;
    if (holds) takeTicks(ticks, { ...reading, start, length }, columns);
    else isWhole = false;
  }
  return isWhole;
}

/** Takes the ticks under a check that held. */
function takeTicks(
  { clockMs, unitMs }: Ticks,
  { stamps, sender, nowMs, start, length }: Reading & { start: number; length: number },
  { heartbeats, agesMs }: ColumnBuffers,
): void {
  for (let j = 0; j < length; j++) {
    const i = start + j;
    const heartbeat = checked[j]! * unitMs;
    if (!(heartbeat > 0 && heartbeat <= HEARTBEAT_MAX_MS)) continue;
    heartbeats[i] = heartbeat;
    const known = stamps.heartbeats[i]!;
    // The sender's own heartbeat is as old as it says, whatever was thought of its clock.
    if (i === sender) agesMs[i] = Math.max(0, clockMs - heartbeat);
    // What is known already says nothing, not even of its age: that is the reader's own.
    else if (heartbeat > known) {
      agesMs[i] = Math.max(0, nowMs - stamps.heardAtMs[i]! - (heartbeat - known));
    }
  }
}

/** The tick with that remainder that a member may have told when its clock showed `clockMs`. */
function tickNear(clockMs: number, remainder: number, unitMs: number): number {
  const latest = Math.floor(clockMs / unitMs + AHEAD_UNITS);
  return latest - remainderOf(latest - remainder);
}

/** Reads the exact entries into `columns`; false where they are malformed. */
function decodeExact(
  { exact, clockMs }: Ticks,
  { heartbeats, agesMs }: ColumnBuffers,
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
