import { assertEquals } from "@std/assert";
import { PastKeeper } from "../../lib/host/past_keeper.ts";
import { encodeEntry } from "../../lib/host/past_format.ts";
import { keptLog } from "../support/logs.ts";
import type { PostOutcome } from "../../lib/net/transport.ts";
import { PAST_CHANGES_MAX } from "../../lib/report/past.ts";
import type { Row } from "../../lib/table.ts";
import { eventually } from "../support/eventually.ts";

const HOUR_MS = 3_600_000;
const START_MS = Date.UTC(2026, 0, 1);

/** What the monotonic clock shows at a start: it may begin at any number. */
const SINCE_MS = 400 * 24 * HOUR_MS;

const { log: silent } = keptLog();

const ROWS = Array.from({ length: 20 }, (_, i): Row => ({
  id: `m${i}`,
  address: `m${i}:80`,
  boot: "00000001",
  heartbeat: 100,
  left: "",
  heardAtMs: 0,
}));

/** What a node tells that saw all, and of nothing. */
const NOTHING = { complete: true, changes: [], next: null };

/**
 * A node's life with a past: its clocks are moved by hand, `tell` says which of those asked can tell all, and `answer`
 * what they tell of the time from `fromMs` on.
 */
function live(
  state: string | undefined,
  startMs: number,
  tell: (asked: number) => boolean,
  answer: (fromMs: number) => unknown = () => NOTHING,
  saved: { heartbeat: number } | undefined = undefined,
) {
  let [monotonicMs, wallMs, asked] = [SINCE_MS, startMs, 0];
  const keeper = new PastKeeper({
    id: "me",
    state,
    saved,
    random: () => 0.3,
    log: silent,
    now: () => ({ monotonicMs, wallMs }),
    post(_to, path, _body, settle) {
      const fromMs = Number(/from=([0-9]+)/.exec(path)?.[1]);
      const body = JSON.stringify(answer(fromMs));
      const told: PostOutcome = { kind: "answer", status: 200, body, bytesIn: 0 };
      const outcome: PostOutcome = tell(++asked) ? told : { kind: "refused" };
      queueMicrotask(() => settle(outcome));
    },
  });
  return {
    keeper,
    asked: () => asked,
    /** Runs for so long, or does not, and makes a round. */
    async pass(ms: number, intervalMs = ms) {
      [monotonicMs, wallMs] = [monotonicMs + ms, wallMs + ms];
      keeper.round(ROWS, intervalMs);
      for (let i = 0; i < 5; i++) await Promise.resolve();
    },
    stepWall: (ms: number) => wallMs += ms,
  };
}

