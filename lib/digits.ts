/**
 * Numbers as text, as columns hold them: in base 91, in the printable characters that JSON leaves as they are. Below 80
 * a number is one character; from there on the first character says how many follow.
 *
 * @module
 */

/** The digits: `#` to `~`, without the backslash. */
export const BASE = 91;
const FIRST_CODE = 35;
const LAST_CODE = 126;
const BACKSLASH_CODE = 92;

/** Numbers below it are one character. */
const SINGLES = 80;

/** Bits that a digit holds: 2^6 < 91. */
export const BITS = 6;

/**
 * Characters of a number after the first: a difference of heartbeats, from year 0 to 9999 in tenths, has 43 bits with
 * its sign.
 */
const MORE_MAX = 7;

const ascii = new TextDecoder();

/** The text of the first `length` bytes. */
export function textOf(bytes: Uint8Array, length: number): string {
  return ascii.decode(bytes.subarray(0, length));
}

/** Reused, so that the columns of each round and answer leave no garbage. */
let buffer = new Uint8Array(0);

/** Room for so many numbers, until the next call. */
export function roomFor(numbers: number): Uint8Array<ArrayBuffer> {
  const bytesMax = numbers * (1 + MORE_MAX);
  if (buffer.length < bytesMax) buffer = new Uint8Array(bytesMax);
  return buffer;
}

/** The character of a digit. */
export function charCodeOf(digit: number): number {
  const code = FIRST_CODE + digit;
  return code < BACKSLASH_CODE ? code : code + 1;
}

/** Writes a number; returns the new length. */
export function putNumber(bytes: Uint8Array, length: number, value: number): number {
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

/** The digit at `at`; -1 for any other character, and past the end. */
export function digitAt(text: string, at: number): number {
  const code = text.charCodeAt(at);
  // Past the end the code is NaN, for which every comparison is false.
  if (!(code >= FIRST_CODE && code <= LAST_CODE) || code === BACKSLASH_CODE) return -1;
  return code < BACKSLASH_CODE ? code - FIRST_CODE : code - FIRST_CODE - 1;
}

/** Bit `i` of a text of digits, `BITS` in each; -1 where the text is malformed or too short. */
export function bitAt(text: string, i: number): number {
  const bits = digitAt(text, Math.floor(i / BITS));
  return bits < 0 ? -1 : bits >> i % BITS & 1;
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

/** Writes a number in so many digits; returns the new length. */
export function putDigits(
  bytes: Uint8Array,
  length: number,
  value: number,
  digits: number,
): number {
  for (let i = digits - 1; i >= 0; i--, value = Math.floor(value / BASE)) {
    bytes[length + i] = charCodeOf(value % BASE);
  }
  return length + digits;
}

/** A number of so many digits; NaN where one is malformed. */
export function digitsAt(text: string, at: number, digits: number): number {
  let value = 0;
  for (let i = 0; i < digits; i++) {
    const digit = digitAt(text, at + i);
    value = digit < 0 ? NaN : value * BASE + digit;
  }
  return value;
}

/** Numbers that stand one after the other in a text. */
export class Numbers {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#text.length;
  }

  /** The next number; -1 past the end, or if it is malformed. */
  next(): number {
    if (this.isAtEnd) return -1;
    const first = digitAt(this.#text, this.#at);
    const number = numberAt(this.#text, this.#at, first);
    this.#at += lengthOf(first);
    return number;
  }
}
