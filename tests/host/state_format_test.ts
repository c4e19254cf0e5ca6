import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Gossip } from "../../lib/gossip.ts";
import type { StatusChange } from "../../lib/verdicts.ts";
import {
  decodeSaved,
  encodeSaved,
  restore,
  type Saved,
  SAVED_ADDRESSES_MAX,
  SAVED_MEMBERS_MAX,
  snapshot,
  STATE_LENGTH_MAX,
} from "../../lib/host/state_format.ts";
import { decodeTold, toldBefore } from "../../lib/host/state_told.ts";
import { SetHash } from "../../lib/hash.ts";
import { HEARTBEAT_MAX_MS, TOMBSTONES_MAX } from "../../lib/limits.ts";
import { TOLD_MAX } from "../../lib/told.ts";

const TOLD: Saved["told"][number] = {
  told: {
    hook: "pager",
    id: "n2",
    boot: "00000002",
    to: "dead",
    heartbeat: 200,
    step: 0,
    by: "n1",
    together: 1,
    result: "200",
  },
  toldAtMs: 1_000_000,
};

const SAVED: Saved = {
  id: "n1",
  cluster: "default",
  heartbeat: 1_700_000_000_100,
  addresses: ["n2:8080", "[::1]:8081"],
  members: [
    { id: "n2", address: "n2:8080", boot: "00000002", heartbeat: 200, heardAtMs: 1_000_000 },
    { id: "go2", address: "", boot: "", heartbeat: 100, heardAtMs: -5 },
  ],
  tombstones: [{ id: "n3", by: "n1" }, { id: "go", by: "" }],
  told: [TOLD],
};

/** What gossiper 1.0 wrote, which knew no members. */
const OLD_TEXT = `{
 "format": "gossiper state",
 "version": 1,
 "id": "n1",
 "cluster": "default",
 "heartbeat": 1700000000100,
 "addresses": [
  "n2:8080",
  "[::1]:8081"
 ],
 "tombstones": [
  [
   "n3",
   "n1"
  ],
  [
   "go",
   ""
  ]
 ],
 "check": "38b57a2642e298d5"
}
`;

function gossip(id = "n1", seeds: string[] = []): Gossip {
  const times = { intervalMs: 1_000, deadAfterMs: 5_000 };
  const options = { id, address: `${id}:1`, boot: "00000001", seeds, ...times, random: () => 0.5 };
  return new Gossip(options, { monotonicMs: 0, wallMs: 1_000_000 });
}

/** A state file's text with the checksum that its body has. */
function sealed(text: string): string {
  const { check: _, ...body } = JSON.parse(text);
  const hash = new SetHash();
  hash.toggle(JSON.stringify(body));
  return JSON.stringify({ ...body, check: hash.toString() });
}

function errorOf(text: string): string {
  const saved = decodeSaved(text);
  assert("error" in saved, `it was taken: ${text.slice(0, 300)}`);
  return saved.error;
}

Deno.test("decodeSaved() reads what encodeSaved() wrote", () => {
  assertEquals(decodeSaved(encodeSaved(SAVED)), SAVED);
  const empty = { ...SAVED, heartbeat: 0, addresses: [], members: [], tombstones: [] };
  assertEquals(decodeSaved(encodeSaved(empty)), empty);
});

Deno.test("decodeSaved() reads a file of gossiper 1.0, and writes one that it can read: the version is the same", () => {
  assertEquals(decodeSaved(OLD_TEXT), { ...SAVED, members: [], told: [] });
  assertEquals(JSON.parse(encodeSaved(SAVED)).version, JSON.parse(OLD_TEXT).version);
});

Deno.test("encodeSaved() writes each entry on a line of its own", () => {
  const text = encodeSaved(SAVED);
  assertStringIncludes(text, '\n  ["n2","n2:8080","00000002",200,1000000],\n');
  assertStringIncludes(text, '\n  "n2:8080",\n');
  assertEquals(
    Object.keys(JSON.parse(encodeSaved({ ...SAVED, told: [] }))).includes("told"),
    false,
  );
});

Deno.test("decodeSaved() reads a file whose line ends or spaces were changed by an editor", () => {
  assertEquals(decodeSaved(encodeSaved(SAVED).replaceAll("\n", "\r\n")), SAVED);
  assertEquals(decodeSaved(JSON.stringify(JSON.parse(encodeSaved(SAVED)))), SAVED);
});

