import { assertEquals, assertLess } from "@std/assert";
import { bucketOf, BUCKETS, bucketsText, inDifference, readBuckets } from "../lib/buckets.ts";
import { Table } from "../lib/table.ts";
import { rowOf } from "./support/peer.ts";

const IDS = Array.from({ length: 1_000 }, (_, i) => `n${i}`);

function tableOf(ids: readonly string[]): Table {
  const table = new Table();
  for (const id of ids) table.merge(rowOf(id, { heartbeat: 1_000 }), 0);
  return table;
}

Deno.test("IDs that differ little are spread over all buckets", () => {
  const counts = new Array<number>(BUCKETS).fill(0);
  for (const id of IDS) counts[bucketOf(id)]!++;
  assertLess(Math.max(...counts), 16, "of four on average");
  assertLess(counts.filter((count) => count === 0).length, 16);
});

Deno.test("two rosters differ in the buckets of the rows and tombstones that differ, and in no other", () => {
  const one = tableOf(IDS);
  const changes: ((table: Table) => void)[] = [
    (table) => table.drop(table.get("n7")!),
    (table) => table.bury("n7", "n1"),
    (table) => table.merge(rowOf("n7", { heartbeat: 2_000, boot: "0000000b" }), 0),
  ];
  for (const change of changes) {
    const other = tableOf(IDS.toReversed());
    assertEquals(inDifference(one.buckets, other.buckets), undefined);
    change(other);
    const differs = inDifference(one.buckets, other.buckets)!;
    const bucket = bucketOf("n7");
    assertEquals(IDS.filter(differs), IDS.filter((id) => bucketOf(id) === bucket));
  }
});

Deno.test("a later heartbeat changes no bucket", () => {
  const [one, other] = [tableOf(IDS), tableOf(IDS)];
  other.merge(rowOf("n7", { heartbeat: 2_000 }), 0);
  assertEquals(inDifference(one.buckets, other.buckets), undefined);
});

Deno.test("hashes of all 32 bits travel, and what is malformed is not read", () => {
  const buckets = Uint32Array.from({ length: BUCKETS }, (_, i) => Math.imul(i, 0x9e3779b1));
  buckets[1] = 2 ** 32 - 1;
  const text = bucketsText(buckets);
  assertEquals([text.length, readBuckets(text)], [1_280, buckets]);
  for (const wrong of [text.slice(1), `${text}#`, `"${text.slice(1)}`, "~".repeat(1_280), 7]) {
    assertEquals(readBuckets(wrong), undefined);
  }
});
