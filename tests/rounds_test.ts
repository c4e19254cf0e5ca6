import { assertEquals } from "@std/assert";
import { Contacts } from "../lib/contacts.ts";
import { Evidence } from "../lib/evidence.ts";
import type { Turn } from "../lib/effects.ts";
import { Pace } from "../lib/pace.ts";
import { Rounds } from "../lib/rounds.ts";
import type { Row } from "../lib/table.ts";

const INTERVAL_MS = 1_000;
const EVIDENCE = new Evidence({
  pace: new Pace({ intervalMs: INTERVAL_MS, deadAfterMs: 5 * INTERVAL_MS }),
});

/** What a round of a node finds that knows nobody, and has met others. */
const ALONE = {
  live: [],
  all: [],
  hung: [],
  gone: [],
  due: [],
  alone: false,
  evidence: EVIDENCE,
  stepInMs: 0,
};

/** Rounds of a node that knows `live` members, from 0 on; the dice leave out the jitter. */
function rounds(
  contacts = new Contacts([]),
  live: Row[] = [],
  intervalMs = INTERVAL_MS,
  all = live,
) {
  const options = { address: "a:1", pace: { intervalMs, deadAfterMs: 5 * intervalMs } };
  const made = new Rounds({ ...options, random: () => 0.5, startMs: 0 });
  const begin = (monotonicMs: number, alone = false) => {
    const now = { monotonicMs, wallMs: monotonicMs };
    const due = contacts.due(monotonicMs, () => true);
    const turn = { now, nowMs: monotonicMs, effects: [] };
    const chosen = [
      ...made.begin(turn, {
        live,
        all,
        hung: [],
        gone: [],
        evidence: EVIDENCE,
        due,
        alone,
        stepInMs: 0,
      }),
    ];
    if (alone) made.awaitContact(contacts, monotonicMs);
    return chosen;
  };
  return { rounds: made, begin };
}

Deno.test("a round comes an interval after the last, and urgent news brings it forward", () => {
  const { rounds: made, begin } = rounds();
  assertEquals(made.count, 0);
  begin(0);
  assertEquals([made.nextMs, made.count], [INTERVAL_MS, 1]);
  made.hurry(300);
  assertEquals([made.nextMs, made.count], [300, 1]);
});

Deno.test("a round tells how late it began", () => {
  const made = new Rounds({
    address: "a:1",
    pace: { intervalMs: INTERVAL_MS, deadAfterMs: 5 * INTERVAL_MS },
    random: () => 0.5,
    startMs: 0,
  });
  const lateMs = [0, INTERVAL_MS + 40].flatMap((monotonicMs) => {
    const turn: Turn = {
      now: { monotonicMs, wallMs: monotonicMs },
      nowMs: monotonicMs,
      effects: [],
    };
    made.begin(turn, ALONE);
    return turn.effects.map((effect) => effect.kind === "round" && effect.lateMs);
  });
  assertEquals(lateMs, [0, 40]);
});

Deno.test("urgent rounds are 200 ms apart, after five in a row 500 ms, and a regular one begins anew", () => {
  const { rounds: made, begin } = rounds();
  let nowMs = 0;
  const gaps: number[] = [];
  const urgentRound = () => {
    made.hurry(nowMs);
    gaps.push(made.nextMs - nowMs);
    begin(nowMs = made.nextMs);
  };
  begin(0);
  for (let i = 0; i < 7; i++) urgentRound();
  assertEquals(gaps.splice(0), [200, 200, 200, 200, 200, 500, 500]);
  begin(nowMs = made.nextMs);
  urgentRound();
  assertEquals(gaps, [200]);
});

Deno.test("while urgent news does not end, the gap doubles, up to half an interval", () => {
  const { rounds: made, begin } = rounds(new Contacts([]), [], 10_000);
  const gaps = new Set<number>();
  let nowMs = 0;
  for (let i = 0; i < 40; i++) {
    begin(nowMs);
    made.hurry(nowMs);
    gaps.add(made.nextMs - nowMs);
    nowMs = made.nextMs;
  }
  assertEquals([...gaps], [200, 500, 1_000, 2_000, 4_000, 5_000]);
});

Deno.test("urgent news waits longer as rounds come late: at 125 ms for the regular round, and half as long after one in time", () => {
  const { rounds: made, begin } = rounds();
  let nowMs = 0;
  const gapAfter = (lateMs: number) => {
    begin(nowMs = made.nextMs + lateMs);
    made.hurry(nowMs);
    return made.nextMs - nowMs;
  };
  begin(0);
  assertEquals([25, 50, 0, 125, 0, 0].map(gapAfter), [200, 400, 200, 1_000, 500, 250]);
  // The same after the host slept for an hour.
  assertEquals([3_600_000, 0, 0].map(gapAfter), [1_000, 500, 250]);
});

