/**
 * Runs the brain: gives it the time, carries out its effects, and wakes it when it wants.
 *
 * @module
 */
import type { Moment } from "../clock.ts";
import type { Effect } from "../effects.ts";
import type { Gossip } from "../gossip.ts";
import { DEFAULT_CLUSTER } from "../limits.ts";
import type { Outcome, Transport } from "./transport.ts";
import type { Change } from "../verdicts.ts";

/** A stopping node waits this long for its last calls: they end by their own time-out before. */
const SETTLE_MS = 1_500;

/** The wait after a round that an error cut short: long enough not to flood the log. */
const WAKE_AGAIN_MS = 1_000;

export const OUTCOMES = ["answered", "refused", "silent", "failed"] as const;

/** A call as it ended. */
export interface Exchange {
  readonly to: string;
  /** An answer with anything but status 200 is failed. */
  readonly outcome: typeof OUTCOMES[number];
  readonly tookMs: number;
}

export interface DriverOptions {
  readonly gossip: Gossip;
  readonly transport: Transport;
  readonly id: string;
  readonly address: string;
  readonly cluster: string;
  readonly now: () => Moment;
  readonly onChange: (change: Change) => void;
  /** A round began, `lateMs` after its time. */
  readonly onRound: (lateMs: number) => void;
  /** A call ended. */
  readonly onExchange: (exchange: Exchange) => void;
  readonly onNotice: (level: "info" | "warn", text: string) => void;
  /** The node has to end, for good: it is decommissioned, or its ID is taken. */
  readonly onStop: (status: 0 | 1, text: string) => void;
}

export class Driver {
  readonly #options: DriverOptions;
  readonly #path: string;
  #underWay = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
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

  receive(from: string, body: string): { readonly body: string } | { readonly error: string } {
    const { gossip, now } = this.#options;
    const answer = gossip.receive(now(), from, body);
    if ("error" in answer) return answer;
    this.#run(answer.effects);
    return answer;
  }

  hear(from: string, via: string): void {
    this.#run(this.#options.gossip.hear(this.#options.now(), from, via));
  }

  /** An idle connection to `to` was closed from there. */
  hungUp(to: string): void {
    if (!this.#stopped) this.#run(this.#options.gossip.hungUp(this.#options.now(), to));
  }

  decommission(id: string): "done" | "already" | "full" {
    const { outcome, effects } = this.#options.gossip.decommission(this.#options.now(), id);
    this.#run(effects);
    return outcome;
  }

  /** Announces a planned stop. */
  leave(reason: string): void {
    this.#run(this.#options.gossip.leave(this.#options.now(), reason));
  }

  /** Brings the table to the present, for a look at it. */
  refresh(): void {
    const { gossip, now, onRound } = this.#options;
    const { rounds } = gossip.counts;
    this.#run(gossip.wake(now()));
    const { counts } = gossip;
    if (counts.rounds > rounds) onRound(counts.roundLateMs);
  }

  /** Resolves when no call is under way, or after a bounded wait. */
  async settled(): Promise<void> {
    if (this.#underWay === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#onIdle = resolve;
    const timer = setTimeout(resolve, SETTLE_MS);
    await promise;
    clearTimeout(timer);
  }

  /** Ends the rounds and all calls. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#options.transport.close();
  }

  #run(effects: readonly Effect[]): void {
    for (const effect of effects) {
      switch (effect.kind) {
        case "exchange":
          void this.#exchange(effect.to, effect.body);
          break;
        case "change":
          this.#options.onChange(effect.change);
          break;
        case "notice":
          this.#options.onNotice(effect.level, effect.text);
          break;
        case "stop":
          this.#options.onStop(effect.status, effect.text);
          break;
      }
    }
    this.#arm();
  }

  async #exchange(to: string, body: string): Promise<void> {
    this.#underWay++;
    const { transport, now, onExchange } = this.#options;
    const startMs = now().monotonicMs;
    const outcome = await transport.post(to, this.#path, body);
    onExchange({ to, outcome: wordOf(outcome), tookMs: now().monotonicMs - startMs });
    this.#underWay--;
    try {
      if (!this.#stopped) this.#run(this.#outcome(to, outcome));
    } finally {
      if (this.#underWay === 0) this.#onIdle?.();
    }
  }

  #outcome(to: string, outcome: Outcome): Effect[] {
    const { gossip, now } = this.#options;
    const failed = (refused: boolean, why: string) => gossip.failed(now(), to, { refused, why });
    switch (outcome.kind) {
      case "answer":
        if (outcome.status === 409 || this.#isForeignGoNode(outcome)) {
          const { cluster } = this.#options;
          return failed(false, `it is of another cluster than '${cluster}', this node's -cluster`);
        }
        if (outcome.status === 200) return gossip.answered(now(), to, outcome.body);
        if (outcome.status === 401) return failed(false, "it wants the cluster's key (-key-file)");
        return failed(false, `it answers with status ${outcome.status}`);
      case "refused":
        return failed(true, "connection refused");
      case "silent":
        return failed(false, "timed out");
      case "failed":
        return failed(false, outcome.why);
    }
  }

  /** Whether a Go node answers, which belongs to the default cluster, to a node of another. */
  #isForeignGoNode({ status, body }: { status: number; body: string }): boolean {
    return this.#options.cluster !== DEFAULT_CLUSTER && status === 200 && !body.startsWith("{");
  }

  #wake(): void {
    this.#timer = undefined;
    this.#timerAtMs = Infinity;
    if (this.#stopped) return;
    // Rounds go on after an error, which only a mistake in this program can cause; it is told as one nobody caught.
    this.#timer = setTimeout(() => this.#wake(), WAKE_AGAIN_MS);
    this.refresh();
  }

  /** Sets the timer, unless it is set for that time or sooner. */
  #arm(): void {
    const { gossip, now } = this.#options;
    const atMs = gossip.nextWakeMs;
    if (this.#stopped || atMs === Infinity || atMs === this.#timerAtMs) return;
    clearTimeout(this.#timer);
    this.#timerAtMs = atMs;
    this.#timer = setTimeout(() => this.#wake(), Math.max(0, atMs - now().monotonicMs));
  }
}

function wordOf(outcome: Outcome): Exchange["outcome"] {
  if (outcome.kind !== "answer") return outcome.kind;
  return outcome.status === 200 ? "answered" : "failed";
}
