import type { ListedMember } from "../../lib/report/members.ts";
import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  firstLine,
  jsonLine,
  readAddresses,
  readChange,
  readMembers,
  readStory,
  SHOWN_REASON_LENGTH_MAX,
  UnreadableError,
} from "../../lib/cli/read.ts";

const MEMBER = {
  id: "n1",
  address: "localhost:8080",
  status: "live",
  lastHeartbeat: "2026-01-12T23:39:03.300Z",
  ageMs: 4843,
  reason: "started",
  since: "2026-01-12T23:39:06.417Z",
  remark: null,
  tags: { role: "web" },
  ports: { web: 3_000 },
};
const CHANGE = {
  id: "n3",
  address: "",
  from: null,
  to: "dead",
  at: "2026-01-12T23:39:06.417Z",
  reason: "connection refused",
  tags: {},
  event: 4,
};

function table(...members: unknown[]): string {
  return JSON.stringify({ id: "n1", members });
}

Deno.test("readMembers() reads what a node answers, and leaves out what it does not know", () => {
  const never = {
    ...MEMBER,
    id: "n2",
    lastHeartbeat: null,
    ageMs: null,
    reason: null,
    since: null,
  };
  assertEquals(readMembers(table({ ...MEMBER, mood: "good" }, never)), [
    MEMBER,
    never,
  ] as ReturnType<typeof readMembers>);
  assertEquals(readMembers(table()), []);
});

Deno.test("readMembers() takes what a node of an earlier version tells, which has no remarks and no tags", () => {
  const { remark: _, tags: __, ports: ___, ...earlier } = MEMBER;
  assertEquals(
    readMembers(table(earlier)),
    [{ ...earlier, remark: null, tags: {}, ports: {} }] as unknown as ListedMember[],
  );
});

Deno.test("readMembers() takes a status of a later version", () => {
  assertEquals(
    readMembers(table({ ...MEMBER, status: "failing" })).map(({ status }) => `${status}`),
    [
      "failing",
    ],
  );
});

Deno.test("readStory() and readChange() read what a node answers", () => {
  assertEquals(
    readStory(JSON.stringify({ ...MEMBER, history: [CHANGE] })).history,
    [
      CHANGE,
    ] as ReturnType<typeof readStory>["history"],
  );
  assertEquals(readChange(JSON.stringify(CHANGE)), CHANGE as ReturnType<typeof readChange>);
});

Deno.test("readStory() reads by whom hooks were told, and takes a node of an earlier version, which tells nobody", () => {
  const told = { hook: "pager", to: "dead", by: "n7", at: CHANGE.at, result: "200" };
  const toldOf = (part: object) =>
    readStory(JSON.stringify({ ...MEMBER, history: [], ...part })).told;
  assertEquals(toldOf({ told: [told] }), [told] as ReturnType<typeof toldOf>);
  assertEquals(toldOf({}), []);
  const hostile = toldOf({ told: [{ ...told, hook: "\x1b[2J", result: "\n" }] })[0]!;
  assertEquals([hostile.hook, hostile.result], ["\\u001b[2J", "\\u000a"]);
  for (const part of [{ by: "a b" }, { at: "noon" }, { to: "Dead\n" }, { hook: 1 }]) {
    assertThrows(() => toldOf({ told: [{ ...told, ...part }] }), UnreadableError);
  }
});

Deno.test("an answer in which a field has another form is unreadable", () => {
  const wrong = {
    id: [undefined, 1, "", "a b", "\x1b[2J", "x".repeat(65)],
    address: [undefined, null, 1, "x".repeat(256)],
    status: [undefined, null, "", "Live", "live\n", "\x1b[2J", "x".repeat(33)],
    lastHeartbeat: [undefined, 1, "", "yesterday", "2026-01-12T23:39:03Z\x1b"],
    ageMs: [undefined, "1", {}],
    reason: [undefined, 1, ["x"]],
    since: [undefined, 0, "now"],
  };
  for (const [field, values] of Object.entries(wrong)) {
    for (const value of values) {
      const text = table({ ...MEMBER, [field]: value });
      assertThrows(() => readMembers(text), UnreadableError, undefined, text);
    }
  }
  for (
    const text of ["", "null", "[]", "{}", "1", '{"members":{}}', table(null), table(1), "<html>"]
  ) {
    assertThrows(() => readMembers(text), UnreadableError, undefined, text);
  }
  assertThrows(() => readStory(JSON.stringify(MEMBER)), UnreadableError);
  assertThrows(() => readChange(JSON.stringify({ ...CHANGE, to: null })), UnreadableError);
});

Deno.test("an answer of more values than a full table has, or of deep ones, is refused before it is parsed", () => {
  const full = Array.from({ length: 2_000 }, (_, i) => ({ ...MEMBER, id: `n${i}` }));
  assertEquals(readMembers(table(...full)).length, 2_000);
  // Both would be read: nothing looks into what a later version may tell.
  const more = (json: string) => `{"members":[],"more":${json}}`;
  for (const json of [`[${"[],".repeat(4_000_000)}[]]`, `${"[".repeat(9)}${"]".repeat(9)}`]) {
    for (const read of [readMembers, jsonLine]) {
      assertThrows(() => read(more(json)), UnreadableError, "too many or too deep values");
    }
  }
});

Deno.test("no text of a node reaches the terminal but as short printable ASCII", () => {
  const hostile = "\x1b]0;title\x07\r\n\u202e\u009b2J" + "x".repeat(10 * SHOWN_REASON_LENGTH_MAX);
  const [member] = readMembers(table({ ...MEMBER, address: "\x1b[2J", reason: hostile }));
  assertEquals(member!.address, "\\u001b[2J");
  assertMatch(member!.reason!, /^\\u001b\]0;title\\u0007\\u000d\\u000a\\u202e\\u009b2Jx+\.\.\.$/);
  assert(member!.reason!.length < 2 * SHOWN_REASON_LENGTH_MAX);
  assertEquals(firstLine("\n  two\x1b words \nand more"), "two\\u001b words");
});

Deno.test("jsonLine() is the same JSON, on one line of printable ASCII", () => {
  fc.assert(fc.property(fc.json({ maxDepth: 4 }), fc.nat(3), (json, indent) => {
    const line = jsonLine(JSON.stringify(JSON.parse(json), null, indent) + "\r\n");
    assertMatch(line, /^[\x20-\x7e]*$/);
    assertEquals(JSON.parse(line), JSON.parse(json));
  }));
  assertEquals(jsonLine('{"a":\t"\u009b\u{1f600}"\n}'), '{"a": "\\u009b\\ud83d\\ude00" }');
  assertThrows(() => jsonLine("{"), UnreadableError);
});

Deno.test("readAddresses() reads an address a line, and takes nothing else", () => {
  assertEquals(readAddresses(""), []);
  assertEquals(readAddresses("n1:8080\n[fd00::1]:80\n"), ["n1:8080", "[fd00::1]:80"]);
  for (const text of ["n1\n", "n1:8080\n\x1b[2J\n", "<html>"]) {
    assertThrows(() => readAddresses(text), UnreadableError, "a line that is no address");
  }
});
