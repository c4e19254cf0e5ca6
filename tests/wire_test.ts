import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { type About, ABOUT_BOUNDS, ABOUT_BYTES_MAX, takeAbout } from "../lib/about.ts";
import { encodeColumns } from "../lib/columns.ts";
import { AGE_MAX_MS, HEARTBEAT_MAX_MS, MEMBERS_MAX, ROWS_BYTES_MAX } from "../lib/limits.ts";
import { Tries, TRY_NUMBER_MAX } from "../lib/tries.ts";
import { decodeMessage, type Draft, encodeMessage, type Message } from "../lib/wire.ts";
import { fcHeartbeat, fcId, fcQuiet, fcReport, fcTold, fcTry } from "./support/arbitraries.ts";

const HASHES = { roster: "0123456789abcdef" };

function read(body: unknown): Message {
  const message = decodeMessage(typeof body === "string" ? body : JSON.stringify(body));
  assert(!("error" in message), JSON.stringify(message));
  return message;
}

function errorOf(text: string): string {
  const message = decodeMessage(text);
  assert("error" in message, `${text.slice(0, 200)} was taken: ${JSON.stringify(message)}`);
  return message.error;
}

/** A body with these parts besides what each needs. */
function body(parts: Record<string, unknown>): Record<string, unknown> {
  return { v: 2, ...HASHES, ...parts };
}

Deno.test("decodeMessage() reads back what encodeMessage() writes", () => {
  const fcHash = fc.stringMatching(/^[0-9a-f]{16}$/);
  const fcDraft = fc.record({
    roster: fcHash,
    id: fcId,
    boot: fc.stringMatching(/^[0-9a-f]{8}$/),
    rows: fc.array(fcReport),
    tombstones: fc.array(fc.record({ id: fcId, by: fc.oneof(fcId, fc.constant("")) })),
    charges: fc.array(fc.record({ member: fcId, witness: fcId, upTo: fcHeartbeat })),
    accepts: fc.array(fc.record({ member: fcId, witness: fcId, at: fcHeartbeat })),
    forgotten: fc.array(fc.record({ id: fcId, heartbeat: fcHeartbeat, ageMs: fc.nat(1e9) })),
    slow: fc.array(
      fc.record({ member: fcId, gapMs: fc.integer({ min: 1, max: 1e7 }), at: fcHeartbeat }),
    ),
    tidings: fc.record({
      told: fc.array(fcTold),
      tries: fc.array(fcTry),
      quiets: fc.array(fcQuiet),
    }),
    full: fc.constant(true as const),
  }, { requiredKeys: ["roster"] }) as fc.Arbitrary<Draft>;
  fc.assert(fc.property(fcDraft, (draft) => {
    assertEquals(read(encodeMessage(draft)), { ...draft, dropped: 0 } as Message);
  }));
});

Deno.test("decodeMessage() reads columns back", () => {
  const row = { id: "n1", address: "h:1", boot: "00c0ffee", left: "" };
  const rows = [{ ...row, heartbeat: 5_000, heardAtMs: 0 }, { ...row, heartbeat: 0, heardAtMs: 0 }];
  const beats = encodeColumns(rows, { ownHeartbeat: 9_000, nowMs: 1_250 });
  assertEquals(read(encodeMessage({ ...HASHES, beat: 9_000, beats })), {
    ...HASHES,
    columns: { heartbeats: [5_000, 0], agesMs: [1_200, -1] },
    dropped: 0,
  });
});

Deno.test("decodeMessage() reads ticks back, of a push and of an answer, and who reads them", () => {
  for (const which of ["all", "some"] as const) {
    const ticks = {
      clockMs: 1_764_000_011_723,
      unitMs: 1_000,
      of: which,
      text: "%>T<vZ",
      exact: "$",
    };
    const message = { ...HASHES, unitMs: 1_000, readers: "#~", unread: true as const };
    assertEquals(read(encodeMessage({ ...message, ticks })), { ...message, ticks, dropped: 0 });
    assertEquals(read(encodeMessage(message)), { ...message, dropped: 0 }, "the unit alone");
  }
});

