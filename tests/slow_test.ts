import { assert, assertEquals, assertFalse } from "@std/assert";
import { Gaps, SLOW_MAX, SLOW_TOLD_MAX, SlowMembers } from "../lib/slow.ts";
import type { Row } from "../lib/table.ts";

const DEAD_AFTER_MS = 5_000;
const NEWS_MS = 8_000;
const NOW_MS = 500_000;
const HEARTBEAT = 1_000_000;

function row(heartbeat = HEARTBEAT, id = "n1"): Row {
  return { id, address: `${id}:80`, boot: "00000001", heartbeat, left: "", heardAtMs: NOW_MS };
}

function members(): SlowMembers {
  return new SlowMembers({ deadAfterMs: DEAD_AFTER_MS, newsMs: NEWS_MS });
}

Deno.test("Gaps: heartbeats on time say nothing; one over half of dead-after late is the greatest gap for a minute", () => {
  const gaps = new Gaps({ deadAfterMs: DEAD_AFTER_MS });
  for (const atMs of [0, 1_000, 2_000, 4_500]) gaps.note(atMs);
  assertEquals(gaps.greatestMs, 0);
  gaps.note(8_700);
  assertEquals(gaps.greatestMs, 4_200);
  for (let atMs = 9_700; atMs < 8_700 + 60_000; atMs += 1_000) gaps.note(atMs);
  assertEquals(gaps.greatestMs, 4_200);
  gaps.note(8_700 + 60_000);
  assertEquals(gaps.greatestMs, 0, "it decays");
});

Deno.test("Gaps: a lesser gap after a greater one counts once that one is a minute old", () => {
  const gaps = new Gaps({ deadAfterMs: DEAD_AFTER_MS });
  gaps.note(0);
  gaps.note(10_000);
  gaps.note(14_000);
  assertEquals(gaps.greatestMs, 10_000);
  for (let atMs = 15_000; atMs <= 70_000; atMs += 1_000) gaps.note(atMs);
  assertEquals(gaps.greatestMs, 4_000);
});

Deno.test("a slow member may be silent for twice its gap, and for six dead-afters at most", () => {
  const slow = members();
  assertEquals(slow.silenceMs(row()), DEAD_AFTER_MS);
  slow.add({ member: "n1", gapMs: 4_000, at: HEARTBEAT }, NOW_MS);
  assertEquals(slow.silenceMs(row()), 8_000);
  slow.add({ member: "n1", gapMs: 60_000, at: HEARTBEAT + 100 }, NOW_MS);
  assertEquals(slow.silenceMs(row()), 6 * DEAD_AFTER_MS);
});

Deno.test("what a slow member said counts for its heartbeats of a minute, and is dropped then", () => {
  const slow = members();
  slow.add({ member: "n1", gapMs: 4_000, at: HEARTBEAT }, NOW_MS);
  assertEquals(slow.gapMs(row(HEARTBEAT + 60_000)), 4_000);
  slow.expire(row(HEARTBEAT + 60_000));
  assertFalse(slow.empty);
  assertEquals(slow.gapMs(row(HEARTBEAT + 60_100)), 0);
  slow.expire(row(HEARTBEAT + 60_100));
  assert(slow.empty);
});

Deno.test("the latest that a member said counts, in whatever order it comes, and a replay is no news", () => {
  const [first, second] = [
    { member: "n1", gapMs: 9_000, at: HEARTBEAT },
    { member: "n1", gapMs: 4_000, at: HEARTBEAT + 100 },
  ];
  for (const order of [[first, second], [second, first]]) {
    const slow = members();
    for (const said of order) slow.add(said!, NOW_MS);
    assertEquals(slow.gapMs(row()), 4_000);
    assertFalse(slow.add(second!, NOW_MS));
  }
});

Deno.test("own() says a gap when it is greater than what was said, or that is half a minute old", () => {
  const slow = members();
  assertEquals(slow.own("n1", 0, HEARTBEAT), undefined);
  const said = slow.own("n1", 4_000, HEARTBEAT)!;
  slow.add(said, NOW_MS);
  assertEquals(slow.own("n1", 4_000, HEARTBEAT + 29_900), undefined);
  assertEquals(slow.own("n1", 5_000, HEARTBEAT + 100)?.gapMs, 5_000);
  assertEquals(slow.own("n1", 4_000, HEARTBEAT + 30_000)?.at, HEARTBEAT + 30_000);
});

Deno.test("told(): what is new travels for as long as news does, and all of it in a full message", () => {
  const slow = members();
  slow.add({ member: "n1", gapMs: 4_000, at: HEARTBEAT }, NOW_MS);
  assertEquals(slow.toSend(NOW_MS + NEWS_MS - 1, false).length, 1);
  assertEquals(slow.toSend(NOW_MS + NEWS_MS, false), []);
  assertEquals(slow.toSend(NOW_MS + NEWS_MS, true).length, 1);
});

Deno.test("invariant 7: so many slow members are known, and so many told at once", () => {
  const slow = members();
  for (let i = 0; i < SLOW_MAX; i++) {
    assert(slow.add({ member: `n${i}`, gapMs: 4_000, at: HEARTBEAT }, NOW_MS));
  }
  assertFalse(slow.add({ member: "more", gapMs: 4_000, at: HEARTBEAT }, NOW_MS));
  assertEquals(slow.toSend(NOW_MS, true).length, SLOW_TOLD_MAX);
  slow.forget("n1");
  assert(slow.add({ member: "more", gapMs: 4_000, at: HEARTBEAT }, NOW_MS));
});

Deno.test("a silence that was seen to end counts as a gap for a minute, beside what the member says", () => {
  const slow = members();
  slow.ended(row(), 9_000, HEARTBEAT);
  assertFalse(slow.empty);
  assertEquals(slow.silenceMs(row()), 18_000);
  slow.add({ member: "n1", gapMs: 4_000, at: HEARTBEAT }, NOW_MS);
  assertEquals(slow.gapMs(row()), 9_000, "the greater of both");
  assertEquals(
    slow.toSend(NOW_MS, true).map(({ gapMs }) => gapMs),
    [4_000],
    "only its own words travel",
  );
  assertEquals(slow.gapMs(row(HEARTBEAT + 60_100)), 0);
  slow.expire(row(HEARTBEAT + 60_100));
  assert(slow.empty);
});
