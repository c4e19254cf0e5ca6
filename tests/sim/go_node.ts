import type { HostClock } from "./clock.ts";
import { Host } from "./host.ts";
import type { Request } from "./network.ts";
import type { World } from "./world.ts";

/** A Go node says hello to every address it knows this often; its period cannot be set. */
const PERIOD_MS = 2_000;

/** A Go node shows as live whom it heard itself in this time. */
const LIVE_MS = 5_000;

/**
 * A small model of the first gossiper, with its faults as recorded from real ones: it leaves itself out of its list, doubles blanks,
 * lists the decommissioned among the living, and never stops calling an address.
 */
export class GoNode extends Host {
  readonly #world: World;
  readonly #addresses: Set<string>;
  readonly #heardMs = new Map<string, number>();
  readonly #tombstones = new Set<string>();

  constructor(
    world: World,
    options: { id: string; address: string; seeds: readonly string[]; clock: HostClock },
  ) {
    const dice = world.dice.fork(`go ${options.id} ${world.nowMs}`);
    super({ ...options, agenda: world.agenda, dice });
    this.#world = world;
    this.#addresses = new Set([this.address, ...options.seeds]);
  }

  begin(): void {
    this.#round();
  }

  serve({ from, via }: Request): string {
    this.#heardMs.set(from, this.nowMs);
    this.#addresses.add(via);
    return this.#hello();
  }

  // Go's HTTP client just drops the connection.
  hungUp(): void {}

  /** Whether it shows `id` as live. */
  shows(id: string): boolean {
    return this.nowMs - (this.#heardMs.get(id) ?? -Infinity) <= LIVE_MS;
  }

  hasTombstone(id: string): boolean {
    return this.#tombstones.has(id);
  }

  decommission(id: string): void {
    this.#bury(id);
  }

  #hello(): string {
    const ids = [...this.#heardMs.keys()].filter((id) => id !== this.id);
    const others = [...this.#addresses].filter((address) => address !== this.address);
    const lines = [`hello ${this.id}`, ids.join(" "), [...this.#tombstones].join("  ")];
    return [...lines, this.address, ...others].join("\n") + "\n";
  }

  #round(): void {
    if (!this.up) return;
    for (const to of this.#addresses) {
      if (to === this.address) continue;
      const request = { kind: "hello", from: this.id, via: this.address } as const;
      this.#world.network.call(this, to, request, (outcome) => {
        if (outcome.kind === "answer") this.#hear(outcome.body);
      });
    }
    const again = () => this.enqueue("timer", () => this.#round());
    this.#world.agenda.add(this.nowMs + PERIOD_MS, again);
  }

  #hear(text: string): void {
    const [first = "", , third = "", ...addresses] = text.split("\n");
    this.#heardMs.set(first.slice("hello ".length), this.nowMs);
    for (const address of addresses) if (address !== "") this.#addresses.add(address);
    for (const id of third.split(" ")) if (id !== "") this.#bury(id);
  }

  #bury(id: string): void {
    this.#tombstones.add(id);
    if (id === this.id) this.end("closed");
  }
}