Deno.test("decodeMessage() takes ticks that break a rule as good as not there", () => {
  const good = { unit: 1_000, clock: 1_764_000_011_700, ticks: "%>" };
  for (const unit of [undefined, 0, 50, 1_050, -1_000, 420_100, "1000", null]) {
    assertEquals(
      read(JSON.stringify(body({ ...good, unit }))),
      { ...HASHES, dropped: 0 },
      `${unit}`,
    );
  }
  assertEquals(read(body({ unit: 420_000 })).unitMs, 420_000, "a minute, stretched sevenfold");
  const bad = [{ clock: -1 }, { clock: 0.5 }, { clock: 1e300 }, { ticks: 7 }, { exact: ["$"] }];
  for (const part of bad) {
    const { ticks } = read(JSON.stringify(body({ ...good, ...part }))) as Message;
    assertEquals(ticks, undefined, JSON.stringify(part));
  }
});

Deno.test("decodeMessage() says in one line what is wrong with a body as a whole", () => {
  const not = {
    "the body is not JSON": ["", "{", "hello A\n", "\0\xff\xfe", "{}x", "NaN", "undefined"],
    "the body is not a JSON object": ["[]", "null", "1", '"x"', "true"],
    "the body's version is not 2, the only one known here": [
      "{}",
      '{"v":1}',
      '{"v":"2"}',
      '{"v":null}',
    ],
    "'roster' must be 16 hex digits": [
      '{"v":2}',
      '{"v":2,"roster":""}',
      '{"v":2,"roster":1}',
      '{"v":2,"roster":"0123456789ABCDEF"}',
      '{"v":2,"roster":"0123456789abcdef\\n"}',
    ],
    "'id' is not an ID": ["", "<b>x</b>", "x".repeat(65), 7, null, ["n1"]].map((id) =>
      JSON.stringify(body({ id }))
    ),
    "'beats' must be text, and 'beat' a heartbeat": [
      { beats: "" },
      { beat: 150, beats: "" },
      { beat: -100, beats: "" },
      { beat: 1e300, beats: "" },
      { beat: 100, beats: [] },
      { beat: 100, beats: null },
    ].map((parts) => JSON.stringify(body(parts))),
    "'beats' is not columns of numbers": ["5", " ", "~", "\\", "AB\0"].map((beats) =>
      JSON.stringify(body({ beat: 100, beats }))
    ),
  };
  for (const [error, texts] of Object.entries(not)) {
    for (const text of texts) assertEquals(errorOf(text), error, text);
  }
});

Deno.test("decodeMessage() drops and counts a wrong row, and keeps the right ones", () => {
  const right = ["n1", "h:1", 100, 5, "00c0ffee"];
  const wrong = [
    ["<b>x</b>", "h:1", 100, 5, ""],
    ["", "h:1", 100, 5, ""],
    ["n2", "evil", 100, 5, ""],
    ["n2", "h:0", 100, 5, ""],
    ["n2", 7, 100, 5, ""],
    ["n2", "h:1", 150, 5, ""],
    ["n2", "h:1", -100, 5, ""],
    ["n2", "h:1", HEARTBEAT_MAX_MS + 100, 5, ""],
    ["n2", "h:1", "100", 5, ""],
    ["n2", "h:1", 100, -1, ""],
    ["n2", "h:1", 100, null, ""],
    ["n2", "h:1", 100, 5],
    ["n2", "h:1", 100, 5, "00C0FFEE"],
    ["n2", "h:1", 100, 5, "", "left\nforged line"],
    ["n2", "h:1", 100, 5, "", "x".repeat(33)],
    ["n2", "h:1", 100, 5, "", 1],
    ["n2", "h:1", 100, 5, "", "", "words"],
    ["n2", "h:1", 100, 5, "", "", ["words"]],
    ["n2", "h:1", 100, 5, "", "", null],
    ["n2", "h:1", 100, 5, "", "", { failing: "é".repeat(250) }],
    [],
    {},
    null,
    "n2",
  ];
  const message = read(body({ rows: [...wrong, right] }));
  assertEquals(message.rows, [
    {
      id: "n1",
      address: "h:1",
      heartbeat: 100,
      ageMs: 5,
      boot: "00c0ffee",
      left: "",
      about: undefined,
    },
  ]);
  assertEquals(message.dropped, wrong.length);
});

