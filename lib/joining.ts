/**
 * A node's first moments. Until it has met another it only pulls, so as to disturb neither a twin, another live node
 * of its ID, nor a tombstone; if its ID is live at another address it asks there before it takes part.
 *
 * @module
 */
import type { Report } from "./table.ts";

export interface JoiningOptions {
  readonly address: string;
  readonly boot: string;
  readonly deadAfterMs: number;
  /** Somebody is to be joined; otherwise the node takes part from the start. */
  readonly active: boolean;
}

export class Joining {
  readonly #options: JoiningOptions;
  #active: boolean;
  #twinAddress: string | undefined;

  constructor(options: JoiningOptions) {
    this.#options = options;
    this.#active = options.active;
  }

  get active(): boolean {
    return this.#active;
  }

  /**
   * A first table was seen, with `own`, another process' row under this ID, in it if there is one. Returns the
   * address to ask before taking part. A former life of this node also leaves such a row, so the row alone proves
   * nothing.
   */
  meet(own: Report | undefined): string | undefined {
    if (this.#twinAddress !== undefined) return undefined;
    const { address, deadAfterMs } = this.#options;
    const elsewhere = own !== undefined && own.boot !== "" && own.left === "" &&
      own.address !== "" && own.address !== address && own.ageMs <= deadAfterMs;
    if (elsewhere) return this.#twinAddress = own.address;
    this.#active = false;
    return undefined;
  }

  /** Whether an answer with this node's ID is another process': one that names no boot is not known to be. */
  isTwin(boot: string | undefined): boolean {
    return boot !== undefined && boot !== this.#options.boot;
  }

  /** The call to `to` failed, or met another node there; true if that ends the joining. */
  cleared(to: string): boolean {
    if (to !== this.#twinAddress) return false;
    this.finish();
    return true;
  }

  /** Takes part from now on. */
  finish(): void {
    this.#twinAddress = undefined;
    this.#active = false;
  }
}
