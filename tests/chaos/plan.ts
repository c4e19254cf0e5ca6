/**
 * What is done to the cluster, drawn from the seed alone: the same seed gives the same acts, however the cluster answers.
 * (pure)
 *
 * A run is a row of episodes: a few faults that overlap, then all is healed and all tables must agree.
 *
 * @module
 */
import type { Dice } from "../support/dice.ts";
import { Draw } from "./draw.ts";
import type { LinkFault } from "./links.ts";

export type Act =
  /** Starts a node for the first time, or again with the same ID; its wall clock may be wrong. */
  | {
    readonly kind: "start";
    readonly id: string;
    readonly join: readonly string[];
    readonly clockMs: number;
  }
  | { readonly kind: "kill" | "leave" | "stop" | "resume" | "feed"; readonly id: string }
  /** Leaves a node this share of one core, which busy processes want as well, until it is fed. */
  | { readonly kind: "starve"; readonly id: string; readonly share: number }
  | { readonly kind: "bye"; readonly id: string; readonly at: string }
  /** Starts a decommissioned node: it must end by itself. */
  | { readonly kind: "return"; readonly id: string; readonly join: readonly string[] }
  | { readonly kind: "break" | "mend"; readonly fault: LinkFault };

/** An act so long after the episode's begin. */
export type TimedAct = Act & { readonly afterMs: number };

export interface Episode {
  /** By time; every stop is resumed, whoever starves is fed, and every fault mended before the end. */
  readonly acts: readonly TimedAct[];
  readonly lengthMs: number;
}

export interface PlanOptions {
  readonly nodes: number;
  /** The longest episode. */
  readonly episodeMaxMs: number;
  /** Whether the network can be broken. */
  readonly breakable: boolean;
  /** Whether a node can be kept from running. */
  readonly starvable: boolean;
  /** Whether a node can be given a wrong wall clock. */
  readonly clocks: boolean;
}

const LENGTHS_MS = [6_000, 9_000, 12_000, 16_000, 20_000];
const HOUR_MS = 3_600_000;

/** Fewer nodes could not witness a crash as a cluster does. */
const UP_MIN = 3;

export class Plan {
  readonly #dice: Dice;
  readonly #options: PlanOptions;
  readonly #up = new Set<string>();
  readonly #down = new Set<string>();
  readonly #buried = new Set<string>();
  #count = 0;

  constructor(dice: Dice, options: PlanOptions) {
    this.#dice = dice;
    this.#options = options;
  }

