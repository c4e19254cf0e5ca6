/**
 * The compact form: all that two equal rosters have left to tell each other, two numbers per member.
 *
 * In roster order each member is either skipped, often several in a row, or two numbers (digits.ts): its heartbeat, in
 * tenths of a second behind the sender's own, and its age, in whole tenths.
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
import { charCodeOf, Numbers, putNumber, roomFor, textOf } from "./digits.ts";
import { AGE_MAX_MS, HEARTBEAT_MAX_MS, HEARTBEAT_STEP_MS, MEMBERS_MAX } from "./limits.ts";
import type { Columns } from "./stamps.ts";
import { ageOf, type Row } from "./table.ts";

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
export const OLDER_MS = 2 * HEARTBEAT_STEP_MS;

/** Encodes `rows` for a reader who told what it `knows` of the same roster. */
export function encodeColumns(
  rows: readonly Row[],
  at: { ownHeartbeat: number; nowMs: number },
  knows?: Columns,
): string {
  const { ownHeartbeat, nowMs } = at;
  const bytes = roomFor(2 * rows.length);
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
  return textOf(bytes, length);
}

/** Decodes columns; undefined if they are malformed or out of range. */
export function decodeColumns(text: string, ownHeartbeat: number): Columns | undefined {
  const members = Math.min(text.length >> 1, MEMBERS_MAX);
  const heartbeats = new Array<number>(members);
  const agesMs = new Array<number>(members);
  let count = 0;
  const numbers = new Numbers(text);
  while (!numbers.isAtEnd) {
    const code = numbers.next();
    const isSkip = code < SKIPS;
    if (code < 0 || count + (isSkip ? code : 0) >= MEMBERS_MAX) return undefined;
    if (isSkip) {
      for (let i = 0; i <= code; i++) {
        heartbeats[count] = 0;
        agesMs[count++] = -1;
      }
      continue;
    }
    const age = numbers.next();
    const heartbeat = ownHeartbeat - unfold(code - SKIPS) * HEARTBEAT_STEP_MS;
    if (age < 0 || heartbeat <= 0 || heartbeat > HEARTBEAT_MAX_MS) return undefined;
    heartbeats[count] = heartbeat;
    agesMs[count++] = Math.min(age * HEARTBEAT_STEP_MS, AGE_MAX_MS);
  }
  heartbeats.length = agesMs.length = count;
  return { heartbeats, agesMs };
}

/** Maps how far behind a heartbeat is to a number that is small while clocks agree to within a second. */
export function fold(behind: number): number {
  if (behind >= BEHIND) return AHEAD + BEHIND + 2 * (behind - BEHIND);
  return behind >= -AHEAD ? behind + AHEAD : BEHIND - AHEAD - 1 - 2 * behind;
}

/** What `fold` made of it, back. */
export function unfold(code: number): number {
  const beyond = code - AHEAD - BEHIND;
  if (beyond < 0) return code - AHEAD;
  return beyond % 2 === 0 ? BEHIND + beyond / 2 : -AHEAD - (beyond + 1) / 2;
}

/** Writes that so many members are skipped; returns the new length. */
function putSkips(bytes: Uint8Array, length: number, members: number): number {
  for (; members > 0; members -= SKIPS) bytes[length++] = charCodeOf(Math.min(members, SKIPS) - 1);
  return length;
}
