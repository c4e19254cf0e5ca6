/**
 * Quiet on purpose: while members are deployed or mended, hooks hold their tongue about them. Everybody shows who asked
 * for that, why and for how long; the table and decommissions are untouched. A quiet ends by itself.
 *
 * Times travel as what is left, so no clock but each node's own is needed. Of two quiets with one pattern the one asked
 * for later counts: a stamp orders them. One that was ended before its time is kept until it would have ended, and any
 * two minutes longer, so that neither a node that missed that nor a replay brings it back. For how long travels too, so
 * that all forget it at one moment, whenever they heard of it.
 *
 * @module
 */
import { wordsOf } from "./about.ts";
import { isId } from "./address.ts";
import { HEARTBEAT_MAX_MS } from "./limits.ts";
import { News, type NewsPace } from "./news.ts";

/** Quiets that last at one time, and quiets in one message: who needs more has another pattern. */
export const QUIETS_MAX = 64;

/** Quiets kept, those that ended among them: a day of deployments, each with its own. */
export const QUIETS_KEPT_MAX = 4 * QUIETS_MAX;

/** The longest quiet, in ms: a week. A hook that is to be quiet for longer is better taken out. */
export const QUIET_MAX_MS = 7 * 24 * 3_600_000;

/** What ended is kept for so long, in ms: a replay of a signed message is refused after a minute. */
const ENDED_MS = 120_000;

/** The longest that one is kept, in ms; also the end of a quiet of which nothing else is known. */
export const QUIET_KEPT_MAX_MS = QUIET_MAX_MS + ENDED_MS;

/** A quiet as it travels. */
export interface Quiet {
  /** An ID, in which `*` stands for any characters. */
  readonly pattern: string;
  /** Until its end; 0: it was ended. */
  readonly leftMs: number;
  /** Why, in words; may be empty. */
  readonly why: string;
  /** Who asked for it. */
  readonly by: string;
  /** Ms since the epoch by the clock of who was asked, made greater than what it knew: orders those of one pattern. */
  readonly stamp: number;
  /** For so long it is kept; older nodes do not say it. */
  readonly keptMs?: number | undefined;
}

/** What a user asks for. */
export type QuietWish = Omit<Quiet, "leftMs" | "stamp" | "keptMs"> & { readonly forMs: number };

interface KeptQuiet extends Omit<Quiet, "leftMs" | "keptMs"> {
  readonly untilMs: number;
  /** Until then it is kept. */
  readonly keptUntilMs: number;
  readonly matches: (id: string) => boolean;
}

/** Whether a text can be a pattern. */
export function isPattern(text: string): boolean {
  return isId(text.replaceAll("*", "x"));
}

