import { assertEquals, assertLessOrEqual, assertStringIncludes, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  describeFlags,
  envName,
  type FlagTable,
  readFlags,
  splitFlags,
  UsageError,
} from "../../lib/config/flags.ts";
import { quote } from "../../lib/text.ts";

const TABLE = {
  "port": { metavar: "PORT", help: "port to listen on", default: "8080", read: readNumber },
  "join": { metavar: "HOST:PORT,...", help: "nodes to join", default: "", read: String },
  "dead-after": { metavar: "MS", help: "silence of the dead", read: readNumber },
  "private": { help: "no answer without a key", read: (text: string) => text === "true" },
} as const satisfies FlagTable;

function readNumber(text: string): number {
  if (/^[0-9]+$/.test(text)) return Number(text);
  throw new UsageError("give a number");
}

function read(args: string[], env: Record<string, string> = {}) {
  return readFlags(TABLE, splitFlags(TABLE, args), (name) => env[name]);
}

function usageOf(args: string[], env: Record<string, string> = {}): string {
  return assertThrows(() => read(args, env), UsageError).message;
}

Deno.test("splitFlags() takes one or two dashes, an equals sign or a space", () => {
  for (const args of [["-port", "1"], ["--port", "1"], ["-port=1"], ["--port=1"]]) {
    assertEquals(splitFlags(TABLE, args), new Map([["port", ["1"]]]));
  }
  assertEquals(
    splitFlags(TABLE, ["-join=a=b", "-private", "--dead-after", "5"]),
    new Map([["join", ["a=b"]], ["private", ["true"]], ["dead-after", ["5"]]]),
  );
});

Deno.test("splitFlags() says which flag was meant", () => {
  const meant = { prot: "port", jion: "join", Port: "port", deadafter: "dead-after", p: "port" };
  for (const [typed, flag] of Object.entries(meant)) {
    const message = `Unknown flag '-${typed}': did you mean '-${flag}'?`;
    for (const args of [[`-${typed}`, "1"], [`--${typed}=1`]]) assertEquals(usageOf(args), message);
  }
  const unlike = [
    "peers",
    "x",
    "xy",
    "constructor",
    "__proto__",
    "port.prefix",
    "no-private",
    "no-port",
    "_",
  ];
  for (const typed of unlike) {
    assertEquals(
      usageOf([`--${typed}=1`]),
      `Unknown flag '-${typed}': run with -help for the list`,
    );
  }
});

Deno.test("splitFlags() refuses a stray argument", () => {
  const message = "Cannot use the argument 'a:1': give only flags; run with -help for the list";
  for (const args of [["a:1"], ["-port", "1", "a:1"], ["-private", "a:1"], ["--", "a:1"]]) {
    assertEquals(usageOf(args), message);
  }
  for (const arg of ["", "-", "=", "1e3", "-1", "---port=1", "--=1"]) {
    assertStringIncludes(usageOf([arg]), `argument '${arg}'`);
  }
});

Deno.test("splitFlags() refuses a flag given twice", () => {
  const message = "Cannot use -join 2 times: give it once, as -join HOST:PORT,...";
  assertEquals(usageOf(["-join", "a:1", "--join=b:1"]), message);
  assertEquals(usageOf(["-join", "", "-join="]), message);
});

Deno.test("splitFlags() and readFlags() refuse a missing and an empty value", () => {
  const message = "Cannot use -port without a value: give -port PORT";
  for (const args of [["-port"], ["-port", "-private"], ["-port="], ["-port", ""]]) {
    assertEquals(usageOf(args), message);
  }
  assertStringIncludes(usageOf(["-join"]), "Cannot use -join without a value");
});

Deno.test("readFlags() takes an empty value where the default is empty", () => {
  assertEquals(read(["-join", ""], { GOSSIPER_JOIN: "a:1" }).join, "");
  assertEquals(read(["-join="]).join, "");
});

Deno.test("readFlags() refuses an empty text, also as one of several, where it would drop an alert or a protection", () => {
  const hook = { metavar: "COMMAND", help: "", default: "", repeats: true, filled: true } as const;
  const table = { "on-change": { ...hook, read: (text: string) => text } };
  const message = "Cannot use -on-change without a value: give -on-change COMMAND";
  for (const args of [["-on-change", ""], ["-on-change= "], ["-on-change=a", "-on-change="]]) {
    const given = splitFlags(table, args);
    assertThrows(() => readFlags(table, given, () => undefined), UsageError, message);
  }
  const filled = readFlags(table, splitFlags(table, ["-on-change=a"]), () => undefined);
  assertEquals(filled, { "on-change": "a" });
});

Deno.test("readFlags() takes a flag first, then the environment, then the default", () => {
  const env = { GOSSIPER_PORT: "2", GOSSIPER_DEAD_AFTER: "3", GOSSIPER_PRIVATE: "true" };
  assertEquals(read(["-port=1"], env), { "port": 1, "join": "", "dead-after": 3, "private": true });
  assertEquals(read([], env).port, 2);
  const unset = { "port": 8080, "join": "", "dead-after": undefined, "private": undefined };
  assertEquals(read([]), unset);
  assertEquals(read([], { GOSSIPER_PORT: "", GOSSIPER_JOIN: "", GOSSIPER_DEAD_AFTER: "" }), unset);
});

Deno.test("readFlags() names the flag or the variable that has a wrong value", () => {
  assertEquals(usageOf(["-port", "-1"]), "Cannot use -port '-1': give a number");
  assertEquals(usageOf([], { GOSSIPER_PORT: "x" }), "Cannot use GOSSIPER_PORT 'x': give a number");
  assertEquals(read(["-port=1"], { GOSSIPER_PORT: "x" }).port, 1);
});

Deno.test("envName() is the flag in capitals", () => {
  assertEquals(envName("dead-after"), "GOSSIPER_DEAD_AFTER");
});

Deno.test("describeFlags() aligns the help of every flag and shows its default", () => {
  assertEquals(describeFlags(TABLE).split("\n"), [
    "  -port PORT           port to listen on (default 8080)",
    "  -join HOST:PORT,...  nodes to join",
    "  -dead-after MS       silence of the dead",
    "  -private             no answer without a key",
  ]);
});

Deno.test("quote() makes one short line of printable ASCII of any text", () => {
  assertEquals(quote("a\n\x1b[31mü"), "'a\\u000a\\u001b[31m\\u00fc'");
  assertLessOrEqual(quote("\n".repeat(1e6)).length, 600);
});

Deno.test("splitFlags() and readFlags() throw nothing but one printable line of usage", () => {
  const word = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom("-port", "--dead-after", "-join=", "-h", "--", "-", "--_", "-__proto__", "a:1"),
    fc.tuple(fc.constantFrom("-port=", "-join=", "--", "-"), fc.string()).map((pair) =>
      pair.join("")
    ),
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 4 }), fc.option(word), (args, variable) => {
      try {
        readFlags(TABLE, splitFlags(TABLE, args), () => variable ?? undefined);
        return true;
      } catch (error) {
        return error instanceof UsageError && /^[\x20-\x7e]{10,}$/.test(error.message);
      }
    }),
    { numRuns: 1_000 },
  );
});
