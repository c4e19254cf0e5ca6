import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { isId, normalizeAddress } from "../lib/address.ts";
import { formatHello, type Hello, parseHello } from "../lib/go_nodes.ts";
import { CONTACTS_MAX, MEMBERS_MAX, TOMBSTONES_MAX } from "../lib/limits.ts";
import { fcAddress, fcId } from "./support/arbitraries.ts";

/** Reads a text that has to be one. */
function read(text: string): Hello & { dropped: number } {
  const hello = parseHello(text);
  assert(!("error" in hello), JSON.stringify(hello));
  return hello;
}

Deno.test("formatHello() writes a line each for speaker, members, tombstones and addresses", () => {
  const hello = {
    id: "n1",
    ids: ["n1", "n2"],
    tombstones: ["n8", "n9"],
    addresses: ["h1:8080", "[::1]:8081"],
  };
  assertEquals(formatHello(hello), "hello n1\nn1 n2\nn8 n9\nh1:8080\n[::1]:8081\n");
});

Deno.test("formatHello() writes an empty list as an empty line", () => {
  const hello = { id: "A", ids: [], tombstones: [], addresses: ["127.0.0.1:19001"] };
  // Byte for byte what a lone Go node answers.
  assertEquals(formatHello(hello), "hello A\n\n\n127.0.0.1:19001\n");
});

Deno.test("parseHello() reads back what formatHello() writes", () => {
  fc.assert(fc.property(
    fc.record({
      id: fcId,
      ids: fc.array(fcId),
      tombstones: fc.array(fcId),
      addresses: fc.array(fcAddress, { minLength: 1 }),
    }),
    (hello) => assertEquals(read(formatHello(hello)), { ...hello, dropped: 0 }),
  ));
});

Deno.test("parseHello() reads a Go node's text from the transcripts", () => {
  assertEquals(
    read("hello A\nB C\n\n127.0.0.1:19001\nlocalhost:19002\n127.0.0.1:19002\n127.0.0.1:19003\n"),
    {
      id: "A",
      ids: ["B", "C"],
      tombstones: [],
      addresses: ["127.0.0.1:19001", "localhost:19002", "127.0.0.1:19002", "127.0.0.1:19003"],
      dropped: 0,
    },
  );
});

Deno.test("parseHello() takes the empty ID in a Go node's line 3 for none, wherever it stands", () => {
  for (const line of ["C  ghost", " ghost C", "ghost C ", "C ghost"]) {
    const { tombstones, dropped } = read(`hello A\nB C ts1\n${line}\n127.0.0.1:19001\n`);
    assertEquals([tombstones.toSorted(), dropped], [["C", "ghost"], 0], line);
  }
});

Deno.test("parseHello() drops and counts what is no ID and no address, and keeps the rest", () => {
  assertEquals(read("hello A\n<b>x</b> B\n<i> T\n127.0.0.1:19001\nevil\n\n127.0.0.1:19002\n"), {
    id: "A",
    ids: ["B"],
    tombstones: ["T"],
    addresses: ["127.0.0.1:19001", "127.0.0.1:19002"],
    dropped: 3,
  });
});

Deno.test("invariant 7: parseHello() reads twice as many words as there may be IDs, empty ones among them, and no more", () => {
  const blanks = " ".repeat(2 * MEMBERS_MAX - 1);
  assertEquals(read(`hello A\n${blanks}B`).ids, ["B"]);
  const { ids, dropped } = read(`hello A\n${blanks} B C D`);
  assertEquals([ids, dropped], [[], 1], "what is not read counts as one");
});

Deno.test("parseHello() takes carriage returns for blanks", () => {
  assertEquals(read("hello A\r\nB\r\nC\r\nh:1\r\n"), {
    id: "A",
    ids: ["B"],
    tombstones: ["C"],
    addresses: ["h:1"],
    dropped: 0,
  });
});

Deno.test("parseHello() needs nothing but the first line", () => {
  for (const text of ["hello A", "hello A\n", "hello A\n\n\n\n\n"]) {
    assertEquals(read(text), { id: "A", ids: [], tombstones: [], addresses: [], dropped: 0 });
  }
});

Deno.test("parseHello() says what is wrong with a text that is none", () => {
  const texts = [
    "",
    "\n",
    "\nhello A",
    "hello",
    "hello ",
    "hello \n",
    "Hello A",
    "hello <b>",
    "{}",
  ];
  for (const text of [...texts, `hello ${"x".repeat(65)}`, "hello A B\n", "hello\tA"]) {
    assertEquals(
      parseHello(text),
      { error: "the text does not begin with 'hello ' and an ID" },
      JSON.stringify(text),
    );
  }
});

Deno.test("invariant 7: parseHello() never throws, and gives nothing outside the grammar", () => {
  const line = fc.oneof(fc.string(), fc.string({ unit: "binary" }), fcId, fcAddress);
  const text = fc.tuple(fc.constantFrom("hello ", ""), fc.array(line))
    .map(([start, lines]) => start + lines.join("\n"));
  fc.assert(fc.property(text, (text) => {
    const hello = parseHello(text);
    if ("error" in hello) return;
    for (const id of [hello.id, ...hello.ids, ...hello.tombstones]) assert(isId(id), id);
    for (const address of hello.addresses) assertEquals(normalizeAddress(address), address);
  }));
});

Deno.test("invariant 7: parseHello() keeps no more than the table has room for", () => {
  const many = (count: number, entry: (i: number) => string) =>
    Array.from({ length: count }, (_, i) => entry(i));
  const ids = many(MEMBERS_MAX + 10, (i) => `n${i}`).join(" ");
  const byes = many(TOMBSTONES_MAX + 10, (i) => `t${i}`).join(" ");
  const addresses = many(MEMBERS_MAX + CONTACTS_MAX + 10, (i) => `h${i}:80`).join("\n");
  const hello = read(`hello A\n${ids}\n${byes}\n${addresses}\n`);
  assertEquals(hello.ids.length, MEMBERS_MAX);
  assertEquals(hello.tombstones.length, TOMBSTONES_MAX);
  assertEquals(hello.addresses.length, MEMBERS_MAX + CONTACTS_MAX);
  assertEquals(hello.dropped, 30);
});
