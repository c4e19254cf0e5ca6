import { assert, assertEquals } from "@std/assert";
import { Gossip } from "../../lib/gossip.ts";
import {
  decodeSaved,
  encodeSaved,
  restore,
  type Saved,
  SAVED_ADDRESSES_MAX,
  snapshot,
  STATE_LENGTH_MAX,
} from "../../lib/host/state_format.ts";
import { TOMBSTONES_MAX } from "../../lib/limits.ts";

const SAVED: Saved = {
  id: "n1",
  cluster: "default",
  heartbeat: 1_700_000_000_100,
  addresses: ["n2:8080", "[::1]:8081"],
  tombstones: [{ id: "n3", by: "n1" }, { id: "go", by: "" }],
};

function gossip(id = "n1", seeds: string[] = []): Gossip {
  const times = { intervalMs: 1_000, deadAfterMs: 5_000 };
  const options = { id, address: `${id}:1`, boot: "00000001", seeds, ...times, random: () => 0.5 };
  return new Gossip(options, { monotonicMs: 0, wallMs: 1_000_000 });
}

function errorOf(text: string): string {
  const saved = decodeSaved(text);
  assert("error" in saved, `it was taken: ${text.slice(0, 300)}`);
  return saved.error;
}

Deno.test("decodeSaved() reads what encodeSaved() wrote", () => {
  assertEquals(decodeSaved(encodeSaved(SAVED)), SAVED);
  const empty = { ...SAVED, heartbeat: 0, addresses: [], tombstones: [] };
  assertEquals(decodeSaved(encodeSaved(empty)), empty);
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
    { tombstones: [{ id: "", by: "" }] },
    { tombstones: [{ id: "a", by: "<b>" }] },
    { tombstones: new Array(TOMBSTONES_MAX + 1).fill({ id: "a", by: "" }) },
  ];
  for (const fields of wrong) {
    assertEquals(errorOf(encodeSaved({ ...SAVED, ...fields } as Saved)), "is damaged");
  }
});

Deno.test("invariant 7: a full state file is within its bound", () => {
  const id = (i: number) => String(i).padStart(64, "x");
  const tombstones = Array.from({ length: TOMBSTONES_MAX }, (_, i) => ({ id: id(i), by: id(i) }));
  const addresses = Array.from(
    { length: SAVED_ADDRESSES_MAX },
    (_, i) => `${String(i).padStart(249, "x")}:65535`,
  );
  const full = { ...SAVED, id: id(0), cluster: id(1), tombstones, addresses };
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
  const of = { id: "n1", address: "n1:1", cluster: "c", random: () => 0.5 };
  assertEquals(snapshot(node, of), {
    id: "n1",
    cluster: "c",
    heartbeat: table.get("n1")?.heartbeat ?? 0,
    addresses: ["n2:1", "old:1", "older:1", "seed:1"],
    tombstones: [{ id: "n9", by: "n2" }],
  });
});

Deno.test("restore() lets the same node go on from its last heartbeat, with all tombstones", () => {
  const node = gossip();
  restore(node, SAVED, "n1");
  assertEquals(node.replica.table.get("n1")?.heartbeat, SAVED.heartbeat + 100);
  assertEquals(
    Array.from(node.replica.table.tombstones(), ({ id, by }) => ({ id, by })),
    [...SAVED.tombstones],
  );
});

Deno.test("restore() does not touch the heartbeat of a node that takes another ID", () => {
  const node = gossip("n7");
  restore(node, SAVED, "n7");
  assertEquals(node.replica.table.get("n7")?.heartbeat, 1_000_000);
  assert(node.replica.table.tombstone("n3") !== undefined);
});
