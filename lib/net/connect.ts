/**
 * Opening a connection to a peer: only to IP addresses that this node may call, by TLS if it has certificates.
 *
 * @module
 */
import { type Address, isIp } from "../address.ts";
import { pause } from "./deadline.ts";
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

const FORBIDDEN = "this node may not call its IP address (-allow)";

/** The errors of an address that this host cannot call at all, such as one of IPv6 on a host without it. */
const NO_ROUTE = [Deno.errors.AddrNotAvailable, Deno.errors.NetworkUnreachable];

export class Connector {
  readonly #mayCall: (ip: string) => boolean;
  readonly #caCerts: (() => string[]) | undefined;
  readonly #lookups: Lookups;

  constructor({ mayCall = () => true, caCerts, lookups = new Lookups() }: ConnectOptions) {
    this.#mayCall = mayCall;
    this.#caCerts = caCerts;
    this.#lookups = lookups;
  }

  /**
   * Connects, until `signal` is aborted. Rejects with the system's error, or with one whose message gives another
   * reason. `ConnectionRefused` is evidence: no process listens at any of the peer's addresses.
   */
  async connect({ host, port }: Address, signal: AbortSignal): Promise<Deno.Conn> {
    const { ips, isFresh } = await this.#find(host, signal);
    const allowed = ips.filter((ip) => this.#mayCall(ip));
    if (allowed.length === 0) throw new Error(FORBIDDEN);
    try {
      const conn = await connectAny(allowed, port, signal);
      if (signal.aborted) close(conn); // at the very moment that it opened
      signal.throwIfAborted();
      return this.#caCerts === undefined
        ? conn
        : await startTls(conn, { hostname: host, caCerts: this.#caCerts(), signal });
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
  if (ips.length === 1) return await Deno.connect({ hostname, port, signal });
  const over = new AbortController();
  const either = AbortSignal.any([signal, over.signal]);
  let turn: Promise<unknown> = Promise.resolve();
  const attempts = ips.map((hostname) => {
    const attempt = turn.then(() => Deno.connect({ hostname, port, signal: either }));
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

/** The error of all addresses together: refused only if every address that this host can call refused. */
function worstOf(errors: readonly Error[]): Error {
  const callable = errors.filter((error) => !NO_ROUTE.some((kind) => error instanceof kind));
  const other = callable.find((error) => !(error instanceof Deno.errors.ConnectionRefused));
  return other ?? callable[0] ?? errors[0]!;
}

/** Completes the handshake first, so that a wrong certificate is reported as such, not as a broken connection. */
async function startTls(
  conn: Deno.TcpConn,
  { hostname, caCerts, signal }: { hostname: string; caCerts: string[]; signal: AbortSignal },
): Promise<Deno.TlsConn> {
  const tls = await Deno.startTls(conn, { hostname, caCerts }).catch((error) => {
    close(conn);
    throw error;
  });
  // The deadline ends the connection during a handshake too.
  const abort = () => close(tls);
  signal.addEventListener("abort", abort);
  try {
    signal.throwIfAborted();
    await tls.handshake();
    return tls;
  } catch (error) {
    close(tls);
    throw error;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

/** Closes a connection that may be closed already. */
export function close(conn: Deno.Conn): void {
  try {
    conn.close();
  } catch {
    // It was closed before, by a deadline or at the end of an answer.
  }
}
