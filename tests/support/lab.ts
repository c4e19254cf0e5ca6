/**
 * A few brains (lib/gossip.ts) on one clock moved by hand: what one sends, the other has after a millisecond.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import type { Moment } from "../../lib/clock.ts";
import { Gossip, type Reply } from "../../lib/gossip.ts";
import type { Hook, Telling } from "../../lib/hook.ts";
import { Driver } from "../../lib/net/driver.ts";
import { exchangeTimeoutMs } from "../../lib/net/exchange_timeout.ts";
import type { PostOutcome } from "../../lib/net/transport.ts";
import { DEFAULT_CLUSTER } from "../../lib/limits.ts";
import type { Status } from "../../lib/table.ts";
import type { StatusChange } from "../../lib/verdicts.ts";
import { seededRandom } from "./dice.ts";

export const INTERVAL_MS = 1_000;
export const DEAD_AFTER_MS = 5_000;

/** An hour at which the lab opens, by clocks that are right. */
const EPOCH_MS = Date.UTC(2026, 0, 1);

const WIRE_MS = 1;
export const TIMEOUT_MS = exchangeTimeoutMs(INTERVAL_MS);

/** How an address takes a call: refused where nobody listens, silent where nothing comes back. */
type Reach = "ok" | "refused" | "silent";

export interface BrainOptions {
  readonly join?: readonly string[];
  /** Default: the ID with port 80. */
  readonly address?: string;
  /** How far its wall clock is ahead. */
  readonly clockAheadMs?: number;
  readonly hooks?: readonly Hook[];
}

export class Brain {
  readonly id: string;
  readonly address: string;
  readonly gossip: Gossip;
  readonly driver: Driver;
  readonly changes: StatusChange[] = [];
  readonly notices: string[] = [];
  /** What its hooks are to tell; none of it is ever done. */
  readonly tellings: Telling[] = [];
  /** Addresses called, each with the time and the body. */
  readonly calls: { atMs: number; to: string; body: string }[] = [];
  stop: { readonly status: 0 | 1; readonly text: string } | undefined;
  /** Set: it does not run (SIGSTOP). */
  paused = false;
  /** Set: it is gone (kill -9). */
  killed = false;
  readonly #lab: Lab;
  readonly #clockAheadMs: number;

  constructor(
    lab: Lab,
    id: string,
    options: BrainOptions & { boot: string; random: () => number },
  ) {
    const {
      join = [],
      address = `${id.toLowerCase()}:80`,
      clockAheadMs = 0,
      hooks = [],
      boot,
      random,
    } = options;
    this.#lab = lab;
    this.id = id;
    this.address = address;
    this.#clockAheadMs = clockAheadMs;
    this.gossip = new Gossip({
      id,
      address,
      boot,
      seeds: join,
      intervalMs: INTERVAL_MS,
      deadAfterMs: DEAD_AFTER_MS,
      random,
      hooks,
    }, this.now());
    this.driver = new Driver({
      gossip: this.gossip,
      id,
      address,
      cluster: DEFAULT_CLUSTER,
      world: {
        now: () => this.now(),
        setTimer: (atMs, run) => lab.setTimer(this, atMs, run),
        post: (to, _path, body, settle) => lab.post(this, { to, body, settle }),
      },
      listener: {
        onChange: (change) => this.changes.push(change),
        onTell: (telling) => this.tellings.push(telling),
        onNotice: (_level, text) => this.notices.push(text),
        onBug: (rule) => {
          throw new Error(`${id} breaks a rule: ${rule}`);
        },
        onStop: (status, text) => this.stop = { status, text },
      },
    });
  }

  now(): Moment {
    return {
      monotonicMs: this.#lab.nowMs,
      wallMs: EPOCH_MS + this.#lab.nowMs + this.#clockAheadMs,
    };
  }

  get runs(): boolean {
    return !this.killed && !this.paused;
  }

  status(id: string): Status | undefined {
    if (this.gossip.replica.table.tombstone(id) !== undefined) return "decommissioned";
    const row = this.gossip.replica.table.get(id);
    return row && this.gossip.statusOf(row);
  }

  /** All it shows, by ID. */
  statuses(): Record<string, Status> {
    const { table } = this.gossip.replica;
    const ids = [...table.roster(), ...table.tombstones()].map(({ id }) => id).sort();
    return Object.fromEntries(ids.map((id) => [id, this.status(id)!]));
  }

  /** Ends it as the driver would: what it sent is on its way, and then its port is closed. */
  leave(reason: string): void {
    this.driver.enter((gossip, now) => gossip.leave(now, reason));
    this.killed = true;
  }

  decommission(id: string): "done" | "already" | "full" {
    return this.driver.enter((gossip, now) => gossip.decommission(now, id)).outcome;
  }

  receive(from: string, body: string): Reply {
    return this.driver.enter((gossip, now) => gossip.receive(now, from, body));
  }

  hear(from: string, via: string): void {
    this.driver.enter((gossip, now) => gossip.hear(now, from, via));
  }
}

