/**
 * Hashes that are the same on all nodes and need not resist an attacker: of a text, and of a set of texts in any order.
 *
 * @module
 */

/** Offsets and primes of two independent 32-bit multiply-and-mix lanes, after MurmurHash3's finaliser. */
const SEED_A = 0x9e3779b1;
const SEED_B = 0x85ebca77;

function finish(hash: number): number {
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

/** Takes a whole number into a check of many, of which the order counts. */
export function chain(check: number, word: number): number {
  return (Math.imul(check, 0x01000193) + word) | 0;
}

/** What `chain` came to, as 32 bits of which each depends on all. */
export function chained(check: number): number {
  return finish(check) >>> 0;
}

/** A 32-bit hash of a text, the same on all nodes. */
export function hashOf(text: string): number {
  let hash = SEED_A;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return finish(hash) >>> 0;
}

/**
 * A 64-bit hash of a set of texts that does not depend on their order, kept up to date as they come and go.
 *
 * It says whether two tables hold the same roster. It guards against accidents, not enemies: whoever may write rows
 * can lie outright, without a collision.
 */
export class SetHash {
  #a = 0;
  #b = 0;
  /** The hash as text, until it changes: every message carries it. */
  #text: string | undefined;

  /**
   * Adds `text`, or takes it out again: the same call does both, as each text is in the set at most once. Returns the
   * text's own hash, of 32 bits.
   */
  toggle(text: string): number {
    let a = SEED_A;
    let b = SEED_B;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      a = Math.imul(a ^ code, 0x01000193);
      b = Math.imul(((b << 5) | (b >>> 27)) ^ code, 0x5bd1e995);
    }
    a = finish(a);
    this.#a ^= a;
    this.#b ^= finish(b ^ text.length);
    this.#text = undefined;
    return a;
  }

  /** 16 hex digits; the empty set is all zeros. */
  toString(): string {
    return this.#text ??= hex8(this.#a) + hex8(this.#b);
  }
}

/** The lower 32 bits of a whole number as 8 hex digits. */
export function hex8(word: number): string {
  return (word >>> 0).toString(16).padStart(8, "0");
}
