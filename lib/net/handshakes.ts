/**
 * TLS handshakes, which can take without end: a stopped process accepts connections and says nothing.
 *
 * Deno closes no connection in the middle of a handshake, whatever this node does, so a handshake given up at each call
 * would cost a file descriptor each time. So a call takes over the handshake that an earlier call to the same address
 * left open, and handshakes left open are bounded. As the open one tells nothing new of the host, that call sees by
 * another connection whether it still accepts.
 *
 * @module
 */
import { close } from "./connection.ts";
import { untilAborted } from "./deadline.ts";

/** Age at which an open handshake is no longer taken over, in ms: the peer may have lost it, as after a power cut. */
const TAKEN_OVER_MS = 60_000;

/** Handshakes open at once: a quarter of the descriptors of a process that may have 1,024. */
export const HANDSHAKES_MAX = 256;

/** Peers remembered because they once completed a handshake: they may be called beyond that bound. */
export const PROVEN_MAX = 4_096;

interface Handshake {
  readonly done: Promise<Deno.TlsConn>;
  readonly sinceMs: number;
  /** A call waits for it. */
  isWanted: boolean;
}

/** What a call can do at its peer's address. */
export interface Ways {
  /** Connects, and begins a handshake. */
  readonly start: () => Promise<Deno.TlsConn>;
  /** Looks whether the host accepts connections, where a handshake from before goes on. */
  readonly look: () => void;
}

export interface HandshakesOptions {
  /** Milliseconds of a monotonic clock (default `performance.now`). */
  readonly nowMs?: () => number;
}

export class Handshakes {
  readonly #nowMs: () => number;
  /** The latest per address. */
  readonly #open = new Map<string, Handshake>();
  readonly #proven = new Set<string>();
  #count = 0;

  constructor({ nowMs = () => performance.now() }: HandshakesOptions = {}) {
    this.#nowMs = nowMs;
  }

  /** Completes a handshake with the peer at `address`, a new one or one left open. Rejects once aborted. */
  async complete(
    address: string,
    { start, look }: Ways,
    signal: AbortSignal,
  ): Promise<Deno.TlsConn> {
    const leftOpen = this.#leftOpen(address);
    const handshake = leftOpen ?? await this.#start(address, start);
    handshake.isWanted = true;
    if (leftOpen !== undefined) look();
    const tls = await untilAborted(handshake.done, signal);
    if (tls !== undefined) return tls;
    handshake.isWanted = false;
    throw signal.reason;
  }

  #leftOpen(address: string): Handshake | undefined {
    const handshake = this.#open.get(address);
    if (handshake === undefined || handshake.isWanted) return undefined;
    return this.#nowMs() - handshake.sinceMs <= TAKEN_OVER_MS ? handshake : undefined;
  }

  async #start(address: string, start: () => Promise<Deno.TlsConn>): Promise<Handshake> {
    if (this.#count >= HANDSHAKES_MAX && !this.#proven.has(address)) {
      throw new Error("too many peers leave the TLS handshake open");
    }
    const tls = await start();
    const done = tls.handshake().then(() => tls);
    const handshake: Handshake = { done, sinceMs: this.#nowMs(), isWanted: true };
    this.#open.set(address, handshake);
    this.#count++;
    done.then(() => this.#prove(address), () => close(tls)).finally(() => {
      this.#count--;
      if (this.#open.get(address) === handshake) this.#open.delete(address);
      if (!handshake.isWanted) close(tls);
    });
    return handshake;
  }

  #prove(address: string): void {
    if (this.#proven.size >= PROVEN_MAX) this.#proven.clear();
    this.#proven.add(address);
  }
}
