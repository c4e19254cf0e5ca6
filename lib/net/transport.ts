/**
 * Outgoing exchanges: one HTTP/1.1 POST over a plain TCP connection, one bounded answer.
 *
 * Why not `fetch`: it tells "connection refused" only in the text of a message, obeys HTTP_PROXY, refuses ports
 * that browsers block (6000, 10080), and costs 62 more bytes of headers, three times the CPU and tens of MB of
 * memory. Why not `node:http`: on Deno 2.7 it reports every failure to connect as ECONNREFUSED, which would be
 * false evidence of a crash, and it hangs when a peer closes at once.
 */

import { type Address, parseAddress } from "../address.ts";
import { close, connect, type ConnectOptions } from "./connect.ts";
import { type Answer, AnswerReader, HungUp } from "./answer_reader.ts";

/**
 * What became of an exchange. Text from the peer is found in `body` alone, never in `why`.
 *
 * - `answer`: the peer answered, with whatever status.
 * - `refused`: nobody listens there, but the host is up (TCP's "connection refused"). Windows takes
 *   about two seconds to say so: with a shorter time-out it comes as `silent` there.
 * - `silent`: no whole answer in time, whether the connection was accepted or not.
 * - `failed`: anything else: a name that doesn't resolve, an unreachable network, a connection that
 *   keeps breaking, an answer that is too long, compressed or not HTTP.
 */
export type Outcome =
  | { kind: "answer"; status: number; body: string; bytesIn: number; proof?: string }
  | { kind: "refused" }
  | { kind: "silent" }
  | { kind: "failed"; why: string };

/** Makes exchanges; never throws and never rejects. */
export interface Transport {
  /** Bytes of HTTP on the connections since the start, heads included; of an answer that failed, not counted. */
  readonly traffic: { readonly bytesIn: number; readonly bytesOut: number };
  /**
   * POSTs the body to `http://<address><path>`, and settles within the time-out. A connection that breaks
   * before the whole answer is tried again, so the request may arrive several times: it must be idempotent.
   * How many run at once is up to the caller. `authorization` becomes the header of that name.
   */
  post(
    address: string,
    path: string,
    body: string | Uint8Array,
    authorization?: string,
  ): Promise<Outcome>;
  /** Closes every connection; exchanges under way, and later ones, end as `failed`. */
  close(): void;
}

export interface TransportOptions extends ConnectOptions {
  /** Milliseconds for the whole exchange: resolving, connecting, sending, and reading the whole answer. */
  timeoutMs: number;
  /** Bytes of the longest answer body that is read; a longer one fails the exchange. */
  bodyBytesMax: number;
  /** Idle connections kept, the longest idle closed first (default `IDLE_CONNECTIONS_MAX`). */
  idleConnectionsMax?: number;
  /** Milliseconds after which an idle connection is not used again (default `IDLE_MS`). */
  idleMs?: number;
  /**
   * Called when a peer ends an idle connection: it was killed, stopped, or tired of waiting. A hint to look
   * again, not evidence: the operating system closes a killed process's connections within milliseconds.
   */
  onHangUp?: (address: string) => void;
}

/** Idle connections kept: all peers of a cluster of 129. Each costs about 14 KB here and 26 KB at the peer. */
export const IDLE_CONNECTIONS_MAX = 128;

/** An idle connection's longest life: 64 peers at 2 a round are called every 32 s, now and then after 64. */
export const IDLE_MS = 120_000;

/**
 * Waits before a connection that broke is tried again. At once, as the peer may have closed it while it was
 * idle; then a little later, as a process that dies closes its connections up to 10 ms before its listener:
 * in between new connections are accepted, and break, and only afterwards are they refused.
 */
const RETRY_DELAYS_MS: readonly number[] = [0, 25, 100];

/** How a connection breaks: while it opens, or later. */
const BROKEN = [
  HungUp,
  Deno.errors.ConnectionReset,
  Deno.errors.ConnectionAborted,
  Deno.errors.NotConnected,
];

/** Paths that can stand in a request line as they are. */
const PATH = /^\/[\x21-\x7e]*$/;

/** What can stand in a header as it is. */
const FIELD_VALUE = /^[\x20-\x7e]*$/;

const encoder = new TextEncoder();

/** Creates a {@linkcode Transport} with its own connections. */
export function createTransport(options: TransportOptions): Transport {
  return new TcpTransport(options);
}

interface Connection {
  readonly conn: Deno.Conn;
  readonly reader: AnswerReader;
}

interface IdleConnection extends Connection {
  /** When it became idle, in milliseconds of the monotonic clock. */
  readonly sinceMs: number;
}

const CLOSED: Outcome = { kind: "failed", why: "this node is stopping" };

class TcpTransport implements Transport {
  readonly traffic = { bytesIn: 0, bytesOut: 0 };
  readonly #options: TransportOptions;
  /** At most one for each address, the longest idle first. */
  readonly #idle = new Map<string, IdleConnection>();
  readonly #exchanges = new Set<AbortController>();
  #closed = false;

  constructor(options: TransportOptions) {
    this.#options = options;
  }

