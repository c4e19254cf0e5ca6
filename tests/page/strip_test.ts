import { assertEquals, assertMatch } from "@std/assert";
import fc from "fast-check";
import { drawStrip } from "../../lib/page/strip.ts";
import { STATUS_MARK, STRIP_SAMPLES, STRIP_STEP_MS } from "../../lib/report/strips.ts";

const DEAD_AFTER_MS = 5_000;

/** Draws a strip from its statuses, all ages being `ageMs` unless told for a place. */
function draw(statuses: string, ageMs: number | null = 1_000, ages: Record<number, number> = {}) {
  const samples = Array.from(statuses, (_, i) => ages[i] ?? ageMs);
  return drawStrip({ stepMs: STRIP_STEP_MS, samples, statuses }, DEAD_AFTER_MS);
}

Deno.test("a healthy member draws one low even line", () => {
  assertEquals(draw("+".repeat(STRIP_SAMPLES)), {
    label: "live 10 min",
    paths: { live: "M0 16v-3h60v3z" },
  });
  assertEquals(draw("+".repeat(STRIP_SAMPLES), 100, { 7: 1_999 }).paths.live, "M0 16v-3h60v3z");
});

Deno.test("a stall is a spike in the colour of late heartbeats", () => {
  const { label, paths } = draw("+".repeat(STRIP_SAMPLES), 1_000, { 30: 4_900, 31: 3_500 });
  assertEquals(label, "late 20 s, live 9 min 40 s");
  assertEquals(paths, {
    live: "M0 16v-3h30v3zM32 16v-3h28v3z",
    late: "M30 16v-11h1v11zM31 16v-8h1v8z",
  });
});

Deno.test("a death is a block of full height, and a return its end", () => {
  const { label, paths } = draw("+".repeat(40) + "x".repeat(6) + "+".repeat(14));
  assertEquals(label, "dead 1 min, live 9 min");
  assertEquals(paths, { live: "M0 16v-3h40v3zM46 16v-3h14v3z", dead: "M40 16v-16h6v16z" });
});

Deno.test("a planned stop is a block of its own, and where nothing is known nothing is drawn", () => {
  assertEquals(Object.keys(draw("+".repeat(50) + "-".repeat(10)).paths).sort(), ["left", "live"]);
  assertEquals(draw("..??", null), { label: "no data", paths: {} });
});

Deno.test("the newest sample is at the right edge, however many there are", () => {
  assertEquals(draw("++").paths, { live: "M58 16v-3h2v3z" });
  assertEquals(draw("x".repeat(500) + "+".repeat(STRIP_SAMPLES)).paths, { live: "M0 16v-3h60v3z" });
  assertEquals(draw("").paths, {});
});

Deno.test("any samples draw paths of bars within the picture, and nothing else", () => {
  const age = fc.option(fc.double({ min: -1e9, max: 1e15 }));
  const mark = fc.constantFrom(...Object.values(STATUS_MARK), "<", "\u0000");
  fc.assert(fc.property(fc.array(fc.tuple(age, mark), { maxLength: 90 }), (list) => {
    const samples = list.map(([ageMs]) => ageMs);
    const statuses = list.map(([, letter]) => letter).join("");
    const { paths } = drawStrip({ stepMs: STRIP_STEP_MS, samples, statuses }, DEAD_AFTER_MS);
    for (const path of Object.values(paths)) {
      assertMatch(path, /^(?:M\d{1,2} 16v-\d{1,2}h\d{1,2}v\d{1,2}z)+$/);
    }
  }));
});
