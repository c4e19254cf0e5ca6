/**
 * What was told: per hook and member the latest change that somebody was told of, known to all nodes. Who carries the
 * hook neither repeats it nor forgets that "live again" is due, however it started or whoever told it.
 *
 * One change has one key, made of core facts that are equal at all nodes: the member, its boot, the new status and the
 * heartbeat. A member that is silent made no later heartbeat, so that names its silence. While it is up, or stops as
 * planned, its heartbeats run on: such a change is named by the heartbeat of what was told before, and a step.
 *
 * @module
 */
import { HEARTBEAT_MAX_MS, HEARTBEAT_STEP_MS } from "./limits.ts";
import { News, type NewsPace } from "./news.ts";
import { ageOf, type Status, STATUSES } from "./table.ts";

/** Told changes kept, the last told at the end: as many as a state file remembers members. */
export const TOLD_MAX = 4_096;

/** Of them in one message, the last told: 20 KB. */
export const TOLD_TOLD_MAX = 256;

/** Characters of a result: a status or an exit code, and a word. */
export const RESULT_LENGTH_MAX = 24;

/** The greatest step that others read: a member changes less often while it is up. */
export const STEP_MAX = 2 ** 31;

/** The facts of a change that name it. */
export interface ChangeName {
  readonly id: string;
  readonly boot: string;
  readonly to: Status;
  /** Its last heartbeat where it is silent; otherwise that of the change told before, 0 if there was none. */
  readonly heartbeat: number;
  /** 0 where it is silent; otherwise counts the changes told since that heartbeat. */
  readonly step: number;
}

type Step = Pick<ChangeName, "heartbeat" | "step">;

/** A change that somebody was told of, as it travels. */
export interface Told extends ChangeName {
  readonly hook: string;
  /** The node that told it. */
  readonly by: string;
  /** Time since the message was made, which tells nothing of what happened later. */
  readonly ageMs: number;
  /** How many changes went in that one message. */
  readonly together: number;
  /** What came of it, in a word: "200"; may be empty. */
  readonly result: string;
}

/** The key of a change. */
export function keyOf({ id, boot, to, heartbeat, step }: ChangeName): string {
  const stamp = step > 1 ? `${heartbeat}.${step}` : `${heartbeat}`;
  return [id, boot, to, stamp].join("/");
}

/** The stamp and step that come after others: after a stamp's last step the first of the next stamp. */
export function stepAfter({ heartbeat, step }: Step): Step {
  if (step < STEP_MAX) return { heartbeat, step: step + 1 };
  return heartbeat < HEARTBEAT_MAX_MS
    ? { heartbeat: heartbeat + HEARTBEAT_STEP_MS, step: 1 }
    : { heartbeat, step };
}

/** Positive if `a` was told of a later state of the member than `b`. A decommission is above all. */
function compareTold(a: Told, b: Told): number {
  const isLast = (told: Told) => Number(told.to === "decommissioned");
  return isLast(a) - isLast(b) || a.heartbeat - b.heartbeat || a.step - b.step ||
    STATUSES.indexOf(b.to) - STATUSES.indexOf(a.to);
}

/** One of them, dated on this node's running clock. */
export type KeptTold = Omit<Told, "ageMs"> & { readonly toldAtMs: number };

export class ToldChanges {
  /** What was new, until somebody takes it out of here. */
  readonly learned: Told[] = [];
  readonly #news: News;
  /** By hook and member, the last learned at the end. */
  readonly #byName = new Map<string, KeptTold>();
  /** By hook: its last message. */
  readonly #last = new Map<string, { readonly atMs: number; readonly together: number }>();

  constructor(pace: NewsPace) {
    this.#news = new News(pace);
  }

  get empty(): boolean {
    return this.#byName.size === 0;
  }

  /** What a hook's users were told last of a member. */
  get(hook: string, id: string): KeptTold | undefined {
    return this.#byName.get(`${hook} ${id}`);
  }

  /** When a hook's last message was, and how many changes it held. */
  last(hook: string): { readonly atMs: number; readonly together: number } | undefined {
    return this.#last.get(hook);
  }

  /**
   * The name under which a change that was told just now is kept. Where others were told of a later one meanwhile, as
   * this node did not hear of that, the users heard the older one last: it comes after the later, which is due again.
   */
  afresh(hook: string, name: ChangeName): ChangeName {
    const known = this.get(hook, name.id);
    if (known === undefined || known.step === 0 || name.heartbeat > known.heartbeat) return name;
    const isOvertaken = name.heartbeat < known.heartbeat || name.step < known.step;
    if (!isOvertaken || known.to === name.to) return name;
    return { ...name, ...stepAfter(known) };
  }

  /** Merges what was told: the latest state of a member counts. True if it is new. */
  merge(told: Told, nowMs: number): boolean {
    const name = `${told.hook} ${told.id}`;
    const known = this.#byName.get(name);
    const { ageMs, ...rest } = told;
    if (known !== undefined && compareTold(told, { ...known, ageMs }) <= 0) return false;
    const toldAtMs = nowMs - ageMs;
    // Deleted first, so that the last learned comes last.
    this.#byName.delete(name);
    this.#byName.set(name, { ...rest, toldAtMs });
    this.#news.note(name, nowMs);
    for (const first of this.#byName.keys()) {
      if (this.#byName.size <= TOLD_MAX) break;
      this.#byName.delete(first);
      this.#news.forget(first);
    }
    const last = this.#last.get(told.hook);
    if (last === undefined || last.atMs < toldAtMs) {
      if (last === undefined && this.#last.size >= TOLD_MAX) this.#last.clear();
      this.#last.set(told.hook, { atMs: toldAtMs, together: told.together });
    }
    return true;
  }

  /** Makes news of the last again: a member that is back may have missed them. */
  renew(nowMs: number): void {
    for (const name of [...this.#byName.keys()].slice(-TOLD_TOLD_MAX)) this.#news.note(name, nowMs);
  }

  /** What to send along: the news, or in a full message the last of all; without what the reader knows. */
  toSend(nowMs: number, isFull: boolean, knows: readonly Told[] = []): Told[] {
    const known = new Map(knows.map((told) => [`${told.hook} ${told.id}`, told]));
    return this.#news.toSend(this.#byName.keys(), nowMs, isFull)
      .filter((name) => !isSame(known.get(name), this.#byName.get(name)))
      .slice(-TOLD_TOLD_MAX)
      .map((name) => asTold(this.#byName.get(name)!, nowMs));
  }

  /** All of it. */
  all(nowMs: number): Told[] {
    return Array.from(this.#byName.values(), (kept) => asTold(kept, nowMs));
  }
}

function isSame(a: ChangeName | undefined, b: ChangeName | undefined): boolean {
  return a !== undefined && b !== undefined && keyOf(a) === keyOf(b);
}

function asTold({ toldAtMs, ...told }: KeptTold, nowMs: number): Told {
  return { ...told, ageMs: ageOf({ heardAtMs: toldAtMs }, nowMs) };
}
