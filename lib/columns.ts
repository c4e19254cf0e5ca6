/**
 * The compact form: what two equal rosters have left to tell each other, two numbers a member.
 *
 * Each number is a variable-length integer (7 bits a byte, least first), in base64. Heartbeats are differences
 * to the sender's own, in tenths of a second, zigzagged; ages are whole tenths plus one, 0 for never heard. On a healthy
 * cluster that is a byte each, 2.7 letters a member.
 *
 * Ages round down: equal heartbeats keep the greatest age any path reports, so rounding to the nearest would let two nodes
 * talk an age up between them, and a live member dead.
 *
 * @module
 */
import { AGE_MAX_MS, HEARTBEAT_MAX_MS, HEARTBEAT_STEP_MS, MEMBERS_MAX } from "./limits.ts";
import { ageOf, type Row } from "./table.ts";

/** Heartbeats and ages in roster order; an age of -1: never heard. */
export interface Columns {
  readonly heartbeats: readonly number[];
  readonly agesMs: readonly number[];
}

/** Bytes of the longest number: a heartbeat difference from year 0 to 9999 in tenths has 43 bits with its sign. */
const NUMBER_BYTES_MAX = 7;

/** Writes `rows` as base64 columns. */
export function encodeColumns(
  rows: readonly Row[],
  at: { ownHeartbeat: number; nowMs: number },
): { beats: string; ages: string } {
  const beats = new Writer(rows.length);
  const ages = new Writer(rows.length);
  for (const row of rows) {
    if (row.heartbeat === 0) {
      beats.push(0);
      ages.push(0);
      continue;
    }
    const behind = (at.ownHeartbeat - row.heartbeat) / HEARTBEAT_STEP_MS;
    beats.push(behind >= 0 ? behind * 2 : behind * -2 - 1);
    ages.push(1 + Math.floor(ageOf(row, at.nowMs) / HEARTBEAT_STEP_MS));
  }
  return { beats: beats.toBase64(), ages: ages.toBase64() };
}

/** Reads columns back; undefined if they are not base64, not of one length, or out of range. */
export function decodeColumns(
  text: { beats: string; ages: string },
  ownHeartbeat: number,
): Columns | undefined {
  const beats = readNumbers(text.beats);
  const ages = readNumbers(text.ages);
  if (beats === undefined || ages === undefined || beats.length !== ages.length) return undefined;
  const agesMs = new Array<number>(ages.length);
  for (let i = 0; i < beats.length; i++) {
    const code = ages[i]!;
    agesMs[i] = code === 0 ? -1 : Math.min((code - 1) * HEARTBEAT_STEP_MS, AGE_MAX_MS);
    const zigzag = beats[i]!;
    const behind = zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2;
    const heartbeat = code === 0 ? 0 : ownHeartbeat - behind * HEARTBEAT_STEP_MS;
    if (heartbeat < 0 || heartbeat > HEARTBEAT_MAX_MS) return undefined;
    beats[i] = heartbeat;
  }
  return { heartbeats: beats, agesMs };
}

class Writer {
  #bytes: Uint8Array<ArrayBuffer>;
  #length = 0;

  constructor(numbers: number) {
    this.#bytes = new Uint8Array(numbers * 2 + NUMBER_BYTES_MAX);
  }

  push(value: number): void {
    if (this.#length + NUMBER_BYTES_MAX > this.#bytes.length) {
      const larger = new Uint8Array(this.#bytes.length * 2);
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    while (value >= 128) {
      this.#bytes[this.#length++] = value % 128 + 128;
      value = Math.floor(value / 128);
    }
    this.#bytes[this.#length++] = value;
  }

  toBase64(): string {
    return this.#bytes.subarray(0, this.#length).toBase64();
  }
}

function readNumbers(base64: string): number[] | undefined {
  let bytes: Uint8Array;
  try {
    bytes = Uint8Array.fromBase64(base64);
  } catch {
    return undefined;
  }
  const numbers: number[] = [];
  let value = 0;
  let scale = 1;
  for (const byte of bytes) {
    value += (byte % 128) * scale;
    if (byte < 128) {
      if (numbers.length >= MEMBERS_MAX) return undefined;
      numbers.push(value);
      value = 0;
      scale = 1;
    } else {
      scale *= 128;
      if (scale >= 128 ** NUMBER_BYTES_MAX) return undefined;
    }
  }
  return scale === 1 ? numbers : undefined;
}
