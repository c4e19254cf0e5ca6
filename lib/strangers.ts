/**
 * Strangers: live members that never answered a call of this node. An attacker can make up thousands, keep them live
 * with one message every few seconds, and give them addresses that never answer. They must not take the calls that real
 * members need.
 *
 * Newcomers are strangers too, so while strangers answer, or are few, they are called like all others. Once
 * FAILURES_MAX calls to strangers in a row failed or are under way, and strangers outnumber the members that answered,
 * this node calls one stranger at a time, until one answers. Only an answer counts: whoever calls may give any ID.
 *
 * @module
 */
import type { Row } from "./table.ts";

/**
 * Calls to strangers that failed in a row, or are under way, until few of them are called: at 10 % loss one in a
 * thousand is unlucky.
 */
const FAILURES_MAX = 4;

/** Calls in a row that a member leaves unanswered until it is a stranger again: at 30 % loss none does. */
const SILENCE_MAX = 12;

/** Members remembered beyond twice the live ones: those gone may be back. */
const REMEMBERED_MIN = 1_024;

export class Strangers {
  /** Members that answered, each with its calls unanswered since. */
  readonly #unanswered = new Map<string, number>();
  /** Calls to strangers that failed since one answered. */
  #failures = 0;

  /** Notes that `id` answered a call. */
  answered(id: string): void {
    if (!this.#unanswered.has(id)) this.#failures = 0;
    this.#unanswered.set(id, 0);
  }

  /** Notes that a call to `id` failed. */
  failed(id: string): void {
    const unanswered = this.#unanswered.get(id);
    if (unanswered === undefined) this.#failures++;
    else if (unanswered + 1 < SILENCE_MAX) this.#unanswered.set(id, unanswered + 1);
    else this.#unanswered.delete(id);
  }

  /** Whether `id` never answered this node, or not for long. */
  has(id: string): boolean {
    return !this.#unanswered.has(id);
  }

  /** Those of `live` from which the members to call are drawn, while `underWay` calls to strangers are. */
  thin(
    live: readonly Row[],
    { underWay, random }: { underWay: number; random: () => number },
  ): readonly Row[] {
    this.#prune(live);
    if (this.#failures + underWay < FAILURES_MAX) return live;
    const known = live.filter(({ id }) => !this.has(id));
    const strangers = live.filter(({ id }) => this.has(id));
    if (known.length === 0 || strangers.length <= known.length) return live;
    return [...known, strangers[Math.floor(random() * strangers.length)]!];
  }

  #prune(live: readonly Row[]): void {
    if (this.#unanswered.size <= 2 * live.length + REMEMBERED_MIN) return;
    const ids = new Set(live.map(({ id }) => id));
    for (const id of this.#unanswered.keys()) if (!ids.has(id)) this.#unanswered.delete(id);
  }
}
