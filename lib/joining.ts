/**
 * A node's first moments. Until it has met another node it only pulls, so as to disturb neither a twin (another live
 * node with its ID) nor a tombstone; if its ID is live at another address, it asks there before it takes part.
 *
 * @module
 */
import type { Pace } from "./pace.ts";
import type { Report } from "./table.ts";

export interface JoiningOptions {
  readonly address: string;
  readonly boot: string;
  readonly pace: Pick<Pace, "deadAfterMs">;
  /** There are nodes to join; otherwise this node takes part from the start. */
  readonly active: boolean;
}

export class Joining {
  readonly #options: JoiningOptions;
  #active: boolean;
  #own: Report | undefined;
  #twinAddress: string | undefined;

  constructor(options: JoiningOptions) {
    this.#options = options;
    this.#active = options.active;
  }

  get active(): boolean {
    return this.#active;
  }

  /** Sees some of a table, and perhaps `own`, the row of another process under this ID. */
  sees(own: Report | undefined): void {
    this.#own = own ?? this.#own;
  }

  /**
   * Takes the first table, as it was seen. Returns the address to ask before taking part. A former life of this node
   * leaves a row under its ID too, so the row alone proves nothing.
   */
  meet(): string | undefined {
    if (this.#twinAddress !== undefined) return undefined;
    const own = this.#own;
    const { address, pace } = this.#options;
    const elsewhere = own !== undefined && own.boot !== "" && own.left === "" &&
      own.address !== "" && own.address !== address && own.ageMs <= pace.deadAfterMs;
    if (elsewhere) return this.#twinAddress = own.address;
    this.#active = false;
    return undefined;
  }

  /** Whether an answer with this node's ID came from another process: one without a boot may not have. */
  isTwin(boot: string | undefined): boolean {
    return boot !== undefined && boot !== this.#options.boot;
  }

  /** Notes that the call to `to` failed or met another node there; true if that ends the joining. */
  cleared(to: string): boolean {
    if (to !== this.#twinAddress) return false;
    this.finish();
    return true;
  }

  /** Ends the joining: this node takes part from now on. */
  finish(): void {
    this.#twinAddress = undefined;
    this.#active = false;
  }
}
