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
import { type ConnectOptions, Connector } from "./connect.ts";
import { close, type Connection, isBroken, writeAll } from "./connection.ts";
import { MemoryBudget } from "./answer_body.ts";
import { type Answer, AnswerReader } from "./answer_reader.ts";
import { pause, withDeadline } from "./deadline.ts";
import { IdleConnections, type IdleOptions } from "./idle_connections.ts";
import { LargePackets } from "./large_packets.ts";
import { LookupError } from "./lookups.ts";
import { encodeGet, encodePost } from "./request.ts";

/**
 * How an exchange ended. Only `body` holds text from the peer, `why` never does.
 *
 * - `answer`: the peer answered, with any status.
 * - `refused`: the host is up, and no process listens there (TCP's "connection refused"). Windows takes about two
 *   seconds to report it: with a shorter time-out the exchange is `silent` there.
 * - `silent`: no whole answer in time. `accepted`: the host accepted a new connection, so the process exists.
 * - `failed`: anything else: a name that does not resolve, an unreachable network, a connection that keeps breaking, an
 *   answer that is too long, compressed or not HTTP.
 */
export type PostOutcome =
  | { kind: "answer"; status: number; body: string; bytesIn: number; proof?: string }
  | { kind: "refused" }
  | { kind: "silent"; accepted: boolean }
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
  ): Promise<PostOutcome>;
  /** Closes every connection; exchanges under way and later ones end as `failed`. */
  close(): void;
}

export interface TransportOptions extends ConnectOptions, IdleOptions {
  /** Milliseconds for the whole exchange: resolving, connecting, sending, and reading the whole answer. */
  readonly timeoutMs: number;
  /** Bytes of the longest answer body that is read; a longer one fails the exchange. */
  readonly bodyBytesMax: number;
  /** Takes a hint at trouble with a peer, in one line. */
  readonly onHint?: (text: string) => void;
}

/**
 * Delays before a request is sent again over a new connection after one broke, in ms. The first is 0: the peer may
 * have closed the connection while it was idle. The others are longer because a dying process closes its connections up
 * to 10 ms before its listener: in between, new connections are accepted and break, and only then are they refused.
 */
const RETRY_DELAYS_MS: readonly number[] = [0, 25, 100];

/**
 * Share of the exchange's time after which a request that went out over a kept connection goes out over a new one as
 * well: a firewall may have forgotten the kept one, and then drops its packets without a word.
 */
const STALE_SHARE = 1 / 3;

/** Bytes of all answers being read: four full tables, of the 64 calls that may be under way. */
const ANSWERS_BYTES_MAX = 32 * 1024 * 1024;

/** Bytes of the answer to a probe: `ok`, or a line that gives a reason. */
const PROBE_BYTES_MAX = 1_024;

/** Creates a {@linkcode Transport} with its own connections. */
export function createTransport(options: TransportOptions): Transport {
  return new TcpTransport(options);
}

const CLOSED: PostOutcome = { kind: "failed", why: "this node is stopping" };

class TcpTransport implements Transport {
  readonly traffic = { bytesIn: 0, bytesOut: 0 };
  readonly #options: TransportOptions;
  readonly #connector: Connector;
  readonly #idle: IdleConnections;
  readonly #memory = new MemoryBudget(ANSWERS_BYTES_MAX);
  readonly #largePackets: LargePackets;
  readonly #exchanges = new Set<AbortController>();
  #closed = false;

