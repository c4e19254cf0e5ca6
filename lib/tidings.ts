/**
 * What nodes tell each other beside the table for the sake of hooks: what was told, who tries, and what is to be quiet.
 * It travels as news, and whole in full messages and to members that are back; it is no part of the roster. Where no
 * hook is carried it is empty, and costs no byte.
 *
 * @module
 */
import type { NewsPace } from "./news.ts";
import { type Quiet, Quiets } from "./quiets.ts";
import { type Told, ToldChanges } from "./told.ts";
import { Tries, type Try } from "./tries.ts";

/** The part of a message that holds them. */
export interface TidingsPart {
  readonly told?: readonly Told[];
  readonly tries?: readonly Try[];
  readonly quiets?: readonly Quiet[];
}

export class Tidings {
  readonly told: ToldChanges;
  readonly tries: Tries;
  readonly quiets: Quiets;

  constructor(pace: NewsPace) {
    this.told = new ToldChanges(pace);
    this.tries = new Tries(pace);
    this.quiets = new Quiets(pace);
  }

  get empty(): boolean {
    return this.told.empty && this.tries.empty && this.quiets.empty;
  }

  /** Merges what another node tells; true if others should know at once. */
  take(part: TidingsPart, nowMs: number): boolean {
    let isNews = false;
    for (const told of part.told ?? []) {
      if (!this.told.merge(told, nowMs)) continue;
      this.told.learned.push(told);
      isNews = true;
    }
    for (const attempt of part.tries ?? []) if (this.tries.take(attempt, nowMs)) isNews = true;
    for (const quiet of part.quiets ?? []) if (this.quiets.take(quiet, nowMs)) isNews = true;
    return isNews;
  }

  /** Makes news of what a member that is back may have missed. */
  renew(nowMs: number): void {
    this.told.renew(nowMs);
    this.tries.renew(nowMs);
    this.quiets.renew(nowMs);
  }

  /** What to send along: the news, or in a full message all that is of use; nothing that `theirs` holds. */
  part(nowMs: number, isFull: boolean, theirs: TidingsPart = {}): TidingsPart | undefined {
    if (this.empty) return undefined;
    const told = this.told.toSend(nowMs, isFull, theirs.told);
    const tries = this.tries.toSend(nowMs, isFull);
    const quiets = this.quiets.toSend(nowMs, isFull);
    return {
      ...told.length > 0 && { told },
      ...tries.length > 0 && { tries },
      ...quiets.length > 0 && { quiets },
    };
  }
}
