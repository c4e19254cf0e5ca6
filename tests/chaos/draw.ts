/**
 * One episode while it is drawn: its acts so far, and who has a part in it. A node is started, felled or stopped at most once
 * an episode, and whoever others rely on, to join or to be told, is not felled. (pure)
 *
 * @module
 */
import type { Dice } from "../support/dice.ts";
import type { LinkFault } from "./links.ts";
import type { TimedAct } from "./plan.ts";

const STOP_DURATIONS_MS = [500, 1_500, 3_000, 5_000, 9_000, 14_000];
const STARVE_DURATIONS_MS = [4_000, 9_000, 14_000, 20_000];
const BREAK_DURATIONS_MS = [3_000, 7_000, 10_000, 14_000, 20_000];

/** What a starved node and its busy neighbours get, of one core. */
const STARVED_SHARES = [0.01, 0.02, 0.05];

/** Acts begin in this share of the episode. */
const BEGIN_SHARE = 0.6;

/** Nodes stopped or starved together are so within this time. */
const TOGETHER_MS = 300;

/** Nodes that one cannot send to, or that it rejects: beyond two firewalls nothing tells a live node from a dead one. */
const DROPPED_MAX = 3;
const REJECTED_MAX = 2;

export interface DrawOptions {
  /** Nodes that run at the begin. */
  readonly up: ReadonlySet<string>;
  readonly lengthMs: number;
  /** The least that must be left running. */
  readonly upMin: number;
}

export class Draw {
  readonly acts: TimedAct[] = [];
  readonly lengthMs: number;
  /** Nodes that run at the end. */
  remaining: number;
  /** One fault of the network an episode: two at once would excuse nearly everything. */
  broken = false;
  readonly #dice: Dice;
  readonly #options: DrawOptions;
  readonly #busy = new Set<string>();
  readonly #going = new Set<string>();

  constructor(dice: Dice, options: DrawOptions) {
    this.#dice = dice;
    this.#options = options;
    this.lengthMs = options.lengthMs;
    this.remaining = options.up.size;
  }

  add(act: TimedAct): void {
    this.acts.push(act);
  }

  /** A time at which something begins. */
  time(): number {
    return this.#dice.whole(0, this.lengthMs * BEGIN_SHARE);
  }

  touch(id: string): void {
    this.#busy.add(id);
  }

  isBusy(id: string): boolean {
    return this.#busy.has(id);
  }

  /** A running node without a part, which gets one now; undefined: there is none, or none can be spared. */
  take(how: "goes" | "stays"): string | undefined {
    if (how === "goes" && this.remaining <= this.#options.upMin) return undefined;
    const [id] = this.#free();
    if (id === undefined) return undefined;
    this.touch(id);
    if (how === "stays") return id;
    this.#going.add(id);
    this.remaining--;
    return id;
  }

  /** A running node that will go on running. */
  hold(): string {
    const id = this.#free()[0] ?? this.#staying()[0]!;
    this.touch(id);
    return id;
  }

  /** One or two nodes to join. */
  seeds(): string[] {
    return [...new Set(this.#dice.chance(0.5) ? [this.hold()] : [this.hold(), this.hold()])];
  }

  /** Ends a node. */
  fell(kind: "kill" | "leave", afterMs = this.time()): { id: string; afterMs: number } | undefined {
    const id = this.take("goes");
    if (id === undefined) return undefined;
    this.add({ kind, id, afterMs });
    return { id, afterMs };
  }

  /** Stops some nodes together; each goes on after a while of its own. */
  stop(count: number): void {
    const afterMs = this.time();
    for (let i = 0; i < count; i++) {
      const id = this.take("stays");
      if (id === undefined) return;
      const fromMs = afterMs + this.#dice.whole(0, TOGETHER_MS);
      this.add({ kind: "stop", id, afterMs: fromMs });
      this.add({ kind: "resume", id, afterMs: this.#end(fromMs, STOP_DURATIONS_MS) });
    }
  }

  /** Starves some nodes together; each is fed after a while of its own. */
  starve(count: number): void {
    const afterMs = this.time();
    const share = this.#dice.pick(STARVED_SHARES);
    for (let i = 0; i < count; i++) {
      const id = this.take("stays");
      if (id === undefined) return;
      const fromMs = afterMs + this.#dice.whole(0, TOGETHER_MS);
      this.add({ kind: "starve", id, share, afterMs: fromMs });
      this.add({ kind: "feed", id, afterMs: this.#end(fromMs, STARVE_DURATIONS_MS) });
    }
  }

  part(): void {
    const ids = this.#dice.shuffled([...this.#options.up]);
    this.break({ kind: "part", ids: ids.slice(0, this.#dice.whole(1, ids.length - 1)) });
  }

  drop(): void {
    const [from, ...others] = this.#staying();
    const to = others.slice(0, this.#dice.whole(1, DROPPED_MAX));
    if (from === undefined || to.length === 0) return;
    for (const id of [from, ...to]) this.touch(id);
    this.break({ kind: "drop", from, to });
  }

  reject(): void {
    const [to, ...others] = this.#staying();
    const from = others.slice(0, this.#dice.whole(1, REJECTED_MAX));
    if (to === undefined || from.length === 0) return;
    for (const id of [to, ...from]) this.touch(id);
    this.break({ kind: "reject", from, to });
  }

  break(fault: LinkFault): void {
    const afterMs = this.time();
    this.broken = true;
    this.add({ kind: "break", fault, afterMs });
    this.add({ kind: "mend", fault, afterMs: this.#end(afterMs, BREAK_DURATIONS_MS) });
  }

  #end(fromMs: number, durationsMs: readonly number[]): number {
    return Math.min(fromMs + this.#dice.pick(durationsMs), this.lengthMs);
  }

  #staying(): string[] {
    return this.#dice.shuffled([...this.#options.up].filter((id) => !this.#going.has(id)));
  }

  #free(): string[] {
    return this.#dice.shuffled([...this.#options.up].filter((id) => !this.#busy.has(id)));
  }
}
