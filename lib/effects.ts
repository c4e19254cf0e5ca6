/**
 * The boundary of the core: one entry into it, and what it wants done, as values. The driver carries them out.
 *
 * @module
 */
import type { Moment } from "./clock.ts";
import type { Dropped } from "./forgotten.ts";
import type { Telling } from "./hook.ts";
import type { Told } from "./told.ts";
import type { StatusChange } from "./verdicts.ts";

export type Effect =
  /** POST `body` to `/hello` at `to`, then call `answered` or `failed`. */
  | { readonly kind: "exchange"; readonly to: string; readonly body: string }
  | { readonly kind: "change"; readonly change: StatusChange }
  | { readonly kind: "forgotten"; readonly dropped: Dropped }
  /** A round began, `lateMs` after its time. */
  | { readonly kind: "round"; readonly lateMs: number }
  /** Run this hook once, then call `tellingEnded`; until then no other telling of the hook comes. */
  | { readonly kind: "tell"; readonly telling: Telling }
  /** Somebody, here or elsewhere, told a hook's users of a change. */
  | { readonly kind: "told"; readonly told: Told }
  /** One line for the log. */
  | { readonly kind: "notice"; readonly level: "info" | "warn"; readonly text: string }
  /** A rule of this program does not hold: a mistake in it, which the log and a metric tell. */
  | { readonly kind: "bug"; readonly rule: string }
  /** End the process with `status`, once the calls under way are done. */
  | { readonly kind: "stop"; readonly status: 0 | 1; readonly text: string };

/** One entry into the core: its time, and the effects it gathers. */
export interface Turn {
  readonly now: Moment;
  /** The running time, to which ages are counted. */
  readonly nowMs: number;
  readonly effects: Effect[];
}

/** What became of a user's request. */
export interface Outcome<T> {
  readonly outcome: T;
  readonly effects: readonly Effect[];
}

/** Adds a line for the log. */
export function notice(turn: Turn, level: "info" | "warn", text: string): void {
  turn.effects.push({ kind: "notice", level, text });
}

/** Asserts a rule of this program. A node goes on where one breaks: it serves others better wrong than stopped. */
export function must(turn: Turn, holds: boolean, rule: string): void {
  if (!holds) turn.effects.push({ kind: "bug", rule });
}
