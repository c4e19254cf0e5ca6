/**
 * Many brains in one process, on time that is moved by hand: they call each other at once and without loss, and every message
 * is encoded and decoded as on the wire. What they cost is the protocol's own.
 *
 * @module
 */
import { Gossip } from "../../lib/gossip.ts";
import { DEFAULT_CLUSTER } from "../../lib/limits.ts";
import { Driver } from "../../lib/net/driver.ts";
import type { PostOutcome } from "../../lib/net/transport.ts";
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
  readonly driver: Driver;
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
        id,
        address,
        boot: "0000abcd",
        random: Math.random,
        intervalMs,
        deadAfterMs,
        seeds: i === 0 ? [] : ["host0:8080"],
      };
      const gossip = new Gossip(options, this.#moment());
      const driver = new Driver({
        gossip,
        id,
        address,
        cluster: DEFAULT_CLUSTER,
        world: {
          now: () => this.#moment(),
          setTimer: (atMs, run) => this.#setTimer(atMs, run),
          post: (to, _path, body, settle) =>
            this.#agenda.add(this.nowMs + 1, () => settle(this.#exchange(id, to, body))),
        },
        listener: { onChange() {}, onNotice() {}, onBug() {}, onStop() {} },
      });
      this.#brains.set(address, { id, address, gossip, driver });
      this.#agenda.add(Math.random() * intervalMs, () => driver.start());
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

  #setTimer(atMs: number, run: () => void): () => void {
    let cancelled = false;
    this.#agenda.add(Math.max(atMs, this.nowMs), () => {
      if (!cancelled) run();
    });
    return () => cancelled = true;
  }

  #exchange(from: string, to: string, body: string): PostOutcome {
    const { driver } = this.#brains.get(to)!;
    const answer = driver.enter((gossip, now) => gossip.receive(now, from, body));
    if ("error" in answer) throw new Error(answer.error);
    this.counts.exchanges++;
    this.counts.bytes += REQUEST_HEAD_BYTES + body.length + ANSWER_HEAD_BYTES + answer.body.length;
    if (body.includes('"full":true')) this.counts.full++;
    return { kind: "answer", status: 200, body: answer.body, bytesIn: answer.body.length };
  }
}
