import type { Effect, Gossip } from "../../lib/gossip.ts";
import type { Moment } from "../../lib/clock.ts";
import type { Saved } from "../../lib/host/state_format.ts";
import type { HostClock } from "./clock.ts";
import { Host } from "./host.ts";
import type { Request } from "./network.ts";
import type { World } from "./world.ts";

/** A stopping node waits at most this long for its last calls, as in production (see driver.ts). */
const SETTLE_MS = 1_500;

/** A timer fires up to this much late, even on an idle host. */
const TIMER_LATE_MS = 2;

/** A node of ours: the very brain that main.ts runs, driven as driver.ts drives it. */
export class OurNode extends Host {
  readonly gossip: Gossip;
  readonly boot: string;
  /** What it started from, if it remembers a former life. */
  readonly saved: Saved | undefined;
  readonly #world: World;
  #timer = 0;
  #timerAtMs = Infinity;
  #underWay = 0;
  #stopping = false;
  /** Why it ended by itself, if it did. */
  stopText: string | undefined;

  constructor(
    world: World,
    options: {
      id: string;
      address: string;
      seeds: readonly string[];
      clock: HostClock;
      saved: Saved | undefined;
    },
  ) {
    const dice = world.dice.fork(`${options.id} ${world.nowMs}`);
    super({ ...options, agenda: world.agenda, dice: dice.fork("host") });
    this.#world = world;
    this.saved = options.saved;
    this.boot = dice.hex8();
    const { intervalMs, deadAfterMs, core } = world.options;
    const { id, address, seeds, saved } = options;
    const random = () => dice.next();
    const remembered = (saved?.addresses ?? []).filter((known) => known !== address);
    const { boot } = this;
    const brain = { id, address, boot, seeds, remembered, intervalMs, deadAfterMs, random };
    this.gossip = new core.Gossip(brain, this.#moment());
    if (saved !== undefined) core.restore(this.gossip, saved, id);
  }

  begin(): void {
    this.#runTimer();
  }

  serve(request: Request): string | undefined {
    const { gossip } = this;
    if (request.kind === "hello") {
      this.#step(gossip.hear(this.#moment(), request.from, request.via));
      return gossip.hello();
    }
    const answer = gossip.receive(this.#moment(), request.from, request.body);
    if ("error" in answer) return undefined;
    this.#step(answer.effects);
    return answer.body;
  }

  hungUp(address: string): void {
    this.#step(this.gossip.hungUp(this.#moment(), address));
  }

  leave(reason: string): void {
    this.enqueue("io", () => {
      this.#step(this.gossip.leave(this.#moment(), reason));
      this.#stop();
    });
  }

  decommission(id: string): void {
    this.enqueue("io", () => {
      this.#step(this.gossip.decommission(this.#moment(), id).effects);
    });
  }

  #moment(): Moment {
    return this.clock.moment(this.nowMs);
  }

  #runTimer(): void {
    this.#timerAtMs = Infinity;
    this.#step(this.gossip.wake(this.#moment()));
  }

  #step(effects: readonly Effect[]): void {
    for (const effect of effects) {
      if (effect.kind === "change") this.#world.onChange?.(this, effect.change);
    }
    this.#world.onStep?.(this);
    for (const effect of effects) {
      if (effect.kind === "exchange") this.#exchange(effect.to, effect.body);
      else if (effect.kind === "stop") {
        this.stopText = effect.text;
        this.#stop();
      }
    }
    this.#arm();
  }

  #exchange(to: string, body: string): void {
    this.#underWay++;
    const request = { kind: "exchange", from: this.id, via: this.address, body } as const;
    this.#world.network.call(this, to, request, (outcome) => {
      this.#underWay--;
      if (outcome.kind === "failed" && outcome.refused) this.#world.onRefused?.(this, to);
      const now = this.#moment();
      const effects = outcome.kind === "answer"
        ? this.gossip.answered(now, to, outcome.body)
        : this.gossip.failed(now, to, outcome);
      this.#step(effects);
      if (this.#stopping && this.#underWay === 0) this.end("closed");
    });
  }

  /** Ends when the last calls are done. */
  #stop(): void {
    this.#stopping = true;
    if (this.#underWay === 0) this.end("closed");
    else this.#world.agenda.add(this.nowMs + SETTLE_MS, () => this.end("closed"));
  }

  #arm(): void {
    const wakeMs = this.gossip.nextWakeMs;
    if (wakeMs === this.#timerAtMs || wakeMs === Infinity) return;
    this.#timerAtMs = wakeMs;
    const timer = ++this.#timer;
    const { agenda, dice } = this.#world;
    const late = dice.between(0, TIMER_LATE_MS);
    agenda.add(Math.max(this.clock.trueMs(wakeMs), this.nowMs) + late, () => {
      if (timer !== this.#timer) return;
      this.enqueue("timer", () => {
        if (timer === this.#timer) this.#runTimer();
      });
    });
  }
}
