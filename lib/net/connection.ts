/**
 * An open connection to a peer, and the end of one.
 *
 * @module
 */
import { type AnswerReader, HungUp } from "./answer_reader.ts";

/** The errors of a connection that breaks, while it opens or later. */
const BROKEN = [
  HungUp,
  Deno.errors.ConnectionReset,
  Deno.errors.ConnectionAborted,
  Deno.errors.NotConnected,
];

export interface Connection {
  readonly conn: Deno.Conn;
  readonly reader: AnswerReader;
}

/** Whether an error says that the connection broke, so that a new one may do. */
export function isBroken(error: unknown): boolean {
  return BROKEN.some((kind) => error instanceof kind);
}

/** Closes a connection that may be closed already. */
export function close(conn: Deno.Conn): void {
  try {
    conn.close();
  } catch {
    // It was closed before, by a deadline or at the end of an answer.
  }
}

/** Sends all of some bytes. */
export async function writeAll(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let sent = 0; sent < bytes.length;) sent += await conn.write(bytes.subarray(sent));
}

/**
 * Whether both ends of a connection are one. A call to a local port of the ephemeral range at which nobody listens may
 * get that very port for its own end, and so meets itself.
 */
export function isSelf(
  { localAddr, remoteAddr }: Pick<Deno.TcpConn, "localAddr" | "remoteAddr">,
): boolean {
  return localAddr.port === remoteAddr.port && localAddr.hostname === remoteAddr.hostname;
}

/**
 * More bytes, by far, than a connection holds that nobody reads; the system takes what it has room for, and waits for
 * nothing.
 */
const UNREAD_BYTES = 1_048_576;

/**
 * Ends a connection that met itself (see isSelf) so that its port is free at once: a process may want to listen there.
 * Closed it would keep the port for another minute (TIME_WAIT). Deno can't ask for a reset, but the system resets what
 * is closed while bytes are unread, if more of them wait to be sent, as they hold up the farewell of a close.
 */
export async function reset(conn: Deno.Conn): Promise<void> {
  try {
    await conn.write(new Uint8Array(UNREAD_BYTES));
  } catch {
    // It broke by itself, which does as well.
  }
  close(conn);
}
