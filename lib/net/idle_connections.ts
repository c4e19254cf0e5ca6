/**
 * Connections between two exchanges: kept for the next one with the same peer, and closed when they are too many, too
 * old, or ended by the peer.
 *
 * @module
 */
import { close, type Connection } from "./connection.ts";

/** Idle connections kept: all peers of a cluster of 129. Each costs about 14 KB here and 26 KB at the peer. */
export const IDLE_CONNECTIONS_MAX = 128;

/** Longest time a connection stays idle, in ms: 64 peers at 2 a round are called every 32 s, rarely after 64 s. */
const IDLE_MS = 120_000;

interface IdleConnection extends Connection {
  /** When it became idle, in ms of the monotonic clock. */
  readonly sinceMs: number;
}

export interface IdleOptions {
  /** Idle connections kept, the longest idle closed first (default `IDLE_CONNECTIONS_MAX`). */
  readonly idleConnectionsMax?: number;
  /** Milliseconds after which an idle connection is not used again (default `IDLE_MS`). */
  readonly idleMs?: number;
  /**
   * Called when a peer ends an idle connection: it was killed, stopped, or tired of waiting. A hint to look again, not
   * evidence: the operating system closes a killed process's connections within milliseconds.
   */
  readonly onHangUp?: (address: string) => void;
}

export class IdleConnections {
  readonly #options: IdleOptions;
  /** At most one per address, the longest idle first. */
  readonly #idle = new Map<string, IdleConnection>();

  constructor(options: IdleOptions) {
    this.#options = options;
  }

  /** Takes out the connection to `address`, if one is usable. */
  take(address: string): Connection | undefined {
    this.#drop();
    const idle = this.#idle.get(address);
    this.#idle.delete(address);
    return idle;
  }

  /** Keeps a connection to `address`, or closes it if another is kept already. */
  async keep(address: string, { conn, reader }: Connection): Promise<void> {
    if (this.#idle.has(address)) return close(conn);
    const idle = { conn, reader, sinceMs: performance.now() };
    this.#idle.set(address, idle);
    this.#drop();
    await reader.listen();
    if (this.#idle.get(address) !== idle) return; // used again, or closed by this node
    this.#idle.delete(address);
    close(conn);
    this.#options.onHangUp?.(address);
  }

  /** Closes all of them. */
  close(): void {
    for (const { conn } of this.#idle.values()) close(conn);
    this.#idle.clear();
  }

  /** Closes connections idle for too long or over the bound; runs whenever one comes or goes, so it needs no timer. */
  #drop(): void {
    const { idleConnectionsMax = IDLE_CONNECTIONS_MAX, idleMs = IDLE_MS } = this.#options;
    const expiredMs = performance.now() - idleMs;
    for (const [address, { conn, sinceMs }] of this.#idle) {
      if (sinceMs > expiredMs && this.#idle.size <= idleConnectionsMax) return;
      this.#idle.delete(address);
      close(conn);
    }
  }
}
