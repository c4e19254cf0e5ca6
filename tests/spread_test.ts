import { assertEquals } from "@std/assert";
import { Spread } from "../lib/spread.ts";
import type { Row } from "../lib/table.ts";

function rows(...ids: string[]): Row[] {
  return ids.map((id) => {
    const boot = id.startsWith("go") ? "" : "00000001";
    return { id, address: `${id}:80`, boot, heartbeat: 100, left: "", heardAtMs: 0 };
  });
}

Deno.test("a decommission is known to whoever has this node's roster since", () => {
  const spread = new Spread();
  spread.shares("n1");
  spread.begin("n9", 0);
  assertEquals(spread.progress("n9", rows("n1", "n2")), { known: 0, of: 2 });
  spread.shares("n1");
  assertEquals(spread.progress("n9", rows("n1", "n2")), { known: 1, of: 2 });
  assertEquals(spread.progress("n8", rows("n1")), undefined);
});

Deno.test("a Go node, which has no roster, does not count", () => {
  const spread = new Spread();
  spread.begin("n9", 0);
  assertEquals(spread.progress("n9", rows("n1", "go1")), { known: 0, of: 1 });
  assertEquals(spread.untold(rows("go1"), 0), []);
});

Deno.test("who is not known to know is called, a few in a round, for a minute", () => {
  const spread = new Spread();
  const live = rows(...Array.from({ length: 100 }, (_, i) => `n${i}`));
  assertEquals(spread.untold(live, 0), []);
  spread.begin("n200", 0);
  spread.shares("n0");
  assertEquals(spread.untold(live, 59_999).slice(0, 2), ["n1:80", "n2:80"]);
  assertEquals(spread.untold(live, 59_999).length, 48);
  assertEquals(spread.untold(live, 60_000), []);
  assertEquals(spread.progress("n200", live), undefined);
});

Deno.test("invariant 7: of many decommissions the latest few are counted", () => {
  const spread = new Spread();
  for (let i = 0; i < 100; i++) spread.begin(`n${i}`, 0);
  assertEquals(spread.progress("n83", []), undefined);
  assertEquals(spread.progress("n84", []), { known: 0, of: 0 });
});

Deno.test("the version grows with what is known, and only then", () => {
  const spread = new Spread();
  spread.shares("n1");
  assertEquals(spread.version, 0);
  spread.begin("n9", 0);
  spread.shares("n1");
  spread.shares("n1");
  assertEquals(spread.version, 2);
});