Deno.test("decodeMessage() drops and counts wrong tombstones and charges, and keeps the right ones", () => {
  const tombstones = [["n1"], ["n2", "n3"], [""], ["<b>"], ["n4", "<b>"], ["n5", 5], [], 7];
  const charges = [["n1", "n2", 100], ["n1", "n2", 101], ["n1", "", 100], [null, "n2", 100], []];
  const message = read(body({ tombstones, charges }));
  assertEquals(message.tombstones, [{ id: "n1", by: "" }, { id: "n2", by: "n3" }]);
  assertEquals(message.charges, [{ member: "n1", witness: "n2", upTo: 100 }]);
  assertEquals(message.dropped, 6 + 4);
});

Deno.test("decodeMessage() drops and counts wrong evidence of accepting and of slowness, and keeps the right one", () => {
  const accepts = [["n1", "n2", 100], ["n1", "n2", 101], ["n1", "<b>", 100], [7, "n2", 100], 5];
  const slow = [["n1", 4_000, 100], ["n2", 0, 100], ["n3", -1, 100], ["n4", "9", 100], [
    "n5",
    1,
    99,
  ], ["n6", 0.5, 100]];
  const message = read(body({ accepts, slow }));
  assertEquals(message.accepts, [{ member: "n1", witness: "n2", at: 100 }]);
  assertEquals(message.slow, [{ member: "n1", gapMs: 4_000, at: 100 }]);
  assertEquals(message.dropped, 4 + 5);
});

Deno.test("of slowness that was taken what is passed on is taken, too", () => {
  fc.assert(fc.property(fc.double({ min: 0, max: 3, noNaN: true }), (gapMs) => {
    const { slow = [] } = read(body({ slow: [["n1", gapMs, 100]] }));
    assertEquals(read(encodeMessage({ ...HASHES, slow })).slow?.length, slow.length);
  }));
});

Deno.test("decodeMessage() gives an address its one spelling, and bounds an age", () => {
  const [row] = read(body({ rows: [["n1", "Host:80", 100, 1e300, ""]] })).rows ?? [];
  assertEquals([row?.address, row?.ageMs], ["host:80", AGE_MAX_MS]);
});

Deno.test("decodeMessage() takes nothing for a list that is none, and counts it", () => {
  for (const list of [7, "x", null, { length: 3 }]) {
    const message = read(body({ rows: list, tombstones: list, charges: list }));
    assertEquals([message.rows, message.tombstones, message.charges], [[], [], []]);
    assertEquals(message.dropped, 3);
  }
});

Deno.test("decodeMessage() is not fooled by names that every object has", () => {
  const message = read(
    '{"v":2,"roster":"0123456789abcdef",' +
      '"__proto__":{"rows":[["n1","h:1",100,5,""]]},"constructor":1,"toString":2}',
  );
  assertEquals(message.rows, undefined);
});

Deno.test("invariant 7: decodeMessage() never throws, whatever the text or the JSON", () => {
  const fcPart = fc.oneof(fc.jsonValue(), fc.array(fc.array(fc.jsonValue())));
  const fcNames = fc.constantFrom(
    ..."roster tombs id boot beat beats rows tombstones charges accepts slow forgotten full".split(
      " ",
    ),
  );
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => void decodeMessage(text)));
  fc.assert(fc.property(fc.json(), (text) => void decodeMessage(text)));
  fc.assert(fc.property(fc.dictionary(fcNames, fcPart), (parts) => {
    void decodeMessage(JSON.stringify(body(parts)));
  }));
});

