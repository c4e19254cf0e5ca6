/**
 * Attempts to tell: which node tries a hook now, and whether the last attempt failed. The others wait for it, and while
 * a receiver is down the whole cluster tries it no more often than one node would. Attempts are news, for two minutes;
 * nothing depends on them but how soon and how often somebody tries.
 *
 * @module
 */
import { News, type NewsPace } from "./news.ts";
import { ageOf } from "./table.ts";

/** Hooks whose attempts are known at one time: far more than anybody configures. */
export const TRIES_MAX = 64;

/** The greatest number of an attempt that others read. */
export const TRY_NUMBER_MAX = 2 ** 31;

/** An older one says nothing any more, in ms: an attempt and the longest wait after it take a minute. */
const LASTS_MS = 120_000;

export const TRY_STATES = ["trying", "failed", "done"] as const;

/** What a node says of its last attempt, as it travels. */
export interface Try {
  readonly hook: string;
  /** Grows whenever any node says something of the hook: the greatest is the latest. */
  readonly number: number;
  readonly by: string;
  readonly state: typeof TRY_STATES[number];
  /** Attempts of all nodes that failed since the last success; in a success 1, if any did before it. */
  readonly failures: number;
  /** Time since the node said so. */
  readonly ageMs: number;
}

/** An attempt, dated on this node's running clock. */
export type Attempt = Omit<Try, "ageMs"> & { readonly atMs: number };

export class Tries {
  readonly #news: News;
  readonly #byHook = new Map<string, Attempt>();

  constructor(pace: NewsPace) {
    this.#news = new News(pace);
  }

  get empty(): boolean {
    return this.#byHook.size === 0;
  }

  /** The last attempt at a hook. */
  get(hook: string): Attempt | undefined {
    return this.#byHook.get(hook);
  }

  /** Says what this node does: it begins an attempt, or one ended. */
  say(hook: string, by: string, state: Try["state"], nowMs: number): void {
    const { number = 0, failures = 0 } = this.#byHook.get(hook) ?? {};
    const failed = state === "done" ? Math.min(failures, 1) : failures + Number(state === "failed");
    this.take({
      hook,
      by,
      state,
      ageMs: 0,
      // Others read no greater ones.
      number: Math.min(number + 1, TRY_NUMBER_MAX),
      failures: Math.min(failed, TRY_NUMBER_MAX),
    }, nowMs);
  }

  /** Merges an attempt: the latest counts. True if it is new. */
  take(said: Try, nowMs: number): boolean {
    const { ageMs, ...rest } = said;
    const known = this.#byHook.get(said.hook);
    if (ageMs > LASTS_MS || (known !== undefined && !isLater(said, known))) return false;
    if (known === undefined && this.#byHook.size >= TRIES_MAX) return false;
    this.#byHook.set(said.hook, { ...rest, atMs: nowMs - ageMs });
    this.#news.note(said.hook, nowMs);
    return true;
  }

  /** Makes news of all again: a member that is back may have missed them. */
  renew(nowMs: number): void {
    for (const hook of this.#byHook.keys()) this.#news.note(hook, nowMs);
  }

  /** What to send along: the news, or in a full message all. */
  toSend(nowMs: number, isFull: boolean): Try[] {
    for (const { hook, atMs } of this.#byHook.values()) {
      if (nowMs - atMs <= LASTS_MS) continue;
      this.#byHook.delete(hook);
      this.#news.forget(hook);
    }
    return this.#news.toSend(this.#byHook.keys(), nowMs, isFull).map((hook) => {
      const { atMs, ...rest } = this.#byHook.get(hook)!;
      return { ...rest, ageMs: ageOf({ heardAtMs: atMs }, nowMs) };
    });
  }
}

function isLater(a: Omit<Try, "ageMs">, b: Omit<Try, "ageMs">): boolean {
  if (a.number !== b.number) return a.number > b.number;
  return a.by === b.by ? TRY_STATES.indexOf(a.state) > TRY_STATES.indexOf(b.state) : a.by > b.by;
}
