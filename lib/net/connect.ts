/**
 * Opening a connection to a peer: only to IP addresses that this node may call, by TLS if it has certificates.
 *
 * @module
 */
import { type Address, formatAddress, isIp } from "../address.ts";
import { close, isSelf, reset } from "./connection.ts";
import { pause } from "./deadline.ts";
import { Handshakes } from "./handshakes.ts";
import { type Found, Lookups } from "./lookups.ts";

export interface ConnectOptions {
  /** Whether this node may call an IP address; asked before anything is sent there. By default it may call all. */
  readonly mayCall?: (ip: string) => boolean;
  /** If set, connections use TLS and trust these authorities, in PEM, besides the usual ones. */
  readonly caCerts?: () => string[];
  /** The IP addresses of names (default: the system's lookup). */
  readonly lookups?: Lookups;
}

/** Delay before a name's next address is tried as well, in ms, as RFC 8305 recommends: the first may be unreachable. */
const NEXT_ADDRESS_MS = 250;

/** Said of a peer that takes the handshake for something else. */
const PLAIN_PEER = "it does not speak TLS, this node does: see -tls-cert";

const FORBIDDEN = "this node may not call its IP address (-allow)";

/** The errors of an address that this host cannot call at all, such as one of IPv6 on a host without it. */
const NO_ROUTE = [Deno.errors.AddrNotAvailable, Deno.errors.NetworkUnreachable];

export class Connector {
  readonly #mayCall: (ip: string) => boolean;
  readonly #caCerts: (() => string[]) | undefined;
  readonly #lookups: Lookups;
  readonly #handshakes = new Handshakes();

  constructor({ mayCall = () => true, caCerts, lookups = new Lookups() }: ConnectOptions) {
    this.#mayCall = mayCall;
    this.#caCerts = caCerts;
    this.#lookups = lookups;
  }

  /**
   * Connects, until `signal` is aborted; tells when the TCP connection is `opened`, before any TLS. Rejects with the
   * system's error, or with one whose message gives another reason. `ConnectionRefused` is evidence: no process listens
   * at any of the peer's addresses.
   */
  async connect(
    address: Address,
    { signal, opened }: { signal: AbortSignal; opened: () => void },
  ): Promise<Deno.Conn> {
    const caCerts = this.#caCerts;
    if (caCerts === undefined) return await this.#open(address, signal, opened);
    const { host, port } = address;
    const start = async () => {
      const conn = await this.#open(address, signal, opened);
      // The end of a host that says no word during the handshake is noticed by the system.
      conn.setKeepAlive(true);
      return await Deno.startTls(conn, { hostname: host, caCerts: caCerts() });
    };
    // A failure tells nothing that the handshake will not: a closed port resets it as well.
    const look = () => void this.#open(address, signal, opened).then(close, () => {});
    try {
      return await this.#handshakes.complete(formatAddress(host, port), { start, look }, signal);
    } catch (error) {
      throw isPlain(error) ? new Error(PLAIN_PEER) : error;
    }
  }

  async #open(
    { host, port }: Address,
    signal: AbortSignal,
    opened: () => void,
  ): Promise<Deno.TcpConn> {
    const { ips, isFresh } = await this.#find(host, signal);
    const allowed = ips.filter((ip) => this.#mayCall(ip));
    if (allowed.length === 0) throw new Error(FORBIDDEN);
    try {
      const conn = await connectAny(allowed, port, signal);
      if (signal.aborted) close(conn); // at the very moment that it opened
      signal.throwIfAborted();
      opened();
      return conn;
    } catch (error) {
      if (isFresh || !(error instanceof Deno.errors.ConnectionRefused)) throw error;
      // The peer may have another address by now, and run.
      throw new Error(
        "connection refused at its last known address, and its name does not resolve",
      );
    }
  }

  async #find(host: string, signal: AbortSignal): Promise<Found> {
    return isIp(host) ? { ips: [host], isFresh: true } : await this.#lookups.find(host, signal);
  }
}

/** Connects to the first of the addresses that accepts. */
async function connectAny(
  ips: readonly string[],
  port: number,
  signal: AbortSignal,
): Promise<Deno.TcpConn> {
  const [hostname = ""] = ips;
  if (ips.length === 1) return await dial(hostname, port, signal);
  const over = new AbortController();
  const either = AbortSignal.any([signal, over.signal]);
  let turn: Promise<unknown> = Promise.resolve();
  const attempts = ips.map((hostname) => {
    const attempt = turn.then(() => dial(hostname, port, either));
    // The next one's turn comes when this one has failed, or takes long.
    const failed = new AbortController();
    attempt.catch(() => failed.abort());
    turn = turn.then(() => pause(NEXT_ADDRESS_MS, AbortSignal.any([either, failed.signal])));
    return attempt;
  });
  try {
    const first = await Promise.any(attempts);
    // One that connected at the same moment, before it heard of the end.
    for (const attempt of attempts) {
      attempt.then((conn) => conn === first || close(conn), () => {});
    }
    return first;
  } catch (error) {
    throw worstOf((error as AggregateError).errors);
  } finally {
    over.abort();
  }
}

/** Connects to an address; one at which this end would meet itself refuses, as nobody listens there. */
export async function dial(
  hostname: string,
  port: number,
  signal: AbortSignal,
): Promise<Deno.TcpConn> {
  const conn = await Deno.connect({ hostname, port, signal });
  if (!isSelf(conn)) return conn;
  await reset(conn);
  throw new Deno.errors.ConnectionRefused("Connection refused: this end met itself");
}

/** Whether a handshake failed because the peer answered without TLS; Deno says so in the message only. */
function isPlain(error: unknown): boolean {
  return error instanceof Error && error.message.includes("InvalidContentType");
}

/** The error of all addresses together: refused only if every address that this host can call refused. */
function worstOf(errors: readonly Error[]): Error {
  const callable = errors.filter((error) => !NO_ROUTE.some((kind) => error instanceof kind));
  const other = callable.find((error) => !(error instanceof Deno.errors.ConnectionRefused));
  return other ?? callable[0] ?? errors[0]!;
}
