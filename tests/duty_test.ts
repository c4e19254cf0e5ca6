import { assert, assertFalse } from "@std/assert";
import { Duty } from "../lib/duty.ts";
import type { Seen } from "../lib/naming.ts";
import type { Status } from "../lib/table.ts";
import { Tidings } from "../lib/tidings.ts";

const DEAD_HEARTBEAT = 1_000;

function seenAs(status: Status, atMs: number, heartbeat = DEAD_HEARTBEAT): Seen {
  const row = {
    id: "n3",
    address: "n3:80",
    boot: "00000003",
    heartbeat,
    left: "",
    heardAtMs: atMs,
  };
  return { id: "n3", row, status, from: undefined, reason: "", atMs };
}

Deno.test("a death that was known is not told; one after a return that was over before it was told is", () => {
  const hook = {
    name: "pager",
    statuses: new Set<Status>(["dead", "live"]),
    tags: {},
    cutOff: false,
  };
  const duty = new Duty({ hook, tidings: new Tidings(8_000), seen: new Map(), tellAfterMs: 0 });
  duty.know(seenAs("dead", 0));
  duty.judge(seenAs("dead", 0), 10_000);
  assert(duty.isIdle);
  duty.judge(seenAs("live", 11_000, DEAD_HEARTBEAT + 11_000), 11_000);
  assertFalse(duty.isIdle);
  duty.judge(seenAs("dead", 16_000, DEAD_HEARTBEAT + 11_000), 16_000);
  assertFalse(duty.isIdle);
});
