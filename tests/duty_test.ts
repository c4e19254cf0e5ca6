import { assert, assertEquals, assertFalse } from "@std/assert";
import { takeAbout } from "../lib/about.ts";
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
  const duty = new Duty({
    hook,
    tidings: new Tidings({ newsMs: 8_000 }),
    seen: new Map(),
    tellAfterMs: 0,
  });
  duty.know(seenAs("dead", 0));
  duty.judge(seenAs("dead", 0), 10_000);
  assert(duty.isIdle);
  duty.judge(seenAs("live", 11_000, DEAD_HEARTBEAT + 11_000), 11_000);
  assertFalse(duty.isIdle);
  duty.judge(seenAs("dead", 16_000, DEAD_HEARTBEAT + 11_000), 16_000);
  assertFalse(duty.isIdle);
});

Deno.test("a hook minds the troubles that it asks for, of members with its tags", () => {
  const about = (text: string) => takeAbout(JSON.parse(text));
  const hook = {
    name: "pager",
    tags: { role: "web" },
    cutOff: false,
    statuses: new Set<Status>(["dead", "live"]),
  };
  const duty = new Duty({
    hook,
    tidings: new Tidings({ newsMs: 8_000 }),
    seen: new Map(),
    tellAfterMs: 0,
  });
  const minds = (status: Status, tags: string) => {
    const seen = seenAs(status, 0);
    return duty.minds({ ...seen, row: { ...seen.row!, about: about(`{"tags":${tags}}`) } });
  };
  assertEquals(minds("dead", '{"role":"web"}'), true);
  assertEquals(minds("dead", '{"role":"db"}'), false);
  assertEquals(minds("unresponsive", '{"role":"web"}'), false, "nobody asked for it");
  assertEquals(minds("live", '{"role":"web"}'), false, "it is no trouble");
});

Deno.test("what a user did on purpose counts as due at once, whatever else has to last", () => {
  const hook = { name: "pager", statuses: new Set<Status>(["left"]), tags: {}, cutOff: false };
  const seen = seenAs("left", 10_000);
  const duty = new Duty({
    hook,
    tidings: new Tidings({ newsMs: 8_000 }),
    seen: new Map([["n3", seen]]),
    tellAfterMs: 30_000,
  });
  duty.judge(seen, 10_000);
  assertEquals(duty.due(10_000, false)?.ids, ["n3"]);
  assertEquals(duty.pending(15_000), { pending: 1, oldestPendingMs: 5_000 });
});

Deno.test("a change counts as due from the ms in which it has lasted long enough", () => {
  const hook = { name: "pager", statuses: new Set<Status>(["dead"]), tags: {}, cutOff: false };
  const seen = seenAs("dead", 10_000);
  const known = new Map([["n3", seen]]);
  const duty = new Duty({
    hook,
    tidings: new Tidings({ newsMs: 8_000 }),
    seen: known,
    tellAfterMs: 30_000,
  });
  duty.judge(seen, 10_000);
  assertEquals(duty.due(10_000, false)?.ids ?? [], []);
  assertEquals(duty.pending(39_999), { pending: 0, oldestPendingMs: 0 });
  assertEquals(duty.pending(40_000), { pending: 1, oldestPendingMs: 0 });
  assertEquals(duty.pending(42_000), { pending: 1, oldestPendingMs: 2_000 });
});

Deno.test("of a member that nobody knows any more nothing is to be told, though it was due", () => {
  const seen = new Map([["n3", seenAs("dead", 0)]]);
  const duty = new Duty({
    hook: { name: "pager", statuses: new Set<Status>(["dead"]), tags: {}, cutOff: false },
    tidings: new Tidings({ newsMs: 8_000 }),
    seen,
    tellAfterMs: 0,
  });
  duty.judge(seen.get("n3")!, 0);
  assertEquals(duty.due(1_000, false)?.ids, ["n3"]);
  duty.keepOnly((id) => id === "n3");
  assertEquals(duty.due(1_000, false)?.ids, ["n3"]);
  seen.clear();
  duty.keepOnly(() => false);
  assertEquals(duty.due(1_000, false), undefined);
  assert(duty.isIdle);
});
