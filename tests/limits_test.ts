import { assert, assertEquals, assertLessOrEqual, assertStringIncludes } from "@std/assert";
import { ADDRESS_BYTES_MAX, ID_LENGTH_MAX, isId, normalizeAddress } from "../lib/address.ts";
import { CHARGED_MAX, WITNESSES_MAX } from "../lib/charges.ts";
import { Contacts } from "../lib/contacts.ts";
import { parseHello } from "../lib/go_nodes.ts";
import {
  AGE_MAX_MS,
  BODY_BYTES_MAX,
  CONTACTS_MAX,
  FORM_BYTES_MAX,
  HEARTBEAT_MAX_MS,
  MEMBERS_MAX,
  TOMBSTONES_MAX,
} from "../lib/limits.ts";
import { Table } from "../lib/table.ts";
import { decodeMessage, encodeMessage } from "../lib/wire.ts";
import { NOW_MS, openDoor, pushOf } from "./support/door.ts";
import { DEAD_AFTER_MS, INTERVAL_MS, Lab } from "./support/lab.ts";
import { rowOf } from "./support/peer.ts";

const ROSTER = "0".repeat(16);
const PATH = "/hello?from=n2&via=n2:80";

/** A message's text with these parts, right or wrong. */
function text(parts: object): string {
  return JSON.stringify({ v: 2, roster: ROSTER, ...parts });
}

function decoded(parts: object) {
  const message = decodeMessage(text(parts));
  assert(!("error" in message), JSON.stringify(message));
  return message;
}

/** `length` letters that end in a number. */
function idOf(i: number): string {
  return `m${i}`;
}

/** A heartbeat that no member jumps past. */
const PAST_3000_MS = 70_000_000_000_000;

Deno.test("an ID at its limit is taken, one longer is not, and a million letters are not", () => {
  assert(isId("x".repeat(ID_LENGTH_MAX)));
  for (const length of [ID_LENGTH_MAX + 1, 1_000_000]) assert(!isId("x".repeat(length)));
});

Deno.test("an address at its limit is taken, one longer is not, and a million letters are not", () => {
  const name = (bytes: number) => `${"a.".repeat(bytes)}`.slice(0, bytes - 4) + "b:80";
  assertEquals(normalizeAddress(name(ADDRESS_BYTES_MAX))?.length, ADDRESS_BYTES_MAX);
  for (const bytes of [ADDRESS_BYTES_MAX + 1, 1_000_000]) {
    assertEquals(normalizeAddress(name(bytes)), undefined);
  }
});

Deno.test("a message's rows, tombstones and charges are taken up to their limits, and the rest counted", () => {
  const kinds = [
    ["rows", MEMBERS_MAX, (i: number) => [idOf(i), "", NOW_MS, 0, ""]],
    ["tombstones", TOMBSTONES_MAX, (i: number) => [idOf(i)]],
    ["charges", CHARGED_MAX * WITNESSES_MAX, (i: number) => [idOf(i), "w", NOW_MS]],
  ] as const;
  for (const [part, max, entry] of kinds) {
    for (const extra of [0, 1, 100]) {
      const list = Array.from({ length: max + extra }, (_, i) => entry(i));
      const message = decoded({ [part]: list });
      assertEquals([message[part]?.length, message.dropped], [max, extra], part);
    }
  }
});

Deno.test("columns are taken up to as many as there can be members", () => {
  const columns = (length: number) => text({ beat: NOW_MS, beats: "5#".repeat(length) });
  assert(!("error" in decodeMessage(columns(MEMBERS_MAX))));
  for (const length of [MEMBERS_MAX + 1, 10 * MEMBERS_MAX]) {
    assert("error" in decodeMessage(columns(length)), `${length}`);
  }
});

/** Bytes that `parse` leaves on the heap, roughly: a young array of millions is not collected by its end. */
function heapGrowth(parse: () => void): number {
  const before = Deno.memoryUsage().heapUsed;
  parse();
  return Deno.memoryUsage().heapUsed - before;
}

