/**
 * Whom hooks say nothing of on purpose, as people and scripts see it. (pure)
 *
 * @module
 */
import type { Gossip } from "../gossip.ts";
import { hashOf } from "../hash.ts";
import { QUIET_MAX_MS } from "../quiets.ts";
import { clockWords } from "../../static/words.js";

/** Silences that the page's line names; of more it tells the number. */
const NAMED_MAX = 3;

/** An entry of `quiet` in `GET /members`. */
export interface QuietView {
  /** Whose: an ID, in which any `*` stands for any characters. */
  readonly id: string;
  /** RFC 3339, by this node's clock, to the second. */
  readonly until: string;
  /** What whoever asked for it gave as reason; may be empty. */
  readonly why: string;
  /** The node that was asked for it. */
  readonly by: string;
}

type Active = ReturnType<Gossip["replica"]["tidings"]["quiets"]["active"]>[number];

/** All that hold now. */
export function quietViews(gossip: Gossip, wallMs: number): QuietView[] {
  return gossip.replica.tidings.quiets.active(gossip.nowMs).map((quiet) =>
    quietView(quiet, wallMs)
  );
}

/** What a member's remark says of it; undefined where hooks speak of it. */
export function quietRemark(gossip: Gossip, id: string, wallMs: number): string | undefined {
  const quiet = gossip.replica.tidings.quiets.of(id, gossip.nowMs);
  if (quiet === undefined) return undefined;
  const { until, why } = quietView(quiet, wallMs);
  const end = clockWords(until, new Date(wallMs).toISOString());
  return `quiet: no hook tells of it until ${end}${why && `, ${why}`}`;
}

/** The page's line about them; empty without any. */
export function quietLine(views: readonly QuietView[], now: string): string {
  const words = views.slice(0, NAMED_MAX).map(({ id, until, why, by }) =>
    `${id} until ${clockWords(until, now)} (${why && `${why}, `}asked of ${by})`
  );
  const more = views.length - words.length;
  if (words.length === 0) return "";
  return `No hook tells of ${words.join("; ")}${more === 0 ? "" : `; and of ${more} more`}`;
}

/** Equal while the same silences hold. */
export function quietVersion(gossip: Gossip): string {
  const active = gossip.replica.tidings.quiets.active(gossip.nowMs);
  return active.length === 0 ? "" : String(hashOf(JSON.stringify(
    active.map((
      { pattern, why, by, leftMs },
    ) => [pattern, why, by, Math.round((gossip.nowMs + leftMs) / 1000)]),
  )));
}

function quietView({ pattern, why, by, leftMs }: Active, wallMs: number): QuietView {
  return { id: pattern, until: quietUntil(leftMs, wallMs), why, by };
}

/**
 * For how long a quiet lasts that is asked for now, so that it ends at a whole second: each look tells the end to the
 * second, from a clock of its own, and two would tell different ones of an end that is just between two seconds.
 */
export function quietMs(forMs: number, wallMs: number): number {
  const lastMs = Math.floor((wallMs + QUIET_MAX_MS) / 1000) * 1000;
  const leftMs = Math.min(Math.round((wallMs + forMs) / 1000) * 1000, lastMs) - wallMs;
  return forMs === 0 || leftMs <= 0 ? forMs : leftMs;
}

/** When a quiet ends that lasts for so long, in RFC 3339. To the second: the clocks of two looks differ by less. */
export function quietUntil(leftMs: number, wallMs: number): string {
  const untilMs = Math.round((wallMs + leftMs) / 1000) * 1000;
  return new Date(untilMs).toISOString().replace(".000Z", "Z");
}
