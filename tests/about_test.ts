import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import fc from "fast-check";
import {
  ABOUT_BOUNDS,
  ABOUT_BYTES_MAX,
  HOOKS_MAX,
  isLabel,
  isTagValue,
  LABELS_BYTES_MAX,
  labelsFit,
  readAbout,
  type Said,
  SAYS_NOTHING,
  takeAbout,
  WORDS_LENGTH_MAX,
  writeAbout,
} from "../lib/about.ts";
import { fcAbout } from "./support/arbitraries.ts";

const SAID: Said = {
  tags: { role: "web", zone: "a" },
  ports: { web: 3_000 },
  failing: "db: connection refused",
  unchecked: false,
  warning: "the state file cannot be written",
  hooks: ["pager"],
};

/** What a reader finds in a document that came by the wire. */
function taken(value: unknown): Said | undefined {
  const about = takeAbout(value);
  return about && readAbout(about);
}

Deno.test("what a member says of itself is read elsewhere as it was said", () => {
  const about = writeAbout(SAID)!;
  assertEquals(readAbout(takeAbout(JSON.parse(about.text))), SAID);
  assertEquals(about.failing, "db: connection refused");
});

Deno.test("who has nothing to say has no document, and no byte travels", () => {
  assertEquals(writeAbout(SAYS_NOTHING), undefined);
  assertEquals(readAbout(undefined), SAYS_NOTHING);
});

Deno.test("a document passed on from node to node keeps its text, so that rosters stay equal", () => {
  fc.assert(fc.property(fcAbout, (about) => {
    if (about === undefined) return;
    const passedOn = takeAbout(JSON.parse(about.text));
    assertEquals(passedOn?.text, about.text);
    assertEquals(passedOn?.failing, about.failing);
  }));
});

Deno.test("a later program's words are kept and passed on, and not shown", () => {
  const later = { tags: { role: "web" }, mood: { good: [1, 2] } };
  assertEquals(takeAbout(later)?.text, JSON.stringify(later));
  assertEquals(taken(later), { ...SAYS_NOTHING, tags: { role: "web" } });
});

Deno.test("a document that is no object, or longer than 512 bytes, is refused", () => {
  for (const value of [null, 1, "web", [], ["failing"], { failing: "x".repeat(ABOUT_BYTES_MAX) }]) {
    assertEquals(takeAbout(value), undefined, JSON.stringify(value));
  }
  assertEquals(takeAbout({ failing: "ü".repeat(256) }), undefined, "bytes count, not characters");
});

/** A list within a list, so many times. */
function nested(depth: number): unknown {
  return depth === 0 ? 0 : [nested(depth - 1)];
}

Deno.test("a document is taken up to its depth and its number of values, and not with one more", () => {
  const { depth, values } = ABOUT_BOUNDS;
  const deep = (depth: number) => ({ later: nested(depth - 1) });
  // The object, its list and the list's first value are three.
  const wide = (values: number) => ({ later: Array(values - 2).fill(0) });
  assertEquals([deep(depth), wide(values)].map((said) => takeAbout(said) !== undefined), [
    true,
    true,
  ]);
  assertEquals([deep(depth + 1), wide(values + 1)].map(takeAbout), [undefined, undefined]);
});

Deno.test("whatever labels fit, they and the words beside them are within the bounds of a document", () => {
  const letters = [..."abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"];
  const names = [...letters, ...letters.map((letter) => letter + letter)];
  const hooks = names.slice(0, HOOKS_MAX);
  const ports: Record<string, number> = {};
  for (const name of names) {
    if (labelsFit({ tags: {}, ports: { ...ports, [name]: 1 }, hooks })) ports[name] = 1;
  }
  const about = writeAbout({ ...SAID, tags: {}, ports, hooks, unchecked: true })!;
  assertEquals(takeAbout(JSON.parse(about.text)), about);
});