Deno.test("invariant 7: decodeMessage() keeps no more rows than the table has room for", () => {
  const rows = Array.from({ length: MEMBERS_MAX + 5 }, (_, i) => [`n${i}`, "", 0, 0, ""]);
  const message = read(body({ rows }));
  assertEquals(message.rows?.length, MEMBERS_MAX);
  assertEquals(message.dropped, 5);
});

Deno.test("decodeMessage() bears JSON nested deeper than any stack", () => {
  const depth = 1_000_000;
  const error = "the body holds too many or too deep values";
  assertEquals(errorOf("[".repeat(depth)), error);
  const nested = "[".repeat(depth) + "]".repeat(depth);
  assertEquals(errorOf(`{"v":2,"roster":"0123456789abcdef","rows":${nested}}`), error);
});

/** A body of rows with these words. */
function rowsWith(about: About, length: number): string {
  const row = { address: "", heartbeat: 100, ageMs: 0, boot: "00c0ffee", left: "", about };
  return encodeMessage({
    ...HASHES,
    rows: Array.from({ length }, (_, i) => ({ ...row, id: `n${i}` })),
  });
}

Deno.test("invariant 7: no words that a row may hold make a body of many rows one that is refused", () => {
  const { depth, values } = ABOUT_BOUNDS;
  const deepest = `{"a":${"[".repeat(depth - 1)}${"]".repeat(depth - 1)}}`;
  const densest = `{"a":[${"{},".repeat(values / 2 - 2)}0]}`;
  for (const words of [deepest, densest]) {
    const about = takeAbout(JSON.parse(words))!;
    const length = Math.min(MEMBERS_MAX, Math.floor(ROWS_BYTES_MAX / about.bytes));
    assertEquals(read(rowsWith(about, length)).rows?.length, length, words);
  }
});

Deno.test("words that an older node passes on, deeper than they may be, cost their own rows alone", () => {
  const half = ABOUT_BYTES_MAX / 2 - 3;
  const text = `{"a":${"[".repeat(half)}${"]".repeat(half)}}`;
  const { rows, dropped } = read(rowsWith({ text, bytes: text.length, failing: "" }, 200));
  assertEquals([rows, dropped], [[], 200]);
});

Deno.test("decodeMessage() drops tidings that break a rule, counts them, and keeps the others", () => {
  const told = ["pager", "n5", "1a2b3c01", "dead", 1_000, 0, "n7", 5, 1, "200"];
  const attempt = ["pager", 1, "n7", "failed", 2, 5];
  const quiet = ["web*", 1_000, "deploy", "n1", 7, 2_000];
  const broken = (entry: readonly unknown[]) =>
    entry.map((_, i) => entry.map((value, j) => i === j ? { not: "it" } : value));
  const { tidings, dropped } = read(body({
    told: [told, ...broken(told), ["x"], null],
    tries: [attempt, ...broken(attempt)],
    quiets: [quiet, ...broken(quiet), ["a b", 1_000, "", "n1", 7]],
  }));
  assertEquals(tidings?.told?.length, 1);
  assertEquals(tidings?.tries?.length, 1);
  assertEquals(tidings?.quiets?.length, 1);
  assertEquals(dropped, told.length + 2 + attempt.length + quiet.length + 1);
});

Deno.test("what a node says of a hook whose counts are at their greatest, others read", () => {
  const tries = new Tries({ newsMs: 8_000 });
  const most = { number: TRY_NUMBER_MAX, failures: TRY_NUMBER_MAX };
  tries.take({ hook: "pager", by: "n1", state: "trying", ageMs: 0, ...most }, 0);
  tries.say("pager", "n7", "failed", 0);
  const said = tries.toSend(0, false);
  const text = encodeMessage({ ...HASHES, tidings: { tries: said } });
  assertEquals(read(text).tidings?.tries, said);
});

Deno.test("a quiet's words come as one line", () => {
  const { tidings } = read(body({ quiets: [["web*", 1_000, "a\nb\u001b[31m", "n1", 7]] }));
  assertEquals(tidings?.quiets?.[0]?.why, "a b [31m");
});
