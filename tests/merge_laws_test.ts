/**
 * The algebra of the table: a join of a lattice. By complete enumeration of small cases, and by properties of large ones.
 */
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { takeAbout } from "../lib/about.ts";
import { type Charge, Charges, WITNESSES_MAX } from "../lib/charges.ts";
import { ageOf, type Report, type Row, Table } from "../lib/table.ts";
import { copyOf } from "./support/rows.ts";

const NOW_MS = 1_000_000;

const SAID = takeAbout({ tags: { role: "web" } })!;

/** One thing a table may be told. */
type Fact = { readonly report: Report } | { readonly bury: string; readonly by: string };

function tell(table: Table, fact: Fact): void {
  if ("report" in fact) table.merge(fact.report, NOW_MS);
  else table.bury(fact.bury, fact.by);
}

function tableOf(facts: Iterable<Fact>): Table {
  const table = new Table();
  for (const fact of facts) tell(table, fact);
  return table;
}

/** All that tables have to agree on, as text. What a tombstone remembers of its member is not part of it. */
function stateOf(table: Table): string {
  const rows = table.roster().map(({ id, address, boot, heartbeat, left, about, heardAtMs }) =>
    `${id} ${address} ${boot} ${heartbeat} ${left} ${about?.text} ${heardAtMs}`
  );
  const tombstones = [...table.tombstones()].map(({ id, by }) => `${id} by ${by}`).sort();
  return [...rows, ...tombstones, table.rosterHash].join("\n");
}

/** All that `table` knows, as a full exchange tells it. */
function factsOf(table: Table): Fact[] {
  const reports = table.roster().map((row) => ({
    report: { ...copyOf(row), ageMs: ageOf(row, NOW_MS) },
  }));
  return [...reports, ...[...table.tombstones()].map(({ id, by }) => ({ bury: id, by }))];
}

/** The join of tables: the first, with all that the others know. */
function join(...tables: Table[]): Table {
  return tableOf(tables.flatMap(factsOf));
}

function orders<T>(list: readonly T[]): T[][] {
  if (list.length <= 1) return [[...list]];
  return list.flatMap((first, i) =>
    orders([...list.slice(0, i), ...list.slice(i + 1)]).map((rest) => [first, ...rest])
  );
}

/** Every fact there is about one member, where each part has two or three values. */
function allFacts(): Fact[] {
  const facts: Fact[] = [{ bury: "m", by: "" }, { bury: "m", by: "n1" }, { bury: "m", by: "n2" }];
  for (const heartbeat of [0, 100, 200]) {
    for (const boot of ["", "0000000a"]) {
      for (const address of ["", "a:1"]) {
        for (const left of ["", "SIGTERM"]) {
          for (const ageMs of [0, 700]) {
            facts.push({ report: { id: "m", address, boot, heartbeat, ageMs, left } });
            if (boot === "") continue;
            facts.push({ report: { id: "m", address, boot, heartbeat, ageMs, left, about: SAID } });
          }
        }
      }
    }
  }
  return facts;
}

Deno.test("invariant 1: merging is commutative and associative: any three facts, in every order, make one table", () => {
  const facts = allFacts();
  let tables = 0;
  for (const [i, a] of facts.entries()) {
    for (const [j, b] of facts.entries()) {
      if (j < i) continue;
      for (const c of facts.slice(j)) {
        const states = new Set(orders([a, b, c]).map((order) => stateOf(tableOf(order))));
        assertEquals(states.size, 1, JSON.stringify([a, b, c]));
        tables++;
      }
    }
  }
  assertEquals(tables, facts.length * (facts.length + 1) * (facts.length + 2) / 6);
});

Deno.test("invariant 1: merging is idempotent: any two facts, told again at any point, change nothing", () => {
  const facts = allFacts();
  for (const a of facts) {
    for (const b of facts) {
      const once = stateOf(tableOf([a, b]));
      for (const again of [[a, a, b], [a, b, a], [a, b, b], [b, a, b], [a, b, a, b, a]]) {
        assertEquals(stateOf(tableOf(again)), once, JSON.stringify(again));
      }
    }
  }
});

