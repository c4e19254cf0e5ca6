import { assertEquals } from "@std/assert";
import { STRIP_SAMPLES, STRIP_STEP_MS, Strips, stripStepMs } from "../../lib/report/strips.ts";

const STEP_MS = 1_000;

function open(startMs = 0): Strips {
  const strips = new Strips(STEP_MS);
  strips.advance(startMs);
  return strips;
}

/** The last `count` samples and statuses. */
function tail(strips: Strips, id: string, count: number) {
  const { samples, statuses } = strips.view(id);
  assertEquals([samples.length, statuses.length], [STRIP_SAMPLES, STRIP_SAMPLES]);
  return [samples.slice(-count), statuses.slice(-count)];
}

Deno.test("Strips keeps the greatest age and the worst status of each step", () => {
  const strips = open();
  strips.sample("a", { status: "live", ageMs: 200 });
  strips.sample("a", { status: "live", ageMs: 900 });
  strips.sample("a", { status: "live", ageMs: 100 });
  strips.advance(STEP_MS);
  strips.sample("a", { status: "dead", ageMs: 6_000 });
  strips.sample("a", { status: "live", ageMs: 0 });
  assertEquals(tail(strips, "a", 3), [[null, 900, 6_000], ".+x"]);
});

Deno.test("Strips ranks dead over left over live over unknown", () => {
  const strips = open();
  const statuses = ["unknown", "live", "left", "dead"] as const;
  let marks = "";
  for (const worst of statuses) {
    for (const status of statuses) {
      strips.sample(worst, { status, ageMs: 0 });
      if (status === worst) break;
    }
    strips.sample(worst, { status: "unknown", ageMs: null });
    marks += tail(strips, worst, 1)[1];
  }
  assertEquals(marks, "?+-x");
});

Deno.test("Strips has no age for a member that was never heard from, and nothing for a stranger", () => {
  const strips = open();
  strips.sample("a", { status: "unknown", ageMs: null });
  assertEquals(tail(strips, "a", 2), [[null, null], ".?"]);
  assertEquals(tail(strips, "b", 2), [[null, null], ".."]);
});

Deno.test("Strips leaves steps empty in which this node did not run", () => {
  const strips = open(7 * STEP_MS);
  strips.sample("a", { status: "live", ageMs: 100 });
  strips.advance(10 * STEP_MS);
  strips.sample("a", { status: "live", ageMs: 300 });
  assertEquals(tail(strips, "a", 5), [[null, 100, null, null, 300], ".+..+"]);
  strips.advance(9 * STEP_MS);
  assertEquals(tail(strips, "a", 1), [[300], "+"], "time does not go back");
});

Deno.test("Strips shows the last samples only, however long it runs", () => {
  const strips = open();
  for (let step = 0; step < 3 * STRIP_SAMPLES; step++) {
    strips.advance(step * STEP_MS);
    // Ever younger: a sample that a place was left with would be the greater.
    strips.sample("a", { status: "live", ageMs: (3 * STRIP_SAMPLES - step) * 100 });
  }
  assertEquals(
    strips.view("a").samples,
    Array.from({ length: STRIP_SAMPLES }, (_, i) => (STRIP_SAMPLES - i) * 100),
  );
});

Deno.test("Strips keeps ages up to 6553 s", () => {
  const strips = open();
  strips.sample("a", { status: "dead", ageMs: 366 * 24 * 3_600_000 });
  assertEquals(tail(strips, "a", 1), [[6_553_500], "x"]);
});

Deno.test("invariant 7: Strips forgets a member not seen for a whole strip, and gives its place on clean", () => {
  const strips = open();
  strips.sample("gone", { status: "dead", ageMs: 5_000 });
  strips.sample("gone", { status: "decommissioned", ageMs: 5_000 });
  strips.advance((STRIP_SAMPLES - 1) * STEP_MS);
  assertEquals(strips.size, 1);
  assertEquals(strips.view("gone").statuses.at(0), "x");
  strips.advance(STRIP_SAMPLES * STEP_MS);
  assertEquals(strips.size, 0);
  strips.sample("new", { status: "live", ageMs: 0 });
  assertEquals(strips.view("new").statuses, ".".repeat(STRIP_SAMPLES - 1) + "+");
});

Deno.test("Strips makes room for thousands of members", () => {
  const strips = open();
  for (let i = 0; i < 3_000; i++) strips.sample(`m${i}`, { status: "live", ageMs: i * 100 });
  for (const i of [0, 63, 64, 2_999]) {
    assertEquals(tail(strips, `m${i}`, 1), [[i * 100], "+"]);
  }
});

Deno.test("a strip's step is 10 s, and two intervals where those are longer", () => {
  assertEquals([500, 1_000, 60_000].map(stripStepMs), [STRIP_STEP_MS, STRIP_STEP_MS, 120_000]);
});