Deno.test("a body of millions of values, or deep ones, is refused before it is parsed", () => {
  const head = `{"v":2,"roster":"${ROSTER}","rows":`;
  const many = (value: string) =>
    `${head}[${`${value},`.repeat(BODY_BYTES_MAX / (value.length + 1) - 20)}0]}`;
  const bodies = [
    "[".repeat(BODY_BYTES_MAX / 2) + "]".repeat(BODY_BYTES_MAX / 2),
    `${head}${'{"a":'.repeat(20_000)}0${"}".repeat(20_000)}}`,
    ...["{}", "[]", "0", '""', '"\\\\"', '"\\""', "[0]"].map(many),
  ];
  for (const body of bodies) {
    const error = { error: "the body holds too many or too deep values" };
    const bytes = heapGrowth(() => assertEquals(decodeMessage(body), error, body.slice(0, 100)));
    assertLessOrEqual(bytes, 32 * 1024 * 1024, body.slice(0, 100));
  }
});

Deno.test("a Go node's text of millions of lines or blanks makes no array of them", () => {
  for (const text of ["\n", " ", "a ", "a\n", "\n\n\na:1\n"]) {
    const bytes = heapGrowth(() => {
      const hello = parseHello(`hello go\n${text.repeat(BODY_BYTES_MAX / text.length - 10)}`);
      assert("ids" in hello);
      assert(hello.dropped > 0, JSON.stringify(text));
    });
    assertLessOrEqual(bytes, 32 * 1024 * 1024, JSON.stringify(text));
  }
});

Deno.test("JSON nested a million deep is refused, and harms nobody", () => {
  for (const open of ["[", '{"a":', '{"v":2,"rows":[']) {
    const nested = open.repeat(1_000_000);
    assert("error" in decodeMessage(nested));
    assert("error" in decodeMessage(`{"v":2,"roster":"${ROSTER}","rows":${nested}`));
  }
  const closed = "[".repeat(100_000) + "]".repeat(100_000);
  assert("error" in decodeMessage(closed));
});

Deno.test("numbers out of range are dropped with their row", () => {
  const heartbeats = [-100, 50, 0.5, HEARTBEAT_MAX_MS + 100, 1e300, "1", null, true, [], {}];
  for (const heartbeat of heartbeats) {
    assertEquals(decoded({ rows: [["x", "", heartbeat, 0, ""]] }).dropped, 1, String(heartbeat));
  }
  assertEquals(decoded({ rows: [["x", "", HEARTBEAT_MAX_MS, 0, ""]] }).dropped, 0);
  for (const ageMs of [-1, "1", null, {}]) {
    assertEquals(decoded({ rows: [["x", "", NOW_MS, ageMs, ""]] }).dropped, 1, String(ageMs));
  }
  const endless = decodeMessage(`{"v":2,"roster":"${ROSTER}","rows":[["x","",100,1e999,""]]}`);
  assert(
    "rows" in endless && endless.rows?.[0]?.ageMs === AGE_MAX_MS,
    "an endless age counts as the greatest",
  );
});

Deno.test("a Go node's text is taken up to the limits, and the rest counted", () => {
  const ids = Array.from({ length: MEMBERS_MAX + 5 }, (_, i) => idOf(i)).join(" ");
  const hello = parseHello(`hello go\n${ids}\n${ids}\n`);
  assert("ids" in hello);
  assertEquals([hello.ids.length, hello.tombstones.length], [MEMBERS_MAX, TOMBSTONES_MAX]);
  assertEquals(hello.dropped, 5 + MEMBERS_MAX + 5 - TOMBSTONES_MAX);
});

Deno.test("a body at its limit is read, one byte more gets 413, said or streamed", async () => {
  await using door = openDoor();
  const pad = (bytes: number) => {
    const body = pushOf("n2");
    return body + " ".repeat(bytes - body.length);
  };
  assertEquals((await door.ask(`POST ${PATH}`, { body: pad(BODY_BYTES_MAX) })).status, 200);
  assertEquals((await door.ask(`POST ${PATH}`, { body: pad(BODY_BYTES_MAX + 1) })).status, 413);
  const lie = { headers: { "content-length": String(1e15) }, body: pushOf("n2") };
  assertEquals((await door.ask(`POST ${PATH}`, lie)).status, 413);
});

