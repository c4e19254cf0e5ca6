/**
 * Many brains in one process, on time that is moved by hand: they call each other at once and without loss, and every message
 * is encoded and decoded as on the wire. What they cost is the protocol's own.
 *
 * @module
 */
import { type Effect, Gossip } from "../../lib/gossip.ts";
import { Agenda } from "../sim/agenda.ts";
import { ANSWER_HEAD_BYTES, REQUEST_HEAD_BYTES } from "../sim/network.ts";

export interface BrainsOptions {
  readonly intervalMs?: number;
  readonly deadAfterMs?: number;
}

interface Brain {
  readonly id: string;
  readonly address: string;
  readonly gossip: Gossip;
  timerAtMs: number;
  timer: number;
}

export class Brains {
  /** Exchanges and their bytes, heads included. */
  readonly counts = { exchanges: 0, bytes: 0, full: 0 };
  readonly #brains = new Map<string, Brain>();
  readonly #agenda = new Agenda();
  readonly #intervalMs: number;

  constructor(count: number, { intervalMs = 1_000, deadAfterMs = 5_000 }: BrainsOptions = {}) {
    this.#intervalMs = intervalMs;
    for (let i = 0; i < count; i++) {
      const [id, address] = [`n${i}`, `host${i}:8080`];
      const options = {
        ...{ id, address, boot: "0000abcd", random: Math.random, intervalMs, deadAfterMs },
        seeds: i === 0 ? [] : ["host0:8080"],
      };
      const gossip = new Gossip(options, this.#moment());
      const brain = { id, address, gossip, timerAtMs: Infinity, timer: 0 };
      this.#brains.set(address, brain);
      this.#agenda.add(Math.random() * intervalMs, () => this.#wake(brain));
    }
  }

  get nowMs(): number {
    return this.#agenda.nowMs;
  }

  /** Lets so many intervals go by. */
  run(rounds: number): void {
    this.#agenda.run(this.nowMs + rounds * this.#intervalMs);
  }

  /** Brains that see every member live. */
  get seeing(): number {
    let seeing = 0;
    for (const { gossip } of this.#brains.values()) {
      const roster = gossip.replica.table.roster();
      const whole = roster.length === this.#brains.size;
      if (whole && roster.every((row) => gossip.statusOf(row) === "live")) seeing++;
    }
    return seeing;
  }

  #moment() {
    const { nowMs } = this.#agenda;
    return { monotonicMs: nowMs, wallMs: 1_767_225_600_000 + Math.floor(nowMs) };
  }

  #wake(brain: Brain): void {
    brain.timerAtMs = Infinity;
    this.#carryOut(brain, brain.gossip.wake(this.#moment()));
  }

  #carryOut(brain: Brain, effects: Effect[]): void {
    for (const effect of effects) {
      if (effect.kind !== "exchange") continue;
      this.#agenda.add(this.nowMs + 1, () => this.#exchange(brain, effect.to, effect.body));
    }
    const atMs = brain.gossip.nextWakeMs;
    if (atMs === brain.timerAtMs || atMs === Infinity) return;
    brain.timerAtMs = atMs;
    const timer = ++brain.timer;
    this.#agenda.add(Math.max(atMs, this.nowMs), () => {
      if (timer === brain.timer) this.#wake(brain);
    });
  }

  #exchange(caller: Brain, to: string, body: string): void {
    const callee = this.#brains.get(to)!;
    const answer = callee.gossip.receive(this.#moment(), caller.id, body);
    if ("error" in answer) throw new Error(answer.error);
    this.counts.exchanges++;
    this.counts.bytes += REQUEST_HEAD_BYTES + body.length + ANSWER_HEAD_BYTES + answer.body.length;
    if (body.includes('"full":true')) this.counts.full++;
    this.#carryOut(callee, answer.effects);
    this.#carryOut(caller, caller.gossip.answered(this.#moment(), to, answer.body));
  }
}
