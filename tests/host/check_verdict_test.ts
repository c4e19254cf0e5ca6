import { assertEquals } from "@std/assert";
import { WORDS_LENGTH_MAX } from "../../lib/about.ts";
import {
  count,
  NO_RUN,
  outcomeOf,
  type Run,
  type Tally,
  WORDS_KEPT_MS,
} from "../../lib/host/check_verdict.ts";

const RULE = { fall: 2, rise: 2 };

/** Runs in a row, a second apart: `+` passes, any other character fails and is what it says. */
function tallyOf(runs: string, rule = RULE, from: Tally = NO_RUN): Tally {
  return [...runs].reduce((tally, sign, i) => {
    const run: Run = sign === "+" ? { passed: true } : { passed: false, words: sign };
    return count(tally, run, rule, i * 1_000);
  }, from);
}

Deno.test("a check without a verdict passes with its first run that passes", () => {
  assertEquals(NO_RUN.state, "unchecked");
  assertEquals(tallyOf("+").state, "passing");
  assertEquals(tallyOf("a+").state, "passing");
});

Deno.test("a check without a verdict fails as any other, after `fall` runs: a process that starts is not ready at once", () => {
  assertEquals(tallyOf("a").state, "unchecked");
  assertEquals(tallyOf("ab").state, "failing");
  assertEquals(tallyOf("a", { fall: 1, rise: 1 }).state, "failing");
});

Deno.test("a check that passes fails after `fall` runs in a row, and one that passes begins the count anew", () => {
  assertEquals(tallyOf("+a").state, "passing");
  assertEquals(tallyOf("+a+b").state, "passing");
  assertEquals(tallyOf("+a+bc").state, "failing");
  const three = { fall: 3, rise: 3 };
  assertEquals(["+ab", "+abc"].map((runs) => tallyOf(runs, three).state), ["passing", "failing"]);
});

Deno.test("a check that fails passes after `rise` runs in a row, and one that fails begins the count anew", () => {
  assertEquals(tallyOf("ab+").state, "failing");
  assertEquals(tallyOf("ab+c+").state, "failing");
  assertEquals(tallyOf("ab+c++").state, "passing");
  assertEquals(tallyOf("ab+c++d").state, "passing");
  const three = { fall: 1, rise: 3 };
  assertEquals(["a++", "a+++"].map((runs) => tallyOf(runs, three).state), ["failing", "passing"]);
});

Deno.test("its words are those of the run that made it fail, and are taken anew once a minute", () => {
  const failing = tallyOf("+ab");
  assertEquals(failing.words, "b");
  const saidAtMs = 2_000;
  const later = (ms: number) =>
    count(failing, { passed: false, words: "c" }, RULE, saidAtMs + ms).words;
  assertEquals(later(WORDS_KEPT_MS - 1), "b");
  assertEquals(later(WORDS_KEPT_MS), "c");
  assertEquals(tallyOf("ab++cd").words, "d");
  assertEquals(tallyOf("ab++").words, "");
});

Deno.test("its words are one short line, whatever a run said", () => {
  const wordsOf = (words: string) =>
    count(NO_RUN, { passed: false, words }, { fall: 1, rise: 1 }, 0).words;
  assertEquals(wordsOf(" http\r\n 503:\x1b[31m a\u202e;b\0 "), "http 503: [31m a b");
  assertEquals(wordsOf("x".repeat(1e5)), `${"x".repeat(WORDS_LENGTH_MAX - 3)}...`);
});

Deno.test("all checks together: the first that fails speaks, all must have a verdict to pass", () => {
  const [none, passing, a, b] = ["", "+", "aa", "bb"].map((runs) => tallyOf(runs)) as [
    Tally,
    Tally,
    Tally,
    Tally,
  ];
  assertEquals(outcomeOf([none]), { state: "unchecked", words: "" });
  assertEquals(outcomeOf([passing, none]), { state: "unchecked", words: "" });
  assertEquals(outcomeOf([passing, passing]), { state: "passing", words: "" });
  assertEquals(outcomeOf([none, passing, b, a]), { state: "failing", words: "b" });
});