  async post(
    address: string,
    path: string,
    body: string | Uint8Array,
    authorization = "",
  ): Promise<Outcome> {
    if (this.#closed) return CLOSED;
    const target = parseAddress(address);
    if (target === undefined || !PATH.test(path) || !FIELD_VALUE.test(authorization)) {
      return { kind: "failed", why: "the address or path cannot be called" };
    }
    const exchange = new AbortController();
    const timer = setTimeout(() => exchange.abort(), this.#options.timeoutMs);
    this.#exchanges.add(exchange);
    try {
      // A race, as resolving a name does not heed the signal on Deno 2.7: it can take 10 s.
      return await Promise.race([
        aborted(exchange.signal).then((): Outcome => this.#closed ? CLOSED : { kind: "silent" }),
        this.#exchange(
          address,
          target,
          encodeRequest({ address, path, body, authorization }),
          exchange.signal,
        ),
      ]);
    } catch (error) {
      if (error instanceof Deno.errors.ConnectionRefused) return { kind: "refused" };
      if (error instanceof Deno.errors.TimedOut) return { kind: "silent" };
      return { kind: "failed", why: error instanceof Error ? error.message : String(error) };
    } finally {
      clearTimeout(timer);
      this.#exchanges.delete(exchange);
    }
  }

  close(): void {
    this.#closed = true;
    for (const exchange of this.#exchanges) exchange.abort();
    for (const { conn } of this.#idle.values()) close(conn);
    this.#idle.clear();
  }

  async #exchange(
    key: string,
    target: Address,
    request: Uint8Array,
    signal: AbortSignal,
  ): Promise<Outcome> {
    for (let attempt = 0;; attempt++) {
      try {
        const idle = attempt === 0 ? this.#takeIdle(key) : undefined;
        const connection = idle ?? await this.#connect(target, signal);
        return await this.#converse(key, connection, request, signal);
      } catch (error) {
        const delayMs = RETRY_DELAYS_MS[attempt];
        const broken = BROKEN.some((kind) => error instanceof kind);
        if (!broken || delayMs === undefined || signal.aborted) throw error;
        await pause(delayMs, signal);
      }
    }
  }

  async #connect(target: Address, signal: AbortSignal): Promise<Connection> {
    const conn = await connect(target, signal, this.#options);
    return { conn, reader: new AnswerReader(conn) };
  }

  async #converse(
    key: string,
    connection: Connection,
    request: Uint8Array,
    signal: AbortSignal,
  ): Promise<Outcome> {
    const { conn, reader } = connection;
    signal.addEventListener("abort", () => close(conn));
    let answer: Answer | undefined;
    let sent = false;
    try {
      // A peer may answer, say 413, without reading to the end; if it can't, reading the answer fails as well.
      writeAll(conn, request).then(() => sent = true, () => {});
      this.traffic.bytesOut += request.length;
      answer = await reader.read(this.#options.bodyBytesMax);
    } finally {
      if (answer?.reusable && sent && !signal.aborted) this.#keep(key, connection);
      else close(conn);
    }
    const { reusable: _, ...rest } = answer;
    this.traffic.bytesIn += rest.bytesIn;
    return { kind: "answer", ...rest };
  }

  #takeIdle(key: string): Connection | undefined {
    this.#dropIdle();
    const idle = this.#idle.get(key);
    this.#idle.delete(key);
    return idle;
  }

  async #keep(key: string, { conn, reader }: Connection): Promise<void> {
    if (this.#idle.has(key)) return close(conn);
    const idle = { conn, reader, sinceMs: performance.now() };
    this.#idle.set(key, idle);
    this.#dropIdle();
    await reader.listen();
    if (this.#idle.get(key) !== idle) return; // used again, or closed from here
    this.#idle.delete(key);
    close(conn);
    this.#options.onHangUp?.(key);
  }

  /** Closes what is idle for too long, or over the bound; called as they come and go, so it needs no timer. */
  #dropIdle(): void {
    const { idleConnectionsMax = IDLE_CONNECTIONS_MAX, idleMs = IDLE_MS } = this.#options;
    const expiredMs = performance.now() - idleMs;
    for (const [key, { conn, sinceMs }] of this.#idle) {
      if (sinceMs > expiredMs && this.#idle.size <= idleConnectionsMax) return;
      this.#idle.delete(key);
      close(conn);
    }
  }
}

/** One piece, so that a small request travels in one packet. */
function encodeRequest(
  request: { address: string; path: string; body: string | Uint8Array; authorization: string },
): Uint8Array {
  const { address, path, body, authorization } = request;
  const bytes = typeof body === "string" ? encoder.encode(body) : body;
  // Host and length are all that HTTP/1.1 asks for: at 16 nodes headers are the bill.
  const signed = authorization === "" ? "" : `authorization: ${authorization}\r\n`;
  const head = encoder.encode(
    `POST ${path} HTTP/1.1\r\nhost: ${address}\r\n${signed}content-length: ${bytes.length}\r\n\r\n`,
  );
  const whole = new Uint8Array(head.length + bytes.length);
  whole.set(head);
  whole.set(bytes, head.length);
  return whole;
}

async function writeAll(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let sent = 0; sent < bytes.length;) sent += await conn.write(bytes.subarray(sent));
}

/** Waits, or stops waiting when aborted. */
function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, delayMs);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve()));
}
