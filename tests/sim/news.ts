import { ageOf, type Status } from "../../lib/table.ts";
import type { OurNode } from "./our_node.ts";
import type { World } from "./world.ts";

/** How often it is looked whether news has reached everybody. */
const LOOK_MS = 100;

/** Takes down who told what of whom, and when. */
export class News {
  readonly #world: World;
  /** By member: what each observer shows it as, and since when. */
  readonly #told = new Map<string, Map<string, { status: Status; atMs: number }>>();
  #metMs = 0;
  #met = 0;
  /** Changes to `dead` so far. */
  deaths = 0;

  constructor(world: World) {
    this.#world = world;
    world.onChange = (node, { id, from, to }) => {
      let told = this.#told.get(id);
      if (told === undefined) this.#told.set(id, told = new Map());
      if (from === null && id !== node.id) this.#countMet();
      if (to === "dead") this.deaths++;
      told.set(node.id, { status: to, atMs: world.nowMs });
    };
  }

  #countMet(): void {
    this.#met++;
    this.#metMs = this.#world.nowMs;
  }

  /** Lets time pass until so many `pairs` of nodes have met; the ms that took since the start, or NaN. */
  untilAllMet(pairs: number, patienceMs: number): number {
    while (this.#met < pairs && this.#world.nowMs < patienceMs) {
      this.#world.run(this.#world.nowMs + LOOK_MS);
    }
    return this.#met < pairs ? NaN : this.#metMs;
  }

  /** Lets time pass until all others show `id` as `status`; the ms since `sinceMs` of each, NaN for who does not. */
  untilAll(
    id: string,
    status: Status,
    { sinceMs, patienceMs }: { sinceMs: number; patienceMs: number },
  ): number[] {
    const world = this.#world;
    const endMs = world.nowMs + patienceMs;
    const times = () => {
      const observers = world.up().filter((node) => node.id !== id);
      return observers.map((node) => {
        const told = this.#told.get(id)?.get(node.id);
        return told?.status === status ? told.atMs - sinceMs : NaN;
      });
    };
    while (times().some(Number.isNaN) && world.nowMs < endMs) world.run(world.nowMs + LOOK_MS);
    return times();
  }

  /** Lets time pass until all tables hold the same members; the ms that took, or NaN. */
  untilAllEqual(patienceMs: number): number {
    const world = this.#world;
    const sinceMs = world.nowMs;
    const areEqual = () => {
      const [first, ...others] = world.up().map(({ gossip }) => gossip.replica.table.rosterHash);
      return others.every((hash) => hash === first);
    };
    while (!areEqual() && world.nowMs < sinceMs + patienceMs) world.run(world.nowMs + LOOK_MS);
    return areEqual() ? world.nowMs - sinceMs : NaN;
  }

  /** The age of a node's own last heartbeat. */
  ageMs(node: OurNode): number {
    const row = node.gossip.replica.table.get(node.id);
    return row === undefined ? NaN : ageOf(row, node.clock.monotonicMs(this.#world.nowMs));
  }
}
