/**
 * Opening a connection to a peer: to an address that may be called, by TLS where the node has certificates.
 *
 * @module
 */
import { type Address, isIp } from "../address.ts";

export interface ConnectOptions {
  /** Whether an IP address may be called: asked before anything is sent there. By default every one may. */
  readonly mayCall?: (ip: string) => boolean;
  /** Set: by TLS, and trust these authorities, in PEM, besides the usual ones. */
  readonly caCerts?: () => string[];
}

const FORBIDDEN = "its IP address is not one that this node may call (-allow)";

/** Connects; rejects with the system's error, or one that says what else was wrong. */
export async function connect(
  { host, port }: Address,
  signal: AbortSignal,
  { mayCall = () => true, caCerts }: ConnectOptions,
): Promise<Deno.Conn> {
  signal.throwIfAborted();
  if (isIp(host) && !mayCall(host)) throw new Error(FORBIDDEN);
  const conn = await Deno.connect({ hostname: host, port, signal });
  // During a handshake, too, the deadline ends the connection.
  const abort = () => close(conn);
  signal.addEventListener("abort", abort);
  try {
    signal.throwIfAborted();
    // Asked of the connection, not of the name: a name may lead elsewhere the next time it is resolved.
    if (!mayCall((conn.remoteAddr as Deno.NetAddr).hostname)) throw new Error(FORBIDDEN);
    return caCerts === undefined ? conn : await startTls(conn, host, caCerts());
  } catch (error) {
    close(conn);
    throw error;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

/** The handshake comes first: a wrong certificate is an error with a name, not a connection that breaks. */
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
    // Closed before, by a deadline or by the answer's end.
  }
}
