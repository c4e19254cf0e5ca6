import { assert, assertEquals, assertLess, assertLessOrEqual } from "@std/assert";
import fc from "fast-check";
import { decodeColumns, encodeColumns } from "../lib/columns.ts";
import { AGE_MAX_MS, HEARTBEAT_MAX_MS, HEARTBEAT_STEP_MS, MEMBERS_MAX } from "../lib/limits.ts";
import type { Row } from "../lib/table.ts";
import { fcAgeMs, fcHeartbeat } from "./support/arbitraries.ts";

/** A running time later than any age, so that rows of every age can be made. */
const NOW_MS = AGE_MAX_MS + 1;

function rowOf({ heartbeat, ageMs }: { heartbeat: number; ageMs: number }): Row {
  return { id: "n", address: "", boot: "", left: "", heartbeat, heardAtMs: NOW_MS - ageMs };
}

/** The letter that stands for a digit. */
function letter(digit: number): string {
  return String.fromCharCode(digit < 57 ? 35 + digit : 36 + digit);
}

const TEN_PASSED_OVER = letter(9);

Deno.test("columns give back heartbeats exactly, and ages rounded down to tenths of a second", () => {
  const fcMember = fc.record({ heartbeat: fcHeartbeat, ageMs: fcAgeMs });
  fc.assert(fc.property(fc.array(fcMember), fcHeartbeat, (members, ownHeartbeat) => {
    const text = encodeColumns(members.map(rowOf), { ownHeartbeat, nowMs: NOW_MS });
    const columns = decodeColumns(text, ownHeartbeat);
    assertEquals(columns, {
      heartbeats: members.map(({ heartbeat }) => heartbeat),
      agesMs: members.map(({ heartbeat, ageMs }) => heartbeat === 0 ? -1 : ageMs - ageMs % 100),
    });
  }));
});

Deno.test("columns never make a heartbeat older than it is: ages passed on and on stay as they were", () => {
  fc.assert(fc.property(fcAgeMs, fc.integer({ min: 1, max: 20 }), (ageMs, hops) => {
    let heardMs = ageMs;
    for (let i = 0; i < hops; i++) {
      const row = rowOf({ heartbeat: 100, ageMs: heardMs });
      const text = encodeColumns([row], { ownHeartbeat: 100, nowMs: NOW_MS });
      heardMs = decodeColumns(text, 100)!.agesMs[0]!;
    }
    assertLessOrEqual(heardMs, ageMs);
    assertLess(ageMs - heardMs, HEARTBEAT_STEP_MS);
  }));
});

Deno.test("columns pass over what the reader knows: as late a heartbeat, dated as early to within 0.2 s", () => {
  const fcNear = fc.record({
    heartbeat: fc.constantFrom(0, 4_000, 5_000),
    ageMs: fc.integer({ min: 1_000, max: 1_600 }),
  });
  const fcPair = fc.record({ ours: fcNear, theirs: fcNear });
  const at = { ownHeartbeat: 9_000, nowMs: NOW_MS };
  fc.assert(fc.property(fc.array(fcPair, { maxLength: 40 }), (pairs) => {
    const theirs = encodeColumns(pairs.map(({ theirs }) => rowOf(theirs)), at);
    const knows = decodeColumns(theirs, 9_000)!;
    const text = encodeColumns(pairs.map(({ ours }) => rowOf(ours)), at, knows);
    const told = decodeColumns(text, 9_000)!;
    assertEquals(told.heartbeats.length, pairs.length);
    for (const [i, { ours }] of pairs.entries()) {
      const isKnown = ours.heartbeat === knows.heartbeats[i] && ours.ageMs < knows.agesMs[i]! + 200;
      const heartbeat = isKnown ? 0 : ours.heartbeat;
      const ageMs = heartbeat === 0 ? -1 : ours.ageMs - ours.ageMs % 100;
      assertEquals([told.heartbeats[i], told.agesMs[i]], [heartbeat, ageMs]);
    }
  }));
});

Deno.test("columns tell a heartbeat that the reader knows again once it has it 0.2 s too young", () => {
  const at = { ownHeartbeat: 9_000, nowMs: NOW_MS };
  for (const [ageMs, isTold] of [[1_199, false], [1_200, true]] as const) {
    const rows = [rowOf({ heartbeat: 8_000, ageMs })];
    const text = encodeColumns(rows, at, { heartbeats: [8_000], agesMs: [1_000] });
    assertEquals(decodeColumns(text, 9_000)!.agesMs, [isTold ? 1_200 : -1], `${ageMs}`);
  }
});

Deno.test("columns take 2 letters a member while the cluster is healthy, in an answer to who knows half 1.5", () => {
  // Ages up to dead-after, heartbeats as far apart: all that a table of live members holds.
  const rows = Array.from(
    { length: 1_000 },
    (_, i) => rowOf({ heartbeat: 1e12 + (i % 51) * 100, ageMs: (i % 51) * 100 }),
  );
  const at = { ownHeartbeat: 1e12 + 5_000, nowMs: NOW_MS };
  const text = encodeColumns(rows, at);
  assertEquals(text.length, 2 * rows.length);
  const all = decodeColumns(text, at.ownHeartbeat)!;
  const isHalf = (i: number) => i % 4 < 2;
  const heartbeats = [...all.heartbeats].map((heartbeat, i) =>
    isHalf(i) ? heartbeat : heartbeat - 100
  );
  const answer = encodeColumns(rows, at, { heartbeats, agesMs: all.agesMs });
  assertLessOrEqual(answer.length, 1.5 * rows.length);
});

