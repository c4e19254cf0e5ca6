import { assert, assertEquals, assertLess } from "@std/assert";
import fc from "fast-check";
import { MEMBERS_MAX } from "../lib/limits.ts";
import { type Columns, Stamps } from "../lib/stamps.ts";
import type { Row } from "../lib/table.ts";
import { encodeTicks, type Writing } from "../lib/ticks.ts";
import { decodeTicks } from "../lib/ticks_read.ts";
import { Dice } from "./support/dice.ts";

const UNIT_MS = 1_000;
const NOW_MS = 10_000_000;

/** What every member's clock shows at NOW_MS, whoever looks. */
const CLOCK_MS = 1_764_000_000_500;

const SENDER = "a0000";

/** A row of a member whose heartbeat looks `ageMs` old. */
function rowOf(i: number, ageMs: number, more: Partial<Row> = {}): Row {
  const heartbeat = CLOCK_MS - ageMs;
  const id = `a${String(i).padStart(4, "0")}`;
  return {
    id,
    address: "",
    boot: "00000000",
    left: "",
    heartbeat,
    heardAtMs: NOW_MS - ageMs,
    ...more,
  };
}

/** The same, made on a tick: the age is at least `ageMs`. */
function tickedRow(i: number, ageMs: number, more: Partial<Row> = {}): Row {
  return rowOf(i, ageMs + (CLOCK_MS - ageMs) % UNIT_MS, more);
}

/** The same with a heartbeat of three ticks before, by the same clock. */
function earlier(row: Row): Row {
  return { ...row, heartbeat: row.heartbeat - 3_000, heardAtMs: row.heardAtMs - 3_000 };
}

function writing(more: Partial<Writing> = {}): Writing {
  return { clockMs: CLOCK_MS, unitMs: UNIT_MS, nowMs: NOW_MS, exact: undefined, ...more };
}

/** Reads what answers all that the reader's `rows` tell. */
function read(
  ticks: ReturnType<typeof encodeTicks>,
  rows: readonly Row[],
  nowMs = NOW_MS,
): { columns: Columns; unread: boolean } {
  const stamps = new Stamps(rows);
  const said = stamps.heartbeats;
  const { columns, unread } = decodeTicks(ticks, stamps, { from: SENDER, nowMs, said });
  assert(columns !== undefined, "it is well-formed");
  return { columns, unread };
}

const fcAgeMs = fc.integer({ min: 0, max: 3_400 });
const fcAges = fc.array(fcAgeMs, { minLength: 1, maxLength: 40 });

Deno.test("ticks give back each heartbeat, whatever the reader held, and its age by the clock that it knows", () => {
  fc.assert(fc.property(fcAges, fc.infiniteStream(fcAgeMs), (ages, theirAges) => {
    const rows = ages.map((ageMs, i) => tickedRow(i, ageMs));
    const theirs = ages.map((_, i) => tickedRow(i, theirAges.next().value!));
    const { columns, unread } = read(encodeTicks(new Stamps(rows), writing()), theirs);
    assertEquals(unread, false);
    assertEquals([...columns.heartbeats], rows.map(({ heartbeat }) => heartbeat));
    // The sender's own age always tells; what the reader knows as well does not.
    const isTold = (i: number) => i === 0 || rows[i]!.heartbeat > theirs[i]!.heartbeat;
    assertEquals(
      [...columns.agesMs],
      rows.map(({ heartbeat }, i) => isTold(i) ? CLOCK_MS - heartbeat : -1),
    );
  }));
});

Deno.test("ticks read late or again tell what they told: a reader takes clocks as they were when the message was sent", () => {
  fc.assert(fc.property(fcAges, fc.integer({ min: 0, max: 3_600_000 }), (ages, lateMs) => {
    const rows = ages.map((ageMs, i) => tickedRow(i, ageMs));
    // Since then the reader heard later heartbeats of all.
    const nowMs = NOW_MS + lateMs;
    const laterMs = lateMs - lateMs % UNIT_MS;
    const theirs = rows.map((row) => ({
      ...row,
      heartbeat: row.heartbeat + laterMs,
      heardAtMs: row.heardAtMs + laterMs,
    }));
    const { columns, unread } = read(encodeTicks(new Stamps(rows), writing()), theirs, nowMs);
    assertEquals(unread, false);
    assertEquals([...columns.heartbeats], rows.map(({ heartbeat }) => heartbeat));
  }));
});

