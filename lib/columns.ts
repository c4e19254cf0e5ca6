/**
 * The compact form: all that two equal rosters have left to tell each other, two numbers per member.
 *
 * A number is written in base 91, in the printable characters that JSON leaves as they are. Below 80 it is one
 * character; from there on the first character says how many follow. In roster order each member is either skipped,
 * often several in a row, or two numbers: its heartbeat, in tenths of a second behind the sender's own, and its age,
 * in whole tenths.
 *
 * Skipped: members never heard from and, in an answer, those the caller already knows as well, about half of the
 * table.
 *
 * Ages round down: of equal heartbeats the greatest reported age counts, so with rounding to the nearest two nodes
 * could talk an age up between them, and a live member dead.
 *
 * Rejected: bytes in base64. They are a third longer, and in V8 a buffer each way costs more than the rest of an
 * exchange.
 *
 * @module
 */
import { AGE_MAX_MS, HEARTBEAT_MAX_MS, HEARTBEAT_STEP_MS, MEMBERS_MAX } from "./limits.ts";
import { ageOf, type Row } from "./table.ts";

/** Heartbeats and ages in roster order; an age of -1 says nothing about the member. */
export interface Columns {
  readonly heartbeats: readonly number[];
  readonly agesMs: readonly number[];
}

/** Below it, a number in the place of a heartbeat skips one member more than it says. */
const SKIPS = 10;

/**
 * Tenths of a second: heartbeats up to this far ahead of the sender's own, or less far behind it, take one character.
 */
const AHEAD = 8;
const BEHIND = 62;

/**
 * A heartbeat that the caller knows is told again if it is this much older than the caller has it: it may be the
 * last.
 */
const OLDER_MS = 2 * HEARTBEAT_STEP_MS;

/** Encodes `rows` for a reader who told what it `knows` of the same roster. */
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

/** Decodes columns; undefined if they are malformed or out of range. */
export function decodeColumns(text: string, ownHeartbeat: number): Columns | undefined {
  const members = Math.min(text.length >> 1, MEMBERS_MAX);
  const heartbeats = new Array<number>(members);
  const agesMs = new Array<number>(members);
  let count = 0;
  for (let at = 0; at < text.length;) {
    let first = digitAt(text, at);
    const code = numberAt(text, at, first);
    at += lengthOf(first);
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
    at += lengthOf(first);
    const heartbeat = ownHeartbeat - unfold(code - SKIPS) * HEARTBEAT_STEP_MS;
    if (age < 0 || heartbeat <= 0 || heartbeat > HEARTBEAT_MAX_MS) return undefined;
    heartbeats[count] = heartbeat;
    agesMs[count++] = Math.min(age * HEARTBEAT_STEP_MS, AGE_MAX_MS);
  }
  heartbeats.length = agesMs.length = count;
  return { heartbeats, agesMs };
}

/** Maps how far behind a heartbeat is to a number that is small while clocks agree to within a second. */
function fold(behind: number): number {
  if (behind >= BEHIND) return AHEAD + BEHIND + 2 * (behind - BEHIND);
  return behind >= -AHEAD ? behind + AHEAD : BEHIND - AHEAD - 1 - 2 * behind;
}

function unfold(code: number): number {
  const beyond = code - AHEAD - BEHIND;
  if (beyond < 0) return code - AHEAD;
  return beyond % 2 === 0 ? BEHIND + beyond / 2 : -AHEAD - (beyond + 1) / 2;
}

/** The digits: `#` to `~`, without the backslash. */
const BASE = 91;
const FIRST_CODE = 35;
const LAST_CODE = 126;
const BACKSLASH_CODE = 92;

/** Numbers below it are one character. */
const SINGLES = 80;

/**
 * Characters of a number after the first: a difference of heartbeats, from year 0 to 9999 in tenths, has 43 bits with
 * its sign.
 */
const MORE_MAX = 7;

const ascii = new TextDecoder();

/** Reused, so that the columns of each round and answer leave no garbage. */
let buffer = new Uint8Array(0);

function roomFor(members: number): Uint8Array<ArrayBuffer> {
  const bytesMax = members * 2 * (1 + MORE_MAX);
  if (buffer.length < bytesMax) buffer = new Uint8Array(bytesMax);
  return buffer;
}

function charCodeOf(digit: number): number {
  const code = FIRST_CODE + digit;
  return code < BACKSLASH_CODE ? code : code + 1;
}

/** Writes a number; returns the new length. */
function putNumber(bytes: Uint8Array, length: number, value: number): number {
  if (value < SINGLES) {
    bytes[length] = charCodeOf(value);
    return length + 1;
  }
  const rest = value - SINGLES;
  let more = 1;
  let scale = 1;
  for (; rest >= scale * BASE; more++) scale *= BASE;
  bytes[length++] = charCodeOf(SINGLES + more - 1);
  for (; more > 0; more--, scale /= BASE) {
    bytes[length++] = charCodeOf(Math.floor(rest / scale) % BASE);
  }
  return length;
}

/** Writes that so many members are skipped; returns the new length. */
function putSkips(bytes: Uint8Array, length: number, members: number): number {
  for (; members > 0; members -= SKIPS) bytes[length++] = charCodeOf(Math.min(members, SKIPS) - 1);
  return length;
}

/** The digit at `at`; -1 for any other character, and past the end. */
function digitAt(text: string, at: number): number {
  const code = text.charCodeAt(at);
  // Past the end the code is NaN, for which every comparison is false.
  if (!(code >= FIRST_CODE && code <= LAST_CODE) || code === BACKSLASH_CODE) return -1;
  return code < BACKSLASH_CODE ? code - FIRST_CODE : code - FIRST_CODE - 1;
}

/** Characters of a number, by its first digit. */
function lengthOf(first: number): number {
  return first < SINGLES ? 1 : first - SINGLES + 2;
}

/** The number that begins at `at` with the digit `first`; -1 if it is malformed. */
function numberAt(text: string, at: number, first: number): number {
  if (first < SINGLES) return first;
  const length = lengthOf(first);
  if (length > 1 + MORE_MAX) return -1;
  let value = 0;
  for (let i = 1; i < length; i++) {
    const digit = digitAt(text, at + i);
    if (digit < 0) return -1;
    value = value * BASE + digit;
  }
  return SINGLES + value;
}
