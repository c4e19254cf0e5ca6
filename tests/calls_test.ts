import { assert, assertEquals } from "@std/assert";
import { BUCKETS } from "../lib/buckets.ts";
import { Calls } from "../lib/calls.ts";
import type { Turn } from "../lib/effects.ts";
import type { Joining } from "../lib/joining.ts";
import { Pace } from "../lib/pace.ts";
import { Replica } from "../lib/replica.ts";
import { decodeMessage, type Message } from "../lib/wire.ts";
import { AWAKE } from "./support/awake.ts";

const WALL_MS = Date.UTC(2026, 0, 1);

/** The calls of a node that takes part, and knows so many members that are live and never answered it. */
function callsOf(
  members: number,
): { calls: Calls; turn: (monotonicMs: number) => Turn; replica: Replica } {
  const clock = { ...AWAKE };
  const replica = new Replica({
    id: "me",
    address: "me:80",
    boot: "0000000a",
    random: () => 0,
    clock,
    pace: new Pace({ intervalMs: 1_000, deadAfterMs: 5_000 }),
  });
  replica.beat({ monotonicMs: 0, wallMs: WALL_MS }, 0);
  for (let i = 1; i < members; i++) {
    const row = {
      id: `n${i}`,
      address: `n${i}:80`,
      boot: "00000001",
      heartbeat: WALL_MS,
      left: "",
    };
    replica.merge({ ...row, ageMs: 0 }, "n1", 0);
  }
  replica.verdicts.survey(0);
  const joining = { active: false } as Joining;
  const turn = (monotonicMs: number) => {
    const now = { monotonicMs, wallMs: WALL_MS + monotonicMs };
    return { now, nowMs: monotonicMs, effects: [] };
  };
  return { calls: new Calls({ address: "me:80", replica, joining }), turn, replica };
}

/** The addresses that a turn calls. */
function called(turn: Turn): string[] {
  return turn.effects.flatMap((effect) => effect.kind === "exchange" ? [effect.to] : []);
}

/** A call whose answer came from another roster. */
const CALL = {
  id: undefined,
  asks: "news",
  toStranger: false,
  roster: "",
  uncountedMs: 0,
} as const;

Deno.test("full pushes are two ms a member apart, and a second at most", () => {
  for (const [members, gapMs] of [[100, 200], [1_000, 1_000]] as const) {
    const { calls, turn } = callsOf(members);
    const isPushed = (to: string, atMs: number) => {
      const now = turn(atMs);
      calls.repair(now, to, {
        call: CALL,
        theirs: { roster: "0".repeat(16), dropped: 0 },
        equal: false,
      });
      return called(now).length === 1;
    };
    const times = [0, gapMs - 1, gapMs, gapMs + 1, 2 * gapMs];
    const pushed = times.filter((atMs, i) => isPushed(`n${i + 1}:80`, atMs));
    assertEquals(pushed, [0, gapMs, 2 * gapMs], `${members} members`);
  }
});

Deno.test("while heartbeats are late, three pushes by parts may begin within half an interval, and no more full ones", () => {
  const LATE_MS = 4_000;
  for (const [unitMs, atOnce] of [[1_000, 3], [undefined, 1]] as const) {
    const { calls, turn } = callsOf(1_000);
    const theirs: Message = { roster: "0".repeat(16), dropped: 0, ...unitMs && { unitMs } };
    let asked = 0;
    const begunOf = (answers: number, atMs: number) => {
      const now = turn(atMs);
      for (let i = 0; i < answers; i++) {
        calls.repair(now, `n${++asked}:80`, { call: CALL, theirs, equal: false });
      }
      return called(now).length;
    };
    assertEquals(begunOf(5, 0), 1, "none is late");
    assertEquals(begunOf(5, LATE_MS), atOnce);
    assertEquals(begunOf(5, LATE_MS + 499), 0);
    assertEquals(begunOf(5, LATE_MS + 500), unitMs ? atOnce : 0);
    assertEquals(begunOf(5, LATE_MS + 1_000), atOnce);
  }
});

Deno.test("where rosters differ and none of their parts does, as hashes met, all rows travel", () => {
  const { calls, turn, replica } = callsOf(3);
  const now = turn(0);
  const { buckets } = replica.table;
  const theirs = { roster: "0".repeat(16), dropped: 0, buckets };
  calls.repair(now, "n1:80", { call: { ...CALL, asks: "parts" }, theirs, equal: false });
  const bodies = now.effects.flatMap((effect) => effect.kind === "exchange" ? [effect.body] : []);
  assertEquals(bodies.map((body) => (decodeMessage(body) as Message).full), [true]);
});

Deno.test("where the answer is of a node that has no row here, as of another half, its parts are compared all the same", () => {
  const { calls, turn } = callsOf(1_000);
  const now = turn(0);
  const theirs = { id: "other", unitMs: 1_000, roster: "0".repeat(16), dropped: 0 };
  calls.repair(now, "other:80", { call: CALL, theirs, equal: false });
  const [effect] = now.effects;
  assert(effect?.kind === "exchange");
  const { buckets, rows } = decodeMessage(effect.body) as Message;
  assertEquals(
    [buckets?.length, rows?.map(({ id }) => id)],
    [BUCKETS, ["me"]],
    "its own row alone",
  );
});

Deno.test("invariant 7: 48 calls to those who never answered are under way at most, and 64 in all", () => {
  const { calls, turn } = callsOf(200);
  const now = turn(0);
  for (let i = 101; i <= 116; i++) calls.strangers.answered(`n${i}`);
  calls.push(now, Array.from({ length: 100 }, (_, i) => `n${i + 1}:80`));
  assertEquals(called(now).length, 48);
  assert(calls.isConsistent);
  calls.push(now, Array.from({ length: 99 }, (_, i) => `n${i + 101}:80`));
  assertEquals(called(now).slice(48), Array.from({ length: 16 }, (_, i) => `n${i + 101}:80`));
  assert(calls.isConsistent);
});

Deno.test("nobody is called twice at once, and this node never", () => {
  const { calls, turn } = callsOf(3);
  const now = turn(0);
  calls.push(now, ["me:80", "", "n1:80", "n1:80"]);
  assertEquals(called(now), ["n1:80"]);
  calls.push(now, ["n1:80", "n2:80"]);
  assertEquals(called(now), ["n1:80", "n2:80"]);
  assertEquals(calls.end(turn(5), "n1:80")?.id, "n1");
  assertEquals(calls.end(turn(5), "n1:80"), undefined);
  calls.push(now, ["n1:80"]);
  assertEquals(called(now).at(-1), "n1:80");
});

Deno.test("an address has four reasons in the log until it is well, and then as many anew", () => {
  const { calls } = callsOf(1);
  const logged = () =>
    Array.from({ length: 100 }, (_, i) => i).filter((i) => calls.trouble("b:80", `clock ${i}`));
  assertEquals(logged(), [0, 1, 2, 3]);
  assert(calls.trouble("c:80", "clock 0"));
  assertEquals(logged(), []);
  assert(calls.well("b:80"));
  assertEquals(logged(), [0, 1, 2, 3]);
});