Deno.test("decodeSaved() notices a cut at any place, and any changed character", () => {
  const text = encodeSaved(SAVED);
  const end = text.trimEnd().length;
  for (let i = 0; i < end; i++) {
    errorOf(text.slice(0, i));
    const other = text[i] === "1" ? "2" : "1";
    const changed = decodeSaved(text.slice(0, i) + other + text.slice(i + 1));
    assert("error" in changed || /\s/.test(text[i]!), `character ${i} of ${text}`);
  }
});

Deno.test("decodeSaved() names what is wrong", () => {
  assertEquals(errorOf(""), "is empty");
  assertEquals(errorOf("\n \n"), "is empty");
  for (
    const foreign of ["null", "[]", "1", "{}", "PK\u0003\u0004", '{"format":"other"}', "\0\0\0\0"]
  ) {
    assertEquals(errorOf(foreign), "is not a state file of gossiper", foreign);
  }
  assertEquals(errorOf(encodeSaved(SAVED).slice(0, 80)), "is damaged");
  assertEquals(errorOf(encodeSaved(SAVED).replace("n2:8080", "n4:8080")), "is damaged");
  assertEquals(
    errorOf(encodeSaved(SAVED).replace('"version": 1', '"version": 2')),
    "was written by a newer gossiper",
  );
  assertEquals(errorOf("x".repeat(STATE_LENGTH_MAX + 1)), "is too long for one");
});

Deno.test("decodeSaved() refuses values that no node would write, even with a correct checksum", () => {
  const wrong: Record<string, unknown>[] = [
    { id: "" },
    { id: "<b>" },
    { cluster: "a b" },
    { heartbeat: -1 },
    { heartbeat: 1e300 },
    { addresses: ["n2"] },
    { addresses: ["N2:8080"] },
    { addresses: Array.from({ length: SAVED_ADDRESSES_MAX + 1 }, (_, i) => `n${i}:1`) },
    { members: [{ ...SAVED.members[0], id: "<b>" }] },
    { members: [{ ...SAVED.members[0], address: "nowhere" }] },
    { members: [{ ...SAVED.members[0], boot: "x" }] },
    { members: [{ ...SAVED.members[0], heartbeat: 0 }] },
    { members: [{ ...SAVED.members[0], heartbeat: 150 }] },
    { members: [{ ...SAVED.members[0], heardAtMs: 1e300 }] },
    { members: new Array(SAVED_MEMBERS_MAX + 1).fill(SAVED.members[0]) },
    { tombstones: [{ id: "", by: "" }] },
    { tombstones: [{ id: "a", by: "<b>" }] },
    { tombstones: new Array(TOMBSTONES_MAX + 1).fill({ id: "a", by: "" }) },
  ];
  for (const fields of wrong) {
    assertEquals(errorOf(encodeSaved({ ...SAVED, ...fields } as Saved)), "is damaged");
  }
  // An entry that is no list, or of another length.
  const member = '["n2","n2:8080","00000002",200,1000000]';
  assertEquals(decodeSaved(sealed(encodeSaved(SAVED))), SAVED);
  for (const other of ['"n2"', "null", "5", "{}", "[]", member.replace("]", ",1]")]) {
    assertEquals(errorOf(sealed(encodeSaved(SAVED).replace(member, other))), "is damaged", other);
  }
});

Deno.test("invariant 7: a full state file is within its bound", () => {
  const id = (i: number) => String(i).padStart(64, "x");
  const tombstones = Array.from({ length: TOMBSTONES_MAX }, (_, i) => ({ id: id(i), by: id(i) }));
  const addresses = Array.from(
    { length: SAVED_ADDRESSES_MAX },
    (_, i) => `${String(i).padStart(249, "x")}:65535`,
  );
  const members = Array.from({ length: SAVED_MEMBERS_MAX }, (_, i) => ({
    id: id(i),
    address: `${String(i).padStart(249, "x")}:65535`,
    boot: "00000000",
    heartbeat: HEARTBEAT_MAX_MS,
    heardAtMs: HEARTBEAT_MAX_MS,
  }));
  const told = Array.from({ length: TOLD_MAX }, (_, i) => ({
    told: { ...TOLD.told, hook: id(0), id: id(i), by: id(i), heartbeat: HEARTBEAT_MAX_MS },
    toldAtMs: HEARTBEAT_MAX_MS,
  }));
  const full = { ...SAVED, id: id(0), cluster: id(1), members, tombstones, addresses, told };
  assert(!("error" in decodeSaved(encodeSaved(full))));
});

