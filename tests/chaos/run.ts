/**
 * One run: episode after episode, with every node watched, until the time is over or an invariant is broken.
 *
 * @module
 */
import { setTimeout as pause } from "node:timers/promises";
import { Dice } from "../support/dice.ts";
import { Actor } from "./acts.ts";
import { disagreement } from "./agreement.ts";
import { Chronicle, inSeconds } from "./chronicle.ts";
import { Crew, type Process } from "./crew.ts";
import { Judge, type View, Violation } from "./judge.ts";
import type { Place } from "./place.ts";
import { type Episode, Plan } from "./plan.ts";
import { Slowness } from "./slowness.ts";
import { Truth } from "./truth.ts";
import { watch } from "./watcher.ts";

export const INTERVAL_MS = 1_000;
export const DEAD_AFTER_MS = 5_000;

/** All tables agree within ten rounds, each up to a tenth late. */
const AGREE_MS = 10 * INTERVAL_MS * 1.1;

/** Starting many processes at once says nothing about gossip: it takes the time that the machine needs. */
const START_MS = 120_000;

/** An episode is at most so long, and at most so much of the run. */
const EPISODE_MAX_MS = 20_000;
const EPISODE_SHARE_MAX = 0.4;

export interface RunOptions {
  readonly seed: string;
  readonly nodes: number;
  readonly minutes: number;
  readonly place: Place;
  readonly program: readonly string[] | undefined;
  readonly faketime: string | undefined;
  readonly starvable: boolean;
  readonly print: (line: string) => void;
}

/** What became of a run. */
export interface Result {
  readonly violation: Violation | undefined;
  /** It was stopped before its time. */
  readonly interrupted: boolean;
  readonly crew: Crew;
  readonly chronicle: Chronicle;
  readonly rows: number;
  readonly episodes: number;
  readonly lastedMs: number;
  readonly slow: Slowness;
}