Deno.test("a form at its limit is read, and one byte more gets 413", async () => {
  await using door = openDoor();
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  const pad = (bytes: number) => "id=n9&unknown=yes&x=".padEnd(bytes, "x");
  assertEquals((await door.ask("POST /bye", { headers, body: pad(FORM_BYTES_MAX) })).status, 200);
  assertEquals(
    (await door.ask("POST /bye", { headers, body: pad(FORM_BYTES_MAX + 1) })).status,
    413,
  );
});

Deno.test("a full table keeps its live members, refuses strangers, says so and counts them", async () => {
  await using door = openDoor();
  await door.ask(`POST ${PATH}`, { body: pushOf("n2") });
  const strangers = (from: number, count: number) => {
    const rows = Array.from(
      { length: count },
      (_, i) => rowOf(idOf(from + i), { heartbeat: NOW_MS }),
    );
    return encodeMessage({ roster: ROSTER, rows });
  };
  for (let from = 0; from < 2 * MEMBERS_MAX; from += 32_768) {
    const { status } = await door.ask(`POST ${PATH}`, { body: strangers(from, 32_768) });
    assertEquals(status, 200);
  }
  const ids = door.ids();
  assertEquals(ids.length, MEMBERS_MAX);
  for (const id of ["n1", "n2", idOf(0)]) assert(ids.includes(id), id);
  const later = rowOf("n2", { heartbeat: NOW_MS + 100, address: "192.0.2.2:80" });
  await door.ask(`POST ${PATH}`, { body: encodeMessage({ roster: ROSTER, rows: [later] }) });
  const { lastHeartbeat } = JSON.parse((await door.ask("GET /members/n2")).text);
  assertEquals(lastHeartbeat, new Date(NOW_MS + 100).toISOString(), "who is in it is still heard");
  const refusals = door.lines.filter((line) => line.includes("exceed the table's limit"));
  assertEquals(refusals.length, 1, "one line, not one a message");
  const hits = /^gossiper_limit_hits_total\{limit="table"\} ([0-9]+)$/m.exec(
    (await door.ask("GET /metrics")).text,
  );
  assertEquals(Number(hits?.[1]), MEMBERS_MAX + 2);
});

Deno.test("full of tombstones, a node refuses the next with 507, and undoes none", async () => {
  await using door = openDoor();
  const tombstones = Array.from({ length: TOMBSTONES_MAX }, (_, i) => ({ id: idOf(i), by: "x" }));
  await door.ask(`POST ${PATH}`, { body: encodeMessage({ roster: ROSTER, tombstones }) });
  const { status, text } = await door.ask("GET /bye?id=one-more&unknown=yes");
  assertEquals([status, text], [
    507,
    "Cannot decommission one-more: the table of tombstones is full\n",
  ]);
  assertEquals((await door.ask(`GET /bye?id=${idOf(7)}`)).status, 200);
  assertEquals(door.ids().filter((id) => id.startsWith("+")).length, TOMBSTONES_MAX);
});

Deno.test("contacts are taken up to their limit, and seeds are never pushed out", () => {
  const contacts = new Contacts(["seed:1"]);
  const due = () => contacts.due(0, () => false).length;
  for (let i = 1; i < CONTACTS_MAX; i++) assert(contacts.add(`c${i}:1`));
  assert(!contacts.add("more:1"));
  for (let i = 0; i < 10 * CONTACTS_MAX; i++) assert(!contacts.add(`flood${i}:1`));
  assertLessOrEqual(due(), CONTACTS_MAX);
  assert(contacts.due(0, () => false).includes("seed:1"));
});

