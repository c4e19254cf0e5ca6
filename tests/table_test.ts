import { assert, assertEquals } from "@std/assert";
import { takeAbout } from "../lib/about.ts";
import { AGE_MAX_MS } from "../lib/limits.ts";
import { ageOf, type Report, statusByAge, Table } from "../lib/table.ts";
import { copyOf } from "./support/rows.ts";

const NOW_MS = 100_000;
const DEAD_AFTER_MS = 5_000;

function report(id: string, parts: Partial<Report> = {}): Report {
  return {
    id,
    address: `${id}:80`,
    boot: "00000001",
    heartbeat: 1_000,
    ageMs: 0,
    left: "",
    ...parts,
  };
}

/** A table into which these were merged, in this order. */
function tableOf(...reports: Report[]): Table {
  const table = new Table();
  for (const each of reports) table.merge(each, NOW_MS);
  return table;
}

Deno.test("merge() adds a member, dated by its age", () => {
  const table = new Table();
  assertEquals(table.merge(report("n1", { ageMs: 300 }), NOW_MS), "changed");
  assertEquals(copyOf(table.get("n1")!), {
    id: "n1",
    address: "n1:80",
    boot: "00000001",
    heartbeat: 1_000,
    left: "",
    about: undefined,
    heardAtMs: NOW_MS - 300,
  });
});

Deno.test("merge() takes a later heartbeat, and dates the row by it", () => {
  const table = tableOf(report("n1"));
  assertEquals(table.merge(report("n1", { heartbeat: 1_100, ageMs: 50 }), NOW_MS + 500), "fresher");
  const { heartbeat, heardAtMs } = table.get("n1")!;
  assertEquals([heartbeat, heardAtMs], [1_100, NOW_MS + 450]);
});

Deno.test("invariant 2: merge() and refresh() never take an earlier heartbeat, whatever comes with it", () => {
  const table = tableOf(report("n1"));
  const before = copyOf(table.get("n1")!);
  const about = takeAbout({ failing: "x" })!;
  for (
    const parts of [{}, { about }, { address: "z:1" }, { boot: "ffffffff" }, { left: "SIGTERM" }, {
      boot: "",
    }]
  ) {
    assertEquals(table.merge(report("n1", { heartbeat: 900, ...parts }), NOW_MS + 9), "same");
  }
  assertEquals(table.refresh(table.get("n1")!, 900, NOW_MS + 9), "same");
  assertEquals(copyOf(table.get("n1")!), before);
});

Deno.test("merge() keeps the greatest age reported of one heartbeat, from whatever address", () => {
  const table = tableOf(report("n1", { ageMs: 300 }));
  for (
    const [parts, heardAtMs] of [
      [{ ageMs: 100 }, NOW_MS - 300],
      [{ ageMs: 400 }, NOW_MS - 400],
      [{ ageMs: 500, address: "a:1" }, NOW_MS - 500],
    ] as const
  ) {
    assertEquals(table.merge(report("n1", parts), NOW_MS), "same");
    assertEquals(table.get("n1")!.heardAtMs, heardAtMs);
  }
});

Deno.test("merge() of equal heartbeats takes the greater boot, then the greater address, then left, then the words", () => {
  const greater = [
    [{ boot: "00000001" }, { boot: "00000002" }],
    [{ boot: "" }, { boot: "00000001" }],
    [{ address: "a:80" }, { address: "b:80" }],
    [{ address: "" }, { address: "a:80" }],
    [{ left: "" }, { left: "SIGTERM" }],
    [{ about: undefined }, { about: takeAbout({ tags: { a: "1" } })! }],
    [{ boot: "00000001", address: "z:1" }, { boot: "00000002", address: "a:1" }],
  ] as const;
  for (const [less, more] of greater) {
    for (
      const table of [
        tableOf(report("n1", less), report("n1", more)),
        tableOf(report("n1", more), report("n1", less)),
      ]
    ) {
      const { id: _, heardAtMs: __, ...row } = copyOf(table.get("n1")!);
      assertEquals(row, {
        boot: "00000001",
        address: "n1:80",
        heartbeat: 1_000,
        left: "",
        about: undefined,
        ...more,
      });
    }
  }
});

Deno.test("a member that left is back with its next heartbeat", () => {
  const table = tableOf(report("n1", { left: "SIGTERM" }));
  assertEquals(table.merge(report("n1", { heartbeat: 1_100 }), NOW_MS), "changed");
  assertEquals(statusByAge(table.get("n1")!, NOW_MS, DEAD_AFTER_MS), "live");
});

Deno.test("merge() dates no heartbeat in the future, nor further back than ages reach", () => {
  assertEquals(tableOf(report("n1", { ageMs: -500 })).get("n1")!.heardAtMs, NOW_MS);
  const table = tableOf(report("n1", { ageMs: Number.MAX_VALUE }));
  assertEquals(table.get("n1")!.heardAtMs, NOW_MS - AGE_MAX_MS);
});

Deno.test("invariant 3: a tombstone outlives every report of its ID", () => {
  const table = tableOf(report("n1"));
  assertEquals(table.bury("n1", "n2"), "changed");
  assertEquals(table.merge(report("n1", { heartbeat: 9_000, boot: "ffffffff" }), NOW_MS), "same");
  assertEquals(table.get("n1"), undefined);
  assertEquals(table.roster(), []);
  assertEquals(table.tombstone("n1"), {
    id: "n1",
    by: "n2",
    address: "n1:80",
    heartbeat: 1_000,
    heardAtMs: NOW_MS,
  });
});

