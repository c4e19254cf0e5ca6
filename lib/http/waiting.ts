/**
 * The waiting room: requests whose body has not come yet. A stranger can open as many as he likes, so they hold a
 * place here and nowhere else, each for a bounded time. When all places are taken, the caller who holds most of them
 * loses the oldest: a caller who never sends harms only callers of the same address. (pure)
 *
 * @module
 */

/** A place in the waiting room. */
export interface WaitingPlace {
  /** Frees the place; it may have been given up before. */
  leave(): void;
}

export class WaitingRoom {
  readonly #placesMax: number;
  /** By network, oldest first. */
  readonly #byNetwork = new Map<string, Set<() => void>>();
  #size = 0;

  constructor(placesMax: number) {
    this.#placesMax = placesMax;
  }

  /** Places taken. */
  get size(): number {
    return this.#size;
  }

  /** Whether a newcomer of `network` gets a free place, or one of a network that still has no fewer without it. */
  admits(network: string): boolean {
    if (this.#size < this.#placesMax) return true;
    const own = this.#byNetwork.get(network)?.size ?? 0;
    return [...this.#byNetwork.values()].some(({ size }) => size > own + 1);
  }

  /** Takes a place; `onGivenUp` is called if another request needs it. */
  enter(network: string, onGivenUp: () => void): WaitingPlace {
    if (this.#size >= this.#placesMax) this.giveUpOne();
    const places = this.#byNetwork.get(network) ?? new Set();
    this.#byNetwork.set(network, places);
    places.add(onGivenUp);
    this.#size++;
    return { leave: () => this.#leave(network, onGivenUp) };
  }

  /** Gives up the oldest place of the network that has most. */
  giveUpOne(): void {
    let greediest: string | undefined;
    let most = 0;
    for (const [network, { size }] of this.#byNetwork) {
      if (size > most) [greediest, most] = [network, size];
    }
    if (greediest === undefined) return;
    const [oldest] = this.#byNetwork.get(greediest)!;
    this.#leave(greediest, oldest!);
    oldest!();
  }

  #leave(network: string, onGivenUp: () => void): void {
    const places = this.#byNetwork.get(network);
    if (!places?.delete(onGivenUp)) return;
    this.#size--;
    if (places.size === 0) this.#byNetwork.delete(network);
  }
}
