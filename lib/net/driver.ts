/**
 * Runs the core: gives it the time, carries out its effects, and wakes it when it wants. Clock, timer and network
 * come in, so production, the simulator, the tests' lab and the benches all run this one driver. (pure)
 *
 * @module
 */
import type { Moment } from "../clock.ts";
import type { Effect, Turn } from "../effects.ts";
import type { Dropped } from "../forgotten.ts";
import type { Gossip } from "../gossip.ts";
import type { Telling } from "../hook.ts";
import { DEFAULT_CLUSTER } from "../limits.ts";
import type { Told } from "../told.ts";
import type { StatusChange } from "../verdicts.ts";
import type { PostOutcome } from "./transport.ts";

/** A stopping node waits this long for its last calls, unless they time out before. */
const SETTLE_MS = 1_500;

/** Delay after a wake-up that an error cut short: long enough not to flood the log. */
const WAKE_AGAIN_MS = 1_000;

export const EXCHANGE_OUTCOMES = ["answered", "refused", "silent", "failed"] as const;

/** A call as it ended. */
export interface EndedExchange {
  readonly to: string;
  /** An answer with any status but 200 is `failed`. */
  readonly outcome: typeof EXCHANGE_OUTCOMES[number];
  readonly tookMs: number;
}

/** The time, timers and network of one node. */
export interface World {
  now(): Moment;
  /**
   * Calls `run` once, at `atMs` of the monotonic clock or as soon after as the node runs; what it returns cancels
   * that.
   */
  setTimer(atMs: number, run: () => void): () => void;
  /** POSTs `body` to `path` at `to`; calls `settle` exactly once, after it has returned. */
  post(to: string, path: string, body: string, settle: (outcome: PostOutcome) => void): void;
}

/** Told what the core does. */
export interface CoreListener {
  onChange(change: StatusChange): void;
  /** A member was dropped from the table. */
  onForgotten?(dropped: Dropped): void;
  /** A hook is to run once; `tellingEnded` of the core waits for its end. */
  onTell?(telling: Telling): void;
  /** Somebody told a hook's users of a change. */
  onTold?(told: Told): void;
  /** A round began, `lateMs` after its time. */
  onRound?(lateMs: number): void;
  /** A call ended. */
  onExchange?(exchange: EndedExchange): void;
  onNotice(level: "info" | "warn", text: string): void;
  /** A rule of this program broke. */
  onBug(rule: string): void;
  /** The node has to end, for good: it is decommissioned, or its ID is taken. */
  onStop(status: 0 | 1, text: string): void;
}

export interface DriverOptions {
  readonly gossip: Gossip;
  readonly id: string;
  /** This node's advertised `host:port`. */
  readonly address: string;
  readonly cluster: string;
  readonly world: World;
  readonly listener: CoreListener;
}

export class Driver {
  readonly #options: DriverOptions;
  readonly #path: string;
  #underWay = 0;
  /** When the first call began since a call was last answered or refused; Infinity if none did. */
  #unheardSinceMs = Infinity;
  #cancelTimer = () => {};
  #timerAtMs = Infinity;
  #stopped = false;
  #onIdle: (() => void) | undefined;

  constructor(options: DriverOptions) {
    this.#options = options;
    const via = options.address.replace("[", "%5B").replace("]", "%5D");
    this.#path = `/hello?from=${options.id}&via=${via}`;
    // Left out where it says nothing: it travels with every exchange.
    if (options.cluster !== DEFAULT_CLUSTER) this.#path += `&cluster=${options.cluster}`;
  }

  /** Starts the rounds. */
  start(): void {
    this.#wake();
  }

  /** Enters the core, carries out the effects and returns what the entry did. */
  enter<T extends { readonly effects: readonly Effect[] }>(
    entry: (gossip: Gossip, now: Moment) => T,
  ): T {
    const { gossip, world } = this.#options;
    const entered = entry(gossip, world.now());
    // A listener's mistake must not lose the calls behind it, which the core would wait for without end.
    const errors: unknown[] = [];
    for (const effect of entered.effects) {
      try {
        this.#carryOut(effect);
      } catch (error) {
        errors.push(error);
      }
    }
    this.#arm();
    if (errors.length > 0) throw errors[0];
    return entered;
  }

  /** Brings the table to the present, for a look at it. */
  refresh(): void {
    this.enter((gossip, now) => gossip.wake(now));
  }

