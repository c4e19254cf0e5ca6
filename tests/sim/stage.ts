import type { Status } from "../../lib/table.ts";
import type { StatusChange } from "../../lib/verdicts.ts";
import { EXACT_CLOCK } from "./clock.ts";
import { Dice } from "../support/dice.ts";
import type { HookPlan } from "./hooks.ts";
import { Invariants } from "./invariants.ts";
import type { OurNode } from "./our_node.ts";
import { type Core, PRODUCTION, type StartOptions, World } from "./world.ts";

/** A change as an observer told it. */
export interface Told {
  readonly by: string;
  readonly atMs: number;
  readonly change: StatusChange;
}

export interface StageOptions {
  readonly nodes: number;
  readonly seed?: string;
  readonly lostShare?: number;
  /** Default: 2 ms. */
  readonly latencyMs?: number;
  /** Default: nobody is forgotten. */
  readonly forgetMs?: number;
  /** Default: nobody carries a hook. */
  readonly hooks?: readonly HookPlan[];
  readonly tellAfterMs?: number;
  /** Default: ticks travel as in production, in a cluster of many. */
  readonly fineMembersMax?: number;
  /** Default: the pace is never stretched. */
  readonly stretchMembers?: number;
  /** Default: production's. */
  readonly core?: Core;
}

/** A message of a hook, as it arrived. */
export interface Message {
  readonly by: string;
  readonly atMs: number;
  /** As "n5 dead", in the order of the message. */
  readonly says: readonly string[];
}

/** A world for a scripted run: nodes n0, n1, ... at h0:1, h1:1, ... that have all met, 1 s interval, dead after 5 s. */
export class Stage {
  readonly world: World;
  readonly told: Told[] = [];

  constructor(options: StageOptions) {
    const { nodes, seed = "stage", lostShare = 0, latencyMs = 2 } = options;
    const { core = PRODUCTION, hooks = [], tellAfterMs = 0 } = options;
    const weather = { latencyMs, lostShare, lateShare: 0, lateMs: 0, doubledShare: 0 };
    const { forgetMs, fineMembersMax, stretchMembers } = options;
    const sizes = { fineMembersMax, stretchMembers };
    const pace = { intervalMs: 1_000, deadAfterMs: 5_000, forgetMs, ...sizes };
    const telling = { hooks, tellAfterMs };
    this.world = new World({ core, dice: new Dice(seed), weather, ...pace, ...telling });
    new Invariants(this.world);
    const { onChange } = this.world;
    this.world.onChange = (node, change) => {
      this.told.push({ by: node.id, atMs: this.world.nowMs, change });
      onChange?.(node, change);
    };
    const dice = this.world.dice.fork("starts");
    for (let i = 0; i < nodes; i++) this.world.at(dice.between(0, 100), () => this.start(i));
    // Carriers of hooks have listened by then, and are ready to tell.
    this.run((hooks.length > 0 ? 10_000 : 8_000) + dice.between(0, 1_000));
  }

  /** Starts node `i`; to join n0, if not told otherwise. */
  start(i: number, options: Partial<StartOptions> = {}): OurNode {
    const seeds = i === 0 ? [] : ["h0:1"];
    return this.world.start({
      id: `n${i}`,
      address: `h${i}:1`,
      seeds,
      clock: EXACT_CLOCK,
      ...options,
    });
  }

  /** What a hook's users got since `sinceMs`, oldest first. */
  messages(hook: string, sinceMs = 0): Message[] {
    return this.world.receiver(hook).delivered.filter(({ deliveredMs }) => deliveredMs! >= sinceMs)
      .map(({ by, deliveredMs, telling }) => ({
        by: by.id,
        atMs: deliveredMs!,
        says: telling.changes.map(({ id, to }) => `${id} ${to}`),
      }));
  }

  /** The same, only what it says. */
  says(hook: string, sinceMs = 0): string[][] {
    return this.messages(hook, sinceMs).map(({ says }) => [...says].sort());
  }

  node(id: string): OurNode {
    const node = this.world.ours.get(id);
    if (node === undefined) throw new Error(`there is no node ${id}`);
    return node;
  }

  run(forMs: number): void {
    this.world.run(this.world.nowMs + forMs);
  }

  /** Lets time pass until all that run agree with each other and `holds`; the ms that took, or NaN after `limitMs`. */
  runUntil(holds: () => boolean, limitMs: number): number {
    const startMs = this.world.nowMs;
    while (!holds() && this.world.nowMs < startMs + limitMs) this.run(50);
    return holds() ? this.world.nowMs - startMs : NaN;
  }

  /** What `by` shows `id` as; null: not at all. */
  shows(by: string, id: string): Status | null {
    const { gossip } = this.node(by);
    if (gossip.replica.table.tombstone(id) !== undefined) return "decommissioned";
    const row = gossip.replica.table.get(id);
    return row === undefined ? null : gossip.statusOf(row);
  }

  /** Whether all others that run show `id` as `status`. */
  allShow(id: string, status: Status): boolean {
    return this.world.up().every((node) => node.id === id || this.shows(node.id, id) === status);
  }

  /** Whether all that run show all that run as live. */
  allShowAll(): boolean {
    return this.world.up().every((node) => this.allShow(node.id, "live"));
  }

  /** Changes told since `sinceMs` of `id`, by others. */
  toldOf(id: string, sinceMs: number): Told[] {
    return this.told.filter((each) =>
      each.change.id === id && each.by !== id && each.atMs >= sinceMs
    );
  }
}