Deno.test("a member whose clock is a day ahead does not become immortal, nor blocks its own return", () => {
  const lab = new Lab();
  const a = lab.start("a");
  const ahead = lab.start("b", { join: ["a:80"], clockAheadMs: 24 * 3_600_000 });
  lab.pass(5 * INTERVAL_MS);
  assertEquals(a.status("b"), "live");
  lab.reach = (_, to) => to === "b:80" ? "silent" : "ok";
  ahead.killed = true;
  lab.pass(DEAD_AFTER_MS + 2 * INTERVAL_MS);
  assertEquals(a.status("b"), "dead");
  lab.reach = () => "ok";
  const back = lab.start("b", { join: ["a:80"] });
  lab.pass(3 * INTERVAL_MS);
  assertEquals([a.status("b"), back.status("a"), back.status("b")], ["live", "live", "live"]);
});

Deno.test("a heartbeat forged ten years ahead for a member that lives is overtaken by the member itself", () => {
  const lab = new Lab();
  const a = lab.start("a");
  const b = lab.start("b", { join: ["a:80"] });
  lab.pass(3 * INTERVAL_MS);
  const heartbeat = Math.floor(a.now().wallMs / 100) * 100 + 10 * 365 * 24 * 3_600_000;
  const rows = [rowOf("b", { heartbeat, address: "b:80", boot: "ffffffff" })];
  assert(!("error" in a.receive("liar", encodeMessage({ roster: ROSTER, rows }))));
  lab.pass(DEAD_AFTER_MS + 5 * INTERVAL_MS);
  assertEquals([a.status("b"), b.status("a"), b.status("b")], ["live", "live", "live"]);
});

Deno.test("an answer from elsewhere in the name of a member that lives moves that no further than a push may", () => {
  const lab = new Lab();
  const a = lab.start("a");
  lab.start("b", { join: ["a:80"] });
  lab.pass(3 * INTERVAL_MS);
  const { boot } = a.gossip.replica.table.get("b")!;
  const inTheNameOfB = rowOf("b", { heartbeat: PAST_3000_MS, address: "b:80", boot });
  let answers = 0;
  lab.strangers.set("liar:80", () => {
    answers++;
    return encodeMessage({ id: "b", roster: ROSTER, rows: [inTheNameOfB] });
  });
  const heartbeat = a.gossip.replica.table.get("b")!.heartbeat;
  const liar = rowOf("liar", { heartbeat, address: "liar:80", boot: "ffffffff" });
  a.receive("liar", encodeMessage({ roster: ROSTER, rows: [liar] }));
  lab.pass(DEAD_AFTER_MS + 5 * INTERVAL_MS);
  assert(answers > 0);
  assertEquals(a.status("b"), "live");
});

Deno.test("a flood of contacts is called a bounded number at a time, each with back-off", () => {
  const lab = new Lab();
  lab.strangers.set("go:80", () => {
    const addresses = Array.from({ length: 5_000 }, (_, i) => `10.0.${i >> 8}.${i & 255}:22`);
    return `hello go\n\n\ngo:80\n${addresses.join("\n")}\n`;
  });
  lab.reach = (_, to) => to.startsWith("10.") ? "silent" : "ok";
  const a = lab.start("a", { join: ["go:80"] });
  lab.pass(120_000);
  const calls = a.calls.filter(({ to }) => to.startsWith("10."));
  const targets = new Set(calls.map(({ to }) => to));
  assertLessOrEqual(targets.size, CONTACTS_MAX);
  assertLessOrEqual(calls.length, CONTACTS_MAX * 10, "each about every 30 s at last");
  const perSecond = new Map<number, number>();
  for (const { atMs } of calls) {
    const second = Math.floor(atMs / 1_000);
    perSecond.set(second, (perSecond.get(second) ?? 0) + 1);
  }
  assertLessOrEqual(Math.max(...perSecond.values()), 2 * 64, "calls a second");
  for (const { body } of calls) assertStringIncludes(body, '{"v":2');
});

Deno.test("invariant 7: a table takes as many members as it may, and none more", () => {
  const table = new Table({ members: 3, tombstones: 2 });
  for (const id of ["a", "b", "c"]) assertEquals(table.merge(rowOf(id), 0), "changed");
  assertEquals([table.merge(rowOf("d"), 0), table.get("d")], ["full", undefined]);
  assertEquals(table.bury("a", "x"), "changed");
  assertEquals(table.merge(rowOf("d"), 0), "changed", "a decommission makes room");
});
