import { assertEquals, assertGreaterOrEqual, assertLessOrEqual } from "@std/assert";
import type { Attempt } from "../lib/tries.ts";
import { backOffMs, inOrder, placeOf, Queue } from "../lib/turns.ts";

const DUE_MS = 100_000;
const CARRIERS = ["n1", "n2", "n3", "n4"];
const ORDER = inOrder("pager", CARRIERS);

/** When each carrier's turn comes, in the order of a fresh change. */
function turns(attempt?: Partial<Attempt>, carriers: readonly string[] = CARRIERS): number[] {
  const last = attempt && {
    hook: "pager",
    number: 1,
    by: ORDER[0]!,
    state: "trying",
    failures: 0,
    atMs: DUE_MS,
    ...attempt,
  } as Attempt;
  return ORDER.filter((id) => carriers.includes(id)).map((id) => {
    const place = placeOf({ hook: "pager", id, carriers, attempt: last, dueMs: DUE_MS });
    return new Queue().atMs(place, DUE_MS) - DUE_MS;
  });
}

Deno.test("all nodes put the carriers in one order, whatever order they know them in", () => {
  assertEquals(inOrder("pager", CARRIERS.toReversed()), ORDER);
  assertEquals(inOrder("pager", [...CARRIERS, "n2"]), ORDER);
});

Deno.test("who just started comes last: it tells nothing yet", () => {
  const [first, ...others] = ORDER;
  assertEquals(inOrder("pager", CARRIERS, (id) => id === first), [...others, first]);
  const at = { hook: "pager", carriers: CARRIERS, attempt: undefined, dueMs: DUE_MS };
  assertEquals(placeOf({ ...at, id: others[0]!, isNew: (id) => id === first }).index, 0);
});

Deno.test("who goes takes nobody's place but its own, and over many hooks each is first as often", () => {
  const without = ORDER.filter((id) => id !== ORDER[1]);
  assertEquals(inOrder("pager", without), without);
  const firsts = Array.from({ length: 1_000 }, (_, i) => inOrder(`hook${i}`, CARRIERS)[0]!);
  for (const id of CARRIERS) {
    const share = firsts.filter((first) => first === id).length / firsts.length;
    assertGreaterOrEqual(share, 0.2, id);
    assertLessOrEqual(share, 0.3, id);
  }
});

Deno.test("the first acts at once, the k-th after 2k seconds", () => {
  assertEquals(turns(), [0, 2_000, 4_000, 6_000]);
});

Deno.test("while one tries the others wait for it, for 35 s at most, and no longer than it lives", () => {
  assertEquals(turns({ state: "trying" }).slice(1), [35_000, 37_000, 39_000]);
  const others = ORDER.slice(1);
  assertEquals(turns({ state: "trying", by: ORDER[0]! }, others), [0, 2_000, 4_000]);
});

Deno.test("nobody waits for an attempt whose process ended, though its member runs again; nor is its turn the next", () => {
  const by = ORDER[0]!;
  const attempt: Attempt = {
    hook: "pager",
    number: 1,
    by,
    state: "trying",
    failures: 0,
    atMs: DUE_MS,
  };
  const of = { hook: "pager", carriers: CARRIERS, attempt, dueMs: DUE_MS };
  const places = (ranAt: (id: string, atMs: number) => boolean) =>
    ORDER.map((id) => placeOf({ ...of, id, ranAt }));
  assertEquals(
    places((id, atMs) => id !== by || atMs > DUE_MS).map(({ index, fromMs }) => [index, fromMs]),
    [[3, DUE_MS], [0, DUE_MS], [1, DUE_MS], [2, DUE_MS]],
  );
  assertEquals(places(() => true)[1], { index: 0, fromMs: DUE_MS + 35_000 });
});

Deno.test("after a failure all wait, longer each time, and it is the turn of the next", () => {
  assertEquals(turns({ state: "failed", failures: 1 }), [7_000, 1_000, 3_000, 5_000]);
  const by = ORDER[2]!;
  assertEquals(turns({ state: "failed", failures: 3, by }), [6_000, 8_000, 10_000, 4_000]);
  assertEquals([1, 2, 3, 4, 5, 6, 60].map(backOffMs), [
    ...[1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000],
  ]);
});

Deno.test("where others failed the order begins with who succeeded, while it lives: it can reach the receiver", () => {
  const by = ORDER[2]!;
  assertEquals(turns({ state: "done", by }), [0, 2_000, 4_000, 6_000]);
  assertEquals(turns({ state: "done", failures: 1, by }), [4_000, 6_000, 0, 2_000]);
  const others = ORDER.filter((id) => id !== by);
  assertEquals(turns({ state: "done", failures: 1, by }, others), [2_000, 4_000, 0]);
});

Deno.test("an only carrier tries again by itself, and so does one whose former life tried", () => {
  const only = [ORDER[0]!];
  assertEquals(turns({ state: "failed", failures: 2 }, only), [2_000]);
  assertEquals(turns({ state: "trying" }, only), [0]);
});

Deno.test("who moves up counts its seconds anew, unless it is the first", () => {
  const first = new Queue();
  const second = new Queue();
  assertEquals(first.atMs({ index: 1, fromMs: DUE_MS }, DUE_MS), DUE_MS + 2_000);
  assertEquals(second.atMs({ index: 2, fromMs: DUE_MS }, DUE_MS), DUE_MS + 4_000);
  const movedMs = DUE_MS + 2_500;
  assertEquals(first.atMs({ index: 0, fromMs: DUE_MS }, movedMs), DUE_MS);
  assertEquals(second.atMs({ index: 1, fromMs: DUE_MS }, movedMs), movedMs + 2_000);
});

Deno.test("where who tries is found dead, the first acts at once, and the next counts its seconds anew", () => {
  const [first, second] = [new Queue(), new Queue()];
  const tryingMs = DUE_MS + 35_000;
  assertEquals(first.atMs({ index: 0, fromMs: tryingMs }, DUE_MS), tryingMs);
  assertEquals(second.atMs({ index: 1, fromMs: tryingMs }, DUE_MS), tryingMs + 2_000);
  const diedMs = DUE_MS + 5_000;
  assertEquals(first.atMs({ index: 0, fromMs: DUE_MS }, diedMs), DUE_MS);
  assertEquals(second.atMs({ index: 1, fromMs: DUE_MS }, diedMs), diedMs + 2_000);
});
