/** How a node that joins a large cluster gets its first table, and one that joins a small one. */
import { assert, assertEquals, assertLess, assertLessOrEqual } from "@std/assert";
import { Stage } from "./sim/stage.ts";

/** Members above which ticks travel in these clusters; a first piece is twice as many. */
const MANY = 4;

/** Rows in the answers that node `i`, which starts now, gets from each, in order, until it takes part. */
function joins(stage: Stage, i: number): { from: string; rows: number }[] {
  const pulled: { from: string; rows: number }[] = [];
  const isJoining = () => stage.world.ours.get(`n${i}`)?.gossip.joined === false;
  for (const other of stage.world.up()) {
    const serve = other.serve.bind(other);
    other.serve = (request) => {
      const body = serve(request);
      const isPull = request.kind === "exchange" && request.from === `n${i}` && isJoining();
      if (isPull && body !== undefined) {
        pulled.push({ from: other.id, rows: JSON.parse(body).rows?.length ?? 0 });
      }
      return body;
    };
  }
  const started = stage.start(i);
  assert(!Number.isNaN(stage.runUntil(() => started.gossip.joined, 3_000)));
  return pulled;
}

Deno.test("a joiner of a large cluster gets a piece from its seed, and the others from as many members, once", () => {
  const stage = new Stage({ nodes: 64, fineMembersMax: MANY });
  const pulled = joins(stage, 64);
  assertEquals(pulled[0]!.from, "n0");
  assertLess(pulled[0]!.rows, 24, "two times four on average");
  assertLess(2, pulled.length);
  assertEquals(new Set(pulled.map(({ from }) => from)).size, pulled.length);
  for (const { rows } of pulled) assertLess(rows, 32);
  const rows = pulled.reduce((sum, { rows }) => sum + rows, 0);
  assertLessOrEqual(rows, 66, "each row from one");
  const { table } = stage.node("n64").gossip.replica;
  assertLess(40, table.size, "three quarters, before it takes part");
  assertLess(stage.runUntil(() => stage.allShowAll(), 3_000), 1_500);
});

Deno.test("a joiner of a small cluster gets the whole table from its seed", () => {
  const stage = new Stage({ nodes: 2 * MANY, fineMembersMax: MANY });
  assertEquals(joins(stage, 2 * MANY), [{ from: "n0", rows: 2 * MANY }]);
});

Deno.test("of the members that a joiner asks for pieces half are lost: it joins all the same, and all tables agree", () => {
  const stage = new Stage({ nodes: 64, fineMembersMax: MANY });
  const lost = stage.world.up().filter(({ id }) => id !== "n0" && Number(id.slice(1)) % 2 === 1);
  for (const { id } of lost) stage.world.network.links.block(`h${id.slice(1)}:1`, "h64:1", true);
  joins(stage, 64);
  stage.world.network.links.healAll();
  assert(!Number.isNaN(stage.runUntil(() => stage.allShowAll(), 10_000)));
});