Deno.test("bury() takes an ID that nobody has heard of", () => {
  const table = new Table();
  assertEquals(table.bury("n1", "n2"), "changed");
  assertEquals(table.merge(report("n1"), NOW_MS), "same");
  assertEquals(table.tombstone("n1")!.heartbeat, 0);
});

Deno.test("bury() twice keeps the greater of those who were asked, in either order", () => {
  for (const [first, second] of [["a", "b"], ["b", "a"], ["", "b"], ["b", ""]] as const) {
    const table = new Table();
    assertEquals([table.bury("n1", first), table.bury("n1", second)], ["changed", "same"]);
    assertEquals(table.tombstone("n1")!.by, "b");
  }
});

Deno.test("rosterHash is equal for equal rosters, in whatever order they came to be", () => {
  const one = tableOf(report("n1"), report("n2"), report("n3", { heartbeat: 0 }));
  const other = tableOf(
    report("n3", { heartbeat: 0 }),
    report("n2", { address: "old:1", heartbeat: 900 }),
    report("n1", { heartbeat: 500 }),
    report("n2"),
    report("n1", { heartbeat: 7_000 }),
  );
  assertEquals(one.rosterHash, other.rosterHash);
});

Deno.test("rosterHash differs with every part of a row but the heartbeat, and with every row", () => {
  const hashes = [
    tableOf(),
    tableOf(report("n1")),
    tableOf(report("n2", { address: "n1:80" })),
    tableOf(report("n1", { address: "n2:80" })),
    tableOf(report("n1", { boot: "00000002" })),
    tableOf(report("n1", { left: "SIGTERM" })),
    tableOf(report("n1", { heartbeat: 0 })),
    tableOf(report("n1"), report("n2")),
  ].map((table) => table.rosterHash);
  assertEquals(new Set(hashes).size, hashes.length, hashes.join(" "));
  assertEquals(tableOf(report("n1", { heartbeat: 5_000 })).rosterHash, hashes[1]);
});

Deno.test("bury() changes the roster's hash, alike for a member that was known and one that was not", () => {
  const table = tableOf(report("n1"));
  const before = table.rosterHash;
  table.bury("n1", "n2");
  assert(table.rosterHash !== before);
  assert(table.rosterHash !== new Table().rosterHash);
  const other = new Table();
  other.bury("n1", "n9");
  assertEquals(table.rosterHash, other.rosterHash);
});

Deno.test("version grows with every change of the roster or the tombstones, and with nothing else", () => {
  const table = new Table();
  const grows = (change: () => unknown): boolean => {
    const before = table.version;
    change();
    return table.version > before;
  };
  assert(grows(() => table.merge(report("n1"), NOW_MS)));
  assert(!grows(() => table.merge(report("n1", { heartbeat: 2_000 }), NOW_MS)));
  assert(grows(() => table.merge(report("n1", { heartbeat: 3_000, address: "b:1" }), NOW_MS)));
  assert(grows(() => table.bury("n1", "n2")));
  assert(!grows(() => table.bury("n1", "n3")));
  assert(!grows(() => table.merge(report("n1"), NOW_MS)));
});

Deno.test("roster() is sorted by ID, the order that columns travel in", () => {
  const table = tableOf(...["b", "B", "a", "10", "9", "a.b", "-"].map((id) => report(id)));
  const ids = () => table.roster().map((row) => row.id);
  assertEquals(ids(), ["-", "10", "9", "B", "a", "a.b", "b"]);
  table.bury("B", "n1");
  table.merge(report("C"), NOW_MS);
  assertEquals(ids(), ["-", "10", "9", "C", "a", "a.b", "b"]);
});

Deno.test("invariant 7: a full table refuses new members and keeps those it has", () => {
  const table = new Table({ members: 2, tombstones: 1 });
  for (const id of ["n1", "n2"]) assertEquals(table.merge(report(id), NOW_MS), "changed");
  assertEquals(table.merge(report("n3"), NOW_MS), "full");
  assertEquals(table.merge(report("n1", { heartbeat: 2_000 }), NOW_MS), "fresher");
  assertEquals(table.bury("n1", "n2"), "changed");
  assertEquals(table.merge(report("n3"), NOW_MS), "changed");
  assertEquals(table.roster().map((row) => row.id), ["n2", "n3"]);
});

Deno.test("invariant 7: a full list of tombstones refuses another and drops none", () => {
  const table = new Table({ members: 2, tombstones: 1 });
  table.merge(report("n2"), NOW_MS);
  assertEquals(table.bury("n1", "x"), "changed");
  assertEquals(table.bury("n2", "x"), "full");
  assertEquals(table.bury("n1", "x"), "same");
  assertEquals([...table.tombstones()].map(({ id }) => id), ["n1"]);
  assert(table.get("n2") !== undefined);
});

Deno.test("status: left before unknown before live, live up to dead-after, then dead", () => {
  const status = (parts: Partial<Report>) =>
    statusByAge(tableOf(report("n1", parts)).get("n1")!, NOW_MS, DEAD_AFTER_MS);
  assertEquals(status({ ageMs: 0 }), "live");
  assertEquals(status({ ageMs: DEAD_AFTER_MS }), "live");
  assertEquals(status({ ageMs: DEAD_AFTER_MS + 1 }), "dead");
  assertEquals(status({ heartbeat: 0 }), "unknown");
  assertEquals(status({ left: "SIGTERM", ageMs: DEAD_AFTER_MS + 1 }), "left");
});

Deno.test("ageOf() is the time since the heartbeat, and never negative", () => {
  assertEquals(ageOf({ heardAtMs: 100 }, 350), 250);
  assertEquals(ageOf({ heardAtMs: 100 }, 99), 0);
});
