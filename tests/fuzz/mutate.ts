/**
 * Makes hostile texts out of good ones: by letters, by pieces of other texts, and by values where the text is JSON.
 *
 * Rejected: guidance by coverage. Deno runs no library for it (those for Node are native modules built on its internals), and
 * reading V8's own counters after each case costs a hundred times the case.
 *
 * @module
 */

/** A text of a case is at most this long: above all limits of one entry, below what makes a case slow. */
const LENGTH_MAX = 16_384;

/** What parsers stumble over. */
const ODDITIES = [
  ...[
    "",
    " ",
    "\n",
    "\r\n",
    "\t",
    "\0",
    "\u2028",
    "\ufeff",
    "\ud800",
    "é",
    "😀",
    "%00",
    "%0d%0a",
    "%",
    "&",
    "=",
    "+",
  ],
  ...[
    "0",
    "-0",
    "-1",
    "1e999",
    "1.5",
    "9007199254740993",
    "253402300799900",
    "253402300800000",
    "NaN",
    "null",
  ],
  ...[
    "true",
    "[]",
    "{}",
    '"',
    "'",
    "<script>",
    "__proto__",
    "constructor",
    "toString",
    "../..",
    "//",
    "\\",
    "#",
    ",",
  ],
  ...[
    "127.0.0.1:80",
    "[::1]:80",
    "169.254.169.254:80",
    "a:0",
    "a:65536",
    "[fe80::1%25eth0]:1",
    ":",
    "::",
    "x".repeat(65),
  ],
  ..."x".repeat(256).match(/.{256}/g)!,
  ...["[".repeat(5_000), '{"a":'.repeat(2_000), "A".repeat(4_096), "/w==", "gICAgICAgA=="],
];

const VALUES: readonly unknown[] = [
  ...[
    null,
    true,
    false,
    0,
    -1,
    1.5,
    100,
    253_402_300_799_900,
    253_402_300_800_000,
    Number.MAX_SAFE_INTEGER,
    1e300,
  ],
  ...["", "n1", "x".repeat(65), "n1:80", "a b", "\n", "ffffffffffffffff", [], {}, [[]], [null], [
    "n1",
  ]],
];

/** Draws from a seed; `random` is uniform in [0, 1). */
export class Mutator {
  readonly #random: () => number;

  constructor(random: () => number) {
    this.#random = random;
  }

  pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.#random() * list.length)]!;
  }

  chance(share: number): boolean {
    return this.#random() < share;
  }

  /** A whole number from 0 up to, not including, `end`. */
  below(end: number): number {
    return Math.floor(this.#random() * end);
  }

  /** A text made from those of the corpus. */
  text(corpus: readonly string[]): string {
    let text = this.pick(corpus);
    if (this.chance(0.05)) return text;
    if (text.startsWith("{") && this.chance(0.6)) text = this.#json(text);
    for (let edits = 1 + this.below(4); edits > 0; edits--) text = this.#edit(text, corpus);
    return text.slice(0, LENGTH_MAX);
  }

  #edit(text: string, corpus: readonly string[]): string {
    const at = this.below(text.length + 1);
    const end = Math.min(text.length, at + this.below(this.chance(0.8) ? 8 : text.length + 1));
    const [before, inside, after] = [text.slice(0, at), text.slice(at, end), text.slice(end)];
    switch (this.below(6)) {
      case 0:
        return before + after;
      case 1:
        return before + inside + inside + after;
      case 2:
        return before + this.pick(ODDITIES) + after;
      case 3:
        return before + String.fromCharCode(this.below(this.chance(0.9) ? 128 : 65_536)) + after;
      case 4: {
        const other = this.pick(corpus);
        const from = this.below(other.length + 1);
        return before + other.slice(from, from + this.below(64)) + after;
      }
      default:
        return before + inside + this.pick(ODDITIES) + after;
    }
  }

  /** The same JSON with a value somewhere replaced, doubled or taken out. */
  #json(text: string): string {
    let root: unknown;
    try {
      root = JSON.parse(text);
    } catch {
      return text;
    }
    for (let edits = 1 + this.below(3); edits > 0; edits--) root = this.#value(root, 0);
    return JSON.stringify(root) ?? "null";
  }

  #value(value: unknown, depth: number): unknown {
    if (depth > 6 || typeof value !== "object" || value === null || this.chance(0.1)) {
      return this.chance(0.7) ? this.pick(VALUES) : value;
    }
    if (Array.isArray(value)) {
      if (value.length === 0 || this.chance(0.1)) return [...value, this.pick(VALUES)];
      const at = this.below(value.length);
      if (this.chance(0.1)) return value.flatMap((item, i) => i === at ? [item, item] : [item]);
      return value.map((item, i) => i === at ? this.#value(item, depth + 1) : item);
    }
    const entries = Object.entries(value);
    if (entries.length === 0) return { x: this.pick(VALUES) };
    const at = this.below(entries.length);
    if (this.chance(0.1)) return Object.fromEntries(entries.filter((_, i) => i !== at));
    return Object.fromEntries(
      entries.map(([key, item], i) => [key, i === at ? this.#value(item, depth + 1) : item]),
    );
  }
}
