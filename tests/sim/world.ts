/**
 * The simulated world: hosts with clocks of their own, the network between them, and production's own core and driver
 * in each node.
 *
 * @module
 */
import { Gossip } from "../../lib/gossip.ts";
import { restore, type Saved, snapshot } from "../../lib/host/state_format.ts";
import { Driver } from "../../lib/net/driver.ts";
import { exchangeTimeoutMs } from "../../lib/net/exchange_timeout.ts";
import type { Telling } from "../../lib/hook.ts";
import type { Told } from "../../lib/told.ts";
import type { StatusChange } from "../../lib/verdicts.ts";
import { Agenda } from "./agenda.ts";
import { type ClockFault, HostClock } from "./clock.ts";
import type { Dice } from "../support/dice.ts";
import { GoNode } from "./go_node.ts";
import { type Attempt, type HookPlan, Receiver } from "./hooks.ts";
import { Network, type Weather } from "./network.ts";
import { OurNode } from "./our_node.ts";

/** The code under test: production's, or a copy with one line changed (see mutants.ts). */
export interface Core {
  readonly Gossip: typeof Gossip;
  readonly Driver: typeof Driver;
  readonly snapshot: typeof snapshot;
  readonly restore: typeof restore;
}

export const PRODUCTION: Core = { Gossip, Driver, snapshot, restore };

export interface WorldOptions {
  readonly core: Core;
  readonly dice: Dice;
  readonly intervalMs: number;
  readonly deadAfterMs: number;
  readonly forgetMs?: number | undefined;
  readonly fineMembersMax?: number | undefined;
  /** Of more members the pace is stretched; default: never. */
  readonly stretchMembers?: number | undefined;
  readonly weather: Weather;
  readonly hooks?: readonly HookPlan[];
  readonly tellAfterMs?: number;
  /** Bytes that are counted for a body, where not its own. */
  readonly sizeOf?: ((body: string) => number) | undefined;
}

export interface StartOptions {
  readonly id: string;
  readonly address: string;
  readonly seeds: readonly string[];
  readonly clock: ClockFault;
  /** Runs another program than the others. */
  readonly core?: Core;
  /** Starts from the state file of its former life, written when that ended. */
  readonly remembers?: boolean;
}

/** A world of nodes on virtual time: nothing happens in it but what its agenda holds, in order. */
export class World {
  readonly options: WorldOptions;
  readonly agenda = new Agenda();
  readonly network: Network;
  readonly dice: Dice;
  /** The latest process of each ID. */
  readonly ours = new Map<string, OurNode>();
  readonly gos = new Map<string, GoNode>();
  /** Every process of ours that ever was. */
  readonly everyone: OurNode[] = [];

  /** When the first node dropped a member. */
  readonly droppedMs = new Map<string, number>();

  /** Called after every entry into a core. */
  onStep: ((node: OurNode) => void) | undefined;
  onChange: ((node: OurNode, change: StatusChange) => void) | undefined;
  /** Called when a node dropped a member from its table. */
  onForgotten: ((node: OurNode, id: string) => void) | undefined;
  /** Called when a node runs a hook. */
  onTell: ((attempt: Attempt, receiver: Receiver) => void) | undefined;
  /** A rule of the program broke. */
  onBug: ((node: OurNode, rule: string) => void) | undefined;
  /** Called when a node's call to `address` was answered. */
  onAnswered: ((node: OurNode, address: string) => void) | undefined;
  /** Called when a node's call to `address` was refused. */
  onRefused: ((node: OurNode, address: string) => void) | undefined;

  readonly #receivers = new Map<string, Receiver>();

  constructor(options: WorldOptions) {
    this.options = options;
    this.dice = options.dice.fork("world");
    this.network = new Network({
      agenda: this.agenda,
      dice: options.dice.fork("network"),
      weather: options.weather,
      timeoutMs: ({ id }) => exchangeTimeoutMs((this.ours.get(id)?.pace ?? options).intervalMs),
      sizeOf: options.sizeOf,
    });
  }

