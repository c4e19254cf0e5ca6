import { assertEquals, assertLess } from "@std/assert";
import { Forms } from "../lib/forms.ts";
import type { Row } from "../lib/table.ts";
import type { Message } from "../lib/wire.ts";
import { Stage } from "./sim/stage.ts";

const NEWS_MS = 8_000;
const UNIT_MS = 1_000;

const READ = { columns: undefined, unread: false };
const COLUMNS = { heartbeats: [], agesMs: [] };

function message(more: Partial<Message>): Message {
  return { roster: "0".repeat(16), dropped: 0, ...more };
}

function rowOf(i: number, more: Partial<Row> = {}): Row {
  const id = `n${String(i).padStart(2, "0")}`;
  return {
    id,
    address: "",
    boot: "00000001",
    left: "",
    heartbeat: 5_000,
    heardAtMs: 1_000,
    ...more,
  };
}

Deno.test("ticks go to whoever said that it reads them, until it sends columns and does not say so: an older program", () => {
  const forms = new Forms({ newsMs: NEWS_MS });
  assertEquals([forms.next("n1"), forms.next(undefined)], ["columns", "columns"]);
  forms.heard("n1", message({ unitMs: UNIT_MS, columns: COLUMNS }), { read: READ, nowMs: 0 });
  assertEquals([forms.next("n1"), forms.next("n2")], ["ticks", "columns"]);
  // All rows, or a joiner's question, say nothing of columns.
  forms.heard("n1", message({ rows: [] }), { read: READ, nowMs: 0 });
  assertEquals(forms.next("n1"), "ticks");
  forms.heard("n1", message({ columns: COLUMNS }), { read: READ, nowMs: 0 });
  assertEquals(forms.next("n1"), "columns");
});

Deno.test("where a check failed, at either end, the next message is columns, once", () => {
  for (const [unread, read] of [[true, READ], [false, { ...READ, unread: true }]] as const) {
    const forms = new Forms({ newsMs: NEWS_MS });
    forms.heard("n1", message({ unitMs: UNIT_MS, unread }), { read, nowMs: 0 });
    assertEquals([forms.next("n1"), forms.next("n1")], ["columns", "ticks"], `${unread}`);
  }
});

Deno.test("who reads ticks is told as bits in roster order, while it is news, and is known to whoever reads that", () => {
  const roster = Array.from({ length: 20 }, (_, i) => rowOf(i));
  const readers = [0, 5, 6, 7, 19];
  const told = new Forms({ newsMs: NEWS_MS });
  for (const i of readers) {
    told.heard(roster[i]!.id, message({ unitMs: UNIT_MS }), { read: READ, nowMs: 100 });
  }
  const text = told.toSend(roster, 100 + NEWS_MS - 1)!;
  assertEquals([text.length, told.toSend(roster, 100 + NEWS_MS)], [4, undefined]);
  const forms = new Forms({ newsMs: NEWS_MS });
  forms.take(text, roster, 0);
  const found = roster.flatMap(({ id }, i) => forms.next(id) === "ticks" ? [i] : []);
  assertEquals(found, readers);
  assertEquals(forms.toSend(roster, 1), text, "it passes that on");
  forms.take("\\" + "x".repeat(100), roster, 0);
});

Deno.test("a member whose clock is not the one known, by 0.3 units or more, is told exactly while that is news", () => {
  for (
    const [offMs, isExact] of [[-301, true], [-299, false], [299, false], [301, true]] as const
  ) {
    const forms = new Forms({ newsMs: NEWS_MS });
    const row = rowOf(1);
    // At 3 s its clock shows 7 s.
    forms.dates(row, { heartbeat: 6_000, ageMs: 1_000 + offMs }, { nowMs: 3_000, unitMs: UNIT_MS });
    assertEquals(forms.moved(3_000 + NEWS_MS - 1), isExact ? ["n01"] : [], `${offMs}`);
    assertEquals(forms.moved(3_000 + NEWS_MS), []);
  }
  const forms = new Forms({ newsMs: NEWS_MS });
  forms.dates(rowOf(1), { heartbeat: 5_000, ageMs: 90_000 }, { nowMs: 3_000, unitMs: UNIT_MS });
  forms.dates(rowOf(1, { heartbeat: 0 }), { heartbeat: 9_000, ageMs: 0 }, {
    nowMs: 3_000,
    unitMs: UNIT_MS,
  });
  assertEquals(
    forms.moved(3_000),
    [],
    "an old heartbeat, and a first one, tell no new clock",
  );
});

Deno.test("in a cluster of many all speak ticks, and a clock that is set is known to all within five rounds", () => {
  for (const byMs of [400, 3_000, 50_000]) {
    const stage = new Stage({ nodes: 24, fineMembersMax: 8 });
    stage.run(10_000);
    const nodes = stage.world.up();
    const set = stage.node("n7");
    for (const { id, gossip } of nodes) {
      for (const other of nodes) {
        if (other.id !== id) assertEquals(gossip.replica.forms.next(other.id), "ticks", id);
      }
    }
    set.stepWall(byMs);
    stage.run(5_000);
    // What its clock shows now, by the row that each of the others has.
    const clocksMs = nodes.filter((node) => node !== set).map(({ gossip, clock }) => {
      const { heartbeat, heardAtMs } = gossip.replica.table.get("n7")!;
      return heartbeat - heardAtMs + clock.monotonicMs(stage.world.nowMs);
    });
    const { wallMs } = set.clock.moment(stage.world.nowMs);
    for (const clockMs of clocksMs) {
      assertLess(Math.abs(clockMs - wallMs), 400, `set by ${byMs} ms`);
    }
  }
});
