/**
 * Outgoing exchanges: one HTTP/1.1 POST over a TCP or TLS connection, one bounded answer.
 *
 * Why not `fetch`: it reports "connection refused" only in the text of a message, obeys HTTP_PROXY, refuses ports that
 * browsers block (6000, 10080), and costs 62 more bytes of headers, three times the CPU and tens of MB of memory. Why
 * not `node:http`: on Deno 2.7 it reports every failure to connect as ECONNREFUSED, which would be false evidence of a
 * crash, and it hangs when a peer closes at once.
 *
 * @module
 */
import { type Address, parseAddress } from "../address.ts";
import { close, type ConnectOptions, Connector } from "./connect.ts";
import { type Answer, AnswerReader, HungUp } from "./answer_reader.ts";
import { pause } from "./deadline.ts";
import { type Connection, IdleConnections, type IdleOptions } from "./idle_connections.ts";
import { LookupError } from "./lookups.ts";

/**
 * How an exchange ended. Only `body` holds text from the peer, `why` never does.
 *
 * - `answer`: the peer answered, with any status.
 * - `refused`: the host is up, and no process listens there (TCP's "connection refused"). Windows takes about two
 *   seconds to report it: with a shorter time-out the exchange is `silent` there.
 * - `silent`: no whole answer in time, whether the connection was accepted or not.
 * - `failed`: anything else: a name that does not resolve, an unreachable network, a connection that keeps breaking, an
 *   answer that is too long, compressed or not HTTP.
 */
export type Outcome =
  | { kind: "answer"; status: number; body: string; bytesIn: number; proof?: string }
  | { kind: "refused" }
  | { kind: "silent" }
  | { kind: "failed"; why: string };

/** Makes exchanges; never throws and never rejects. */
export interface Transport {
  /** Bytes of HTTP since the start, heads included; bytes of failed answers are not counted. */
  readonly traffic: { readonly bytesIn: number; readonly bytesOut: number };
  /**
   * POSTs the body to `http://<address><path>`, and settles within the time-out. If a connection breaks before the
   * whole answer, it sends the request again, so the request must be idempotent. The caller bounds how many run at
   * once. `authorization` becomes the header of that name.
   */
  post(
    address: string,
    path: string,
    body: string | Uint8Array,
    authorization?: string,
  ): Promise<Outcome>;
  /** Closes every connection; exchanges under way and later ones end as `failed`. */
  close(): void;
}

export interface TransportOptions extends ConnectOptions, IdleOptions {
  /** Milliseconds for the whole exchange: resolving, connecting, sending, and reading the whole answer. */
  readonly timeoutMs: number;
  /** Bytes of the longest answer body that is read; a longer one fails the exchange. */
  readonly bodyBytesMax: number;
}

/**
 * Delays before a request is sent again over a new connection after one broke, in ms. The first is 0: the peer may
 * have closed the connection while it was idle. The others are longer because a dying process closes its connections up
 * to 10 ms before its listener: in between, new connections are accepted and break, and only then are they refused.
 */
const RETRY_DELAYS_MS: readonly number[] = [0, 25, 100];

/** The errors of a connection that breaks, while it opens or later. */
const BROKEN = [
  HungUp,
  Deno.errors.ConnectionReset,
  Deno.errors.ConnectionAborted,
  Deno.errors.NotConnected,
];

/** Paths that need no escaping in a request line. */
const PATH = /^\/[\x21-\x7e]*$/;

/** Values that need no escaping in a header. */
const FIELD_VALUE = /^[\x20-\x7e]*$/;

const encoder = new TextEncoder();

/** Creates a {@linkcode Transport} with its own connections. */
export function createTransport(options: TransportOptions): Transport {
  return new TcpTransport(options);
}

const CLOSED: Outcome = { kind: "failed", why: "this node is stopping" };

class TcpTransport implements Transport {
  readonly traffic = { bytesIn: 0, bytesOut: 0 };
  readonly #options: TransportOptions;
  readonly #connector: Connector;
  readonly #idle: IdleConnections;
  readonly #exchanges = new Set<AbortController>();
  #closed = false;

  constructor(options: TransportOptions) {
    this.#options = options;
    this.#connector = new Connector(options);
    this.#idle = new IdleConnections(options);
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
      const request = encodeRequest({ address, path, body, authorization });
      return await this.#exchange(address, target, request, exchange.signal);
    } catch (error) {
      return this.#outcomeOf(error, exchange.signal);
    } finally {
      clearTimeout(timer);
      this.#exchanges.delete(exchange);
    }
  }

  close(): void {
    this.#closed = true;
    for (const exchange of this.#exchanges) exchange.abort();
    this.#idle.close();
  }

  #outcomeOf(error: unknown, { aborted }: AbortSignal): Outcome {
    if (this.#closed) return CLOSED;
    if (error instanceof LookupError) return { kind: "failed", why: error.message };
    if (aborted || error instanceof Deno.errors.TimedOut) return { kind: "silent" };
    if (error instanceof Deno.errors.ConnectionRefused) return { kind: "refused" };
    return { kind: "failed", why: error instanceof Error ? error.message : String(error) };
  }

  async #exchange(
    key: string,
    target: Address,
    request: Uint8Array,
    signal: AbortSignal,
  ): Promise<Outcome> {
    for (let attempt = 0;; attempt++) {
      try {
        const idle = attempt === 0 ? this.#idle.take(key) : undefined;
        const connection = idle ?? await this.#open(target, signal);
        return await this.#converse(key, connection, request, signal);
      } catch (error) {
        const delayMs = RETRY_DELAYS_MS[attempt];
        const broken = BROKEN.some((kind) => error instanceof kind);
        if (!broken || delayMs === undefined || signal.aborted) throw error;
        await pause(delayMs, signal);
      }
    }
  }

  async #open(target: Address, signal: AbortSignal): Promise<Connection> {
    const conn = await this.#connector.connect(target, signal);
    return { conn, reader: new AnswerReader(conn) };
  }

  async #converse(
    key: string,
    connection: Connection,
    request: Uint8Array,
    signal: AbortSignal,
  ): Promise<Outcome> {
    const { conn, reader } = connection;
    const abort = () => close(conn);
    signal.addEventListener("abort", abort);
    let answer: Answer | undefined;
    let sent = false;
    try {
      // A peer may answer without reading to the end, such as with 413; if it cannot, reading its answer fails too.
      writeAll(conn, request).then(() => sent = true, () => {});
      this.traffic.bytesOut += request.length;
      answer = await reader.read(this.#options.bodyBytesMax);
    } finally {
      signal.removeEventListener("abort", abort);
      if (answer?.reusable && sent && !signal.aborted) void this.#idle.keep(key, connection);
      else close(conn);
    }
    const { reusable: _, ...rest } = answer;
    this.traffic.bytesIn += rest.bytesIn;
    return { kind: "answer", ...rest };
  }
}

/** The request in one piece, so that a small one travels in one packet. */
function encodeRequest(
  request: { address: string; path: string; body: string | Uint8Array; authorization: string },
): Uint8Array {
  const { address, path, body, authorization } = request;
  const bytes = typeof body === "string" ? encoder.encode(body) : body;
  // HTTP/1.1 requires host and length only; in a cluster of 16 most of the traffic is headers.
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