Deno.test("snapshot() puts live members first, then the last heard, then contacts without an answer", () => {
  const node = gossip("n1", ["seed:1", "n2:1"]);
  const report = { boot: "00000002", left: "" };
  const { table } = node.replica;
  table.merge({ id: "old", address: "old:1", heartbeat: 100, ageMs: 90_000, ...report }, 0);
  table.merge({ id: "older", address: "older:1", heartbeat: 90, ageMs: 99_000, ...report }, 0);
  table.merge({ id: "n2", address: "n2:1", heartbeat: 80, ageMs: 0, ...report }, 0);
  table.bury("n9", "n2");
  const of = { id: "n1", address: "n1:1", cluster: "c", wallMs: 2_000_000, random: () => 0.5 };
  assertEquals(snapshot(node, of), {
    id: "n1",
    cluster: "c",
    heartbeat: table.get("n1")?.heartbeat ?? 0,
    addresses: ["n2:1", "old:1", "older:1", "seed:1"],
    members: [
      { id: "n2", address: "n2:1", boot: "00000002", heartbeat: 80, heardAtMs: 2_000_000 },
      { id: "old", address: "old:1", boot: "00000002", heartbeat: 100, heardAtMs: 1_910_000 },
      { id: "older", address: "older:1", boot: "00000002", heartbeat: 90, heardAtMs: 1_901_000 },
    ],
    tombstones: [{ id: "n9", by: "n2" }],
    told: [],
  });
});

Deno.test("snapshot() keeps what hooks were told, and a node that starts with it knows it, by then older", () => {
  const told = { ...TOLD.told, ageMs: 5_000 };
  const options = { id: "n1", address: "n1:1", boot: "00000001", seeds: [], intervalMs: 1_000 };
  const node = new Gossip(
    { ...options, deadAfterMs: 5_000, random: () => 0.5, told: [told] },
    { monotonicMs: 0, wallMs: 1_000_000 },
  );
  const of = { id: "n1", address: "n1:1", cluster: "c", wallMs: 1_000_000, random: () => 0.5 };
  const saved = decodeSaved(encodeSaved(snapshot(node, of)));
  assert(!("error" in saved), JSON.stringify(saved));
  assertEquals(toldBefore(saved.told, 1_060_000), [{ ...told, ageMs: 65_000 }]);
  assertEquals(toldBefore(saved.told, 0), [{ ...told, ageMs: 0 }], "the clock was set back");
});

Deno.test("decodeSaved() leaves out what hooks were told in a form that it does not know", () => {
  const body = JSON.parse(encodeSaved(SAVED));
  const strange = [["x"], 7, [1, "a b", "n2"], [0.5, ...body.told[0].slice(1)]];
  for (const entry of strange) assertEquals(decodeTold(entry), undefined, JSON.stringify(entry));
  assertEquals(decodeTold(body.told[0]), TOLD);
});

Deno.test("restore() lets the same node go on from its last heartbeat, with all tombstones", () => {
  const node = gossip();
  restore(node, SAVED, { id: "n1", wallMs: 0 });
  assertEquals(node.replica.table.get("n1")?.heartbeat, SAVED.heartbeat + 100);
  assertEquals(
    Array.from(node.replica.table.tombstones(), ({ id, by }) => ({ id, by })),
    [...SAVED.tombstones],
  );
});

Deno.test("restore() does not touch the heartbeat of a node that takes another ID", () => {
  const node = gossip("n7");
  restore(node, SAVED, { id: "n7", wallMs: 0 });
  assertEquals(node.replica.table.get("n7")?.heartbeat, 1_000_000);
  assert(node.replica.table.tombstone("n3") !== undefined);
});

/** Runs `node`, which hears nobody, until `nowMs`. */
function runAlone(node: Gossip, nowMs: number): StatusChange[] {
  const changes: StatusChange[] = [];
  for (let ms = node.nowMs; ms <= nowMs; ms += 500) {
    const { effects } = node.wake({ monotonicMs: ms, wallMs: 1_000_000 + ms });
    changes.push(...effects.flatMap((effect) => effect.kind === "change" ? [effect.change] : []));
  }
  return changes;
}

