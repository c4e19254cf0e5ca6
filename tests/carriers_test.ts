import { assertEquals } from "@std/assert";
import { Carriers } from "../lib/carriers.ts";
import { Pace } from "../lib/pace.ts";
import { Replica } from "../lib/replica.ts";
import type { Row } from "../lib/table.ts";
import { AWAKE } from "./support/awake.ts";

const DEAD_AFTER_MS = 5_000;

function carriersOf(): Carriers {
  return new Carriers(
    new Replica({
      clock: AWAKE,
      id: "me",
      address: "me:80",
      boot: "0000000a",
      random: () => 0,
      pace: new Pace({ intervalMs: 1_000, deadAfterMs: DEAD_AFTER_MS }),
    }),
  );
}

/** A row of n1 as one of its processes made it. */
function row(boot: string): Row {
  const parts = { id: "n1", address: "n1:80", heartbeat: 1_764_000_000_000, left: "" };
  return { ...parts, boot, heardAtMs: 0 };
}

Deno.test("Carriers: a process is new for a dead-after from when it was seen first; the next one anew", () => {
  const carriers = carriersOf();
  assertEquals(carriers.isNew("n1", 0), false, "never seen");
  carriers.note(row("00000001"), 1_000);
  carriers.note(row("00000001"), 3_000);
  const at = [1_000, 5_999, 6_000].map((nowMs) => carriers.isNew("n1", nowMs));
  assertEquals(at, [true, true, false]);
  carriers.note(row("00000002"), 8_000);
  assertEquals([12_999, 13_000].map((nowMs) => carriers.isNew("n1", nowMs)), [true, false]);
  carriers.keepOnly((id) => id === "n1");
  assertEquals(carriers.isNew("n1", 8_000), true);
  carriers.keepOnly(() => false);
  assertEquals(carriers.isNew("n1", 8_000), false, "no member any more");
});

Deno.test("Carriers: the next process of a member did not run before it was seen; the first may have", () => {
  const carriers = carriersOf();
  const ran = () => [500, 7_999, 8_000].map((atMs) => carriers.ranAt("n1", atMs));
  assertEquals(ran(), [true, true, true], "never seen");
  carriers.note(row("00000001"), 1_000);
  assertEquals(ran(), [true, true, true]);
  carriers.note(row("00000002"), 8_000);
  carriers.note(row("00000002"), 9_000);
  assertEquals(ran(), [false, false, true]);
});