  /** Ms for which this node called and nobody answered, or refused, as only hosts that run do; 0 if it awaits none. */
  unheardMs(): number {
    return Math.max(0, this.#options.world.now().monotonicMs - this.#unheardSinceMs);
  }

  /** Calls `done` when no call is under way, or after a bounded wait. */
  whenIdle(done: () => void): void {
    if (this.#underWay === 0) return done();
    const { world } = this.#options;
    const finish = () => {
      this.#onIdle = undefined;
      cancel();
      done();
    };
    const cancel = world.setTimer(world.now().monotonicMs + SETTLE_MS, finish);
    this.#onIdle = finish;
  }

  /** Ends the rounds; what becomes of calls under way is not heard any more. */
  stop(): void {
    this.#stopped = true;
    this.#cancelTimer();
  }

  #carryOut(effect: Effect): void {
    const { listener } = this.#options;
    switch (effect.kind) {
      case "exchange":
        return this.#exchange(effect.to, effect.body);
      case "change":
        return listener.onChange(effect.change);
      case "forgotten":
        return listener.onForgotten?.(effect.dropped);
      case "tell":
        return listener.onTell?.(effect.telling);
      case "told":
        return listener.onTold?.(effect.told);
      case "round":
        return listener.onRound?.(effect.lateMs);
      case "notice":
        return listener.onNotice(effect.level, effect.text);
      case "bug":
        return listener.onBug(effect.rule);
      case "stop":
        return listener.onStop(effect.status, effect.text);
    }
  }

  #exchange(to: string, body: string): void {
    const { world, listener } = this.#options;
    const startMs = world.now().monotonicMs;
    this.#underWay++;
    this.#unheardSinceMs = Math.min(this.#unheardSinceMs, startMs);
    world.post(to, this.#path, body, (outcome) => {
      this.#underWay--;
      const tookMs = world.now().monotonicMs - startMs;
      const word = wordOf(outcome);
      if (word === "answered" || word === "refused") this.#unheardSinceMs = Infinity;
      listener.onExchange?.({ to, outcome: word, tookMs });
      try {
        if (!this.#stopped) this.enter((gossip, now) => this.#ended(gossip, now, { to, outcome }));
      } finally {
        if (this.#underWay === 0) this.#onIdle?.();
      }
    });
  }

  /** Tells the core how a call ended. */
  #ended(gossip: Gossip, now: Moment, call: { to: string; outcome: PostOutcome }): Turn {
    const { to, outcome } = call;
    const failed = (why: string) => gossip.failed(now, to, { refused: false, why });
    if (outcome.kind === "refused") {
      return gossip.failed(now, to, { refused: true, why: "connection refused" });
    }
    if (outcome.kind === "silent") {
      const { accepted } = outcome;
      return gossip.failed(now, to, { refused: false, accepted, why: "timed out" });
    }
    if (outcome.kind === "failed") return failed(outcome.why);
    const { status, body } = outcome;
    const { cluster } = this.#options;
    // A Go node belongs to the default cluster.
    const isForeignGoNode = cluster !== DEFAULT_CLUSTER && status === 200 && !body.startsWith("{");
    if (status === 409 || isForeignGoNode) {
      return failed(`it belongs to another cluster than '${cluster}', this node's -cluster`);
    }
    if (status === 401) return failed("it asks for the cluster's key (-key-file)");
    if (status !== 200) return failed(`it answers with status ${status}`);
    return gossip.answered(now, to, body);
  }

  #wake(): void {
    this.#timerAtMs = Infinity;
    if (this.#stopped) return;
    let done = false;
    try {
      this.refresh();
      done = true;
    } finally {
      // An error of the core, a mistake in this program, is told as one that nobody caught; the rounds go on.
      if (!done) this.#setTimer(this.#options.world.now().monotonicMs + WAKE_AGAIN_MS);
    }
  }

  #arm(): void {
    const atMs = this.#options.gossip.nextWakeMs;
    if (this.#stopped || atMs === Infinity || atMs === this.#timerAtMs) return;
    this.#setTimer(atMs);
  }

  #setTimer(atMs: number): void {
    this.#cancelTimer();
    this.#timerAtMs = atMs;
    this.#cancelTimer = this.#options.world.setTimer(atMs, () => this.#wake());
  }
}

function wordOf(outcome: PostOutcome): EndedExchange["outcome"] {
  if (outcome.kind !== "answer") return outcome.kind;
  return outcome.status === 200 ? "answered" : "failed";
}
