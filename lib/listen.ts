/**
 * Listening for requests: on every address of both families, where the host has both.
 *
 * @module
 */

/** A failure to listen, in one line that says what to do. */
export class ListenError extends Error {}

type Handler = (request: Request, caller: { remote: string }) => Response | Promise<Response>;

/** Every IPv6 address, and on a dual stack every IPv4 one as well. */
const ANY = "::";
const ANY_IPV4 = "0.0.0.0";

/** Serves `handler`; throws a ListenError if the host or the port cannot be had. */
export function listen(
  at: { host: string | undefined; port: number },
  handler: Handler,
): Deno.HttpServer<Deno.NetAddr> {
  const { host, port } = at;
  try {
    return serve(host ?? ANY, port, handler);
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) throw inUse(port);
    if (host !== undefined) throw new ListenError(`Cannot listen on ${host}: ${line(error)}`);
  }
  // A host without IPv6.
  try {
    return serve(ANY_IPV4, port, handler);
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) throw inUse(port);
    throw new ListenError(`Cannot listen on port ${port}: ${line(error)}`);
  }
}

function serve(hostname: string, port: number, handler: Handler): Deno.HttpServer<Deno.NetAddr> {
  const onListen = () => {};
  return Deno.serve({ hostname, port, onListen }, (request, { remoteAddr }) => {
    return handler(request, { remote: remoteAddr.hostname });
  });
}

function inUse(port: number): ListenError {
  return new ListenError(
    `Cannot listen on port ${port}: it is in use. Stop what uses it, or choose another with -port`,
  );
}

function line(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replaceAll("\n", " ");
}
