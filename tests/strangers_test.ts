import { assert, assertEquals, assertLess } from "@std/assert";
import { Strangers } from "../lib/strangers.ts";
import type { Row } from "../lib/table.ts";
import { encodeMessage } from "../lib/wire.ts";
import { cluster, INTERVAL_MS } from "./support/lab.ts";
import { rowOf } from "./support/peer.ts";

const LIVE = ["a", "b", "c", "d", "e"].map((id): Row => (
  { id, address: `${id}:1`, boot: "00000001", heartbeat: 100, left: "", heardAtMs: 0 }
));

function drawn(strangers: Strangers, underWay = 0): string[] {
  return strangers.thin(LIVE, { underWay, random: () => 0 }).map(({ id }) => id);
}

Deno.test("Strangers: after four calls in a row that failed one of them is drawn beside those who answered", () => {
  const strangers = new Strangers();
  strangers.answered("d");
  for (const id of ["a", "b", "c"]) strangers.failed(id);
  assertEquals(drawn(strangers), ["a", "b", "c", "d", "e"]);
  assertEquals(drawn(strangers, 1), ["d", "a"], "a call under way counts as well");
  strangers.failed("a");
  assertEquals(drawn(strangers), ["d", "a"]);
  strangers.answered("d");
  assertEquals(drawn(strangers), ["d", "a"], "it is no stranger");
  strangers.answered("e");
  assertEquals(drawn(strangers), ["a", "b", "c", "d", "e"]);
});

Deno.test("Strangers: where they are no more than those who answered, all are drawn", () => {
  const strangers = new Strangers();
  for (const id of ["a", "b", "c"]) strangers.answered(id);
  for (let i = 0; i < 10; i++) strangers.failed("d");
  assertEquals(drawn(strangers).length, LIVE.length);
});

Deno.test("Strangers: where nobody ever answered all are drawn", () => {
  const strangers = new Strangers();
  for (let i = 0; i < 10; i++) strangers.failed("a");
  assertEquals(drawn(strangers).length, LIVE.length);
});

Deno.test("Strangers: whoever leaves twelve calls in a row unanswered is one again", () => {
  const strangers = new Strangers();
  strangers.answered("d");
  for (let i = 0; i < 11; i++) strangers.failed("d");
  assert(!strangers.has("d"));
  strangers.answered("d");
  for (let i = 0; i < 12; i++) {
    assert(!strangers.has("d"));
    strangers.failed("d");
  }
  assert(strangers.has("d"));
});

Deno.test("invariant 7: Strangers remembers those who answered up to a bound", () => {
  const strangers = new Strangers();
  for (let i = 0; i < 3_000; i++) strangers.answered(`m${i}`);
  strangers.answered("d");
  drawn(strangers);
  assertEquals([strangers.has("m7"), strangers.has("d")], [true, false]);
});

Deno.test("invariant 4: 2,000 made-up members, kept live by a message every 2 s, make no real one look dead", () => {
  for (let seed = 1; seed <= 2; seed++) {
    const { lab, nodes } = cluster(12, seed);
    const isReal = new Set(nodes.map(({ id }) => id));
    lab.reach = (_, to) => to.startsWith("10.") ? "silent" : "ok";
    for (let i = 0; i < 30; i++) {
      const heartbeat = Math.floor(nodes[0]!.now().wallMs / 100) * 100;
      const rows = Array.from(
        { length: 2_000 },
        (_, k) => rowOf(`a-fake${k}`, { heartbeat, address: `10.0.${k >> 8}.${k & 255}:80` }),
      );
      nodes[i % nodes.length]!.receive("liar", encodeMessage({ roster: "0".repeat(16), rows }));
      lab.pass(2 * INTERVAL_MS);
    }
    const calls = nodes.flatMap((node) => node.calls);
    const inVain = calls.filter(({ to }) => to.startsWith("10.")).length;
    assertLess(inVain, calls.length / 3, "calls to members that never answer");
    assert(nodes.every((node) => node.status("a-fake7") === "live"), "the made-up ones are live");
    const deaths = nodes.flatMap((node) =>
      node.changes.filter(({ id, to }) => isReal.has(id) && to === "dead").map(({ id, reason }) =>
        `${node.id} of ${id}: ${reason}`
      )
    );
    assertEquals(deaths, [], `seed ${seed}`);
  }
});