  /** The first starts, all at once. */
  begin(): (Act & { kind: "start" })[] {
    return Array.from({ length: this.#options.nodes }, () => {
      const join = this.#dice.shuffled([...this.#up]).slice(0, 2);
      const id = this.#newId();
      this.#up.add(id);
      return { kind: "start", id, join, clockMs: this.#clock() };
    });
  }

  next(): Episode {
    const { episodeMaxMs } = this.#options;
    const lengthMs = Math.min(this.#dice.pick(LENGTHS_MS), episodeMaxMs);
    const draw = new Draw(this.#dice, { up: this.#up, lengthMs, upMin: this.#upMin });
    // In thick trouble much is excused: now and then a fault or two come alone.
    const few = this.#dice.chance(0.4);
    const count = few
      ? this.#dice.whole(1, 2)
      : this.#dice.whole(2, 4) + Math.floor(this.#options.nodes / 4);
    for (let i = 0; i < count; i++) this.#dice.pick(this.#fates(draw))();
    const short = () => draw.remaining < this.#options.nodes;
    while (short() && (draw.remaining <= this.#upMin || this.#dice.chance(0.7))) {
      if (this.#down.size > 0 && this.#dice.chance(0.7)) this.#restart(draw);
      else this.#late(draw);
    }
    for (const act of draw.acts) this.#note(act);
    return { acts: draw.acts.toSorted((a, b) => a.afterMs - b.afterMs), lengthMs };
  }

  get #upMin(): number {
    return Math.max(UP_MIN, Math.ceil(this.#options.nodes / 2));
  }

  /** One of each kind that can be; likelier ones twice. */
  #fates(draw: Draw): (() => void)[] {
    const dice = this.#dice;
    const starving = [
      () => draw.starve(1),
      () => draw.starve(dice.whole(2, Math.max(2, Math.floor(draw.remaining / 4)))),
    ];
    const fates = [
      ...(this.#options.starvable ? starving : []),
      () => draw.fell("kill"),
      () => draw.fell("kill"),
      () => this.#again(draw, "kill", dice.pick([200, 1_000, 3_000])),
      () => draw.fell("leave"),
      () => this.#again(draw, "leave", 300),
      () => this.#roll(draw),
      () => draw.stop(1),
      () => draw.stop(1),
      () => draw.stop(dice.whole(2, Math.max(2, Math.floor(draw.remaining / 3)))),
      () => this.#bye(draw),
      () => this.#return(draw),
      () => this.#late(draw),
    ];
    if (!this.#options.breakable || draw.broken) return fates;
    return [
      ...fates,
      () => draw.part(),
      () => draw.part(),
      () => draw.drop(),
      () => draw.reject(),
      () => draw.reject(),
      () => draw.break({ kind: "loss", share: 0.25 }),
      () => draw.break({ kind: "loss", share: 0.25 }),
    ];
  }

  /** Starts a fallen node again, with the same ID. */
  #again(draw: Draw, kind: "kill" | "leave", laterMs: number): void {
    const fallen = draw.fell(kind);
    if (fallen === undefined) return;
    // Without seeds others must find it where it was.
    const join = this.#dice.chance(0.3) ? [] : draw.seeds();
    this.#start(draw, fallen.id, { join, afterMs: fallen.afterMs + laterMs });
  }

  /** A planned restart of some nodes, one after another. */
  #roll(draw: Draw): void {
    const count = this.#dice.whole(2, 4);
    const join = draw.seeds();
    let afterMs = draw.time();
    for (let i = 0; i < count && afterMs < draw.lengthMs; i++) {
      const left = draw.fell("leave", afterMs);
      if (left === undefined) return;
      this.#start(draw, left.id, { join, afterMs: afterMs + 500 });
      afterMs += 2_000;
    }
  }

  #bye(draw: Draw): void {
    const down = this.#dice.shuffled([...this.#down]).filter((id) => !draw.isBusy(id));
    const [gone] = this.#dice.chance(0.25) ? down : [];
    const id = gone ?? draw.take("goes");
    if (id === undefined) return;
    draw.touch(id);
    const at = gone === undefined && this.#dice.chance(0.2) ? id : draw.hold();
    draw.add({ kind: "bye", id, at, afterMs: draw.time() });
  }

  #return(draw: Draw): void {
    const buried = [...this.#buried].filter((id) => !draw.isBusy(id));
    if (buried.length === 0) return;
    const id = this.#dice.pick(buried);
    draw.touch(id);
    draw.add({ kind: "return", id, join: [draw.hold()], afterMs: draw.time() });
  }

  /** A node that was down for some time comes back. */
  #restart(draw: Draw): void {
    const [id] = this.#dice.shuffled([...this.#down]).filter((id) => !draw.isBusy(id));
    if (id === undefined) return this.#late(draw);
    this.#start(draw, id, { join: draw.seeds(), afterMs: draw.time() });
  }

  #late(draw: Draw): void {
    if (draw.remaining > this.#options.nodes) return;
    this.#start(draw, this.#newId(), { join: draw.seeds(), afterMs: draw.time() });
  }

  #start(draw: Draw, id: string, at: { join: readonly string[]; afterMs: number }): void {
    draw.remaining++;
    draw.touch(id);
    draw.add({ kind: "start", id, clockMs: this.#clock(), ...at });
  }

  #clock(): number {
    if (!this.#dice.chance(0.2) || !this.#options.clocks) return 0;
    return this.#dice.pick([-24 * HOUR_MS, -HOUR_MS, -7_000, 7_000, HOUR_MS]);
  }

  #newId(): string {
    return `n${++this.#count}`;
  }

  #note(act: Act): void {
    switch (act.kind) {
      case "start":
        this.#down.delete(act.id);
        this.#up.add(act.id);
        break;
      case "kill":
      case "leave":
        this.#up.delete(act.id);
        this.#down.add(act.id);
        break;
      case "bye":
        this.#up.delete(act.id);
        this.#down.delete(act.id);
        this.#buried.add(act.id);
    }
  }
}
