/**
 * Listening for requests: on every address of both families, where the host has both.
 *
 * @module
 */

/** A failure to listen, in one line that says what to do. */
export class ListenError extends Error {}

/** Every IPv6 address, and on a dual stack every IPv4 one as well. */
const ANY = "::";
const ANY_IPV4 = "0.0.0.0";

type Listener = Deno.Listener<Deno.Conn<Deno.NetAddr>, Deno.NetAddr>;

/** Listens, for HTTPS where certificates are given; throws a ListenError if the host or the port cannot be had. */
export function listen(
  at: { host: string | undefined; port: number },
  tls?: { readonly cert: string; readonly key: string },
): Listener {
  const { host, port } = at;
  try {
    return open(host ?? ANY, port, tls);
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) throw inUse(port);
    if (error instanceof Deno.errors.InvalidData) {
      throw new ListenError(`Cannot use the certificate and its key: ${line(error)}`);
    }
    if (host !== undefined) throw new ListenError(`Cannot listen on ${host}: ${line(error)}`);
  }
  // A host without IPv6.
  try {
    return open(ANY_IPV4, port, tls);
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) throw inUse(port);
    throw new ListenError(`Cannot listen on port ${port}: ${line(error)}`);
  }
}

function open(
  hostname: string,
  port: number,
  tls: { readonly cert: string; readonly key: string } | undefined,
): Listener {
  return tls === undefined
    ? Deno.listen({ hostname, port })
    : Deno.listenTls({ hostname, port, cert: tls.cert, key: tls.key });
}

function inUse(port: number): ListenError {
  return new ListenError(
    `Cannot listen on port ${port}: it is in use. Stop what uses it, or choose another with -port`,
  );
}

function line(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replaceAll("\n", " ");
}
