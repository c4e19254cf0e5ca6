/**
 * How fast this node beats, and how long it waits for others: the base pace times a whole factor, which grows with the
 * roster. All nodes share the roster, so they come to the same factor without a word about it.
 *
 * They do not learn of a change at one moment, and who beats each 2 s is dead to whoever waits for 5 s only. So for a
 * while after a change a node beats by the least of the factors it had lately, and waits by the greatest:
 *
 *     it grows      dead-after at once; the interval once all have heard of the roster that demands it
 *     it shrinks    the interval at once; dead-after once all beat faster
 *
 * Between the size that permits a factor and the one that demands it, each keeps what it has. There the greatest holds
 * that anybody tells: the unit of its ticks. So all agree there too, and a stranger can move nobody beyond.
 *
 * Rejected: steps that double, of which each divides the next, so that ticks of the one are ticks of the other. At
 * 50,000 members the interval would be 8 s rather than 5; and a change costs exact columns for a few rounds only.
 *
 * @module
 */
import { NEWS_INTERVALS } from "./news.ts";

/** Up to so many members the pace is as given, up to twice as many it takes twice as long, and so on. */
export const STRETCH_MEMBERS = 10_000;

/** A factor may go once its members are fewer than this share of those that demand it: none comes and goes. */
const KEEP_SHARE = 0.8;

/** The greatest factor: a full table's. */
export const FACTOR_MAX = 7;

/** So many dead-afters after a change all have heard of it, by many rounds, and beat by it. */
const SETTLE_DEAD_AFTERS = 2;

/** Before a member is forgotten all must have seen its end: a slow one may be silent for six dead-afters. */
export const FORGET_DEAD_AFTERS_MIN = 10;

export interface PaceOptions {
  readonly intervalMs: number;
  readonly deadAfterMs: number;
  /** For how long a member is silent or left before all forget it; by default never. */
  readonly forgetMs?: number | undefined;
  /** Of more members the pace is stretched; by default never. */
  readonly stretchMembers?: number | undefined;
}

/** What was told of another's pace, and to whom. */
export interface HeardPace {
  /** Members in this node's table. */
  readonly size: number;
  readonly nowMs: number;
  /** This node sees its first table, of which more may be on the way than it has. */
  readonly isJoining: boolean;
}

export class Pace {
  readonly #base: PaceOptions;
  readonly #stretchMembers: number;
  #factor = 1;
  /** The least and the greatest factor since the pace was settled last. */
  #least = 1;
  #greatest = 1;
  #changedAtMs = -Infinity;
  #version = 0;
  /** The factor that was told. */
  #said = 1;

  constructor(base: PaceOptions) {
    this.#base = base;
    this.#stretchMembers = base.stretchMembers ?? Infinity;
  }

  /** Time between two rounds of this node. */
  get intervalMs(): number {
    return this.#least * this.#base.intervalMs;
  }

  /** The longest interval that another node may have now. */
  get longestIntervalMs(): number {
    return this.#greatest * this.#base.intervalMs;
  }

  /** A member whose last heartbeat is older is dead. */
  get deadAfterMs(): number {
    return this.#greatest * this.#base.deadAfterMs;
  }

  /** Who is dead already needs a younger one to live: no change of the pace brings anybody back. */
  get shortDeadAfterMs(): number {
    return this.#least * this.#base.deadAfterMs;
  }

  /** Grows with every change. */
  get version(): number {
    return this.#version;
  }

  /** It is another than the given one, here or soon. */
  get isStretched(): boolean {
    return this.#greatest > 1;
  }

  /** For how long news travels. */
  get newsMs(): number {
    return NEWS_INTERVALS * this.longestIntervalMs;
  }

  /** For how long a member is silent or left before it is forgotten: for enough dead-afters, at any pace. */
  get forgetMs(): number {
    const { forgetMs = Infinity, deadAfterMs } = this.#base;
    return Math.max(
      forgetMs,
      this.#greatest * Math.min(forgetMs, FORGET_DEAD_AFTERS_MIN * deadAfterMs),
    );
  }

  /**
   * After how long a member is dead that may be silent for `silenceMs` now, once the table holds so many; and an
   * interval more, as an age that a peer rounds down must not show it live.
   */
  recallMs(silenceMs: number, size: number): number {
    const factor = Math.max(this.#greatest, this.#demandedBy(size));
    const { intervalMs, deadAfterMs } = this.#base;
    return Math.max(silenceMs, factor * deadAfterMs) + factor * intervalMs;
  }

  /** Takes the size of the table, and the time. What holds from now on, where it is another pace, in a line. */
  look(size: number, nowMs: number): string | undefined {
    this.#fit(size, nowMs);
    if (this.#least === this.#greatest) return undefined;
    if (nowMs < this.#changedAtMs + SETTLE_DEAD_AFTERS * this.deadAfterMs) return undefined;
    const was = this.#words(this.#said);
    this.#least = this.#greatest = this.#factor;
    this.#version++;
    if (this.#said === this.#factor) return undefined;
    this.#said = this.#factor;
    const { interval, deadAfter } = this.#words(this.#factor);
    return `${size} members: a round every ${interval}, ` +
      `dead after ${deadAfter} (was ${was.interval}, ${was.deadAfter})`;
  }

  /** Takes the interval that another node tells. */
  hear(intervalMs: number | undefined, { size, nowMs, isJoining }: HeardPace): void {
    this.#fit(size, nowMs);
    if (intervalMs === undefined || this.#stretchMembers === Infinity) return;
    const factor = intervalMs / this.#base.intervalMs;
    if (!Number.isInteger(factor) || factor > FACTOR_MAX) return;
    if (factor > this.#factor && factor <= this.#permittedBy(size)) this.#change(factor, nowMs);
    // The rest of the table decides; until it is there, nobody in it looks dead.
    if (isJoining && factor > this.#greatest) this.#change(this.#factor, nowMs, factor);
  }

  #fit(size: number, nowMs: number): void {
    const least = this.#demandedBy(size);
    const factor = Math.max(least, Math.min(this.#factor, this.#permittedBy(size)));
    if (factor !== this.#factor) this.#change(factor, nowMs);
  }

  #change(factor: number, nowMs: number, greatest = factor): void {
    this.#factor = factor;
    this.#least = Math.min(this.#least, factor);
    this.#greatest = Math.max(this.#greatest, greatest);
    this.#changedAtMs = nowMs;
    this.#version++;
  }

  #words(factor: number): { readonly interval: string; readonly deadAfter: string } {
    const { intervalMs, deadAfterMs } = this.#base;
    const inSeconds = (ms: number) => `${factor * ms / 1_000}s`;
    return { interval: inSeconds(intervalMs), deadAfter: inSeconds(deadAfterMs) };
  }

  #demandedBy(size: number): number {
    return factorOf(size / this.#stretchMembers);
  }

  #permittedBy(size: number): number {
    return factorOf(size / (KEEP_SHARE * this.#stretchMembers));
  }
}

function factorOf(share: number): number {
  return Math.min(Math.max(1, Math.ceil(share)), FACTOR_MAX);
}
