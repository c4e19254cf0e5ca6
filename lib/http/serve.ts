/**
 * Serving requests: on every address of both families where the host has both, by TLS where there are certificates.
 *
 * It is `Deno.serve`, which has no time limits of its own on connections that send nothing: how many a process can
 * hold is bounded by its
 * limit on open files (see .github/SECURITY.md). An HTTP server of our own could bound them finer; that is a reverse
 * proxy's trade, and
 * was tried and dropped: it costs three times the CPU a request, and is one more parser that faces strangers.
 *
 * @module
 */

/** A failure to listen, in one line that says what to do. */
export class ListenError extends Error {}

/** What a handler is told of a request besides the request. */
export interface CallerInfo {
  /** The caller's IP address. */
  readonly remote: string;
}

export type Handler = (request: Request, caller: CallerInfo) => Response | Promise<Response>;

/** A certificate chain and its key, in PEM. */
export interface Tls {
  readonly cert: string;
  readonly key: string;
}

/**
 * Requests being answered at once: rounds of a thousand nodes need a few; a flood gets 503 at once, and rounds stay
 * on time.
 */
export const REQUESTS_MAX = 256;

/** Every IPv6 address, and on a dual stack every IPv4 one as well. */
const ANY = "::";
const ANY_IPV4 = "0.0.0.0";

/** Tries to listen again after the former listener was closed: five seconds in all. */
const REOPEN_TRIES = 100;
const REOPEN_EVERY_MS = 50;

/**
 * The wait before listening again where the system ended it: it wants for something, which takes a moment to come
 * back.
 */
const REOPEN_BROKEN_MS = 1_000;

/** Told again only after this time, as it may go on like that. */
const BROKEN_TOLD_MS = 60_000;

type HttpServer = Deno.HttpServer<Deno.NetAddr>;

export interface ServerOptions {
  readonly host: string | undefined;
  /** 0 takes a free one. */
  readonly port: number;
  readonly tls?: Tls | undefined;
  /** Told in a line when the system ended the listening, which begins again in a moment. */
  readonly onBroken?: (line: string) => void;
}

export class Server {
  readonly #options: ServerOptions;
  readonly #handler: Handler;
  readonly #draining = new Set<Promise<void>>();
  #server: HttpServer;
  #tls: Tls | undefined;
  #underWay = 0;
  #closing = false;
  #toldAtMs = -Infinity;
  /** Ends the wait before listening again. */
  #wake = () => {};

  /** Throws a ListenError if the host or the port cannot be had, or the certificate not be used. */
  constructor(options: ServerOptions, handler: Handler) {
    this.#options = options;
    this.#handler = handler;
    this.#tls = options.tls;
    this.#server = this.#open(options.port, options.tls);
  }

  get addr(): Deno.NetAddr {
    return this.#server.addr;
  }

  /** Serves new connections with another certificate, on the same port; open ones go on with the former. */
  async replace(tls: Tls): Promise<void> {
    const { port } = this.addr;
    this.#tls = tls;
    this.#drain();
    for (let tries = 1; !this.#closing; tries++) {
      try {
        this.#server = this.#open(port, tls);
        return;
      } catch (error) {
        // The system may hold the port for another moment.
        if (tries === REOPEN_TRIES) throw error;
        await new Promise((resolve) => setTimeout(resolve, REOPEN_EVERY_MS));
      }
    }
  }

  /** Accepts no more, and resolves when the requests under way are answered. */
  async shutdown(): Promise<void> {
    this.#closing = true;
    this.#wake();
    this.#drain();
    await Promise.all(this.#draining);
  }

  /** Deno.serve gives up for good at the first connection that cannot be accepted, as for want of file descriptors. */
  async #reopen(broken: HttpServer, error: unknown): Promise<void> {
    if (broken !== this.#server || this.#closing) return;
    const nowMs = performance.now();
    if (nowMs - this.#toldAtMs > BROKEN_TOLD_MS) {
      this.#toldAtMs = nowMs;
      this.#options.onBroken?.(`cannot accept connections: ${line(error)}; tries again for ever`);
    }
    const { port } = this.addr;
    while (broken === this.#server) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      const timer = setTimeout(resolve, REOPEN_BROKEN_MS);
      await promise;
      clearTimeout(timer);
      if (this.#closing) return;
      try {
        this.#server = this.#open(port, this.#tls);
      } catch {
        // Still in want: it tries for ever, as a node that cannot be asked is of no use.
      }
    }
  }

  #drain(): void {
    const drained = this.#server.shutdown().catch(() => {}).finally(() =>
      this.#draining.delete(drained)
    );
    this.#draining.add(drained);
  }

  #open(port: number, tls: Tls | undefined): HttpServer {
    const { host } = this.#options;
    if (tls !== undefined) checkTls(tls);
    const open = (hostname: string) => {
      const server = Deno.serve(
        { hostname, port, onListen: () => {}, ...(tls && { cert: tls.cert, key: tls.key }) },
        (request, info) => this.#answer(request, new Caller(info)),
      );
      server.finished.catch((error) => this.#reopen(server, error));
      return server;
    };
    try {
      return open(host ?? ANY);
    } catch (error) {
      if (error instanceof Deno.errors.AddrInUse) throw inUse(port);
      if (host !== undefined) throw new ListenError(`Cannot listen on ${host}: ${line(error)}`);
    }
    // A host without IPv6.
    try {
      return open(ANY_IPV4);
    } catch (error) {
      if (error instanceof Deno.errors.AddrInUse) throw inUse(port);
      throw new ListenError(`Cannot listen on port ${port}: ${line(error)}`);
    }
  }

  /** At once where the handler does: a promise would add a third to what the text of `/hello` costs. */
  #answer(request: Request, caller: CallerInfo): Response | Promise<Response> {
    if (this.#underWay >= REQUESTS_MAX) {
      return new Response("Too many requests at once: try again in a second\n", {
        status: 503,
        headers: { "Retry-After": "1" },
      });
    }
    const answer = this.#handler(request, caller);
    return answer instanceof Response ? answer : this.#count(answer);
  }

  async #count(answer: Promise<Response>): Promise<Response> {
    this.#underWay++;
    try {
      return await answer;
    } finally {
      this.#underWay--;
    }
  }
}

/** Asks for the address only where somebody wants it. */
class Caller implements CallerInfo {
  readonly #info: Deno.ServeHandlerInfo<Deno.NetAddr>;

  constructor(info: Deno.ServeHandlerInfo<Deno.NetAddr>) {
    this.#info = info;
  }

  get remote(): string {
    return this.#info.remoteAddr.hostname;
  }
}

/** Tries certificate and key out; throws a ListenError if they cannot be served. */
export function checkTls(tls: Tls): void {
  try {
    Deno.listenTls({ hostname: "127.0.0.1", port: 0, cert: tls.cert, key: tls.key }).close();
  } catch (error) {
    throw new ListenError(`Cannot use the certificate and its key: ${line(error)}`);
  }
}

function inUse(port: number): ListenError {
  return new ListenError(
    `Cannot listen on port ${port}: it is in use. Stop what uses it, or choose another with -port`,
  );
}

function line(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replaceAll("\n", " ");
}
