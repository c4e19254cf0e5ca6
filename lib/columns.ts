/**
 * The compact form: what two equal rosters have left to tell each other, two numbers a member, a letter each.
 *
 * A number is a letter of 91, the printable ones that JSON leaves as they are; one of 80 or more is a letter that
 * says how many follow, and those. In roster order a member is either passed over, as some in a row often are, or it
 * is its heartbeat, in tenths of a second behind the sender's own, and its age, in whole tenths.
 *
 * Passed over is who was never heard; and in an answer, all of whom the caller has just told as much: half of the
 * table.
 *
 * Ages round down: equal heartbeats keep the greatest age any path reports, so rounding to the nearest would let two
 * nodes talk an age up between them, and a live member dead.
 *
 * Rejected: bytes in base64, a third more of them, and in V8 a buffer each way costs more than all the rest of an
 * exchange.
 *
 * @module
 */
import { AGE_MAX_MS, HEARTBEAT_MAX_MS, HEARTBEAT_STEP_MS, MEMBERS_MAX } from "./limits.ts";
import { ageOf, type Row } from "./table.ts";

/** Heartbeats and ages in roster order; an age of -1: nothing is said of this member. */
export interface Columns {
  readonly heartbeats: readonly number[];
  readonly agesMs: readonly number[];
}

/** Numbers below it, at the place of a heartbeat, pass over one member more. */
const SKIPS = 10;

/** Tenths of a second: heartbeats so far ahead of the sender's own, or so far behind it, take one letter. */
const AHEAD = 8;
const BEHIND = 62;

/** Older by so much than the caller has it, a heartbeat it knows is told all the same: it may be the last. */
const OLDER_MS = 2 * HEARTBEAT_STEP_MS;

/** Writes what `rows` are to a reader who told what it `knows` of the same roster. */
export function encodeColumns(
  rows: readonly Row[],
  at: { ownHeartbeat: number; nowMs: number },
  knows?: Columns,
): string {
  const { ownHeartbeat, nowMs } = at;
  const bytes = roomFor(rows.length);
  let length = 0;
  let skipped = 0;
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!;
    const ageMs = ageOf(row, nowMs);
    const isKnown = knows !== undefined && knows.heartbeats[i] === row.heartbeat &&
      ageMs < knows.agesMs[i]! + OLDER_MS;
    if (row.heartbeat === 0 || isKnown) {
      skipped++;
      continue;
    }
    length = putSkips(bytes, length, skipped);
    skipped = 0;
    const behind = (ownHeartbeat - row.heartbeat) / HEARTBEAT_STEP_MS;
    length = putNumber(bytes, length, SKIPS + fold(behind));
    length = putNumber(bytes, length, Math.floor(ageMs / HEARTBEAT_STEP_MS));
  }
  length = putSkips(bytes, length, skipped);
  return ascii.decode(bytes.subarray(0, length));
}

/** Reads columns back; undefined if they are none, or out of range. */
export function decodeColumns(text: string, ownHeartbeat: number): Columns | undefined {
  const members = Math.min(text.length >> 1, MEMBERS_MAX);
  const heartbeats = new Array<number>(members);
  const agesMs = new Array<number>(members);
  let count = 0;
  for (let at = 0; at < text.length;) {
    let first = digitAt(text, at);
    const code = numberAt(text, at, first);
    at += lettersOf(first);
    const isSkip = code < SKIPS;
    if (code < 0 || count + (isSkip ? code : 0) >= MEMBERS_MAX) return undefined;
    if (isSkip) {
      for (let i = 0; i <= code; i++) {
        heartbeats[count] = 0;
        agesMs[count++] = -1;
      }
      continue;
    }
    first = digitAt(text, at);
    const age = numberAt(text, at, first);
    at += lettersOf(first);
    const heartbeat = ownHeartbeat - unfold(code - SKIPS) * HEARTBEAT_STEP_MS;
    if (age < 0 || heartbeat <= 0 || heartbeat > HEARTBEAT_MAX_MS) return undefined;
    heartbeats[count] = heartbeat;
    agesMs[count++] = Math.min(age * HEARTBEAT_STEP_MS, AGE_MAX_MS);
  }
  heartbeats.length = agesMs.length = count;
  return { heartbeats, agesMs };
}

