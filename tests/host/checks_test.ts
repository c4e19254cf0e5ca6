import { assertEquals } from "@std/assert";
import { readCheck } from "../../lib/config/checks.ts";
import { Checks } from "../../lib/host/checks.ts";
import type { CheckOutcome, Run } from "../../lib/host/check_verdict.ts";
import { eventually } from "../support/eventually.ts";

const FAILS: Run = { passed: false, words: "db: connection refused" };

/** Checks by hand: each run ends when the test says how. */
class Bench implements Disposable {
  readonly outcomes: CheckOutcome[] = [];
  readonly #ends: ((run: Run) => void)[] = [];
  readonly #checks: Checks;
  underWay = 0;
  underWayMost = 0;
  signal: AbortSignal | undefined;

  constructor(...texts: string[]) {
    this.#checks = new Checks({
      checks: texts.map(readCheck),
      authorities: () => [],
      onOutcome: (outcome) => this.outcomes.push(outcome),
      // A clock that runs far ahead: every run is over its time, and the next one is due.
      nowMs: () => this.#nowMs += 1e6,
      wallMs: Date.now,
      run: (_, signal) => {
        this.signal = signal;
        this.underWayMost = Math.max(this.underWayMost, ++this.underWay);
        return new Promise((resolve) => this.#ends.push(resolve));
      },
    });
    this.#checks.start();
  }

  #nowMs = 0;

  /** Ends the run that began first, once there is one. */
  async end(run: Run): Promise<void> {
    const end = await eventually(() => {
      const [end] = this.#ends;
      if (end === undefined) throw new Error("no run is under way");
      return end;
    });
    this.#ends.shift();
    this.underWay--;
    end(run);
  }

  [Symbol.dispose](): void {
    this.#checks.stop();
  }
}

Deno.test("checks tell what they say when it changes, and only then", async () => {
  using bench = new Bench("tcp:localhost:1,fall=1");
  for (const run of [{ passed: true }, { passed: true }, FAILS, FAILS, { passed: true }] as Run[]) {
    await bench.end(run);
  }
  await eventually(() =>
    assertEquals(bench.outcomes, [
      { state: "passing", words: "" },
      { state: "failing", words: "db: connection refused" },
      { state: "passing", words: "" },
    ])
  );
});

Deno.test("a check never runs twice at once, however late it is; two checks do not wait for each other", async () => {
  using one = new Bench("exec:a,every=1s");
  for (let i = 0; i < 3; i++) await one.end({ passed: true });
  assertEquals(one.underWayMost, 1);
  using two = new Bench("exec:a,every=1s", "exec:b,every=1s");
  await eventually(() => assertEquals(two.underWay, 2));
});

Deno.test("checks that are stopped end the run under way, start no other, and tell nothing more", async () => {
  const bench = new Bench("exec:a,every=1s,fall=1");
  await eventually(() => assertEquals(bench.underWay, 1));
  bench[Symbol.dispose]();
  assertEquals(bench.signal?.aborted, true);
  await bench.end(FAILS);
  assertEquals([bench.underWay, bench.outcomes], [0, []]);
});
