import type { Row } from "../../lib/table.ts";
import type { OurNode } from "./our_node.ts";
import type { World } from "./world.ts";

/** Nodes that were refused by a member are witnesses enough of its crash, where there are as many others. */
export const WITNESSES = 3;

/** The true times at which a heartbeat was first and last made: a restarted node by a slow clock may repeat a former life's. */
interface Made {
  readonly firstMs: number;
  lastMs: number;
}

/** What is really so, kept beside the world: when heartbeats were made, who is well, who can reach whom. */
export class Truth {
  readonly #world: World;
  readonly #made = new Map<string, Map<number, Made>>();
  /** By observer: since when it has known the present process of each member. */
  readonly #introduced = new WeakMap<OurNode, Map<string, { boot: string; sinceMs: number }>>();
  /** By address: who was refused there, and when last. */
  readonly #refused = new Map<string, Map<string, number>>();
  /** By address and ID: who was answered there by a process of that ID, and when last. */
  readonly #answered = new Map<string, Map<string, Map<string, number>>>();

  /** The greatest factor by which any node has stretched its pace so far. */
  stretch = 1;

  constructor(world: World) {
    this.#world = world;
  }

  notePace({ pace }: OurNode): void {
    const factor = pace.longestIntervalMs / this.#world.options.intervalMs;
    this.stretch = Math.max(this.stretch, factor);
  }

  /** The longest interval that any node may have had so far. */
  get slowestMs(): number {
    return this.stretch * this.#world.options.intervalMs;
  }

  /** Takes down that `id` made this heartbeat now, or a node that heard it (a Go node) made it in its name. */
  noteMade(id: string, heartbeat: number): void {
    let made = this.#made.get(id);
    if (made === undefined) this.#made.set(id, made = new Map());
    const { nowMs } = this.#world;
    const known = made.get(heartbeat);
    if (known === undefined) made.set(heartbeat, { firstMs: nowMs, lastMs: nowMs });
    else known.lastMs = nowMs;
  }

  /** When that heartbeat was made; undefined: it never was. */
  made(id: string, heartbeat: number): Readonly<Made> | undefined {
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

  /** Takes down that somebody answered `observer` at `address`: no other process has that port. */
  noteAnswered(observer: OurNode, address: string): void {
    const host = this.#world.network.hostAt(address);
    if (host === undefined) return;
    let answered = this.#answered.get(address);
    if (answered === undefined) this.#answered.set(address, answered = new Map());
    let by = answered.get(host.id);
    if (by === undefined) answered.set(host.id, by = new Map());
    by.set(observer.id, this.#world.nowMs);
  }

  /** How many nodes were refused since `sinceMs` where a process of `id` is or was, or answered there by another. */
  refusedSince(id: string, sinceMs: number): number {
    const witnesses = new Set<string>();
    const note = (each: Iterable<[string, number]> = []) => {
      for (const [witness, atMs] of each) if (atMs >= sinceMs) witnesses.add(witness);
    };
    for (const { address } of this.#world.everyone.filter((node) => node.id === id)) {
      note(this.#refused.get(address));
      for (const [by, each] of this.#answered.get(address) ?? []) if (by !== id) note(each);
    }
    return witnesses.size;
  }

  /** Whether `observer` has no excuse but the weather for showing `id` as dead: both ran, connected and acquainted, since `sinceMs`. */
  mustShowLive(observer: OurNode, row: Row, sinceMs: number): boolean {
    const { id } = row;
    const member = this.#world.host(id);
    if (member === undefined || !member.up || member.healthySinceMs > sinceMs) return false;
    if (observer.startMs > sinceMs) return false;
    const known = this.#introduced.get(observer)?.get(id);
    if (known === undefined || known.sinceMs > sinceMs) return false;
    if ("boot" in member && known.boot !== member.boot) return false;
    if (this.#isOutrun(row)) return false;
    const { links } = this.#world.network;
    if (links.goodSinceMs(observer.address, member.address) > sinceMs) return false;
    // A Go node makes itself heard by its own calls only.
    const go = !("boot" in member);
    if (go && links.callableSinceMs(member.address, observer.address) > sinceMs) return false;

    // So many refusals are evidence, though a firewall's.
    return this.refusedSince(id, sinceMs) < WITNESSES;
  }

  /**
   * Whether the member's heartbeats have not caught up yet with one made before them by a faster wall clock: that of its former life,
   * or, as Go nodes' are made by who hears them, of another node.
   */
  #isOutrun(row: Row): boolean {
    const held = this.made(row.id, row.heartbeat);
    if (held === undefined) return false;
    for (const [heartbeat, { lastMs }] of this.#made.get(row.id) ?? []) {
      if (heartbeat < row.heartbeat && lastMs > held.lastMs) return true;
    }
    return false;
  }

  /** The last time anybody was not well: until it caught up, it may have passed on ages that were too low. */
  allWellSinceMs(): number {
    let sinceMs = -Infinity;
    for (const node of this.#world.everyone) {
      if (node.healthySinceMs > node.startMs) sinceMs = Math.max(sinceMs, node.healthySinceMs);
    }
    return sinceMs;
  }
}
