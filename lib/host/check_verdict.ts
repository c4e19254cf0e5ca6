/**
 * What the runs of checks say together: runs in a row make a check's verdict, and all checks make the member's. (pure)
 *
 * @module
 */
import { wordsOf } from "../about.ts";
import type { Check } from "../config/checks.ts";

/** How one run ended; `words` say what failed and why, and may be anything. */
export type Run = { readonly passed: true } | { readonly passed: false; readonly words: string };

/** What the checks of a node say of its member. */
export interface CheckOutcome {
  /** `unchecked` until each check has a verdict, or one fails. */
  readonly state: "unchecked" | "passing" | "failing";
  /** Of the first check that fails, in the order of the flags: one line; empty if none does. */
  readonly words: string;
}

/** What the runs of one check say so far. */
export interface Tally {
  readonly state: CheckOutcome["state"];
  /** Runs in a row that speak against `state`. */
  readonly streak: number;
  /** Why it fails, in one line. */
  readonly words: string;
  /** When those words were taken, in ms. */
  readonly saidAtMs: number;
}

/** Before its first run. */
export const NO_RUN: Tally = { state: "unchecked", streak: 0, words: "", saidAtMs: 0 };

/** Before any check has run, or without checks. */
export const NO_OUTCOME: CheckOutcome = { state: "unchecked", words: "" };

/**
 * A failing check's words change at most this often: each change goes to the whole cluster, and some processes count
 * or stamp each answer.
 */
export const WORDS_KEPT_MS = 60_000;

/**
 * Counts one more run, which ended at `nowMs`. A check that has no verdict yet passes with the first run that does: a
 * process that is just starting fails a few.
 */
export function count(
  tally: Tally,
  run: Run,
  { fall, rise }: Pick<Check, "fall" | "rise">,
  nowMs: number,
): Tally {
  const { state } = tally;
  if (run.passed) {
    if (state === "failing" && tally.streak + 1 < rise) {
      return { ...tally, streak: tally.streak + 1 };
    }
    return { state: "passing", streak: 0, words: "", saidAtMs: nowMs };
  }
  if (state !== "failing" && tally.streak + 1 < fall) {
    return { ...tally, streak: tally.streak + 1 };
  }
  if (state === "failing" && nowMs - tally.saidAtMs < WORDS_KEPT_MS) return { ...tally, streak: 0 };
  return { state: "failing", streak: 0, words: wordsOf(run.words), saidAtMs: nowMs };
}

/** What all checks say together, in the order of the flags. */
export function outcomeOf(tallies: readonly Tally[]): CheckOutcome {
  const failing = tallies.find(({ state }) => state === "failing");
  if (failing !== undefined) return { state: "failing", words: failing.words };
  return tallies.some(({ state }) => state === "unchecked")
    ? NO_OUTCOME
    : { state: "passing", words: "" };
}
