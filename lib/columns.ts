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
  const { ownHeartbeat, nowMs } = at;
  beatsWriter.reset(rows.length);
  agesWriter.reset(rows.length);
  for (const row of rows) {
    if (row.heartbeat === 0) {
      beatsWriter.push(0);
      agesWriter.push(0);
      continue;
    }
    const behind = (ownHeartbeat - row.heartbeat) / HEARTBEAT_STEP_MS;
    beatsWriter.push(behind >= 0 ? behind * 2 : behind * -2 - 1);
    agesWriter.push(1 + Math.floor(ageOf(row, nowMs) / HEARTBEAT_STEP_MS));
  }
  return { beats: beatsWriter.toBase64(), ages: agesWriter.toBase64() };
}

/** Reads columns back; undefined if they are not base64, not of one length, or out of range. */
export function decodeColumns(
  text: { beats: string; ages: string },
  ownHeartbeat: number,
): Columns | undefined {
  const beats = Reader.of(text.beats);
  const ages = Reader.of(text.ages);
  if (beats === undefined || ages === undefined || beats.count !== ages.count) return undefined;
  const heartbeats = new Array<number>(beats.count);
  const agesMs = new Array<number>(ages.count);
  for (let i = 0; i < heartbeats.length; i++) {
    const zigzag = beats.next();
    const code = ages.next();
    if (zigzag < 0 || code < 0) return undefined;
    agesMs[i] = code === 0 ? -1 : Math.min((code - 1) * HEARTBEAT_STEP_MS, AGE_MAX_MS);
    const behind = zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2;
    const heartbeat = code === 0 ? 0 : ownHeartbeat - behind * HEARTBEAT_STEP_MS;
    if (heartbeat < 0 || heartbeat > HEARTBEAT_MAX_MS) return undefined;
    heartbeats[i] = heartbeat;
  }
  return { heartbeats, agesMs };
}

/** Collects a column's bytes. */
class Writer {
  #bytes = new Uint8Array(0);
  #length = 0;

  /** Begins anew, with room for so many numbers. */
  reset(numbers: number): void {
    const bytesMax = numbers * NUMBER_BYTES_MAX;
    if (this.#bytes.length < bytesMax) this.#bytes = new Uint8Array(bytesMax);
    this.#length = 0;
  }

  push(value: number): void {
    while (value >= 128) {
      this.#bytes[this.#length++] = value & 127 | 128;
      value = value <= 0x7fffffff ? value >> 7 : Math.floor(value / 128);
    }
    this.#bytes[this.#length++] = value;
  }

  toBase64(): string {
    return this.#bytes.subarray(0, this.#length).toBase64();
  }
}

/** Kept, so that the columns of each round and answer leave no garbage. */
const beatsWriter = new Writer();
const agesWriter = new Writer();

/** Gives a column's numbers one by one. */
class Reader {
  readonly count: number;
  readonly #bytes: Uint8Array;
  #at = 0;

  private constructor(bytes: Uint8Array, count: number) {
    this.#bytes = bytes;
    this.count = count;
  }

  /** Undefined if the text is not base64, ends within a number, or holds more numbers than there can be members. */
  static of(base64: string): Reader | undefined {
    let bytes: Uint8Array;
    try {
      bytes = Uint8Array.fromBase64(base64);
    } catch {
      return undefined;
    }
    let count = 0;
    for (let i = 0; i < bytes.length; i++) if (bytes[i]! < 128) count++;
    const whole = bytes.length === 0 || bytes[bytes.length - 1]! < 128;
    return whole && count <= MEMBERS_MAX ? new Reader(bytes, count) : undefined;
  }

  /** The next number; -1 if it is longer than any can be. */
  next(): number {
    let byte = this.#bytes[this.#at++]!;
    if (byte < 128) return byte;
    let value = byte - 128;
    let scale = 128;
    for (let length = 1; length < NUMBER_BYTES_MAX; length++) {
      byte = this.#bytes[this.#at++]!;
      if (byte < 128) return value + byte * scale;
      value += (byte - 128) * scale;
      scale *= 128;
    }
    return -1;
  }
}