Deno.test("ticks are not believed where the reader knows another clock of a member: the check says so, and all is asked for", () => {
  const dice = new Dice("clocks");
  for (let i = 0; i < 500; i++) {
    const count = dice.whole(1, 30);
    const rows = Array.from({ length: count }, (_, at) => tickedRow(at, dice.whole(0, 3_400)));
    const victim = dice.whole(0, count - 1);
    // Six ticks off a remainder is the same again: the member would be told wrong if nothing checked it.
    const offMs = dice.pick([-1, 1]) * dice.whole(6_000, 60_000);
    const theirs = rows.map((row, at) =>
      at === victim && at > 0 ? { ...row, heardAtMs: row.heardAtMs + offMs } : row
    );
    const { columns, unread } = read(encodeTicks(new Stamps(rows), writing()), theirs);
    assertEquals(unread, victim > 0, `seed 'clocks', step ${i}`);
    if (victim > 0) assertEquals([...columns.heartbeats], rows.map(() => 0));
  }
});

Deno.test("a failed check costs the 1,020 members under it, and no others", () => {
  const rows = Array.from({ length: 3_000 }, (_, i) => tickedRow(i, i % 3_000));
  const theirs = rows.with(1_500, { ...rows[1_500]!, heardAtMs: NOW_MS + 20_000 });
  const { columns, unread } = read(encodeTicks(new Stamps(rows), writing()), theirs);
  assertEquals(unread, true);
  for (const [i, { heartbeat }] of rows.entries()) {
    assertEquals(columns.heartbeats[i], i >= 1_020 && i < 2_040 ? 0 : heartbeat, `member ${i}`);
  }
});

Deno.test("a message tells nothing of what the message before it told the same reader", () => {
  const ages = [0, 300, 1_700, 90_000];
  const rows = ages.map((ageMs, i) => tickedRow(i, ageMs));
  const stamps = new Stamps(rows.map(earlier));
  const decode = (text: string, exact: string) => {
    const ticks = { ...encodeTicks(new Stamps(rows), writing()), text, exact };
    const { columns, unread } = decodeTicks(ticks, stamps, { from: SENDER, nowMs: NOW_MS });
    return { unread, beats: [...columns!.heartbeats], agesMs: [...columns!.agesMs] };
  };
  const { text, exact } = encodeTicks(new Stamps(rows), writing());
  const before = decode(text, exact);
  const wrongCheck = (text.startsWith("#") ? "$" : "#") + text.slice(1);
  const nothing = { unread: true, beats: [0, 0, 0, 0], agesMs: [-1, -1, -1, -1] };
  assertEquals(decode(wrongCheck, ""), nothing);
  assertEquals(decode(text, exact), before);
});

Deno.test("told exactly beside ticks: the silent, who is charged or has another clock, Go nodes, and who has another step", () => {
  const rows = [
    tickedRow(0, 0),
    rowOf(1, 4_500),
    tickedRow(2, 1_000),
    tickedRow(3, 1_000, { boot: "" }),
    rowOf(4, 1_200),
    tickedRow(5, 2_000),
  ];
  const exact = new Set(["a0002"]);
  const ticks = encodeTicks(new Stamps(rows), writing({ exact }));
  // The reader knows nothing of clocks but the sender's and that of the last: it needs none for those.
  const theirs = rows.map((row, i) =>
    i === 0 ? row : i === 5 ? earlier(row) : { ...row, heartbeat: 100, heardAtMs: 0 }
  );
  const { columns, unread } = read(ticks, theirs);
  assertEquals(unread, false);
  assertEquals([...columns.heartbeats], rows.map(({ heartbeat }) => heartbeat));
  assertEquals(
    [...columns.agesMs],
    rows.map(({ heardAtMs }) => NOW_MS - heardAtMs).map((age) => age - age % 100),
  );
});