/** Calls `use` with the path of a state file in a folder of its own. */
async function withState(use: (state: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await use(`${folder}/state`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** A node's first life in which it saw something. */
async function liveBefore(state: string): Promise<void> {
  const { keeper } = live(state, START_MS, () => false);
  keeper.record({ id: "n1", from: null, to: "live", reason: "" });
  await keeper.close();
}

Deno.test("a state file that was restored from a copy does not count as written when it was copied", async () => {
  const [savedMs, startMs] = [START_MS + 60_000, START_MS + HOUR_MS];
  const cases = [
    { writtenMs: savedMs, heartbeat: savedMs },
    { writtenMs: startMs - 1_000, heartbeat: savedMs },
    // That of a node whose clock was ahead.
    { writtenMs: savedMs, heartbeat: START_MS + YEARS_MS },
  ];
  for (const { writtenMs, heartbeat } of cases) {
    await withState(async (state) => {
      await liveBefore(state);
      await Deno.writeTextFile(state, "");
      await Deno.utime(state, writtenMs / 1000, writtenMs / 1000);
      const { keeper } = live(state, startMs, () => false, () => NOTHING, { heartbeat });
      assertEquals(keeper.past.gaps, [{ fromMs: savedMs, toMs: startMs }]);
      await keeper.close();
    });
  }
});

Deno.test("a clock that jumps far ahead for a while makes nothing of the past old", async () => {
  const { keeper, pass, stepWall } = live(undefined, START_MS, () => false);
  for (let i = 0; i < 100; i++) {
    keeper.record({ id: `n${i}`, from: null, to: "dead", reason: "" });
  }
  stepWall(365 * 24 * HOUR_MS);
  await pass(2 * HOUR_MS);
  stepWall(-365 * 24 * HOUR_MS);
  assertEquals(keeper.past.page({ fromMs: 0, toMs: Infinity }).changes.length, 100);
});

const YEARS_MS = 2 * 365 * 24 * HOUR_MS;

Deno.test("a start with a clock that is years ahead makes nothing of the past old, nor does a second one", async () => {
  await withState(async (state) => {
    // A whole file of changes of an hour, and the one that follows it.
    const count = 5_000;
    const lines = Array.from({ length: count }, (_, i) => {
      const change = { atMs: START_MS - i, id: `n${i}`, from: null, to: "dead" } as const;
      return encodeEntry({ kind: "change", change: { ...change, reason: "x".repeat(200) } });
    });
    await Deno.writeTextFile(`${state}.past.1`, lines.join(""));
    await liveBefore(state);
    for (const startMs of [YEARS_MS, YEARS_MS + HOUR_MS].map((ms) => START_MS + ms)) {
      const { keeper, pass } = live(state, startMs, () => true);
      keeper.record({ id: "m1", from: null, to: "dead", reason: "" });
      await pass(5_000);
      await pass(2 * HOUR_MS);
      await keeper.close();
    }
    const { keeper } = live(state, START_MS + HOUR_MS, () => false);
    const { length } = keeper.past.at(START_MS + HOUR_MS);
    assertEquals(length, count);
    await keeper.close();
  });
});

Deno.test("the gap that a clock made which was years ahead ends at the next start with a right one, or within an hour", async () => {
  await withState(async (state) => {
    await liveBefore(state);
    const ahead = live(state, START_MS + YEARS_MS, () => false);
    await ahead.pass(5_000);
    const gapsOf = ({ keeper }: typeof ahead) =>
      keeper.past.gaps.map(({ fromMs, toMs }) => [fromMs - START_MS, toMs - START_MS]);
    assertEquals(gapsOf(ahead), [[0, YEARS_MS]]);
    await ahead.keeper.close();

    const right = live(state, START_MS + HOUR_MS, () => true);
    assertEquals(gapsOf(right), [[0, HOUR_MS]]);
    await right.pass(5_000);
    assertEquals(gapsOf(right), [], "others tell of it");
    await right.keeper.close();

    const set = live(state, START_MS + YEARS_MS, () => false);
    await set.pass(5_000);
    set.stepWall(-YEARS_MS);
    await set.pass(HOUR_MS);
    assertEquals(gapsOf(set), [[0, HOUR_MS + 5_000]]);
    await set.keeper.close();
  });
});

Deno.test("what was seen over 90 days ago is dropped", async () => {
  const { keeper, pass } = live(undefined, START_MS, () => false);
  keeper.record({ id: "n1", from: null, to: "dead", reason: "" });
  await pass(89 * 24 * HOUR_MS);
  assertEquals(keeper.past.page({ fromMs: 0, toMs: Infinity }).changes.length, 1);
  await pass(2 * 24 * HOUR_MS);
  assertEquals(keeper.past.page({ fromMs: 0, toMs: Infinity }).changes.length, 0);
});

Deno.test("one after another is asked what happened, twelve at most, and whichever can tell is heard", async () => {
  for (const teller of [1, 11, 12, 13]) {
    await withState(async (state) => {
      await liveBefore(state);
      const second = live(state, START_MS + HOUR_MS, (asked) => asked === teller);
      assertEquals(second.keeper.past.gaps.length, 1);
      for (let i = 0; i < 20; i++) await second.pass(5_000);
      await second.keeper.close();
      const known = teller <= 12;
      assertEquals([second.asked(), second.keeper.past.gaps.length], [
        Math.min(teller, 12),
        known ? 0 : 1,
      ]);
    });
  }
});

Deno.test("a node that restarts before anybody told what it missed asks about both gaps, the later first", async () => {
  await withState(async (state) => {
    await liveBefore(state);
    const second = live(state, START_MS + HOUR_MS, () => false);
    second.keeper.record({ id: "n1", from: "live", to: "dead", reason: "" });
    await second.keeper.close();
    const third = live(state, START_MS + 2 * HOUR_MS, () => true);
    const [earlier, later] = third.keeper.past.gaps;
    assertEquals([earlier!.toMs, later!.toMs], [START_MS + HOUR_MS, START_MS + 2 * HOUR_MS]);
    await third.pass(5_000);
    assertEquals(third.keeper.past.gaps, [earlier!]);
    await third.pass(5_000);
    assertEquals(third.keeper.past.gaps, []);
    await third.keeper.close();
    const fourth = live(state, START_MS + 3 * HOUR_MS, () => false);
    assertEquals(
      fourth.keeper.past.gaps.map(({ toMs }) => toMs),
      [START_MS + 3 * HOUR_MS],
      "what was told stays told",
    );
    await fourth.keeper.close();
  });
});

Deno.test("the time in which a node was suspended is a gap that others tell of", async () => {
  for (const state of [undefined, "state"]) {
    await withState(async (path) => {
      let isTold = false;
      const { keeper, pass, stepWall } = live(state && path, START_MS, () => isTold);
      keeper.record({ id: "n1", from: null, to: "live", reason: "" });
      const gaps = () =>
        keeper.past.gaps.map(({ fromMs, toMs }) => [fromMs - START_MS, toMs - START_MS]);
      // Late, as a busy machine's rounds are.
      await pass(13_000, 1_000);
      assertEquals(gaps(), []);
      await pass(HOUR_MS, 1_000);
      assertEquals(gaps(), [[13_000, HOUR_MS + 13_000]], "stopped: all clocks went on");
      const { knownMs } = keeper.past.uptime("n1", { fromMs: 0, toMs: START_MS + HOUR_MS });
      assertEquals(knownMs, 13_000);
      isTold = true;
      await pass(5_000, 1_000);
      assertEquals(gaps(), [], "others told of it");
      isTold = false;
      stepWall(HOUR_MS);
      await pass(1_000, 1_000);
      assertEquals(gaps().map(([from, to]) => to! - from!), [HOUR_MS + 1_000], "suspended");
      await keeper.close();
    });
  }
});

Deno.test("after a suspension each member is what the node believes, itself as well, whatever others tell of before", async () => {
  const changes = [
    [START_MS + 10_000, "me", "live", "dead", "no heartbeat for 5.0 s"],
    [START_MS + 20_000, "n2", "live", "dead", "no heartbeat for 5.0 s"],
    [START_MS + 30_000, "n2", "dead", "live", "heard directly"],
    [START_MS + 40_000, "n3", null, "live", "heard directly"],
  ];
  const { keeper, pass } = live(undefined, START_MS, () => true, () => ({ ...NOTHING, changes }));
  for (const id of ["me", "n2"]) keeper.record({ id, from: null, to: "live", reason: "" });
  await pass(HOUR_MS, 1_000);
  assertEquals(keeper.past.gaps, []);
  const at = (ms: number) => keeper.past.at(START_MS + ms).map(({ id, to }) => `${id} ${to}`);
  assertEquals(at(20_000), ["me dead", "n2 dead"]);
  assertEquals(at(HOUR_MS - 1), ["me dead", "n2 live", "n3 live"]);
  assertEquals(at(HOUR_MS), ["me live", "n2 live", "n3 live"]);
});

Deno.test("what a node saw after a suspension stays where it is, although it is told only later what it missed", async () => {
  const changes = [[START_MS + 10_000, "n2", "live", "dead", "no heartbeat for 5.0 s"]];
  let isTold = false;
  const tell = () => isTold;
  const { keeper, pass } = live(undefined, START_MS, tell, () => ({ ...NOTHING, changes }));
  keeper.record({ id: "n2", from: null, to: "live", reason: "" });
  await pass(HOUR_MS, 1_000);
  await pass(1_000);
  keeper.record({ id: "n2", from: "live", to: "left", reason: "" });
  isTold = true;
  await pass(5_000);
  assertEquals(keeper.past.gaps, []);
  const { changes: seen } = keeper.past.page({ fromMs: 0, toMs: Infinity, id: "n2" });
  assertEquals(seen.map(({ atMs, to }) => [atMs - START_MS, to]), [
    [0, "live"],
    [10_000, "dead"],
    [HOUR_MS, "live"],
    [HOUR_MS + 1_000, "left"],
  ]);
});

Deno.test("of what others tell, only what fell into the gap is taken", async () => {
  await withState(async (state) => {
    await liveBefore(state);
    const changes: unknown[] = [];
    const second = live(state, START_MS + HOUR_MS, () => true, () => ({ ...NOTHING, changes }));
    const { fromMs, toMs } = second.keeper.past.gaps[0]!;
    for (const [i, atMs] of [fromMs - 1, fromMs, toMs - 1, toMs].entries()) {
      changes.push([atMs, `m${i}`, null, "live", ""]);
    }
    await second.pass(5_000);
    assertEquals(second.keeper.past.gaps, []);
    const known = second.keeper.past.page({ fromMs: 0, toMs: Infinity }).changes;
    assertEquals(known.map(({ id }) => id), ["n1", "m1", "m2"]);
    await second.keeper.close();
  });
});

Deno.test("a gap that nobody could tell is asked about again an hour later", async () => {
  await withState(async (state) => {
    await liveBefore(state);
    const second = live(state, START_MS + HOUR_MS, (asked) => asked === 13);
    for (let i = 0; i < 30; i++) await second.pass(5_000);
    assertEquals([second.asked(), second.keeper.past.gaps.length], [12, 1]);
    await second.pass(HOUR_MS);
    assertEquals([second.asked(), second.keeper.past.gaps.length], [13, 0]);
    await second.keeper.close();
  });
});

Deno.test("a full past is taken from one answer, whatever its order, and not at once: rounds go on meanwhile", async () => {
  await withState(async (state) => {
    await liveBefore(state);
    const statuses = ["live", "dead"];
    const changes = (fromMs: number) =>
      Array.from({ length: PAST_CHANGES_MAX - 1 }, (_, i) => {
        return [fromMs + i, "m1", statuses[(i + 1) % 2], statuses[i % 2], ""];
      });
    const answer = (fromMs: number) => ({ ...NOTHING, changes: changes(fromMs).reverse() });
    const { keeper, pass } = live(state, START_MS + HOUR_MS, () => true, answer);
    const [gap] = keeper.past.gaps;
    await pass(5_000);
    assertEquals(keeper.past.gaps, [gap!], "the rest comes in later turns");
    await eventually(() => assertEquals(keeper.past.gaps, []));
    const { changes: known } = keeper.past.page({ fromMs: gap!.fromMs, toMs: Infinity, id: "m1" });
    assertEquals(known.slice(0, 3).map(({ atMs }) => atMs - gap!.fromMs), [0, 1, 2]);
    await keeper.close();
  });
});

Deno.test("invariant 7: who tells more changes or values than a past holds, in one page or many, or deep ones, tells nothing", async () => {
  const half = PAST_CHANGES_MAX / 2;
  const change = (fromMs: number, ...more: unknown[]) => [fromMs, "m1", null, "live", "", ...more];
  const answers: { [name: string]: (fromMs: number, first: boolean) => unknown } = {
    "one page": () => ({ ...NOTHING, changes: Array(2 * half + 1).fill([]) }),
    "two pages": (fromMs, first) => {
      const next = first ? fromMs + 1 : null;
      return { ...NOTHING, changes: Array(half + 1).fill(change(fromMs)), next };
    },
    "values": (fromMs) => ({
      ...NOTHING,
      changes: [change(fromMs, "n1", ...Array(100_000).fill(0))],
      more: Array(20 * half).fill(0),
    }),
    "depth": (fromMs) => ({ ...NOTHING, changes: [change(fromMs), [[[[[]]]]]] }),
  };
  for (const [name, answer] of Object.entries(answers)) {
    await withState(async (state) => {
      await liveBefore(state);
      let asked = 0;
      const answerOf = (fromMs: number) => answer(fromMs, ++asked === 1);
      const { keeper, pass } = live(state, START_MS + HOUR_MS, () => true, answerOf);
      await pass(5_000);
      const { changes } = keeper.past.page({ fromMs: 0, toMs: Infinity });
      assertEquals([keeper.past.gaps.length, changes.length], [1, 1], name);
      await keeper.close();
    });
  }
});
