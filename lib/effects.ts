/**
 * What the brain is made with, and what it wants done: values, which the driver carries out, and a simulator as well.
 *
 * @module
 */
import type { Moment } from "./clock.ts";
import type { Change } from "./verdicts.ts";

export interface GossipOptions {
  readonly id: string;
  /** This node's advertised `host:port`. */
  readonly address: string;
  /** 8 hex digits drawn when the process started. */
  readonly boot: string;
  /** Addresses to join. */
  readonly seeds: readonly string[];
  /** More of them are being looked up: `resolved` will tell. */
  readonly awaitsSeeds?: boolean;
  /** Addresses of members in a former life: joined as well, and forgotten when they are of no more use. */
  readonly remembered?: readonly string[];
  readonly intervalMs: number;
  readonly deadAfterMs: number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

export type Effect =
  /** POST `body` to `/hello` at `to`, then call `answered` or `failed`. */
  | { readonly kind: "exchange"; readonly to: string; readonly body: string }
  | { readonly kind: "change"; readonly change: Change }
  /** One line for the log. */
  | { readonly kind: "notice"; readonly level: "info" | "warn"; readonly text: string }
  /** End the process with `status`, once the calls under way are done. */
  | { readonly kind: "stop"; readonly status: 0 | 1; readonly text: string };

/** The answer to a push. */
export interface Answer {
  readonly body: string;
  readonly effects: Effect[];
}

/** What became of a request to decommission a member. */
export interface Decommission {
  readonly outcome: "done" | "already" | "full";
  readonly effects: Effect[];
}

/** One entry into the brain: its time, and the effects it gathers. */
export interface Turn {
  readonly now: Moment;
  /** The running time, which ages are counted to. */
  readonly nowMs: number;
  readonly effects: Effect[];
}

/** Adds a line for the log. */
export function notice(turn: Turn, level: "info" | "warn", text: string): void {
  turn.effects.push({ kind: "notice", level, text });
}