Deno.test("restore() shows members of a former life that nobody tells of as dead, with their last heartbeat, and never as live", () => {
  const node = gossip();
  restore(node, SAVED, { id: "n1", wallMs: 1_000_000 });
  assertEquals(runAlone(node, 5_000).map(({ id }) => id), ["n1", "n3", "go"]);
  assertEquals(
    runAlone(node, 8_000).map(({ id, from, to, reason }) => [id, from, to, reason]),
    ["n2", "go2"].map((id) => [id, null, "dead", "no heartbeat since this node started"]),
  );
  const { id, address, boot, heartbeat } = node.replica.table.get("n2")!;
  assertEquals({ id, address, boot, heartbeat, heardAtMs: 1_000_000 }, SAVED.members[0]);
});

Deno.test("restore() takes neither this node's own row nor a decommissioned member from the members", () => {
  const node = gossip();
  const member = SAVED.members[0]!;
  const members = ["n1", "n3"].map((id) => ({ ...member, id, heartbeat: HEARTBEAT_MAX_MS }));
  restore(node, { ...SAVED, members }, { id: "n1", wallMs: 1_000_000 });
  runAlone(node, 8_000);
  assertEquals(node.replica.table.roster().map(({ id, boot }) => [id, boot]), [["n1", "00000001"]]);
});

Deno.test("restore() yields to whatever others tell of a member of a former life", () => {
  const node = gossip();
  restore(node, SAVED, { id: "n1", wallMs: 1_000_000 });
  const report = { ...SAVED.members[0]!, heartbeat: 300, ageMs: 0, left: "" };
  node.replica.table.merge(report, 4_000);
  runAlone(node, 8_000);
  const row = node.replica.table.get("n2");
  assertEquals([row?.heartbeat, row?.heardAtMs], [300, 4_000]);
});

Deno.test("invariant 8: restore() under a wrong wall clock changes no row of the table", () => {
  const rows = [-1e12, 0, 1e12].map((wallMs) => {
    const node = gossip();
    restore(node, SAVED, { id: "n1", wallMs });
    runAlone(node, 8_000);
    return node.replica.table.get("n2");
  });
  assertEquals(rows, [rows[1], rows[1], rows[1]]);
});

Deno.test("snapshot() keeps members of a former life, recalled or not, with the time at which they were heard", () => {
  const of = { id: "n1", address: "n1:1", cluster: "default", random: () => 0.5 };
  const node = gossip();
  restore(node, SAVED, { id: "n1", wallMs: 1_000_000 + 3_600_000 });
  const kept = () => {
    const wallMs = 1_000_000 + 3_600_000 + node.nowMs;
    return snapshot(node, { ...of, wallMs }).members;
  };
  assertEquals(kept(), [...SAVED.members]);
  runAlone(node, 8_000);
  assertEquals(kept(), [...SAVED.members]);
  node.replica.bury("n2", "n1", node.nowMs);
  assertEquals(kept().map(({ id }) => id), ["go2"]);
});

Deno.test("snapshot() keeps no former member that is decommissioned, and one that is heard again only as it is now", () => {
  const of = { id: "n1", address: "n1:1", cluster: "default", random: () => 0.5 };
  const node = gossip();
  restore(node, SAVED, { id: "n1", wallMs: 1_000_000 });
  const kept = () => snapshot(node, { ...of, wallMs: 1_000_000 }).members;
  const now = { address: "n2:8080", boot: "00000003", heartbeat: 300 };
  node.replica.table.merge({ id: "n2", ...now, ageMs: 0, left: "" }, 0);
  assertEquals(kept(), [{ id: "n2", ...now, heardAtMs: 1_000_000 }, SAVED.members[1]!]);
  node.replica.bury("go2", "n1", 0);
  assertEquals(kept().map(({ id }) => id), ["n2"]);
});

Deno.test("snapshot() leaves out members that left as planned, and those never heard from", () => {
  const node = gossip();
  const report = { address: "x:1", boot: "00000002", ageMs: 0 };
  node.replica.table.merge({ id: "gone", heartbeat: 100, left: "SIGTERM", ...report }, 0);
  node.replica.table.merge({ id: "hearsay", heartbeat: 0, left: "", ...report }, 0);
  const of = { id: "n1", address: "n1:1", cluster: "c", wallMs: 0, random: () => 0.5 };
  assertEquals(snapshot(node, of).members, []);
});