Deno.test("who is silent for over a minute is told in one message of sixteen, and none reads anything else into it", () => {
  const rows = [tickedRow(0, 0), rowOf(1, 90_000), rowOf(2, 3_600_000)];
  const times = [0, 0];
  for (let second = 0; second < 16; second++) {
    const laterMs = second * UNIT_MS;
    const at = writing({ clockMs: CLOCK_MS + laterMs, nowMs: NOW_MS + laterMs });
    const { columns, unread } = read(encodeTicks(new Stamps(rows), at), rows, NOW_MS + laterMs);
    assertEquals(unread, false);
    for (const i of [1, 2]) {
      if (columns.agesMs[i] === -1) continue;
      assertEquals(columns.heartbeats[i], rows[i]!.heartbeat);
      times[i - 1]!++;
    }
  }
  assertEquals(times, [1, 1]);
});

Deno.test("at an interval of a minute who is told exactly is told in each message, until silent for ten minutes", () => {
  const unitMs = 60_000;
  const rows = [tickedRow(0, 0), rowOf(1, 90_000), rowOf(2, 599_000), rowOf(3, 601_000)];
  const told = [0, 0, 0];
  for (let minute = 0; minute < 16; minute++) {
    const at = writing({ clockMs: CLOCK_MS + minute * unitMs, unitMs });
    const { columns } = read(encodeTicks(new Stamps(rows), at), rows);
    for (const i of [1, 2, 3]) if (columns.agesMs[i] !== -1) told[i - 1]!++;
  }
  assertEquals(told, [16, 16, 1]);
});

Deno.test("an answer in ticks tells only those of whom the caller has less, and those it has to be told exactly", () => {
  fc.assert(fc.property(fcAges, fc.infiniteStream(fcAgeMs), (ages, theirAges) => {
    const ours = ages.map((ageMs, i) => tickedRow(i, ageMs));
    const theirs = ages.map((_, i) => tickedRow(i, theirAges.next().value!));
    const knows = read(encodeTicks(new Stamps(theirs), writing()), ours).columns;
    const { columns, unread } = read(encodeTicks(new Stamps(ours), writing(), knows), theirs);
    assertEquals(unread, false);
    for (const [i, { heartbeat }] of ours.entries()) {
      const isLater = heartbeat > theirs[i]!.heartbeat;
      assertEquals(columns.heartbeats[i], isLater ? heartbeat : 0);
    }
  }));
  const silent = [tickedRow(0, 0), rowOf(1, 5_000)];
  const knows = { heartbeats: silent.map((row) => row.heartbeat), agesMs: [0, 4_900] };
  assertEquals(
    encodeTicks(new Stamps(silent), writing(), knows).exact,
    "",
    "0.1 s is a matter of rounding",
  );
  knows.agesMs[1] = 4_700;
  assert(
    encodeTicks(new Stamps(silent), writing(), knows).exact !== "",
    "its age may be the last that is told",
  );
});

Deno.test("an answer counts from what the caller said, not from what it knows by then", () => {
  const said = Array.from({ length: 20 }, (_, i) => tickedRow(i, 2_000));
  const now = said.map((row, i) => i % 2 === 0 ? tickedRow(i, 0) : row);
  const answer = said.map((row) => ({
    ...row,
    heartbeat: row.heartbeat + UNIT_MS,
    heardAtMs: row.heardAtMs + UNIT_MS,
  }));
  const knows = { heartbeats: said.map((row) => row.heartbeat), agesMs: said.map(() => 0) };
  const ticks = encodeTicks(new Stamps(answer), writing(), knows);
  const at = { from: SENDER, nowMs: NOW_MS };
  const heartbeats = Float64Array.from(knows.heartbeats);
  const { columns, unread } = decodeTicks(ticks, new Stamps(now), { ...at, said: heartbeats });
  assertEquals(unread, false);
  assertEquals([...columns!.heartbeats], answer.map(({ heartbeat }) => heartbeat));
  for (const wrong of [undefined, heartbeats.slice(1), heartbeats.map((beat) => beat + 100)]) {
    const read = decodeTicks(ticks, new Stamps(now), { ...at, said: wrong });
    assertEquals(read, { columns: undefined, unread: true });
  }
  const earlier = heartbeats.map((beat) => beat - UNIT_MS);
  const read = decodeTicks(ticks, new Stamps(now), { ...at, said: earlier });
  assertEquals([read.unread, read.columns!.heartbeats.some((beat) => beat > 0)], [true, false]);
});

