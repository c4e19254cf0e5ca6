/**
 * Whether a node does its work, and is ready for it: what `/healthz` and `/readyz` tell.
 *
 * @module
 */
import type { Moment } from "../clock.ts";
import type { Gossip } from "../gossip.ts";
import type { Log } from "../log.ts";
import { ageOf } from "../table.ts";
import { Reached, type ReachedOptions } from "./reached.ts";

/** A round that is this many intervals late means that the process does not get to run. */
const LATE_INTERVALS = 2;

/** Addresses that one line names. */
const NAMED_MAX = 5;

/** Other members that a node must know before it can be cut off: the one other member of two may simply be down. */
const CUT_OFF_MEMBERS = 2;

/**
 * A node that hears nobody is unhealthy for so long, in ms: whoever restarts unhealthy nodes has done so by then, and
 * it did not help. After that all others are taken to be down, and the last node that runs is left to serve.
 */
const CUT_OFF_UNHEALTHY_MS = 600_000;

export interface Health {
  readonly monotonicMs: number;
  readonly intervalMs: number;
  readonly deadAfterMs: number;
  /** This node's ID. */
  readonly id: string;
  /** For how long it has called in vain. */
  readonly unheardMs: number;
}

type Silence = Pick<Health, "id" | "deadAfterMs" | "unheardMs">;

/** For how long this node has heard nobody, in ms, where it knows enough others to be cut off; 0 otherwise. */
export function cutOffMs(gossip: Gossip, at: Silence): number {
  return unheardMembers(gossip, at) > 0 ? at.unheardMs : 0;
}

/**
 * How many other members should be heard, where this node knows enough and none answers, not even by refusing; 0
 * otherwise.
 */
function unheardMembers(gossip: Gossip, at: Silence): number {
  if (at.unheardMs <= at.deadAfterMs) return 0;
  const { table, former } = gossip.replica;
  // Members that were dead when the silence began do not answer in any case.
  const oldestMs = at.unheardMs + at.deadAfterMs;
  // Members of a former life alone may all be down, after a power cut: no restart of this node would help.
  const known =
    table.roster().filter((row) =>
      row.id !== at.id && row.heartbeat > 0 && row.left === "" && !former.holds(row) &&
      ageOf(row, gossip.nowMs) <= oldestMs
    ).length;
  return known < CUT_OFF_MEMBERS ? 0 : known;
}

/** Why the node is not healthy, in one line; undefined if it is. */
export function troubleOf(gossip: Gossip, at: Health): string | undefined {
  const lateMs = gossip.lateMs(at.monotonicMs);
  if (lateMs > LATE_INTERVALS * at.intervalMs) {
    return `The next round is ${seconds(lateMs)} late: the process does not get to run`;
  }
  const known = unheardMembers(gossip, at);
  if (known === 0 || at.unheardMs > CUT_OFF_UNHEALTHY_MS) return undefined;
  return `None of ${known} other members has answered for ${seconds(at.unheardMs)}: ` +
    "this node is cut off, or its calls do not get out";
}

/** What to know of a node that heard nobody for so long that it counts as the last one; undefined of any other. */
export function lastOneWarning(gossip: Gossip, at: Silence): string | undefined {
  if (cutOffMs(gossip, at) <= CUT_OFF_UNHEALTHY_MS) return undefined;
  return `nobody has answered for over ${CUT_OFF_UNHEALTHY_MS / 60_000} min: ` +
    "all others are down, or this node is cut off";
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

export interface ConditionOptions extends ReachedOptions {
  readonly now: () => Moment;
  /** For how long nobody has answered, in ms. */
  readonly unheardMs: () => number;
}

/** How a running node is when it is asked. */
export class Condition {
  readonly #gossip: Gossip;
  readonly #options: ConditionOptions;
  readonly #reached: Reached;

  constructor(gossip: Gossip, options: ConditionOptions) {
    this.#gossip = gossip;
    this.#options = options;
    this.#reached = new Reached(gossip, options);
  }

  /** Notes a call of member `from`. */
  called(from: string): void {
    this.#reached.called(from);
  }

  /** Looks once a round whether members call. */
  round(): void {
    this.#reached.round();
  }

  /** Why it is not healthy, in one line; undefined if it is. */
  trouble(): string | undefined {
    return troubleOf(this.#gossip, this.#at());
  }

  /** Why it is not ready, in one line; undefined if it is. */
  unready(): string | undefined {
    return this.#gossip.joined ? this.trouble() : waitingFor(this.#gossip);
  }

  /** What else there is to know of its health, in one line; undefined for nothing. */
  warning(): string | undefined {
    return this.#reached.trouble ?? lastOneWarning(this.#gossip, this.#at());
  }

  /** For how long it has been cut off, in ms; 0 if it is not. */
  cutOffMs(): number {
    return cutOffMs(this.#gossip, this.#at());
  }

  #at(): Health {
    const { id, now, unheardMs } = this.#options;
    const { intervalMs, deadAfterMs } = this.#gossip.replica.pace;
    const pace = { intervalMs, deadAfterMs };
    return { id, ...pace, monotonicMs: now().monotonicMs, unheardMs: unheardMs() };
  }
}

/** Which addresses this node still has to reach, in one line, while it has met no other node. */
export function waitingFor(gossip: Gossip): string {
  const addresses = Array.from(gossip.contacts.unanswered(), ({ address }) => address);
  const named = addresses.slice(0, NAMED_MAX).join(", ");
  const more = addresses.length > NAMED_MAX ? ` and ${addresses.length - NAMED_MAX} more` : "";
  return `This node has reached none of its -join addresses: ${named}${more}`;
}

/** Logs that the state file cannot be written, or can be again. */
export function logStateTrouble(log: Log, trouble: string | undefined): void {
  if (trouble === undefined) log.notice("info", "the state file can be written again");
  else log.notice("error", `${trouble}; this node runs on, and tries again`);
}
