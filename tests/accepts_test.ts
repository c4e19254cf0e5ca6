import { assert, assertEquals, assertFalse, assertGreater, assertLess } from "@std/assert";
import {
  type Accept,
  ACCEPT_WITNESSES_MAX,
  ACCEPTED_MAX,
  acceptedAt,
  Accepts,
  ACCEPTS_TOLD_MAX,
} from "../lib/accepts.ts";
import type { Row } from "../lib/table.ts";

const DEAD_AFTER_MS = 5_000;
const HEARD_MS = 100_000;
const HEARTBEAT = 1_000_000;
const LAPSE_MS = 2 * DEAD_AFTER_MS;

function row(id = "n1", heartbeat = HEARTBEAT): Row {
  const heardAtMs = HEARD_MS + heartbeat - HEARTBEAT;
  return { id, address: `${id}:80`, boot: "00000001", heartbeat, left: "", heardAtMs };
}

/** Evidence by `witness`, found `ageMs` after the member's heartbeat. */
function accept(ageMs: number, witness = "w1", member = "n1"): Accept {
  return { member, witness, at: HEARTBEAT + ageMs };
}

Deno.test("evidence of an accepting host holds for two dead-afters after it was found", () => {
  const accepts = new Accepts({ deadAfterMs: DEAD_AFTER_MS });
  assert(accepts.add(accept(3_000), row(), HEARD_MS + 3_000), "it is the first");
  const lapsesMs = HEARD_MS + 3_000 + LAPSE_MS;
  assertEquals(accepts.lapsesMs(row(), HEARD_MS + 3_000), lapsesMs);
  assert(accepts.holds(row(), lapsesMs - 1));
  assertFalse(accepts.holds(row(), lapsesMs));
});

Deno.test("after a long silence evidence holds for a quarter of it, fifteen minutes at most", () => {
  const accepts = new Accepts({ deadAfterMs: DEAD_AFTER_MS });
  for (const [ageMs, lapseMs] of [[100_000, 25_000], [10_000_000, 900_000]] as const) {
    accepts.add(accept(ageMs), row(), HEARD_MS + ageMs);
    const nowMs = HEARD_MS + ageMs;
    assertEquals(accepts.lapsesMs(row(), nowMs), nowMs + lapseMs);
  }
});

Deno.test("a later heartbeat voids evidence, and an old message does not renew it", () => {
  const accepts = new Accepts({ deadAfterMs: DEAD_AFTER_MS });
  accepts.add(accept(3_000), row(), HEARD_MS + 3_000);
  assertEquals(accepts.witnesses(row()), ["w1"]);
  const later = row("n1", HEARTBEAT + 3_000);
  assertFalse(accepts.holds(later, HEARD_MS + 3_100));
  assertEquals(accepts.witnesses(later), [], "nobody witnessed anything since");
  assertFalse(accepts.add(accept(3_000), later, HEARD_MS + 3_100));
  assertFalse(accepts.add(accept(2_000), row(), HEARD_MS + 3_100), "the same witness, earlier");
});

Deno.test("the evidence is the later of all witnesses', in whatever order it comes; three are named", () => {
  for (const ages of [[1_000, 2_000, 3_000, 4_000], [4_000, 3_000, 2_000, 1_000]]) {
    const accepts = new Accepts({ deadAfterMs: DEAD_AFTER_MS });
    for (const ageMs of ages) accepts.add(accept(ageMs, `w${ageMs}`), row(), HEARD_MS + 5_000);
    assertEquals(accepts.lapsesMs(row(), HEARD_MS), HEARD_MS + 4_000 + LAPSE_MS);
    assertEquals(accepts.witnesses(row()).toSorted(), ["w2000", "w3000", "w4000"]);
    assertEquals(ACCEPT_WITNESSES_MAX, 3);
  }
});

Deno.test("nobody looks while the evidence is fresh; then the whole cluster does about twice in three intervals", () => {
  const accepts = new Accepts({ deadAfterMs: DEAD_AFTER_MS });
  accepts.add(accept(0.1), row(), HEARD_MS);
  const at = { callers: 10, intervalMs: 1_000 };
  assertEquals(accepts.lookShare(row(), { ...at, nowMs: HEARD_MS + LAPSE_MS / 4 - 1 }), 0);
  const share = accepts.lookShare(row(), { ...at, nowMs: HEARD_MS + LAPSE_MS / 4 + 1 });
  assertGreater(share * at.callers, 1);
  assertLess(share * at.callers, 3);
});

Deno.test("a process that hangs for a day is called less than 511 times, the length of its accept queue", () => {
  const accepts = new Accepts({ deadAfterMs: DEAD_AFTER_MS });
  const dayMs = 24 * 3_600_000;
  let looks = 0;
  // Expected looks, with news of one that reaches all in two intervals.
  accepts.add(accept(DEAD_AFTER_MS), row(), HEARD_MS);
  let expected = 0;
  for (let ageMs = DEAD_AFTER_MS; ageMs < dayMs; ageMs += 1_000) {
    expected += accepts.lookShare(row(), {
      callers: 1,
      nowMs: HEARD_MS + ageMs,
      intervalMs: 1_000,
    });
    if (expected < 1) continue;
    looks += expected;
    expected = 0;
    accepts.add(accept(ageMs), row(), HEARD_MS + ageMs);
  }
  assertLess(looks, 511);
});

Deno.test("expire() drops what lapsed, and forget() all of a member", () => {
  const accepts = new Accepts({ deadAfterMs: DEAD_AFTER_MS });
  accepts.add(accept(1_000), row(), HEARD_MS);
  accepts.expire(row(), HEARD_MS + 1_000 + LAPSE_MS - 1);
  assert(accepts.has("n1"));
  accepts.expire(row(), HEARD_MS + 1_000 + LAPSE_MS);
  assert(accepts.empty);
  accepts.add(accept(1_000), row(), HEARD_MS);
  accepts.forget("n1");
  assert(accepts.empty);
});

Deno.test("invariant 7: evidence is kept of so many members, and so much is told at once", () => {
  const accepts = new Accepts({ deadAfterMs: DEAD_AFTER_MS });
  for (let i = 0; i <= ACCEPTED_MAX; i++) {
    accepts.add(accept(1_000, "w1", `n${i}`), row(`n${i}`), HEARD_MS);
  }
  assertFalse(accepts.has(`n${ACCEPTED_MAX}`));
  assertEquals(accepts.toSend(() => true).length, ACCEPTS_TOLD_MAX);
  assertEquals(accepts.toSend(() => false), []);
});

Deno.test("acceptedAt() is what the member's clock shows, in whole tenths of a second", () => {
  assertEquals(acceptedAt(row(), HEARD_MS + 1_234), HEARTBEAT + 1_200);
});