/** Makes a number of how far behind a heartbeat is: a small one while clocks agree to within a second. */
function fold(behind: number): number {
  if (behind >= BEHIND) return AHEAD + BEHIND + 2 * (behind - BEHIND);
  return behind >= -AHEAD ? behind + AHEAD : BEHIND - AHEAD - 1 - 2 * behind;
}

function unfold(code: number): number {
  const beyond = code - AHEAD - BEHIND;
  if (beyond < 0) return code - AHEAD;
  return beyond % 2 === 0 ? BEHIND + beyond / 2 : -AHEAD - (beyond + 1) / 2;
}

/** Letters: `#` to `~`, but for the backslash. */
const LETTERS = 91;
const FIRST_CODE = 35;
const LAST_CODE = 126;
const BACKSLASH_CODE = 92;

/** Numbers below it are one letter. */
const SINGLES = 80;

/**
 * Letters of a number after the first: a difference of heartbeats, from year 0 to 9999 in tenths, has 43 bits with
 * its sign.
 */
const MORE_MAX = 7;

const ascii = new TextDecoder();

/** Kept, so that the columns of each round and answer leave no garbage. */
let buffer = new Uint8Array(0);

function roomFor(members: number): Uint8Array<ArrayBuffer> {
  const bytesMax = members * 2 * (1 + MORE_MAX);
  if (buffer.length < bytesMax) buffer = new Uint8Array(bytesMax);
  return buffer;
}

function letterOf(digit: number): number {
  const code = FIRST_CODE + digit;
  return code < BACKSLASH_CODE ? code : code + 1;
}

/** Puts a number; returns the length then. */
function putNumber(bytes: Uint8Array, length: number, value: number): number {
  if (value < SINGLES) {
    bytes[length] = letterOf(value);
    return length + 1;
  }
  const rest = value - SINGLES;
  let more = 1;
  let scale = 1;
  for (; rest >= scale * LETTERS; more++) scale *= LETTERS;
  bytes[length++] = letterOf(SINGLES + more - 1);
  for (; more > 0; more--, scale /= LETTERS) {
    bytes[length++] = letterOf(Math.floor(rest / scale) % LETTERS);
  }
  return length;
}

/** Passes over so many members; returns the length then. */
function putSkips(bytes: Uint8Array, length: number, members: number): number {
  for (; members > 0; members -= SKIPS) bytes[length++] = letterOf(Math.min(members, SKIPS) - 1);
  return length;
}

/** The letter at `at` as a digit; -1 if it is none, or past the end. */
function digitAt(text: string, at: number): number {
  const code = text.charCodeAt(at);
  // Past the end it is not a number, which no comparison holds for.
  if (!(code >= FIRST_CODE && code <= LAST_CODE) || code === BACKSLASH_CODE) return -1;
  return code < BACKSLASH_CODE ? code - FIRST_CODE : code - FIRST_CODE - 1;
}

/** Letters of a number, by its first digit. */
function lettersOf(first: number): number {
  return first < SINGLES ? 1 : first - SINGLES + 2;
}

/** The number that begins at `at` with the digit `first`; -1 if none does. */
function numberAt(text: string, at: number, first: number): number {
  if (first < SINGLES) return first;
  const letters = lettersOf(first);
  if (letters > 1 + MORE_MAX) return -1;
  let value = 0;
  for (let i = 1; i < letters; i++) {
    const digit = digitAt(text, at + i);
    if (digit < 0) return -1;
    value = value * LETTERS + digit;
  }
  return SINGLES + value;
}