Deno.test("words are cut so that a document fits whatever they are, those of a failing check last", () => {
  const tags = Object.fromEntries(
    Array.from({ length: 5 }, (_, i) => [`key${i}`, "v".repeat(60)]),
  );
  assert(labelsFit({ tags, ports: {} }));
  fc.assert(fc.property(
    fc.string({ unit: "grapheme", maxLength: 300 }),
    fc.string({ unit: "grapheme", maxLength: 300 }),
    (failing, warning) => {
      const about = writeAbout({ ...SAYS_NOTHING, tags, failing, warning })!;
      assertLessOrEqual(new TextEncoder().encode(about.text).length, ABOUT_BYTES_MAX);
      assertEquals(readAbout(about).tags, tags);
    },
  ));
  const both = { ...SAYS_NOTHING, tags, failing: "f".repeat(70), warning: "w".repeat(70) };
  assertEquals(readAbout(writeAbout(both)).failing, "f".repeat(70));
});

Deno.test("words that are too long to be shown end in dots, and others are shown to their end", () => {
  const whole = "w".repeat(WORDS_LENGTH_MAX);
  assertEquals(taken({ warning: whole })?.warning, whole);
  const cut = taken({ warning: `${whole}, or give peers a name` })!.warning;
  assertEquals(cut, `${whole.slice(3)}...`);
  assertEquals(taken({ warning: cut })?.warning, cut, "whoever hands it on cuts nothing more");
});

Deno.test("hostile words cannot forge a line, move a cursor, turn the text, or look like another remark", () => {
  const hostile = "db\n2026 error\x1b[2J\u202e\u2028;\x7f slow: yes\ud800";
  assertEquals(taken({ failing: hostile })?.failing, "db 2026 error [2J slow: yes");
  assertEquals(taken({ warning: "x".repeat(300) })?.warning.length, WORDS_LENGTH_MAX);
  for (const failing of [1, null, {}, ["x"], true]) assertEquals(taken({ failing })?.failing, "");
});

Deno.test("tags and ports that break a rule are left out, one by one", () => {
  const said = taken({
    tags: { role: "web", "": "x", "1a": "x", "a b": "x", ok: "a b", zone: 1, __proto__: "x" },
    ports: { web: 3_000, db: 0, x: 65_536, y: 1.5, z: "80", "-": 80 },
    unchecked: "yes",
  });
  assertEquals(said, { ...SAYS_NOTHING, tags: { role: "web" }, ports: { web: 3_000 } });
  assertEquals(taken({ tags: ["role"], ports: "web" }), SAYS_NOTHING);
});

Deno.test("a tag's key is a word, its value printable without blanks; both at most 63 characters", () => {
  for (const key of ["role", "Zone-1", "a_b", "x".repeat(63)]) assert(isLabel(key), key);
  for (const key of ["", "1", "-a", "a.b", "a=b", "é", "x".repeat(64)]) assert(!isLabel(key), key);
  for (const value of ["web", "a=b", "10.0.0.1:80", "<b>"]) assert(isTagValue(value), value);
  for (const value of ["", "a b", "é", "a\n", "x".repeat(64)]) assert(!isTagValue(value), value);
});

Deno.test("names of hooks are read as they are carried: what is no name is left out, and so is what is too many", () => {
  assertEquals(taken({ hooks: ["pager", "a b", 7, "pager", ""] })?.hooks, ["pager"]);
  assertEquals(taken({ hooks: "pager" })?.hooks, []);
  const many = Array.from({ length: HOOKS_MAX + 1 }, (_, i) => `h${i}`);
  assertEquals(taken({ hooks: many })?.hooks, many.slice(0, HOOKS_MAX));
  const tags = {};
  const ports = {};
  assert(labelsFit({ tags, ports, hooks: many }));
  assert(!labelsFit({ tags, ports, hooks: many.map((name) => name.padEnd(40, "x")) }));
});

Deno.test("labelsFit() up to the limit in bytes, and not with one more", () => {
  const labels = (length: number) => ({ tags: { é: "x".repeat(length) }, ports: {} });
  const aroundBytes = new TextEncoder().encode(JSON.stringify(labels(0))).length;
  const room = LABELS_BYTES_MAX - aroundBytes;
  assertEquals([labelsFit(labels(room)), labelsFit(labels(room + 1))], [true, false]);
});
