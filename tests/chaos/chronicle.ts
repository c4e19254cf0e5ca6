/**
 * Tells the run, one line an event: what was done, what the nodes then showed, and after how many seconds. It judges nothing.
 *
 * @module
 */
import type { Observer, View } from "./judge.ts";
import type { Truth } from "./truth.ts";

/** What is looked for after something was done. */
export interface Goal {
  /** What the nodes then show, in words. */
  readonly text: string;
  /** Whether a view shows it. */
  readonly met: (observer: string, view: View) => boolean;
  /** Under which name the time until all show it is counted. */
  readonly figure?: string;
}

/** Something that was done, until its line is printed. */
export interface Event {
  readonly text: string;
  readonly goal: Goal | undefined;
  /** When it began, and when it was done. */
  readonly fromMs: number;
  readonly doneMs: number;
  /** By observer: how long after it was done it met the goal. */
  readonly metMs: Map<string, number>;
  /** Nodes that were well all the time and yet called dead, as `member by observer`. */
  readonly wrong: Set<string>;
}

export interface ChronicleOptions {
  readonly truth: Truth;
  /** The IDs of all who are asked now. */
  readonly asked: () => readonly string[];
  readonly print: (line: string) => void;
  readonly startMs: number;
}

export class Chronicle {
  /** Times until all showed what was looked for, in ms. */
  readonly figures = new Map<string, number[]>();
  readonly counts = new Map<string, number>();
  readonly #options: ChronicleOptions;
  readonly #open = new Set<Event>();

  constructor(options: ChronicleOptions) {
    this.#options = options;
  }

  count(name: string): void {
    this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
  }

  record(figure: string, ms: number): void {
    const list = this.figures.get(figure) ?? [];
    this.figures.set(figure, list);
    list.push(ms);
  }

  /** Something was done just now, begun at `fromMs`: its line comes when its goal is met, or it is closed. */
  open(text: string, { fromMs, goal }: { fromMs: number; goal?: Goal }): Event {
    const event: Event = {
      text,
      goal,
      fromMs,
      doneMs: performance.now(),
      metMs: new Map(),
      wrong: new Set(),
    };
    this.#open.add(event);
    return event;
  }

  /** Suspicion at all that is open in the light of a new view. */
  seen(observer: Observer, view: View): void {
    const { truth } = this.#options;
    for (const event of this.#open) {
      if (view.fromMs < event.doneMs) continue;
      for (const { id, status } of view.rows.values()) {
        const wrong = status === "dead" && truth.wellSinceMs(id) <= event.fromMs;
        if (wrong) event.wrong.add(`${id} by ${observer.id}`);
      }
      if (event.goal === undefined) continue;
      if (!event.goal.met(observer.id, view)) event.metMs.delete(observer.id);
      else if (!event.metMs.has(observer.id)) {
        event.metMs.set(observer.id, view.untilMs - event.doneMs);
      }
      const ids = this.#lookers(event);
      if (ids.length > 0 && ids.every((id) => event.metMs.has(id))) this.#complete(event, ids);
    }
  }

  /** Closes an event, saying how far it came; `text` says what became of it instead. */
  close(event: Event, text?: string): void {
    if (!this.#open.delete(event)) return;
    const { goal, metMs } = event;
    const ids = this.#lookers(event);
    const met = ids.filter((id) => metMs.has(id)).length;
    const soFar = goal && `${goal.text} at ${met} of ${ids.length} by then`;
    this.print(`${event.text}: ${text ?? soFar ?? "done"}`, event.fromMs);
  }

  /** Closes all that is open. */
  closeAll(): void {
    for (const event of this.#open) this.close(event);
  }

  /** Prints a line with the time of what it tells. */
  print(text: string, atMs = performance.now()): void {
    const seconds = (atMs - this.#options.startMs) / 1000;
    this.#options.print(`${seconds.toFixed(1).padStart(7)} s  ${text}`);
  }

  /** Those who have been able to look ever since it was done: who was stopped or started since has an excuse. */
  #lookers({ doneMs }: Event): string[] {
    const { truth, asked } = this.#options;
    return asked().filter((id) => truth.wellSinceMs(id) <= doneMs);
  }

  #complete(event: Event, ids: readonly string[]): void {
    this.#open.delete(event);
    const times = ids.map((id) => event.metMs.get(id)!);
    const lastMs = Math.max(...times);
    const goal = event.goal!;
    if (goal.figure !== undefined) this.record(goal.figure, lastMs);
    const first = times.length > 1 ? ` (first after ${inSeconds(Math.min(...times))})` : "";
    this.print(
      `${event.text}: ${goal.text} at all ${times.length} after ${inSeconds(lastMs)}${first}`,
      event.fromMs,
    );
  }
}

export function inSeconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}