  constructor(options: TransportOptions) {
    this.#options = options;
    this.#connector = new Connector(options);
    this.#idle = new IdleConnections(options);
    this.#largePackets = new LargePackets({
      probe: (address) => this.#probe(address),
      onHint: (text) => options.onHint?.(text),
    });
  }

  async post(
    address: string,
    path: string,
    body: string | Uint8Array,
    authorization = "",
  ): Promise<PostOutcome> {
    const target = parseAddress(address);
    const request = encodePost({ address, path, body, authorization });
    if (target === undefined || request === undefined) {
      return { kind: "failed", why: "the address or path cannot be called" };
    }
    const { bodyBytesMax } = this.#options;
    let isOpen = false;
    const opened = () => isOpen = true;
    const outcome = await this.#inTime((signal) =>
      this.#exchange({ address, target, request, bodyBytesMax, signal, opened })
    );
    if (outcome.kind === "answer") this.#largePackets.answered(address);
    if (outcome.kind !== "silent") return outcome;
    if (isOpen) void this.#largePackets.silent(address);
    return { kind: "silent", accepted: isOpen };
  }

  close(): void {
    this.#closed = true;
    for (const exchange of this.#exchanges) exchange.abort();
    this.#idle.close();
  }

  /** Runs an exchange, and aborts it at the deadline or when this transport is closed. */
  async #inTime(exchange: (signal: AbortSignal) => Promise<PostOutcome>): Promise<PostOutcome> {
    if (this.#closed) return CLOSED;
    const controller = new AbortController();
    const timer = setTimeout(() => controller.abort(), this.#options.timeoutMs);
    this.#exchanges.add(controller);
    try {
      return await exchange(controller.signal);
    } catch (error) {
      return this.#outcomeOf(error, controller.signal);
    } finally {
      clearTimeout(timer);
      this.#exchanges.delete(controller);
      // Whatever of it still runs: a second connection, which was not needed.
      controller.abort();
    }
  }

  #outcomeOf(error: unknown, { aborted }: AbortSignal): PostOutcome {
    if (this.#closed) return CLOSED;
    if (error instanceof LookupError) return { kind: "failed", why: error.message };
    if (aborted || error instanceof Deno.errors.TimedOut) {
      return { kind: "silent", accepted: false };
    }
    if (error instanceof Deno.errors.ConnectionRefused) return { kind: "refused" };
    return { kind: "failed", why: error instanceof Error ? error.message : String(error) };
  }

  async #exchange(job: PostJob): Promise<PostOutcome> {
    const idle = this.#idle.take(job.address);
    if (idle === undefined) return await this.#exchangeAnew(job);
    const reused = this.#converse(job, idle).catch((error) => {
      if (isBroken(error)) return undefined; // the peer closed it while it was idle
      throw error;
    });
    const staleMs = STALE_SHARE * this.#options.timeoutMs;
    const first = await withDeadline(reused, staleMs, () => "late" as const);
    if (first === undefined) return await this.#exchangeAnew(job);
    if (first !== "late") return first;
    const second = this.#exchangeAnew(job);
    return await Promise.race([second, reused.then((outcome) => outcome ?? second)]);
  }

  async #exchangeAnew(job: PostJob): Promise<PostOutcome> {
    const { target, signal } = job;
    for (let attempt = 0;; attempt++) {
      try {
        const conn = await this.#connector.connect(target, { signal, opened: job.opened });
        return await this.#converse(job, { conn, reader: new AnswerReader(conn, this.#memory) });
      } catch (error) {
        const delayMs = RETRY_DELAYS_MS[attempt];
        if (!isBroken(error) || delayMs === undefined || signal.aborted) throw error;
        await pause(delayMs, signal);
      }
    }
  }

  async #converse(job: PostJob, connection: Connection): Promise<PostOutcome> {
    const { address, request, signal } = job;
    const { conn, reader } = connection;
    const abort = () => close(conn);
    signal.addEventListener("abort", abort);
    let answer: Answer | undefined;
    let sent = false;
    try {
      // A peer may answer without reading to the end, such as with 413; if it cannot, reading its answer fails too.
      writeAll(conn, request).then(() => sent = true, () => {});
      this.traffic.bytesOut += request.length;
      answer = await reader.read(job.bodyBytesMax);
    } finally {
      signal.removeEventListener("abort", abort);
      if (answer?.reusable && sent && !signal.aborted) void this.#idle.keep(address, connection);
      else close(conn);
    }
    const { reusable: _, ...rest } = answer;
    this.traffic.bytesIn += rest.bytesIn;
    return { kind: "answer", ...rest };
  }

  /** Whether a short answer comes to a short request, over a connection of its own. */
  async #probe(address: string): Promise<boolean> {
    const target = parseAddress(address)!;
    const request = encodeGet(address, "/healthz");
    const outcome = await this.#inTime((signal) =>
      this.#exchangeAnew({
        address,
        target,
        request,
        signal,
        bodyBytesMax: PROBE_BYTES_MAX,
        opened: () => {},
      })
    );
    return outcome.kind === "answer";
  }
}

/** One exchange, as its parts need it. */
interface PostJob {
  readonly address: string;
  readonly target: Address;
  readonly request: Uint8Array;
  readonly bodyBytesMax: number;
  readonly signal: AbortSignal;
  /** Told when a new connection is open. */
  readonly opened: () => void;
}
