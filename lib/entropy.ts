/**
 * Small numbers as text, each in as many digits as it is news: what most members do costs least.
 *
 *     shares of the seven symbols, in 1,024ths, two digits each; the digits; the last state, in four
 *
 * An asymmetric numeral system (Duda, arXiv:1311.2540, range variant) with base 91: a state takes a symbol as the last
 * digit of a number whose base depends on the symbol's share, and gives digits of the text when it grows too large. It
 * is written from the last symbol to the first, so it is read from the end of the text, from the first to the last.
 *
 * A state is less than 2^31, and `| 0` tells the compiler so: that takes a third of the time of other numbers.
 *
 * Rejected: a prefix code. It spends a bit at least on each symbol, where half a bit is often enough.
 *
 * @module
 */
import { BASE, charCodeOf, digitAt, digitsAt, putDigits } from "./digits.ts";

/** Symbols are whole numbers from 0 up to here. */
export const SYMBOLS = 7;

/** The sum of all shares. A rarer symbol than one in so many costs a little more than it must. */
const SHARES_BITS = 10;
const SHARES = 2 ** SHARES_BITS;
const SHARE_DIGITS = 2;

/** Between symbols a state is at least this, and less than `BASE` times it: below 91^4, so four digits hold it. */
const STATE_MIN = 2 ** 19;
const STATE_DIGITS = 4;

/** Characters beside those of the symbols. */
export const FRAME_LENGTH = SYMBOLS * SHARE_DIGITS + STATE_DIGITS;

/**
 * All that reading takes, by place in the shares: the symbol in its lowest bits, how far into the symbol's share the
 * place is, and that share. Reused, as it takes longer to make than to read a short text.
 */
const parts = new Int32Array(SHARES);
const SYMBOL_BITS = 3;
const PART_BITS = SYMBOL_BITS + SHARES_BITS;

/** Writes symbols; returns the new length. */
export function putSymbols(bytes: Uint8Array, length: number, symbols: Uint8Array): number {
  const shares = sharesOf(symbols);
  const starts = startsOf(shares);
  const ends = shares.map((share) => STATE_MIN / SHARES * BASE * share);
  for (const share of shares) length = putDigits(bytes, length, share, SHARE_DIGITS);
  let state = STATE_MIN;
  for (let i = symbols.length - 1; i >= 0; i--) {
    const symbol = symbols[i]!;
    while (state >= ends[symbol]!) {
      const rest = (state / BASE) | 0;
      bytes[length++] = charCodeOf(state - rest * BASE);
      state = rest;
    }
    const share = shares[symbol]!;
    const whole = (state / share) | 0;
    state = ((whole << SHARES_BITS) + starts[symbol]! + state - whole * share) | 0;
  }
  return putDigits(bytes, length, state, STATE_DIGITS);
}

/** Reads so many symbols from a part of a text, which holds nothing else; undefined where it is malformed. */
export function symbolsIn(
  text: string,
  { from, end, count }: { from: number; end: number; count: number },
): Uint8Array | undefined {
  const first = from + SYMBOLS * SHARE_DIGITS;
  let at = end - STATE_DIGITS;
  if (at < first) return undefined;
  let sum = 0;
  for (let symbol = 0; symbol < SYMBOLS; symbol++) {
    const share = digitsAt(text, from + SHARE_DIGITS * symbol, SHARE_DIGITS);
    // A malformed one is not a number.
    if (!(sum + share <= SHARES)) return undefined;
    for (let place = 0; place < share; place++) {
      parts[sum++] = share << PART_BITS | place << SYMBOL_BITS | symbol;
    }
  }
  if (sum !== SHARES) return undefined;
  const symbols = new Uint8Array(count);
  let state = digitsAt(text, at, STATE_DIGITS);
  if (!(state >= STATE_MIN && state < STATE_MIN * BASE)) return undefined;
  for (let i = 0; i < count; i++) {
    const part = parts[state & (SHARES - 1)]!;
    symbols[i] = part & (2 ** SYMBOL_BITS - 1);
    const place = part >> SYMBOL_BITS & (SHARES - 1);
    state = (Math.imul(part >> PART_BITS, state >> SHARES_BITS) + place) | 0;
    while (state < STATE_MIN) {
      const digit = at === first ? -1 : digitAt(text, --at);
      if (digit < 0) return undefined;
      state = (Math.imul(state, BASE) + digit) | 0;
    }
  }
  return state === STATE_MIN && at === first ? symbols : undefined;
}

/** The share of each symbol: at least one where it occurs at all. */
function sharesOf(symbols: Uint8Array): Int32Array {
  const counts = new Int32Array(SYMBOLS);
  // By index: an iterator takes as long as the coding itself.
  for (let i = 0; i < symbols.length; i++) counts[symbols[i]!]!++;
  const shares = counts.map((count) =>
    count === 0 ? 0 : Math.max(1, Math.floor(count * SHARES / symbols.length))
  );
  // The commonest takes what rounding left, or gives what it took.
  const sum = shares.reduce((sum, share) => sum + share, 0);
  shares[counts.indexOf(Math.max(...counts))]! += SHARES - sum;
  return shares;
}

/** What the symbols before each share. */
function startsOf(shares: Int32Array): Int32Array {
  let start = 0;
  return shares.map((share) => {
    start += share;
    return start - share;
  });
}
