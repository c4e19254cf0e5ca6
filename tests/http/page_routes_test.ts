import { assert, assertEquals } from "@std/assert";
import { encodeMessage } from "../../lib/wire.ts";
import { eventually } from "../support/eventually.ts";
import { type Door, NOW_MS, openDoor } from "../support/door.ts";
import { rowOf } from "../support/peer.ts";

/** Tells the node of so many members, which beat now. */
async function tell(door: Door, count: number): Promise<void> {
  const rows = Array.from(
    { length: count },
    (_, i) => rowOf(`m${10_000 + i}`, { heartbeat: NOW_MS }),
  );
  const body = encodeMessage({ roster: "0".repeat(16), rows });
  const { status } = await door.ask("POST /hello?from=m10000&via=10.0.0.1:1", { body });
  assertEquals(status, 200);
}

/** What it tells as soon as it has the time: at first making a page takes long. */
function look(door: Door, query = "") {
  return eventually(async () => {
    const { status, text } = await door.ask(`GET /page.json${query}`);
    assertEquals(status, 200);
    return { text, state: JSON.parse(text) };
  });
}

Deno.test("GET /page.json?base= tells what changed since a state: little of a large cluster where nothing did", async () => {
  await using door = openDoor();
  await tell(door, 2_000);
  const { state, text } = await look(door);
  assertEquals([state.map.length, state.rows.length], [2_001, 0]);
  const update = await look(door, `?base=${state.token}`);
  assertEquals([update.state.base, update.state.map], [state.token, [[0, 2_001]]]);
  assert(update.text.length < 1_500 && text.length > 20_000, `${update.text.length} characters`);
  await tell(door, 2_001);
  // Where it has no time it tells what it told before.
  await eventually(async () => {
    const { state: next } = await look(door, `?base=${state.token}`);
    assertEquals(next.map, [[0, 2_000], "+m12000", [2_000, 1]]);
  });
});

Deno.test("no cache keeps what GET /page.json tells: it is of this moment", async () => {
  await using door = openDoor();
  await eventually(async () => {
    const { status, headers } = await door.ask("GET /page.json");
    assertEquals([status, headers.get("cache-control")], [200, "no-store"]);
  });
});

Deno.test("GET /page.json tells all to who names a state that the node does not have, and bounds what is asked for", async () => {
  await using door = openDoor();
  await tell(door, 300);
  for (const base of ["x", "0-0-0-.1", "x".repeat(2_000), "__proto__"]) {
    const { state } = await look(door, `?base=${base}`);
    assertEquals([state.base, state.map.length], [undefined, 301], base);
  }
  const rows = async (query: string) => (await look(door, `?q=live&${query}`)).state.rows.length;
  assertEquals(await rows("rows=9999"), 301);
  assertEquals(await rows("rows=0"), 0);
  for (const wrong of ["rows=-1", "rows=1e3", "rows=99999", "rows="]) {
    assertEquals(await rows(wrong), 250, wrong);
  }
  assertEquals(await rows(`after=${"x".repeat(500)}`), 250);
  assertEquals(await rows("after=m10298"), 2);
});

Deno.test("invariant 7: without time to tell what changed, GET /page.json answers 204, and the page goes on with what it has", async () => {
  await using door = openDoor();
  // So many that the time is over before the 64 states are made that push the first one out.
  await tell(door, 8_000);
  const { state } = await look(door);
  const seen = new Set<number>();
  // The time is counted anew each second: between a refusal and the next request one may begin.
  for (let i = 0; i < 2_000 && !seen.has(204); i++) {
    const { status } = await door.ask(`GET /page.json?q=${i}`);
    if (status !== 503) continue;
    const update = await door.ask(`GET /page.json?q=m&base=${state.token}`);
    seen.add(update.status);
    assertEquals(update.status === 204 ? update.text : "", "");
  }
  assert(seen.has(204), `${[...seen]}`);
  assert(!seen.has(503));
});
