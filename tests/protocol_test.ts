/** What nodes of different builds must agree on to the letter: the examples of lib/PROTOCOL.md, and hashes. */
import { assertEquals } from "@std/assert";
import { takeAbout } from "../lib/about.ts";
import { bucketOf, bucketsText, NO_BUCKETS, RosterHash } from "../lib/buckets.ts";
import { encodeColumns } from "../lib/columns.ts";
import { chain, chained, hashOf, SetHash } from "../lib/hash.ts";
import { decodeMessage, type Draft, encodeMessage } from "../lib/wire.ts";
import { type Columns, Stamps } from "../lib/stamps.ts";
import { type Row, Table } from "../lib/table.ts";
import { encodeTicks } from "../lib/ticks.ts";
import { decodeTicks } from "../lib/ticks_read.ts";

/** What n1's clock shows. */
const CLOCK_MS = 1_764_000_011_700;
const NOW_MS = 60_000;

/** The bodies in the document, each as one line, with the three dots of those that are cut. */
const EXAMPLES = bodiesIn(
  Deno.readTextFileSync(new URL("../lib/PROTOCOL.md", import.meta.url)),
);

function bodiesIn(text: string): string[] {
  const [, ...blocks] = text.split(/(?:^|\n) {4,}(?:caller {3}|other {4})?(?=\{"v":2,)/);
  return blocks.map((block) => {
    const [first = "", ...more] = block.split("\n");
    const last = more.findIndex((line) => !/^ {5}"/.test(line));
    return [first, ...more.slice(0, last)].map((line) => line.trim()).join("");
  });
}

/** The body in the document that begins so. */
function example(beginning: string): string {
  const found = EXAMPLES.filter((body) => body.startsWith(beginning));
  assertEquals(found.length, 1, `${beginning} is once in PROTOCOL.md`);
  return found[0]!;
}

/** The members of the examples, whose last heartbeats are so many ms old. */
function members(...agesMs: number[]): Row[] {
  return agesMs.map((ageMs, i) => ({
    id: `n${i + 1}`,
    address: `host${i + 1}:8080`,
    boot: `1a2b3c0${i + 1}`,
    left: "",
    heartbeat: CLOCK_MS - ageMs,
    heardAtMs: NOW_MS - ageMs,
  }));
}

function rosterOf(rows: readonly Row[]): string {
  const table = new Table();
  for (const row of rows) table.merge({ ...row, ageMs: 0 }, NOW_MS);
  return table.rosterHash;
}

const ROSTER = rosterOf(members(0, 0, 0));

function columnsOf(rows: readonly Row[]): Columns {
  return {
    heartbeats: rows.map(({ heartbeat }) => heartbeat),
    agesMs: rows.map(({ heardAtMs }) => NOW_MS - heardAtMs),
  };
}

Deno.test("columns are as PROTOCOL.md shows them, in a push and in an answer", () => {
  const at = { ownHeartbeat: CLOCK_MS, nowMs: NOW_MS };
  const rows = members(0, 800, 1_000);
  const push = { roster: ROSTER, beat: CLOCK_MS, beats: encodeColumns(rows, at) };
  assertEquals(encodeMessage(push), example('{"v":2,"roster":"d85a4855f692822a","beat"'));
  const fresher = members(0, 0, 1_000);
  const beats = encodeColumns(fresher, at, columnsOf(rows));
  const answer = { id: "n2", roster: ROSTER, beat: CLOCK_MS, beats };
  const beginning = '{"v":2,"id":"n2","roster":"d85a4855f692822a","beat"';
  assertEquals(encodeMessage(answer), example(beginning));
});

Deno.test("ticks are as PROTOCOL.md shows them, in a push and in an answer, and are read so", () => {
  const at = { clockMs: CLOCK_MS, unitMs: 1_000, nowMs: NOW_MS, exact: undefined };
  const told = members(700, 2_700, 1_700);
  const draft = { roster: ROSTER, unitMs: 1_000 };
  const push = example('{"v":2,"roster":"d85a4855f692822a","unit"');
  assertEquals(encodeMessage({ ...draft, ticks: encodeTicks(new Stamps(told), at) }), push);
  const known = members(700, 1_700, 1_700);
  const later = encodeTicks(new Stamps(known), at, columnsOf(told));
  const answer = example('{"v":2,"id":"n2","roster":"d85a4855f692822a","unit"');
  assertEquals(encodeMessage({ ...draft, id: "n2", ticks: later }), answer);

  const read = (body: string, said?: Float64Array) => {
    const message = decodeMessage(body);
    if ("error" in message) throw new Error(message.error);
    const reading = { from: "n1", nowMs: NOW_MS, said };
    return [...decodeTicks(message.ticks!, new Stamps(known), reading).columns!.heartbeats];
  };
  assertEquals(read(push), columnsOf(told).heartbeats);
  assertEquals(read(answer, new Stamps(told).heartbeats), [0, CLOCK_MS - 1_700, 0]);
});

Deno.test("news and all else that a message can hold are as PROTOCOL.md shows them, and are read so", () => {
  const body = example('{"v":2,"roster":"40fc5533a30e50cd"');
  const message = decodeMessage(body);
  if ("error" in message) throw new Error(message.error);
  assertEquals(message.dropped, 0);
  const { columns: _, dropped: __, ...parts } = message;
  const draft: Draft = { ...parts, beat: 1_764_000_001_200, beats: "5#=+5#R@" };
  assertEquals(encodeMessage(draft), body);
  assertEquals(message.rows![0]!.about, takeAbout({ tags: { role: "web" } }));
  assertEquals(message.charges, [{ member: "n4", witness: "n2", upTo: 1_763_999_999_800 }]);
});

Deno.test("a node that joins asks as PROTOCOL.md shows it, and is answered so", () => {
  const [, second] = members(0, 0);
  const asks = { roster: rosterOf([second!]), full: true, buckets: NO_BUCKETS, rows: [] };
  assertEquals(encodeMessage(asks), example('{"v":2,"roster":"98a61d66559cd2e7"'));
  const rows = members(0).map((row) => ({ ...row, heartbeat: 1_764_000_001_100, ageMs: 0 }));
  const answers = { id: "n1", roster: rosterOf(rows), rows };
  assertEquals(encodeMessage(answers), example('{"v":2,"id":"n1","roster":"601a5f2715548b15"'));
});

Deno.test("hashes are the same in every build: of a text, of a set, of a check, of the parts of a roster", () => {
  const hashes = ["", "n1", "n2", "a longer text"].map(hashOf);
  assertEquals(hashes, [301_794_027, 774_602_812, 3_408_003_426, 1_864_773_340]);
  const set = new SetHash();
  for (const text of ["n1", "n2"]) set.toggle(text);
  assertEquals(`${set}`, "e509815e22f655a1");
  assertEquals(chained(chain(chain(chain(0, 1), 2), 1_764_000_011)), 2_191_862_649);
  assertEquals(["n1", "n2", "n3"].map(bucketOf), [60, 98, 129]);
  const roster = new RosterHash();
  for (const id of ["n1", "n2", "n3"]) roster.toggle(id, `${id} words`);
  assertEquals(hashOf(bucketsText(roster.buckets)), 963_333_953);
});
