import { assertEquals, assertStringIncludes } from "@std/assert";
import { Gossip } from "../../lib/gossip.ts";
import { cutOffMs, lastOneWarning, troubleOf, waitingFor } from "../../lib/host/health.ts";
import { encodeMessage } from "../../lib/wire.ts";
import { type Brain, three } from "../support/lab.ts";
import { rowOf } from "../support/peer.ts";

const PACE = { intervalMs: 1_000, deadAfterMs: 5_000 };

/** A node that was told of these members, as it judges itself after calling in vain for so long. */
function judgedAfter(unheardMs: number, rows: Parameters<typeof rowOf>[]) {
  const now = { monotonicMs: 0, wallMs: Date.now() };
  const own = { id: "n1", address: "n1:80", boot: "0000000a" };
  const gossip = new Gossip({ ...own, ...PACE, seeds: [], random: () => 0.5 }, now);
  gossip.wake(now);
  const message = { roster: "0".repeat(16), rows: rows.map(([id, row]) => rowOf(id, row)) };
  gossip.receive(now, "n2", encodeMessage(message));
  const at = { ...PACE, id: "n1", monotonicMs: 0, unheardMs };
  return {
    trouble: troubleOf(gossip, at),
    warning: lastOneWarning(gossip, at),
    cutOffMs: cutOffMs(gossip, at),
  };
}

function troubleAfter(unheardMs: number, rows: Parameters<typeof rowOf>[]): string | undefined {
  return judgedAfter(unheardMs, rows).trouble;
}

Deno.test("troubleOf() tells a node that nobody has answered for dead-after, if it knows two others", () => {
  const two: [string][] = [["n2"], ["n3"]];
  assertEquals(troubleAfter(5_000, two), undefined);
  assertStringIncludes(
    troubleAfter(5_001, two)!,
    "None of 2 other members has answered for 5.0 s: this node is cut off",
  );
});

Deno.test("troubleOf() expects no answer of a single other member, of those who left, or who were never heard", () => {
  assertEquals(troubleAfter(60_000, []), undefined);
  assertEquals(troubleAfter(60_000, [["n2"]]), undefined);
  assertEquals(
    troubleAfter(60_000, [["n2"], ["n3", { left: "SIGTERM" }], ["n4", { heartbeat: 0 }]]),
    undefined,
  );
});

Deno.test("troubleOf() expects no answer of members that were dead when the silence began: hosts that were lost one by one", () => {
  const lost = (ageMs: number): [string, { ageMs: number }] => ["n3", { ageMs }];
  assertEquals(troubleAfter(60_000, [["n2"], lost(65_001)]), undefined);
  assertStringIncludes(troubleAfter(60_000, [["n2"], lost(65_000)])!, "None of 2 other members");
});

Deno.test("the last node of a lost cluster is healthy again after ten minutes, and warns: no restart would help", () => {
  const two: [string][] = [["n2"], ["n3"]];
  const before = judgedAfter(600_000, two);
  assertStringIncludes(before.trouble!, "None of 2 other members has answered for 600.0 s");
  assertEquals([before.warning, before.cutOffMs], [undefined, 600_000]);
  assertEquals(judgedAfter(600_001, two), {
    trouble: undefined,
    warning: "nobody has answered for over 10 min: all others are down, or this node is cut off",
    cutOffMs: 600_001,
  });
  assertEquals(judgedAfter(600_001, [["n2"]]).warning, undefined, "of two, the other may be down");
});

for (
  const [how, end] of [
    ["refuse, as their processes crashed,", (brain: Brain) => brain.killed = true],
    ["left", (brain: Brain) => brain.leave("SIGTERM")],
  ] as const
) {
  Deno.test(`a sole survivor is healthy all along where all others ${how}: nothing tells an orchestrator to restart it`, () => {
    const { lab, a, b, c } = three();
    for (const brain of [b, c]) end(brain);
    for (let seconds = 0; seconds < 120; seconds++) {
      lab.pass(1_000);
      const { monotonicMs } = a.now();
      const at = { ...PACE, id: "A", monotonicMs, unheardMs: a.driver.unheardMs() };
      assertEquals(troubleOf(a.gossip, at), undefined, `after ${seconds + 1} s`);
    }
    assertEquals(["B", "C"].map((id) => a.status(id) === "live"), [false, false]);
  });
}

Deno.test("troubleOf() expects no answer of members that only a former life knew: all may be down after a power cut", () => {
  let now = { monotonicMs: 0, wallMs: 0 };
  const own = { id: "n1", address: "n1:80", boot: "0000000a" };
  const gossip = new Gossip({ ...own, ...PACE, seeds: [], random: () => 0.5 }, now);
  for (const id of ["n2", "n3"]) {
    const known = { id, address: `${id}:80`, boot: "0000000b", heartbeat: 100, beforeMs: 0 };
    gossip.replica.former.add(known);
  }
  for (; now.monotonicMs < 8_000; now = { monotonicMs: now.monotonicMs + 500, wallMs: 0 }) {
    gossip.wake(now);
  }
  assertEquals(gossip.replica.table.roster().length, 3);
  const { monotonicMs } = now;
  assertEquals(troubleOf(gossip, { ...PACE, id: "n1", monotonicMs, unheardMs: 60_000 }), undefined);
});

Deno.test("waitingFor() names a few addresses, and counts the others", () => {
  const seeds = Array.from({ length: 1_000 }, (_, i) => `seed${i}:80`);
  const own = { id: "n1", address: "n1:80", boot: "0000000a" };
  const gossip = new Gossip(
    { ...own, ...PACE, seeds, random: () => 0.5 },
    { monotonicMs: 0, wallMs: 0 },
  );
  assertEquals(
    waitingFor(gossip),
    "This node has reached none of its -join addresses: " +
      "seed0:80, seed1:80, seed2:80, seed3:80, seed4:80 and 995 more",
  );
});

Deno.test("troubleOf() tells a node whose round is more than two intervals late", () => {
  const own = { id: "n1", address: "n1:80", boot: "0000000a" };
  const now = { monotonicMs: 0, wallMs: Date.now() };
  const gossip = new Gossip({ ...own, ...PACE, seeds: [], random: () => 0.5 }, now);
  gossip.wake(now);
  const dueMs = 100_000 - gossip.lateMs(100_000);
  const trouble = (lateMs: number) =>
    troubleOf(gossip, { ...PACE, id: "n1", monotonicMs: dueMs + lateMs, unheardMs: 0 });
  assertEquals([trouble(0), trouble(2_000)], [undefined, undefined]);
  assertEquals(trouble(2_100), "The next round is 2.1 s late: the process does not get to run");
});
