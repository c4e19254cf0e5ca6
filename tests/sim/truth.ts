import type { OurNode } from "./our_node.ts";
import type { World } from "./world.ts";

/** Nodes besides an observer and a member that may be ill or cut off without any excuse for the observer. */
const FEW = 2;

/** Of more than a few others this share must be well, to carry news between an observer and a member. */
const WELL_SHARE = 0.5;

/** What is really so, kept beside the world: when heartbeats were made, who is well, who can reach whom. */
export class Truth {
  readonly #world: World;
  readonly #made = new Map<string, Map<number, number>>();
  /** By observer: since when it has known the present process of each member. */
  readonly #introduced = new WeakMap<OurNode, Map<string, { boot: string; sinceMs: number }>>();
  /** By address: who was refused there, and when last. */
  readonly #refused = new Map<string, Map<string, number>>();

  constructor(world: World) {
    this.#world = world;
  }

  /** Takes down the heartbeats that a step of `node` made: its own, and those it made for Go nodes. */
  noteMade(id: string, heartbeat: number): void {
    let made = this.#made.get(id);
    if (made === undefined) this.#made.set(id, made = new Map());
    made.set(heartbeat, this.#world.nowMs);
  }

  /** The true time at which `id` last made that heartbeat; undefined: it never did. */
  madeAtMs(id: string, heartbeat: number): number | undefined {
    return this.#made.get(id)?.get(heartbeat);
  }

  noteIntroduced(observer: OurNode, id: string, boot: string): void {
    let known = this.#introduced.get(observer);
    if (known === undefined) this.#introduced.set(observer, known = new Map());
    const before = known.get(id);
    if (before?.boot !== boot) known.set(id, { boot, sinceMs: this.#world.nowMs });
  }

  noteRefused(observer: OurNode, address: string): void {
    let refused = this.#refused.get(address);
    if (refused === undefined) this.#refused.set(address, refused = new Map());
    refused.set(observer.id, this.#world.nowMs);
  }

  /** How many nodes were refused at `address` since `sinceMs`. */
  refusedSince(address: string, sinceMs: number): number {
    let count = 0;
    for (const atMs of this.#refused.get(address)?.values() ?? []) if (atMs >= sinceMs) count++;
    return count;
  }

  /** Whether `observer` has no excuse for showing `id` as dead: both ran, connected and acquainted, since `sinceMs`. */
  mustShowLive(observer: OurNode, id: string, sinceMs: number): boolean {
    const member = this.#world.host(id);
    if (member === undefined || !member.up || member.healthySinceMs > sinceMs) return false;
    if (observer.startMs > sinceMs || this.#world.network.calmSinceMs > sinceMs) return false;
    const known = this.#introduced.get(observer)?.get(id);
    if (known === undefined || known.sinceMs > sinceMs) return false;
    if ("boot" in member && known.boot !== member.boot) return false;
    const { links } = this.#world.network;
    if (links.goodSinceMs(observer.address, member.address) > sinceMs) return false;

    let others = 0;
    let well = 0;
    for (const row of observer.gossip.replica.table.roster()) {
      if (row.id === id || row.id === observer.id) continue;
      const other = this.#world.host(row.id);
      if (other === undefined) continue;
      if (!other.up && observer.gossip.statusOf(row) !== "live") continue;
      others++;
      if (
        other.up && other.healthySinceMs <= sinceMs &&
        links.goodSinceMs(observer.address, other.address) <= sinceMs &&
        links.goodSinceMs(member.address, other.address) <= sinceMs
      ) well++;
    }
    return others <= FEW || well >= WELL_SHARE * others;
  }

  /** The last time anybody was not well: until it caught up, it may have passed on ages that were too low. */
  allWellSinceMs(): number {
    let sinceMs = -Infinity;
    for (const node of this.#world.ours.values()) {
      if (node.healthySinceMs > node.startMs) sinceMs = Math.max(sinceMs, node.healthySinceMs);
    }
    return sinceMs;
  }
}
