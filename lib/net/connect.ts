/**
 * Opening a connection to a peer: only to IP addresses that this node may call, by TLS if it has certificates.
 *
 * @module
 */
import { type Address, isIp } from "../address.ts";

export interface ConnectOptions {
  /** Whether this node may call an IP address; asked before anything is sent there. By default it may call all. */
  readonly mayCall?: (ip: string) => boolean;
  /** If set, connections use TLS and trust these authorities, in PEM, besides the usual ones. */
  readonly caCerts?: () => string[];
}

const FORBIDDEN = "this node may not call its IP address (-allow)";

/** Connects; rejects with the system's error, or with one whose message gives another reason. */
export async function connect(
  { host, port }: Address,
  signal: AbortSignal,
  { mayCall = () => true, caCerts }: ConnectOptions,
): Promise<Deno.Conn> {
  signal.throwIfAborted();
  if (isIp(host) && !mayCall(host)) throw new Error(FORBIDDEN);
  const conn = await Deno.connect({ hostname: host, port, signal });
  // The deadline ends the connection during a handshake too.
  const abort = () => close(conn);
  signal.addEventListener("abort", abort);
  try {
    signal.throwIfAborted();
    // Checked on the connection, not on the name: a name may lead elsewhere the next time it is resolved.
    if (!mayCall((conn.remoteAddr as Deno.NetAddr).hostname)) throw new Error(FORBIDDEN);
    return caCerts === undefined ? conn : await startTls(conn, host, caCerts());
  } catch (error) {
    close(conn);
    throw error;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

/** Completes the handshake first, so that a wrong certificate is reported as such, not as a broken connection. */
async function startTls(
  conn: Deno.TcpConn,
  hostname: string,
  caCerts: string[],
): Promise<Deno.TlsConn> {
  const tls = await Deno.startTls(conn, { hostname, caCerts });
  try {
    await tls.handshake();
    return tls;
  } catch (error) {
    close(tls);
    throw error;
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
