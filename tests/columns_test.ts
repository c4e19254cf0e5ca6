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

function bytes(...values: number[]): string {
  return btoa(String.fromCharCode(...values));
}

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

Deno.test("columns take at most 4 bytes a member while the cluster is healthy", () => {
  // Ages up to dead-after, heartbeats as far apart: all that a table of live members holds.
  const rows = Array.from(
    { length: 1_000 },
    (_, i) => rowOf({ heartbeat: 1e12 + (i % 51) * 100, ageMs: (i % 51) * 100 }),
  );
  const { beats, ages } = encodeColumns(rows, { ownHeartbeat: 1e12 + 2_500, nowMs: NOW_MS });
  assertLessOrEqual((beats.length + ages.length) / rows.length, 4);
});

Deno.test("columns of nobody are empty", () => {
  const text = encodeColumns([], { ownHeartbeat: 100, nowMs: NOW_MS });
  assertEquals(text, { beats: "", ages: "" });
  assertEquals(decodeColumns(text, 100), { heartbeats: [], agesMs: [] });
});

Deno.test("decodeColumns() refuses what is no two columns of one length", () => {
  const wrong: [beats: string, ages: string, why: string][] = [
    ["*", "*", "not base64"],
    ["AA==", "", "of two lengths"],
    [bytes(0, 0), bytes(0), "of two lengths"],
    [bytes(0x80), bytes(1), "cut off within a number"],
    [bytes(...Array(7).fill(0x80), 1), bytes(1), "longer than any number"],
    [bytes(4), bytes(1), "a heartbeat before 1970"],
  ];
  for (const [beats, ages, why] of wrong) {
    assertEquals(decodeColumns({ beats, ages }, 100), undefined, why);
  }
  const beyond = decodeColumns({ beats: bytes(1), ages: bytes(1) }, HEARTBEAT_MAX_MS);
  assertEquals(beyond, undefined, "a heartbeat past the year 9999");
});

Deno.test("invariant 7: decodeColumns() never throws, and gives nothing out of range", () => {
  const fcBytes = fc.uint8Array().map((values) => bytes(...values));
  const fcText = fc.oneof(fc.string(), fcBytes);
  fc.assert(fc.property(fcText, fcText, fcHeartbeat, (beats, ages, own) => {
    const columns = decodeColumns({ beats, ages }, own);
    if (columns === undefined) return;
    for (const heartbeat of columns.heartbeats) {
      assert(
        heartbeat >= 0 && heartbeat <= HEARTBEAT_MAX_MS && heartbeat % 100 === 0,
        `${heartbeat}`,
      );
    }
    for (const ageMs of columns.agesMs) assert(ageMs >= -1 && ageMs <= AGE_MAX_MS, `${ageMs}`);
  }));
});

Deno.test("invariant 7: decodeColumns() refuses more numbers than the table has rows", () => {
  const most = btoa("\0".repeat(MEMBERS_MAX));
  assertEquals(decodeColumns({ beats: most, ages: most }, 100)?.agesMs.length, MEMBERS_MAX);
  const more = btoa("\0".repeat(MEMBERS_MAX + 1));
  assertEquals(decodeColumns({ beats: more, ages: more }, 100), undefined);
});