export class Run {
  readonly #options: RunOptions;
  readonly #truth = new Truth();
  readonly #judge = new Judge({
    truth: this.#truth,
    intervalMs: INTERVAL_MS,
    deadAfterMs: DEAD_AFTER_MS,
  });
  readonly #crew: Crew;
  readonly #chronicle: Chronicle;
  readonly #actor: Actor;
  readonly #plan: Plan;
  readonly #startMs = performance.now();
  readonly #views = new Map<string, View>();
  readonly #sightsRead = new Map<Process, Map<string, number>>();
  readonly #slow = new Slowness(this.#truth);
  readonly #ended = Promise.withResolvers<Violation | undefined>();
  #episodes = 0;
  #over = false;

  constructor(options: RunOptions) {
    this.#options = options;
    const { place, program, faketime, starvable, print, nodes, minutes } = options;
    this.#crew = new Crew({
      place,
      program,
      faketime,
      truth: this.#truth,
      flags: ["-interval", `${INTERVAL_MS}ms`, "-dead-after", `${DEAD_AFTER_MS}ms`],
      onListen: (process) => this.#watch(process),
      onEnd: ({ id }) => this.#views.delete(id),
      onViolation: (violation) => this.#end(violation),
    });
    this.#chronicle = new Chronicle({
      truth: this.#truth,
      print,
      startMs: this.#startMs,
      asked: () => this.#crew.asked.map(({ id }) => id),
    });
    this.#actor = new Actor({
      place,
      truth: this.#truth,
      crew: this.#crew,
      judge: this.#judge,
      chronicle: this.#chronicle,
      intervalMs: INTERVAL_MS,
    });
    this.#plan = new Plan(new Dice(options.seed), {
      nodes,
      episodeMaxMs: Math.min(EPISODE_MAX_MS, minutes * 60_000 * EPISODE_SHARE_MAX),
      breakable: place.breakable,
      starvable,
      clocks: faketime !== undefined,
    });
  }

  /** Plays until the time is over, an invariant is broken, or `stop`. */
  async play(stop: Promise<void>): Promise<Result> {
    const unwatch = this.#slow.watch();
    let interrupted = false;
    void stop.then(() => {
      interrupted = !this.#over;
      this.#end(undefined);
    });
    this.#play().then(() => this.#end(undefined), (error) => this.#end(error));
    const violation = await this.#ended.promise;
    const lastedMs = performance.now() - this.#startMs;
    unwatch();
    await this.#actor.end();
    await this.#crew.endAll();
    return {
      violation,
      interrupted,
      crew: this.#crew,
      chronicle: this.#chronicle,
      rows: this.#judge.rows,
      episodes: this.#episodes,
      lastedMs,
      slow: this.#slow,
    };
  }

  #end(violation: unknown): void {
    if (this.#over) return;
    this.#over = true;
    if (violation === undefined || violation instanceof Violation) {
      this.#ended.resolve(violation);
    } else {
      this.#ended.reject(violation);
    }
  }

  async #play(): Promise<void> {
    const { nodes, minutes } = this.#options;
    const starts = this.#plan.begin();
    for (const { id } of starts) await this.#options.place.prepare(id);
    await Promise.all(starts.map((act) => this.#actor.act(act)));
    await this.#agree(`${nodes} nodes started`, { withinMs: START_MS });
    for (;;) {
      const episode = this.#plan.next();
      const untilMs = performance.now() + episode.lengthMs - this.#startMs;
      if (this.#over || (untilMs > minutes * 60_000 && this.#episodes > 0)) return;
      this.#episodes++;
      await this.#playEpisode(episode);
      await this.#agree("all faults are over", { withinMs: AGREE_MS, figure: "all tables agree" });
    }
  }

  async #playEpisode({ acts, lengthMs }: Episode): Promise<void> {
    const beginMs = performance.now();
    const until = (ms: number) => pause(Math.max(0, beginMs + ms - performance.now()));
    // What is done to one node is done in order; a node that takes its time holds up no other.
    const chains = new Map<string, Promise<void>>();
    for (const act of acts) {
      await until(act.afterMs);
      if (this.#over) return;
      const key = "id" in act ? act.id : "network";
      const before = chains.get(key) ?? Promise.resolve();
      const chain = before.then(() => this.#actor.act(act));
      chain.catch((error) => this.#end(error));
      chains.set(key, chain);
    }
    await until(lengthMs);
    await Promise.all(chains.values());
  }

  /** Waits until all tables agree, with each other and with the truth. */
  async #agree(after: string, how: { withinMs: number; figure?: string }): Promise<void> {
    const fromMs = performance.now();
    const slowMs = this.#slow.ms;
    for (;;) {
      await pause(20);
      if (this.#over) return;
      const difference = this.#difference(fromMs);
      const sinceMs = performance.now() - fromMs;
      if (difference === undefined) {
        if (how.figure !== undefined) this.#chronicle.record(how.figure, sinceMs);
        this.#chronicle.closeAll();
        const count = this.#crew.running.length;
        return this.#chronicle.print(
          `${after}: all ${count} tables agree after ${inSeconds(sinceMs)}`,
        );
      }
      if (sinceMs > how.withinMs + this.#slow.ms - slowMs) {
        const ids = this.#crew.running.map(({ id }) => id).filter((id) => difference.includes(id));
        throw new Violation("6", ids, `${inSeconds(sinceMs)} after ${after}, ${difference}`);
      }
    }
  }

  #difference(fromMs: number): string | undefined {
    const { running, asked } = this.#crew;
    const views = new Map<string, View>();
    for (const { id } of asked) {
      const view = this.#views.get(id);
      if (view === undefined || view.fromMs < fromMs) return `${id} has not answered`;
      views.set(id, view);
    }
    const runs = (process: object) => running.some((other) => other === process);
    const ids = [...views.values()].flatMap((view) => [...view.rows.keys()]);
    return disagreement(views, {
      running: new Map(running.map(({ id, address }) => [id, address])),
      buried: new Set(ids.filter((id) => this.#judge.isBuried(id, runs))),
      left: this.#actor.left,
    });
  }

  #watch(process: Process): void {
    if (process.ending !== undefined) return;
    watch(process, {
      truth: this.#truth,
      count: () => this.#crew.running.length,
      onView: (observer, view) => this.#look(observer, view),
      onSlow: ({ id }, ms) => this.#slow.note([id], ms),
    }).catch((error) => this.#end(error));
  }

  #look(observer: Process, view: View): void {
    if (this.#over) return;
    this.#views.set(observer.id, view);
    this.#readLog(observer);
    this.#judge.view(observer, view);
    this.#chronicle.seen(observer, view);
  }

  /** The log tells of verdicts too short to be seen between two looks. */
  #readLog(observer: Process): void {
    const read = this.#sightsRead.get(observer) ?? new Map<string, number>();
    this.#sightsRead.set(observer, read);
    for (const [id, sights] of observer.node.sights) {
      for (let i = read.get(id) ?? 0; i < sights.length; i++) {
        const { status, atMs } = sights[i]!;
        const fell = status === "dead" && sights[i - 1]?.status === "live";
        if (fell) this.#judge.told(observer, id, atMs);
      }
      read.set(id, sights.length);
    }
  }
}
