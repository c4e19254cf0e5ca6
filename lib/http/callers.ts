/**
 * Callers: what the server knows of one, and which of them share a bound.
 *
 * @module
 */
import type { Context } from "./hono.ts";
import { ipBytes } from "../address.ts";

/** What the server knows about the caller of a request. */
export interface Caller {
  /** The IP address that the request came from. */
  readonly remote: string;
  /** Settles when the caller has taken the answer, if that is a stream, or is gone. */
  readonly completed: Promise<void>;
  /** Waits for the caller's own bytes; meanwhile the request does not count among those under way. */
  aside<T>(waiting: Promise<T>): Promise<T>;
}

/** What the routes' context holds: the caller as `env`, and the body where the gate had to read it. */
export interface CallerEnv {
  Bindings: Caller;
  Variables: { body?: string };
}

export type CallerContext = Context<CallerEnv>;

/** Bits of an IPv6 address that one customer is given, and may vary the rest of. */
const NETWORK_BYTES = 8;

/** The callers with whom an address shares its bounds: itself, or the /64 network of an IPv6 address. */
export function networkOf(remote: string): string {
  if (remote.includes(".")) return remote;
  return ipBytes(remote)?.slice(0, NETWORK_BYTES).join(":") ?? remote;
}

/** Callers that were here of late, by network. */
export class RecentCallers {
  readonly #options: { readonly callersMax: number; readonly forMs: number };
  /** When each was here last, the one longest ago first. */
  readonly #seenMs = new Map<string, number>();

  constructor(options: { readonly callersMax: number; readonly forMs: number }) {
    this.#options = options;
  }

  add({ remote }: Caller, nowMs: number): void {
    const network = networkOf(remote);
    this.#seenMs.delete(network);
    this.#seenMs.set(network, nowMs);
    if (this.#seenMs.size <= this.#options.callersMax) return;
    const [oldest] = this.#seenMs.keys();
    this.#seenMs.delete(oldest!);
  }

  has({ remote }: Caller, nowMs: number): boolean {
    return nowMs - (this.#seenMs.get(networkOf(remote)) ?? -Infinity) <= this.#options.forMs;
  }
}