/** Whether a pattern covers an ID: in time that grows with their lengths, whatever the pattern. */
export function matches(pattern: string, id: string): boolean {
  const [first = "", ...rest] = pattern.split("*");
  const last = rest.pop();
  if (last === undefined) return id === pattern;
  if (!id.startsWith(first) || id.length < first.length + last.length) return false;
  const end = id.length - last.length;
  let at = first.length;
  for (const part of rest) {
    const found = id.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return at <= end && id.endsWith(last);
}

export class Quiets {
  readonly #news: News;
  readonly #byPattern = new Map<string, KeptQuiet>();
  #lostMs = 0;

  constructor(pace: NewsPace) {
    this.#news = new News(pace);
  }

  get empty(): boolean {
    return this.#byPattern.size === 0;
  }

  /**
   * Takes how long this node slept or ran late so far: a quiet ends all the same, and who slept would bring it back.
   * It is kept as long as before: messages of that time may still come, and must not begin it anew.
   */
  lost(lostMs: number): void {
    const byMs = lostMs - this.#lostMs;
    this.#lostMs = lostMs;
    if (byMs === 0) return;
    for (const [pattern, kept] of this.#byPattern) {
      this.#byPattern.set(pattern, { ...kept, untilMs: kept.untilMs - byMs });
    }
  }

  /** Begins a quiet, or gives one another end; 0 ms end it now. */
  ask(wish: QuietWish, at: { readonly nowMs: number; readonly wallMs: number }): Asked {
    const { pattern, forMs, by } = wish;
    if (!isPattern(pattern) || !(forMs >= 0 && forMs <= QUIET_MAX_MS)) return "invalid";
    const after = (this.#byPattern.get(pattern)?.stamp ?? 0) + 1;
    const stamp = Math.min(Math.max(Math.floor(at.wallMs), after), HEARTBEAT_MAX_MS);
    const quiet = { pattern, leftMs: forMs, why: wordsOf(wish.why), by, stamp };
    return this.take(quiet, at.nowMs) ? "done" : "full";
  }

  /** Merges a quiet: the one asked for last counts. True if it is new. */
  take(quiet: Quiet, nowMs: number): boolean {
    this.#expire(nowMs);
    const { pattern, leftMs, why, by, stamp } = quiet;
    const known = this.#byPattern.get(pattern);
    if (known !== undefined && (stamp - known.stamp || (by > known.by ? 1 : -1)) < 0) return false;
    const untilMs = nowMs + Math.min(leftMs, QUIET_MAX_MS);
    const isNewlyActive = leftMs > 0 && !(known !== undefined && known.untilMs > nowMs);
    if (isNewlyActive && this.active(nowMs).length >= QUIETS_MAX) return false;
    // Of an end alone nobody knows what it ended: that may last for as long as any.
    const isEndAlone = leftMs === 0 && known === undefined;
    const { keptMs = isEndAlone ? QUIET_KEPT_MAX_MS : leftMs + ENDED_MS } = quiet;
    const keptUntilMs = nowMs + Math.min(keptMs, QUIET_KEPT_MAX_MS);
    this.#byPattern.set(pattern, {
      pattern,
      why,
      by,
      stamp,
      untilMs,
      keptUntilMs: Math.max(untilMs, keptUntilMs, known?.keptUntilMs ?? 0),
      matches: (id) => matches(pattern, id),
    });
    this.#news.note(pattern, nowMs);
    if (this.#byPattern.size > QUIETS_KEPT_MAX) this.#forgetEnded(nowMs);
    return true;
  }

  /** Forgets the ended one that would be forgotten first. */
  #forgetEnded(nowMs: number): void {
    const ended = [...this.#byPattern.values()].filter(({ untilMs }) => untilMs <= nowMs);
    const [first] = ended.sort((a, b) => a.keptUntilMs - b.keptUntilMs);
    if (first !== undefined) this.#forget(first.pattern);
  }

  /** Those that last, the one that ends first at the top. */
  active(nowMs: number): Omit<Quiet, "stamp">[] {
    return [...this.#byPattern.values()].filter(({ untilMs }) => untilMs > nowMs)
      .map(({ pattern, why, by, untilMs }) => ({ pattern, why, by, leftMs: untilMs - nowMs }))
      .sort((a, b) => a.leftMs - b.leftMs || (a.pattern < b.pattern ? -1 : 1));
  }

  /** The quiet that covers a member, the one that lasts longest. */
  of(id: string, nowMs: number): Omit<Quiet, "stamp"> | undefined {
    if (this.empty) return undefined;
    return this.active(nowMs).findLast(({ pattern }) => this.#byPattern.get(pattern)!.matches(id));
  }

  /** When the next one ends; Infinity if none lasts. */
  nextEndMs(nowMs: number): number {
    return nowMs + (this.active(nowMs)[0]?.leftMs ?? Infinity);
  }

  /** Makes news of all again: a member that is back may have missed them. */
  renew(nowMs: number): void {
    for (const pattern of this.#byPattern.keys()) this.#news.note(pattern, nowMs);
  }

  /** The quiets to send along: the news, or in a full message all; first those that last, then the latest ends. */
  toSend(nowMs: number, isFull: boolean): Quiet[] {
    this.#expire(nowMs);
    const all = this.#news.toSend(this.#byPattern.keys(), nowMs, isFull).map((pattern) => {
      const { why, by, stamp, untilMs, keptUntilMs } = this.#byPattern.get(pattern)!;
      const leftMs = Math.max(0, untilMs - nowMs);
      return { pattern, leftMs, why, by, stamp, keptMs: keptUntilMs - nowMs };
    });
    const isActive = ({ leftMs }: Quiet) => Number(leftMs > 0);
    return all.sort((a, b) => isActive(b) - isActive(a) || b.stamp - a.stamp).slice(0, QUIETS_MAX);
  }

  #expire(nowMs: number): void {
    for (const { pattern, keptUntilMs } of this.#byPattern.values()) {
      if (keptUntilMs > nowMs) continue;
      this.#forget(pattern);
    }
  }

  #forget(pattern: string): void {
    this.#byPattern.delete(pattern);
    this.#news.forget(pattern);
  }
}

/** What became of a request for quiet. */
export type Asked = "done" | "full" | "invalid";