export class Lab {
  nowMs = 0;
  readonly brains: Brain[] = [];
  /** Replaces the network between two addresses. */
  reach: (from: Brain, to: string) => Reach = () => "ok";
  /** Answers at addresses where no brain is: a Go node's text, or rubbish. */
  readonly strangers = new Map<string, (body: string) => string>();
  /** Other names of a brain's address. */
  readonly aliases = new Map<string, string>();
  /** Set: whom a caller reaches at an address, where that is not the one that gives it as its own. */
  host: (from: Brain, to: string) => Brain | undefined = () => undefined;
  readonly #random: () => number;
  #queue: { atMs: number; run: () => void }[] = [];

  constructor(seed = 1) {
    this.#random = seededRandom(seed);
  }

  /** Starts a node; one killed or left at the same address makes room. */
  start(id: string, options: BrainOptions = {}): Brain {
    const boot = Math.floor(this.#random() * 2 ** 32).toString(16).padStart(8, "0");
    const brain = new Brain(this, id, { ...options, boot, random: this.#random });
    this.brains.push(brain);
    this.wake(brain);
    return brain;
  }

  /** Passes `ms`, event by event. */
  pass(ms: number): void {
    const untilMs = this.nowMs + ms;
    for (;;) {
      this.#queue.sort((a, b) => a.atMs - b.atMs);
      const next = this.#queue[0];
      if (next === undefined || next.atMs > untilMs) break;
      this.#queue.shift();
      this.nowMs = Math.max(this.nowMs, next.atMs);
      next.run();
    }
    this.nowMs = untilMs;
    for (const brain of this.brains) this.wake(brain);
  }

  /** Wakes a brain, unless it does not run: then it finds out when it does. */
  wake(brain: Brain): void {
    if (brain.runs) brain.driver.refresh();
  }

  setTimer(brain: Brain, atMs: number, run: () => void): () => void {
    let cancelled = false;
    this.#at(Math.max(atMs, this.nowMs), () => {
      if (!cancelled && brain.runs) run();
    });
    return () => cancelled = true;
  }

  post(
    from: Brain,
    call: { to: string; body: string; settle: (outcome: PostOutcome) => void },
  ): void {
    const { to, body } = call;
    from.calls.push({ atMs: this.nowMs, to, body });
    const settle = (outcome: PostOutcome) => {
      if (from.runs) call.settle(outcome);
    };
    this.#at(this.nowMs + WIRE_MS, () => {
      const address = this.aliases.get(to) ?? to;
      const host = this.host(from, to) ??
        this.brains.find((brain) => brain.address === address && !brain.killed);
      const target = host?.killed ? undefined : host;
      const stranger = this.strangers.get(to);
      let reach = this.reach(from, to);
      if (reach === "ok" && target === undefined && stranger === undefined) reach = "refused";
      if (reach === "refused") return settle({ kind: "refused" });
      if (reach === "silent" || target?.paused) {
        return this.#at(
          this.nowMs + TIMEOUT_MS,
          () => settle({ kind: "silent", accepted: reach === "ok" }),
        );
      }
      const text = stranger?.(body) ?? this.#receive(target!, from.id, body);
      const answer = { kind: "answer", status: 200, body: text, bytesIn: text.length } as const;
      this.#at(this.nowMs + WIRE_MS, () => settle(answer));
    });
  }

  #receive(target: Brain, from: string, body: string): string {
    const answer = target.receive(from, body);
    if ("error" in answer) throw new Error(`${target.id} refuses ${from}: ${answer.error}`);
    return answer.body;
  }

  #at(atMs: number, run: () => void): void {
    this.#queue.push({ atMs, run });
  }
}

/** Three nodes that know each other: B joined A, C joined B. */
export function three(seed?: number): { lab: Lab; a: Brain; b: Brain; c: Brain } {
  const lab = new Lab(seed);
  const a = lab.start("A");
  const b = lab.start("B", { join: ["a:80"] });
  const c = lab.start("C", { join: ["b:80"] });
  lab.pass(2 * INTERVAL_MS);
  return { lab, a, b, c };
}

/** A cluster of `size` nodes n0, n1 and so on, each joined to the first. */
export function cluster(size: number, seed?: number): { lab: Lab; nodes: Brain[] } {
  const lab = new Lab(seed);
  const nodes = [lab.start("n0")];
  for (let i = 1; i < size; i++) nodes.push(lab.start(`n${i}`, { join: ["n0:80"] }));
  lab.pass(4 * INTERVAL_MS);
  return { lab, nodes };
}

export function assertShow(brains: readonly Brain[], expected: Record<string, string>): void {
  for (const brain of brains) assertEquals<object>(brain.statuses(), expected, `${brain.id} shows`);
}

/** What a change was told as, one line each. */
export function told(brain: Brain, id: string): string[] {
  return brain.changes.filter((change) => change.id === id)
    .map(({ from, to, reason }) => `${from} -> ${to}: ${reason}`);
}

export function callsTo(brain: Brain, to: string, sinceMs = 0): number[] {
  return brain.calls.filter((call) => call.to === to && call.atMs >= sinceMs)
    .map((call) => call.atMs);
}