Deno.test("never heard from is nobody's tick", () => {
  const rows = [tickedRow(0, 0), rowOf(1, 0, { heartbeat: 0 }), tickedRow(2, 700)];
  const { columns, unread } = read(encodeTicks(new Stamps(rows), writing()), rows);
  assertEquals([unread, columns.agesMs[1]], [false, -1]);
});

Deno.test("a sender's own heartbeat is as old as it says, whatever the reader took its clock for", () => {
  const rows = [tickedRow(0, 1_000)];
  for (const offMs of [-2_000, -200, 0, 200]) {
    const theirs = [{ ...rows[0]!, heardAtMs: rows[0]!.heardAtMs + offMs }];
    assertEquals(
      [...read(encodeTicks(new Stamps(rows), writing()), theirs).columns.agesMs],
      [1_500],
      `${offMs}`,
    );
  }
});

Deno.test("a heartbeat made after what the reader's clock shows of a member has no age: it is new", () => {
  const rows = [tickedRow(0, 0), tickedRow(1, 0)];
  const theirs = rows.map((row, i) => {
    const { heartbeat, heardAtMs } = earlier(row);
    // The last was longer under way than those before.
    return i === 0 ? row : { ...row, heartbeat, heardAtMs: heardAtMs + 600 };
  });
  const { columns } = read(encodeTicks(new Stamps(rows), writing()), theirs);
  assertEquals([columns.heartbeats[1], columns.agesMs[1]], [rows[1]!.heartbeat, 0]);
});

Deno.test("ticks of a cluster of 10,000 take 0.18 letters a member, in an answer 0.1, and never more than 0.45", () => {
  const dice = new Dice("size");
  // Of a hundred members so many are that many ticks behind, and so many that much later than a caller told.
  const behind = [5, 71, 23, 1].flatMap((count, ticks) => Array<number>(count).fill(ticks));
  const later = [87, 13].flatMap((count, ticks) => Array<number>(count).fill(ticks));
  const rows = Array.from({ length: 10_000 }, (_, i) => tickedRow(i, 1_000 * dice.pick(behind)));
  const { text, exact } = encodeTicks(new Stamps(rows), writing());
  assertLess(text.length, 1_800);
  assertEquals(exact, "");
  const heartbeats = rows.map(({ heartbeat }) => heartbeat - dice.pick(later) * UNIT_MS);
  const knows = { heartbeats, agesMs: rows.map(() => 0) };
  assertLess(encodeTicks(new Stamps(rows), writing(), knows).text.length, 1_000);
  // By their clocks all are behind by another number: nothing is gained, and nothing lost.
  const apart = rows.map((row) => ({
    ...row,
    heartbeat: row.heartbeat - 60_000 * dice.whole(0, 59) - 1_000 * dice.whole(0, 59),
  }));
  assertLess(encodeTicks(new Stamps(apart), writing()).text.length, 4_100);
});

Deno.test("invariant 7: decodeTicks() never throws, and gives nothing out of range", () => {
  const rows = Array.from({ length: 12 }, (_, i) => tickedRow(i, 100 * i));
  const good = encodeTicks(new Stamps(rows), writing());
  const fcText = fc.oneof(
    fc.string({ maxLength: 40 }),
    fc.constant(good.text),
    fc.string({ minLength: 10, maxLength: 10, unit: fc.constantFrom(..."#~$%A") }),
  );
  const fcOf = fc.constantFrom("all" as const, "some" as const);
  const fcSaid = fc.constantFrom(0, 100, rows[0]!.heartbeat, 253_402_300_799_900);
  fc.assert(
    fc.property(fcText, fcText, fcOf, fcSaid, (text, exact, of, heartbeat) => {
      const said = new Float64Array(12).fill(heartbeat);
      const { columns } = decodeTicks({ ...good, text, exact, of }, new Stamps(rows), {
        from: SENDER,
        nowMs: NOW_MS,
        said,
      });
      for (const [i, heartbeat] of columns?.heartbeats.entries() ?? []) {
        assert(Number.isInteger(heartbeat) && heartbeat >= 0 && heartbeat <= 253_402_300_799_900);
        const ageMs = columns!.agesMs[i]!;
        assert(ageMs === -1 || ageMs >= 0);
      }
      assert((columns?.heartbeats.length ?? 0) <= MEMBERS_MAX);
    }),
    { numRuns: 500 },
  );
});