/** Facts about few members with few values, so that they conflict often. */
const fcFact: fc.Arbitrary<Fact> = fc.oneof(
  {
    weight: 9,
    arbitrary: fc.record({
      report: fc.record({
        id: fc.constantFrom("m1", "m2", "m3", "m4", "m5"),
        address: fc.constantFrom("", "a:1", "b:1"),
        boot: fc.constantFrom("", "0000000a", "0000000b"),
        heartbeat: fc.nat({ max: 6 }).map((steps) => steps * 100),
        ageMs: fc.nat({ max: 5_000 }),
        left: fc.constantFrom("", "", "SIGINT", "SIGTERM"),
        about: fc.constantFrom(undefined, SAID, takeAbout({ failing: "x" })!),
      }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      bury: fc.constantFrom("m1", "m2", "m6"),
      by: fc.constantFrom("", "n1", "n2"),
    }),
  },
);
const fcFacts = fc.array(fcFact, { maxLength: 60 });
const fcTable = fcFacts.map(tableOf);

Deno.test("invariant 1: facts lost to nobody make one table, however shuffled and repeated", () => {
  fc.assert(fc.property(
    fcFacts.chain((facts) =>
      fc.tuple(
        fc.constant(facts),
        fc.shuffledSubarray([...facts, ...facts], { minLength: facts.length * 2 }),
      )
    ),
    ([facts, shuffled]) => assertEquals(stateOf(tableOf(shuffled)), stateOf(tableOf(facts))),
  ));
});

Deno.test("invariant 1: the join of tables is commutative, associative and idempotent", () => {
  fc.assert(fc.property(fcTable, fcTable, fcTable, (a, b, c) => {
    assertEquals(stateOf(join(a, b)), stateOf(join(b, a)));
    assertEquals(stateOf(join(join(a, b), c)), stateOf(join(a, join(b, c))));
    assertEquals(stateOf(join(a, a)), stateOf(a));
    assertEquals(stateOf(join(a, join(a, b))), stateOf(join(a, b)));
  }));
});

Deno.test("invariants 2 and 3: a join never takes a heartbeat back, nor a tombstone", () => {
  fc.assert(fc.property(fcTable, fcFacts, (table, facts) => {
    const before = join(table);
    for (const fact of facts) tell(table, fact);
    for (const row of before.roster()) {
      const after = table.get(row.id);
      if (after === undefined) assertEquals(table.tombstone(row.id)?.id, row.id);
      else assertEquals(Math.max(after.heartbeat, row.heartbeat), after.heartbeat);
    }
    for (const { id } of before.tombstones()) {
      assertEquals([table.tombstone(id)?.id, table.get(id)], [id, undefined]);
    }
  }));
});

Deno.test("rosterHash is equal just where rosters and tombstones are", () => {
  const rosterOf = (table: Table) =>
    [
      ...table.roster().map((row) =>
        `${row.id} ${row.address} ${row.boot} ${row.left} ${row.heartbeat > 0} ${row.about?.text}`
      ),
      ...[...table.tombstones()].map(({ id }) => `${id} buried`).sort(),
    ].join("\n");
  fc.assert(fc.property(fcTable, fcTable, (a, b) => {
    assertEquals(a.rosterHash === b.rosterHash, rosterOf(a) === rosterOf(b));
    assertEquals(join(a, b).rosterHash, join(b, a).rosterHash);
  }));
});

function rowAt(heartbeat: number): Row {
  const [id, address, boot] = ["m", "m:1", "0000000a"];
  return { id, address, boot, heartbeat, left: "", heardAtMs: NOW_MS - 1_000 };
}

const fcCharge: fc.Arbitrary<Charge> = fc.record({
  member: fc.constant("m"),
  witness: fc.nat({ max: WITNESSES_MAX - 1 }).map((i) => `n${i}`),
  upTo: fc.nat({ max: 20 }).map((steps) => steps * 100),
});

Deno.test("invariant 1: charges join: in any order, doubled or replayed, the same witnesses stand", () => {
  fc.assert(fc.property(
    fc.array(fcCharge, { maxLength: 30 }).chain((list) =>
      fc.tuple(
        fc.constant(list),
        fc.shuffledSubarray([...list, ...list], { minLength: list.length * 2 }),
      )
    ),
    fc.nat({ max: 10 }),
    ([list, shuffled], steps) => {
      const row = rowAt(steps * 100);
      const standing = (charges: readonly Charge[]) => {
        const joined = new Charges();
        for (const charge of charges) joined.add(charge, row, NOW_MS);
        return [...joined.list()].map(({ witness, upTo }) => `${witness} up to ${upTo}`).sort();
      };
      assertEquals(standing(shuffled), standing(list));
    },
  ));
});

Deno.test("charges and a restarted member's heartbeats leave the same witnesses, in any order", () => {
  type Event = Charge | { readonly heartbeat: number };
  const fcHeartbeat = fc.record({ heartbeat: fc.nat({ max: 20 }).map((steps) => steps * 100) });
  fc.assert(fc.property(
    fc.array(fc.oneof(fcCharge, fcHeartbeat), { maxLength: 20 }).chain((list) =>
      fc.tuple(
        fc.constant<Event[]>(list),
        fc.shuffledSubarray<Event>(list, { minLength: list.length }),
      )
    ),
    ([list, shuffled]) => {
      const witnesses = (events: readonly Event[]) => {
        const charges = new Charges();
        let row = rowAt(0);
        for (const event of events) {
          if ("witness" in event) charges.add(event, row, NOW_MS);
          else if (event.heartbeat > row.heartbeat) {
            row = rowAt(event.heartbeat);
            charges.answer(row, { restarted: true, direct: false }, NOW_MS);
          }
        }
        return charges.witnesses(row).sort();
      };
      assertEquals(witnesses(shuffled), witnesses(list));
    },
  ));
});
