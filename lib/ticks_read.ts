/**
 * Reading ticks (ticks.ts): which heartbeats and ages a message tells.
 *
 * @module
 */
import { floorStep } from "./clock.ts";
import { type Columns, unfold } from "./columns.ts";
import { digitAt, digitsAt, lengthOf, numberAt } from "./digits.ts";
import { mix } from "./hash.ts";
import { AGE_MAX_MS, HEARTBEAT_MAX_MS, HEARTBEAT_STEP_MS } from "./limits.ts";
import type { Row } from "./table.ts";
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

/** Reads what `from` told, by the reader's own `rows`, of an equal roster; where the text is malformed nothing. */
export function decodeTicks(
  ticks: Ticks,
  rows: readonly Row[],
  { from, nowMs }: { from: string; nowMs: number },
): Read {
  const heartbeats = new Float64Array(rows.length);
  const agesMs = new Float64Array(rows.length).fill(-1);
  const columns = { heartbeats, agesMs };
  const isExact = decodeExact(ticks, columns);
  if (isExact === undefined) return UNREAD;
  const sender = rows.findIndex((row) => row.id === from);
  const reading = { ticks, rows, sentAtMs: sentAtMs(ticks, rows[sender], nowMs), isExact };
  const read = ticks.of === "all" ? readAll(reading) : readSome(reading);
  if (read === undefined) return UNREAD;
  for (let i = 0; i < rows.length; i++) {
    const heartbeat = read.ticks[i]! * ticks.unitMs;
    if (!(heartbeat > 0 && heartbeat <= HEARTBEAT_MAX_MS)) continue;
    const row = rows[i]!;
    heartbeats[i] = heartbeat;
    // What is known already says nothing, not even of its age: that is the reader's own.
    if (heartbeat <= row.heartbeat && i !== sender) continue;
    const ageMs = nowMs - row.heardAtMs - (heartbeat - row.heartbeat);
    // The sender's own heartbeat is as old as it says, whatever was thought of its clock.
    agesMs[i] = Math.max(0, i === sender ? ticks.clockMs - heartbeat : ageMs);
  }
  return { columns, unread: !read.isWhole };
}

/** The running time at which the sender's clock showed what it wrote; now, where that is not known or not yet. */
function sentAtMs({ clockMs }: Ticks, sender: Row | undefined, nowMs: number): number {
  if (sender === undefined || sender.heartbeat === 0) return nowMs;
  return Math.min(nowMs, sender.heardAtMs + clockMs - sender.heartbeat);
}

interface Reading {
  readonly ticks: Ticks;
  readonly rows: readonly Row[];
  readonly sentAtMs: number;
  /** By place: the member is told exactly, or not at all. */
  readonly isExact: Uint8Array;
}

/** Ticks by place, 0 where a member has no tick; and whether all checks held. */
interface Found {
  readonly ticks: Float64Array;
  readonly isWhole: boolean;
}

function readAll({ ticks: { text, unitMs }, rows, sentAtMs, isExact }: Reading): Found | undefined {
  const ticks = new Float64Array(rows.length);
  const groups = Math.ceil(rows.length / GROUP);
  const checks = Math.ceil(rows.length / CHECKED);
  if (text.length !== 2 * groups + CHECK_LENGTH * checks) return undefined;
  let isWhole = true;
  let at = 0;
  for (let start = 0; start < rows.length; start += CHECKED) {
    const end = Math.min(start + CHECKED, rows.length);
    let check = 0;
    for (let first = start; first < end; first += GROUP, at += 2) {
      let group = digitsAt(text, at, 2);
      for (let i = Math.min(first + GROUP, end) - 1; i >= first; i--) {
        ticks[i] = group % REMAINDERS;
        group = Math.floor(group / REMAINDERS);
      }
    }
    for (let i = start; i < end; i++) {
      if (isExact[i] === 1 || rows[i]!.heartbeat === 0) {
        ticks[i] = 0;
        continue;
      }
      ticks[i] = tickNear(rows[i]!, ticks[i]!, { sentAtMs, unitMs });
      check = mix(mix(check, i), ticks[i]!);
    }
    const holds = digitsAt(text, at, CHECK_LENGTH) === check >>> CHECK_BITS_LESS;
    at += CHECK_LENGTH;
    if (holds) continue;
    isWhole = false;
    ticks.fill(0, start, end);
  }
  return { ticks, isWhole };
}

function readSome({ ticks: { text, unitMs }, rows, sentAtMs }: Reading): Found | undefined {
  const ticks = new Float64Array(rows.length);
  let check = 0;
  let i = 0;
  const end = text.length - CHECK_LENGTH;
  for (let at = 0; at < end; i++) {
    const first = digitAt(text, at);
    const number = numberAt(text, at, first);
    at += lengthOf(first);
    i += Math.floor(number / REMAINDERS);
    if (number < 0 || i >= rows.length) return undefined;
    ticks[i] = tickNear(rows[i]!, number % REMAINDERS, { sentAtMs, unitMs });
    check = mix(mix(check, i), ticks[i]!);
  }
  const isWhole = digitsAt(text, end, CHECK_LENGTH) === check >>> CHECK_BITS_LESS;
  return { ticks: isWhole ? ticks : ticks.fill(0), isWhole };
}

/** The tick with that remainder that the member may have told by then. */
function tickNear(
  row: Row,
  remainder: number,
  { sentAtMs, unitMs }: { sentAtMs: number; unitMs: number },
): number {
  const clockMs = row.heartbeat + sentAtMs - row.heardAtMs;
  const latest = Math.floor(clockMs / unitMs + AHEAD_UNITS);
  return latest - remainderOf(latest - remainder);
}

/** Reads the exact entries into `columns`; by place, who is told so; undefined where they are malformed. */
function decodeExact(
  { exact, clockMs }: Ticks,
  { heartbeats, agesMs }: { heartbeats: Float64Array; agesMs: Float64Array },
): Uint8Array | undefined {
  const isExact = new Uint8Array(heartbeats.length);
  let at = 0;
  const next = () => {
    const first = digitAt(exact, at);
    const number = numberAt(exact, at, first);
    at += lengthOf(first);
    return number;
  };
  for (let i = 0; at < exact.length; i++) {
    const place = next();
    i += Math.floor(place / 2);
    if (place < 0 || i >= isExact.length) return undefined;
    isExact[i] = 1;
    if (place % 2 === 0) continue;
    const behind = next();
    const age = next();
    if (behind < 0 || age < 0) return undefined;
    const heartbeat = floorStep(clockMs) - unfold(behind) * HEARTBEAT_STEP_MS;
    if (!(heartbeat > 0 && heartbeat <= HEARTBEAT_MAX_MS)) return undefined;
    heartbeats[i] = heartbeat;
    agesMs[i] = Math.min(age * AGE_STEP_MS, AGE_MAX_MS);
  }
  return isExact;
}