  /** A node dropped a member from its table. */
  forgot(node: OurNode, id: string): void {
    this.droppedMs.set(id, this.droppedMs.get(id) ?? this.nowMs);
    this.onForgotten?.(node, id);
  }

  /** Whom a hook tells. */
  receiver(hook: string): Receiver {
    let receiver = this.#receivers.get(hook);
    if (receiver === undefined) {
      receiver = new Receiver(this.options.dice.fork(`receiver ${hook}`));
      this.#receivers.set(hook, receiver);
    }
    return receiver;
  }

  /** Runs a hook of a node: its receiver hears of it, and then the node of the answer. */
  tell(node: OurNode, telling: Telling): void {
    const receiver = this.receiver(telling.hook);
    const { table } = node.gossip.replica;
    const attempt: Attempt = {
      heartbeats: new Map(telling.changes.map(({ id }) => [id, table.get(id)?.heartbeat])),
      by: node,
      telling,
      beganMs: this.nowMs,
      deliveredMs: undefined,
      endedMs: Infinity,
      outcome: undefined,
    };
    receiver.attempts.push(attempt);
    this.onTell?.(attempt, receiver);
    const { tookMs, arrives, answers } = receiver.fare();
    if (arrives) this.at(this.nowMs + tookMs / 2, () => attempt.deliveredMs = this.nowMs);
    this.at(this.nowMs + tookMs, () => {
      node.told(telling, answers ? "done" : "failed", (outcome) => {
        attempt.endedMs = this.nowMs;
        attempt.outcome = outcome;
      });
    });
  }

  /** True time in ms since the start. */
  get nowMs(): number {
    return this.agenda.nowMs;
  }

  start(options: StartOptions): OurNode {
    const clock = new HostClock(options.clock, this.nowMs);
    const saved = options.remembers ? this.#savedBy(options.id) : undefined;
    const told = options.remembers ? this.#toldBy(options.id) : [];
    const node = new OurNode(this, { ...options, clock, saved, told });
    this.ours.set(node.id, node);
    this.everyone.push(node);
    this.network.attach(node);
    node.begin();
    return node;
  }

  /** Whether its process would run: the state file of a decommissioned ID ends it, as in production (see state.ts). */
  mayStart({ id, remembers }: Pick<StartOptions, "id" | "remembers">): boolean {
    const former = remembers ? this.ours.get(id) : undefined;
    return former?.gossip.replica.table.tombstone(id) === undefined;
  }

  #savedBy(id: string): Saved | undefined {
    const former = this.ours.get(id);
    if (former === undefined) return undefined;
    const { address, clock } = former;
    const { wallMs } = clock.moment(Math.min(former.endedMs, this.nowMs));
    const random = () => this.dice.next();
    const of = { id, address, cluster: "sim", wallMs, random };
    return this.options.core.snapshot(former.gossip, of);
  }

  /** What a former process knew to be told. */
  #toldBy(id: string): Told[] {
    const former = this.ours.get(id);
    if (former === undefined) return [];
    const downMs = Math.max(0, this.nowMs - former.endedMs);
    const { gossip } = former;
    return gossip.tellings.remembered(gossip.nowMs)
      .map((told) => ({ ...told, ageMs: told.ageMs + downMs }));
  }

  startGo(options: StartOptions): GoNode {
    const clock = new HostClock(options.clock, this.nowMs);
    const node = new GoNode(this, { ...options, clock });
    this.gos.set(node.id, node);
    this.network.attach(node);
    node.begin();
    return node;
  }

  /** The process of that ID, of either kind. */
  host(id: string): OurNode | GoNode | undefined {
    return this.ours.get(id) ?? this.gos.get(id);
  }

  /** Nodes of ours that exist now. */
  up(): OurNode[] {
    return [...this.ours.values()].filter((node) => node.up);
  }

  at(ms: number, run: () => void): void {
    this.agenda.add(ms, run);
  }

  /** Lets all happen until `untilMs`. */
  run(untilMs: number): void {
    this.agenda.run(untilMs);
  }
}
