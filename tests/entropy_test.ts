import { assertEquals, assertLess } from "@std/assert";
import fc from "fast-check";
import { FRAME_LENGTH, putSymbols, SYMBOLS, symbolsIn } from "../lib/entropy.ts";
import { textOf } from "../lib/digits.ts";
import { Dice } from "./support/dice.ts";

/** The text of symbols, after `before`. */
function write(symbols: readonly number[], before = ""): string {
  const bytes = new Uint8Array(before.length + FRAME_LENGTH + 2 * symbols.length);
  for (let i = 0; i < before.length; i++) bytes[i] = before.charCodeAt(i);
  return textOf(bytes, putSymbols(bytes, before.length, Uint8Array.from(symbols)));
}

function read(text: string, count: number, from = 0): number[] | undefined {
  const symbols = symbolsIn(text, { from, end: text.length, count });
  return symbols && [...symbols];
}

/** Symbols of which each is as likely as `weights` say. */
function drawn(weights: readonly number[], count: number): number[] {
  const dice = new Dice("symbols");
  const all = weights.flatMap((weight, symbol) => Array<number>(weight).fill(symbol));
  return Array.from({ length: count }, () => dice.pick(all));
}

/** Bits a symbol, by Shannon. */
function entropyOf(weights: readonly number[]): number {
  const sum = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.filter((weight) => weight > 0)
    .reduce((bits, weight) => bits - weight / sum * Math.log2(weight / sum), 0);
}

Deno.test("symbols come back as they were written, whichever they are", () => {
  const fcSymbol = fc.integer({ min: 0, max: SYMBOLS - 1 });
  fc.assert(fc.property(fc.array(fcSymbol, { maxLength: 300 }), (symbols) => {
    assertEquals(read(write(symbols), symbols.length), symbols);
    assertEquals(read(write(symbols, "before"), symbols.length, 6), symbols);
  }));
});

Deno.test("a symbol so rare that its share is less than one in 1,024 comes back, too", () => {
  const symbols = Array.from({ length: 60_000 }, (_, i) => i % 20_000 === 7 ? 3 : i % 2);
  assertEquals(read(write(symbols), symbols.length), symbols);
});

Deno.test("symbols take what Shannon's entropy says and hardly more; equal ones take nothing", () => {
  for (const weights of [[76, 21, 3], [0, 1, 8, 52, 36, 2, 1], [1, 1, 1, 1, 1, 1, 1], [1, 1]]) {
    const count = 10_000;
    const bits = Math.log2(91) * (write(drawn(weights, count)).length - FRAME_LENGTH);
    assertLess(bits, 1.02 * count * entropyOf(weights) + 7, `${weights}`);
  }
  assertEquals(write(Array(10_000).fill(4)).length, FRAME_LENGTH);
});

Deno.test("a text is of so many symbols, no more and no fewer; with any character changed it is refused, or of others", () => {
  const symbols = drawn([5, 3, 1], 200);
  const text = write(symbols);
  for (const count of [0, 150, 199, 201, 400]) assertEquals(read(text, count), undefined);
  assertEquals(read(text + "#", 200), undefined);
  assertEquals(read("#" + text, 200), undefined);
  for (let i = 0; i < text.length; i++) {
    for (const char of ["#", "~", "\\", " ", "é"]) {
      if (text[i] === char) continue;
      const other = read(text.slice(0, i) + char + text.slice(i + 1), 200);
      if (other !== undefined) assertEquals(other.length, 200);
      if (!"#~".includes(char)) assertEquals(other, undefined);
    }
  }
});

Deno.test("invariant 7: no text makes it throw, or give what is no symbol", () => {
  const fcText = fc.string({ maxLength: 60, unit: fc.constantFrom(..."#$%&A[]z{|}~") });
  const head = write(drawn([1, 1], 2)).slice(0, FRAME_LENGTH - 4);
  fc.assert(
    fc.property(fcText, fc.boolean(), fc.nat(100), (text, hasHead, count) => {
      for (const symbol of read(hasHead ? head + text : text, count) ?? []) {
        assertLess(symbol, SYMBOLS);
      }
    }),
    { numRuns: 2_000 },
  );
});
