/**
 * Whether peers can still reach this host at the address that they are given.
 *
 * @module
 */
import { isIp, isLoopback } from "../address.ts";
import { type HostNetwork, routedAddress } from "./own_address.ts";

/** Delay between two looks at this host's addresses: each takes a tenth of a millisecond. */
const WATCH_MS = 10_000;

export interface AddressWatchOptions {
  /** The host that peers are given. */
  readonly advertiseHost: string;
  /** Whether no flag gave it. */
  readonly advertiseDefault: boolean;
  readonly network: Pick<HostNetwork, "addresses" | "defaultInterfaces">;
  readonly onNotice: (level: "info" | "warn", text: string) => void;
}

export class AddressWatch {
  readonly #options: AddressWatchOptions;
  readonly #wasOwn: boolean;
  #timer: ReturnType<typeof setInterval> | undefined;
  #trouble: string | undefined;

  constructor(options: AddressWatchOptions) {
    this.#options = options;
    this.#wasOwn = this.#isOwn();
  }

  /** Why peers cannot reach this host, in one line; undefined as far as this host knows. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  start(): void {
    // A name leads to whatever address the host has when a peer looks it up.
    if (!isIp(this.#options.advertiseHost)) return;
    this.#timer = setInterval(() => this.check(), WATCH_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Looks at this host's addresses; reports once what is wrong, and once that it is right again. */
  check(): void {
    const { advertiseHost, onNotice } = this.#options;
    const before = this.#trouble;
    try {
      this.#trouble = this.#findTrouble();
    } catch {
      // The system tells no addresses, mostly for lack of file descriptors: the next look may find out.
      return;
    }
    if (this.#trouble === undefined) {
      if (before !== undefined) onNotice("info", `peers can reach ${advertiseHost} again`);
    } else if (before === undefined) {
      onNotice("warn", this.#trouble);
    }
  }

  #findTrouble(): string | undefined {
    const { advertiseHost, advertiseDefault, network } = this.#options;
    const present = routedAddress(network);
    const remedy = "restart this node, or give peers a name that stays with -advertise";
    if (isLoopback(advertiseHost)) {
      // If a flag gave the loopback, all nodes are meant to be on this host.
      if (!advertiseDefault || present === undefined) return undefined;
      return `peers are given ${advertiseHost}, which leads each to itself, though this host ` +
        `has the address ${present} now: ${remedy}`;
    }
    // An address that was never this host's own is translated to it elsewhere.
    if (!this.#wasOwn || this.#isOwn()) return undefined;
    const now = present === undefined ? "" : `, and has ${present} now`;
    return `this host has lost ${advertiseHost}, the address that peers are given${now}: ${remedy}`;
  }

  #isOwn(): boolean {
    const { advertiseHost, network } = this.#options;
    return network.addresses().some(({ address }) => address === advertiseHost);
  }
}
