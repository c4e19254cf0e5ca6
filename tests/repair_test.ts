/** How rosters that differ after all news is over are made equal: what travels, and how often. */
import { assert, assertEquals, assertLess, assertLessOrEqual } from "@std/assert";
import { bucketOf, BUCKETS } from "../lib/buckets.ts";
import { NEWS_INTERVALS } from "../lib/news.ts";
import { columnsOfParts } from "../lib/repair.ts";
import { decodeMessage, encodeMessage, type Message } from "../lib/wire.ts";
import { type Brain, INTERVAL_MS, Lab, TIMEOUT_MS } from "./support/lab.ts";
import { rowOf } from "./support/peer.ts";

/** The member that B decommissions. */
const BURIED = "m7.rack-7.example";

const NEWS_MS = NEWS_INTERVALS * INTERVAL_MS;

/** Makes `brain` hear of members that nobody reaches. */
function hear(brain: Brain, ids: readonly string[]): void {
  const heartbeat = Math.floor(brain.now().wallMs / INTERVAL_MS) * INTERVAL_MS;
  const rows = ids.map((id) => rowOf(id, { address: `${id}:80`, heartbeat }));
  const body = encodeMessage({ roster: "0".repeat(16), rows });
  assert(!("error" in brain.receive("liar", body)));
}

/** All that is said to `brain` and by it from now on. */
function saidAt(brain: Brain): { asked: string[]; answered: string[] } {
  const said = { asked: [] as string[], answered: [] as string[] };
  const receive = brain.receive.bind(brain);
  brain.receive = (from, body) => {
    const answer = receive(from, body);
    said.asked.push(body);
    if (!("error" in answer)) said.answered.push(answer.body);
    return answer;
  };
  return said;
}

function read(bodies: readonly string[]): Message[] {
  return bodies.map((body) => decodeMessage(body) as Message);
}

/**
 * Two nodes that know so many members alike, but for a row on each side and a tombstone that are no news, until A has
 * called B.
 */
function differing(members: number) {
  const lab = new Lab();
  const a = lab.start("A");
  const b = lab.start("B", { join: ["a:80"] });
  lab.reach = (_, to) => to === "a:80" || to === "b:80" ? "ok" : "refused";
  const ids = Array.from({ length: members }, (_, i) => `m${i}.rack-${i % 40}.example`);
  for (const brain of [a, b]) hear(brain, ids);
  lab.pass(2 * NEWS_MS);
  const tables = [a, b].map(({ gossip }) => gossip.replica.table);
  const isEqual = () => tables[0]!.rosterHash === tables[1]!.rosterHash;
  assert(isEqual());
  lab.reach = (from, to) => from === a && to === "b:80" ? "ok" : "silent";
  lab.pass(TIMEOUT_MS);
  const { heartbeat } = tables[0]!.get("B")!;
  tables[0]!.merge(rowOf("only-a", { heartbeat }), a.gossip.nowMs);
  tables[1]!.merge(rowOf("only-b", { heartbeat }), b.gossip.nowMs);
  tables[1]!.bury(BURIED, "B");
  const said = saidAt(b);
  for (let ms = 0; ms < 4 * INTERVAL_MS && !isEqual(); ms++) lab.pass(1);
  // The answer to the last request, and what follows from it.
  lab.pass(10);
  return { a, b, said, isEqual };
}

Deno.test("two large rosters that differ in a row on each side and a tombstone are equal after two more requests of a few KB", () => {
  for (const members of [1_000, 4_000]) {
    const { a, b, said, isEqual } = differing(members);
    assert(isEqual());
    const { asked, answered } = said;
    assertEquals(read(asked).map(({ buckets, full }) => [buckets?.length, full]), [
      [undefined, undefined],
      [BUCKETS, undefined],
      [undefined, undefined],
    ]);
    assertEquals(read(asked)[2]!.rows!.map(({ id }) => id), ["only-a"], "only what B lacks");
    assertEquals(read(answered)[1]!.tombstones, [{ id: BURIED, by: "B" }]);
    assertLess(asked[1]!.length + answered[1]!.length, 4_000 + members, "of 75 bytes a member");
    for (const { gossip } of [a, b]) {
      const { table } = gossip.replica;
      assertEquals([table.size, table.tombstoneCount], [members + 3, 1]);
    }
    // Its last push could be read, unlike the first.
    assertLessOrEqual(b.gossip.replica.table.get("A")!.heartbeat, a.now().wallMs);
    assertEquals(b.status("A"), "live");
  }
});

Deno.test("a caller to whom heartbeats are late gets, beside the rows of the parts that differ, the columns of the others", () => {
  const { a, b } = differing(1_000);
  const { table } = a.gossip.replica;
  table.merge(rowOf("refused", { heartbeat: 1 }), a.gossip.nowMs);
  const buckets = table.buckets.slice();
  const ask = (late: boolean) => {
    const body = encodeMessage({ roster: table.rosterHash, rows: [], buckets, late });
    const answer = b.receive("A", body);
    assert(!("error" in answer));
    return answer.body;
  };
  const [usual, late] = [ask(false), ask(true)];
  assertEquals((decodeMessage(usual) as Message).columns, undefined);
  assertLess(late.length - usual.length, 7 * 1_000, "who is silent for long takes six characters");
  const message = decodeMessage(late) as Message;
  const told = columnsOfParts(table, message, buckets)!;
  for (const [i, { id }] of table.roster().entries()) {
    const isTold = bucketOf(id) !== bucketOf("refused");
    const known = b.gossip.replica.table.get(id)?.heartbeat;
    assertEquals(told.heartbeats[i], isTold ? known : 0, id);
  }
  // Places are others once somebody came.
  table.merge(rowOf("newcomer", { heartbeat: 1 }), a.gossip.nowMs);
  assertEquals(columnsOfParts(table, message, buckets), undefined);
});

Deno.test("two small rosters are made equal by all rows in one more request", () => {
  const { said, isEqual } = differing(100);
  assert(isEqual());
  assertEquals(read(said.asked).map(({ full, rows }) => [full, rows?.length]), [
    [undefined, undefined],
    [true, 103],
  ]);
});