Deno.test("a node that is alone has its next round when the first contact may be called again", () => {
  const contacts = new Contacts(["b:1"]);
  const { rounds: made, begin } = rounds(contacts);
  assertEquals(begin(0, true), ["b:1"]);
  contacts.failed("b:1", { monotonicMs: 900, alone: true, random: () => 0.999 });
  made.awaitContact(contacts, 900);
  assertEquals(made.nextMs, INTERVAL_MS, "a regular round comes first");
  assertEquals(begin(INTERVAL_MS, true), []);
  assertEquals(Math.round(made.nextMs), 1_150);
  assertEquals(begin(made.nextMs, true), ["b:1"]);
});

const TWENTY = Array.from({ length: 20 }, (_, i): Row => {
  const [id, address] = [`n${i}`, `n${i}:1`];
  return { id, address, boot: "00000001", heartbeat: 100, left: "", heardAtMs: 0 };
});

Deno.test("a round that jitter may bring forward calls two members, and one that comes sooner is urgent and calls three", () => {
  for (const [gapMs, calls] of [[INTERVAL_MS, 2], [900, 2], [899, 3]] as const) {
    const { begin } = rounds(new Contacts([]), TWENTY);
    begin(0);
    assertEquals(begin(gapMs).length, calls, `${gapMs} ms after the last`);
  }
});

Deno.test("calls to live members that failed are made up for in the next round, two at most", () => {
  const { rounds: made, begin } = rounds(new Contacts([]), TWENTY);
  const sizes: number[] = [];
  for (const failures of [0, 1, 3, 0]) {
    for (let i = 0; i < failures; i++) made.missed(`n${i}`, { refused: true, nowMs: 0 });
    sizes.push(begin(made.nextMs).length);
  }
  assertEquals(sizes, [2, 3, 4, 2]);
});

const SIXTY = Array.from({ length: 60 }, (_, i): Row => {
  const [id, address] = [`n${i}`, `n${i}:1`];
  return { id, address, boot: "00000001", heartbeat: 100, left: "", heardAtMs: 0 };
});

Deno.test("a round more than 250 ms late makes up for no calls and looks at no suspects, but after a sleep it does", () => {
  const suspects = TWENTY.map((row): Row => ({ ...row, heardAtMs: -4 * INTERVAL_MS }));
  const { rounds: made, begin } = rounds(new Contacts([]), suspects);
  const sizes = [250, 251, INTERVAL_MS].map((lateMs) => {
    made.missed("n0", { refused: true, nowMs: 0 });
    return begin(made.nextMs + lateMs).length;
  });
  assertEquals([sizes[0]! > 2, sizes[1], sizes[2]! > 2], [true, 2, true]);
});

Deno.test("calls that timed out make the next round search, unless members were heard by then", () => {
  const sizeAfter = (silent: number, heard: number) => {
    const { rounds: made, begin } = rounds(new Contacts([]), SIXTY);
    const usual = begin(made.nextMs).length;
    for (let i = 0; i < silent; i++) made.missed(`n${i}`, { refused: false, nowMs: 0 });
    for (let i = 0; i < heard; i++) made.heard(`n${59 - i}`);
    return begin(made.nextMs).length - usual;
  };
  assertEquals([sizeAfter(0, 0), sizeAfter(4, 0), sizeAfter(4, 4)], [0, 32, 2]);
});

Deno.test("a search goes to members that never answered as well, by their share, but to none that is silent", () => {
  const { rounds: made, begin } = rounds(new Contacts([]), SIXTY.slice(0, 15), INTERVAL_MS, SIXTY);
  const isKnown = (address: string) => SIXTY.findIndex((row) => row.address === address) < 15;
  assertEquals(begin(made.nextMs).filter((address) => !isKnown(address)), []);
  for (const id of ["n0", "n1", "n58", "n59"]) made.missed(id, { refused: false, nowMs: 0 });
  const called = begin(made.nextMs);
  // 43 of the 56 that are not silent never answered: so do 25 of the 32 that are searched.
  assertEquals(called.filter((address) => !isKnown(address)).length, 25);
  assertEquals(called.filter((address) => ["n58:1", "n59:1"].includes(address)), []);
});

Deno.test("a search leaves members that never answered alone where those that did are not silent", () => {
  const { rounds: made, begin } = rounds(new Contacts([]), SIXTY.slice(0, 15), INTERVAL_MS, SIXTY);
  begin(made.nextMs);
  for (const id of ["n57", "n58", "n59", "n0"]) made.missed(id, { refused: false, nowMs: 0 });
  const called = begin(made.nextMs).map((address) =>
    SIXTY.findIndex((row) => row.address === address)
  );
  assertEquals(called.filter((i) => i >= 15), []);
});

Deno.test("a round comes up to a tenth of an interval early or late, as the dice say", () => {
  const nextMs = [0, 0.25, 1].map((dice) => {
    const made = new Rounds({
      address: "a:1",
      pace: { intervalMs: INTERVAL_MS, deadAfterMs: 5 * INTERVAL_MS },
      random: () => dice,
      startMs: 0,
    });
    const turn: Turn = { now: { monotonicMs: 0, wallMs: 0 }, nowMs: 0, effects: [] };
    made.begin(turn, ALONE);
    return made.nextMs;
  });
  assertEquals(nextMs, [900, 950, 1_100]);
});