Deno.test("columns pass over many members in few letters", () => {
  const nobody = rowOf({ heartbeat: 0, ageMs: 0 });
  const rows = [...Array.from({ length: 25 }, () => nobody), rowOf({ heartbeat: 100, ageMs: 0 })];
  const text = encodeColumns(rows, { ownHeartbeat: 100, nowMs: NOW_MS });
  assertEquals(text.length, 3 + 2);
  assertEquals(decodeColumns(text, 100)!.heartbeats, rows.map(({ heartbeat }) => heartbeat));
});

Deno.test("columns need no escapes in JSON", () => {
  const fcMember = fc.record({ heartbeat: fcHeartbeat, ageMs: fcAgeMs });
  fc.assert(fc.property(fc.array(fcMember), fcHeartbeat, (members, ownHeartbeat) => {
    const text = encodeColumns(members.map(rowOf), { ownHeartbeat, nowMs: NOW_MS });
    assertEquals(JSON.stringify(text), `"${text}"`);
  }));
});

Deno.test("columns read as lib/PROTOCOL.md says", () => {
  const now = 1_764_000_011_700;
  const push = { heartbeats: [now, now - 800, now - 1_000], agesMs: [0, 800, 1_000] };
  assertEquals(decodeColumns("5#=+?-", now), push);
  assertEquals(decodeColumns("#5##", now), { heartbeats: [0, now, 0], agesMs: [-1, 0, -1] });
  // A heartbeat 0.8 s ahead, 6.1, 6.2, 8.1 s behind, and 0.9 s ahead.
  const far = ["-#", "s#", "t##", "tI#", "t$#"];
  const behind = far.map((text) => (now - decodeColumns(text, now)!.heartbeats[0]!) / 100);
  assertEquals(behind, [-8, 61, 62, 81, -9]);
});

Deno.test("columns of nobody are empty", () => {
  const text = encodeColumns([], { ownHeartbeat: 100, nowMs: NOW_MS });
  assertEquals(text, "");
  assertEquals(decodeColumns(text, 100), { heartbeats: [], agesMs: [] });
});

Deno.test("decodeColumns() refuses what is no columns", () => {
  const now = letter(10 + 8);
  assertEquals(decodeColumns(now + letter(0), 100)?.heartbeats, [100]);
  const wrong: [text: string, why: string][] = [
    ["\\", "no letter of its"],
    [`"`, "no letter of its"],
    ["é", "no letter of its"],
    [now, "a heartbeat without an age"],
    [letter(80), "cut off within a number"],
    [now + letter(81) + letter(0), "cut off within an age"],
    [now + letter(80) + "\\", "no letter within a number"],
    [letter(87) + letter(0).repeat(8) + letter(0), "longer than any number"],
    [letter(10 + 8 + 1) + letter(0), "a heartbeat of 1970 or before"],
  ];
  for (const [text, why] of wrong) assertEquals(decodeColumns(text, 100), undefined, why);
  const beyond = decodeColumns(letter(10) + letter(0), HEARTBEAT_MAX_MS);
  assertEquals(beyond, undefined, "a heartbeat past the year 9999");
});

Deno.test("invariant 7: decodeColumns() never throws, and gives nothing out of range", () => {
  const fcDigits = fc.array(fc.integer({ min: 0, max: 90 }));
  const fcLetters = fcDigits.map((digits) => digits.map(letter).join(""));
  fc.assert(fc.property(fc.oneof(fc.string(), fcLetters), fcHeartbeat, (text, own) => {
    const columns = decodeColumns(text, own);
    if (columns === undefined) return;
    assertEquals(columns.heartbeats.length, columns.agesMs.length);
    for (const heartbeat of columns.heartbeats) {
      assert(
        heartbeat >= 0 && heartbeat <= HEARTBEAT_MAX_MS && heartbeat % 100 === 0,
        `${heartbeat}`,
      );
    }
    for (const ageMs of columns.agesMs) assert(ageMs >= -1 && ageMs <= AGE_MAX_MS, `${ageMs}`);
  }));
});

Deno.test("invariant 7: decodeColumns() refuses more members than the table has rows", () => {
  const most = TEN_PASSED_OVER.repeat(Math.floor(MEMBERS_MAX / 10)) +
    letter(MEMBERS_MAX % 10 - 1);
  assertEquals(decodeColumns(most, 100)?.agesMs.length, MEMBERS_MAX);
  assertEquals(decodeColumns(most + letter(0), 100), undefined);
  const told = (letter(18) + letter(0)).repeat(MEMBERS_MAX);
  assertEquals(decodeColumns(told, 1_000)?.agesMs.length, MEMBERS_MAX);
  assertEquals(decodeColumns(told + letter(18) + letter(0), 1_000), undefined);
});
