import { assert, assertEquals, assertMatch } from "@std/assert";
import fc from "fast-check";
import { drawStrip, type StripFrame } from "../../lib/page/strip.ts";
import { STATUS_MARK, STRIP_SAMPLES, STRIP_STEP_MS } from "../../lib/report/strips.ts";

const FROM_MS = Date.parse("2026-01-12T12:00:00.000Z");
const FRAME = { fromMs: FROM_MS, startedMs: 0, deadAfterMs: 5_000, changes: [] };

/** Draws a strip from its statuses, all ages being a second unless told for a place. */
function draw(
  statuses: string,
  ages: Record<number, number> = {},
  frame: Partial<StripFrame> = {},
) {
  const samples = Array.from(statuses, (_, i) => ages[i] ?? 1_000);
  return drawStrip({ stepMs: STRIP_STEP_MS, samples, statuses }, { ...FRAME, ...frame });
}

/** The spans without their titles. */
function spans(...args: Parameters<typeof draw>): string[] {
  return draw(...args).spans.map(({ kind, x, width }) => `${kind} ${x}+${width}`);
}

Deno.test("a healthy member draws one full bar, however its heartbeats differ by chance", () => {
  const all = "+".repeat(STRIP_SAMPLES);
  assertEquals(draw(all, { 7: 2_900 }), {
    label: "live 10 min",
    spans: [{ kind: "live", x: 0, width: 60, title: "" }],
  });
});

Deno.test("late heartbeats have a colour of their own, and their title tells how late", () => {
  const { label, spans } = draw("+".repeat(STRIP_SAMPLES), { 30: 4_900, 31: 3_500 });
  assertEquals(label, "late 20 s, live 9 min 40 s");
  assertEquals(spans.map(({ kind, x, width }) => [kind, x, width]), [
    ["live", 0, 30],
    ["late", 30, 2],
    ["live", 32, 28],
  ]);
  assertEquals(
    spans[1]?.title,
    "late 12:05:00 to 12:05:20 UTC: the oldest heartbeat was 4.9 s old",
  );
});

Deno.test("a heartbeat is late once it is older than 60 % of dead-after", () => {
  const all = "+".repeat(STRIP_SAMPLES);
  assertEquals(spans(all, { 30: 3_000 }), ["live 0+60"]);
  assertEquals(spans(all, { 30: 3_001 }), ["live 0+30", "late 30+1", "live 31+29"]);
});

Deno.test("a death is a span with its time and its cause, and a return its end", () => {
  const at = (time: string) => Date.parse(`2026-01-12T${time}Z`);
  const changes = [
    { atMs: at("11:00:00"), to: "live", reason: "heard directly" },
    { atMs: at("12:06:43.210"), to: "dead", reason: "connection refused" },
    { atMs: at("12:07:41"), to: "live", reason: "heard again directly" },
  ] as const;
  const { label, spans } = draw("+".repeat(40) + "x".repeat(6) + "+".repeat(14), {}, { changes });
  assertEquals(label, "dead 1 min, live 9 min");
  assertEquals(spans.map(({ title }) => title), [
    "live until 12:06:40 UTC: heard directly",
    "dead 12:06:43 to 12:07:40 UTC: connection refused",
    "live since 12:07:41 UTC: heard again directly",
  ]);
  // At the very end of a span another one begins.
  const again = { atMs: at("12:07:40"), to: "dead", reason: "no heartbeat for 5.0 s" } as const;
  const both = [...changes, again].toSorted((a, b) => a.atMs - b.atMs);
  const twice = draw("+".repeat(40) + "x".repeat(6) + "+".repeat(14), {}, { changes: both });
  assertEquals(twice.spans[1]!.title, spans[1]!.title);
  const dead = { atMs: 0, to: "dead", reason: "no heartbeat for 5.0 s" } as const;
  const { title } = draw("x".repeat(STRIP_SAMPLES), {}, { changes: [dead] }).spans[0]!;
  assertEquals(title, "dead all the time: no heartbeat for 5.0 s");
});

Deno.test("what was before this node started is marked, and is no gap of a member", () => {
  const startedMs = FROM_MS + 55 * STRIP_STEP_MS;
  assertEquals(spans(".".repeat(57) + "+++", {}, { startedMs }), ["before 0+55", "live 57+3"]);
  // What a state file tells is known, though this process did not see it.
  assertEquals(spans("x".repeat(STRIP_SAMPLES), {}, { startedMs }), ["dead 0+60"]);
});

Deno.test("every status has spans of its own", () => {
  const statuses = ["dead", "unresponsive", "failing", "left", "live"] as const;
  const marks = statuses.map((status) => STATUS_MARK[status].repeat(12)).join("");
  assertEquals(spans(marks), statuses.map((status, i) => `${status} ${12 * i}+12`));
});

Deno.test("a planned stop is a span of its own, and where nothing is known nothing is drawn", () => {
  assertEquals(spans("+".repeat(50) + "-".repeat(10)), ["live 0+50", "left 50+10"]);
  assertEquals(draw("..??"), { label: "no data", spans: [] });
});

Deno.test("the newest sample is at the right edge, however many there are", () => {
  assertEquals(spans("++"), ["live 58+2"]);
  assertEquals(spans("x".repeat(500) + "+".repeat(STRIP_SAMPLES)), ["live 0+60"]);
  assertEquals(spans(""), []);
});

Deno.test("any samples draw spans within the picture, in order, and nothing else", () => {
  const age = fc.option(fc.double({ min: -1e9, max: 1e15 }));
  const mark = fc.constantFrom(...Object.values(STATUS_MARK), "<", "\u0000");
  fc.assert(fc.property(fc.array(fc.tuple(age, mark), { maxLength: 90 }), (list) => {
    const samples = list.map(([ageMs]) => ageMs);
    const statuses = list.map(([, letter]) => letter).join("");
    let end = 0;
    for (const span of drawStrip({ stepMs: STRIP_STEP_MS, samples, statuses }, FRAME).spans) {
      assertMatch(span.kind, /^(?:before|dead|unresponsive|failing|late|left|live)$/);
      assert(span.x >= end && span.width > 0);
      end = span.x + span.width;
    }
    assert(end <= STRIP_SAMPLES);
  }));
});
