/**
 * Serves requests on one address or on all, with TLS where there is a certificate.
 *
 * `Deno.serve` has no time limit for connections that send nothing: their number is bounded by the process' limit on
 * open files alone (see .github/SECURITY.md). Rejected: an HTTP server of our own, which could bound them better. It
 * took three times the CPU per request, and is one more parser that faces strangers; a reverse proxy does this job.
 *
 * @module
 */

import { errorText } from "../text.ts";
import type { Caller } from "./callers.ts";
import { withoutLength } from "./headers.ts";
import { listen, ListenError, type Listeners } from "./listen.ts";

export type Handler = (request: Request, caller: Caller) => Response | Promise<Response>;

/** A certificate chain and its key, in PEM. */
export interface Tls {
  readonly cert: string;
  readonly key: string;
}

/** Requests under way at once: a cluster of a thousand needs a few. A flood gets 503, and rounds stay on time. */
export const REQUESTS_MAX = 256;

/** Of these, requests that a crowd of others must not keep out, above that number. */
export const KEPT_MAX = 256;

/** A crowd keeps nobody from asking whether this node is well, nor members from exchanging tables. */
const KEPT = /^[a-z]+:\/\/[^/?#]*\/(?:healthz|readyz|hello)(?:[?#]|$)/i;

/** Attempts to listen again after the former listener was closed: often, as callers are refused; for five seconds. */
const REOPEN_TRIES = 5_000;
const REOPEN_EVERY_MS = 1;

/** Delay before listening again after the system closed the listener, usually for lack of file descriptors. */
const REOPEN_BROKEN_MS = 1_000;

/** Where the listener broke so lately, in ms, connections are still short: it breaks at each that it cannot take. */
const BROKEN_LASTS_MS = 10_000;

/** A listener that keeps breaking is logged once in this time. */
const BROKEN_TOLD_MS = 60_000;

type HttpServer = Deno.HttpServer<Deno.NetAddr>;

export interface ServerOptions {
  readonly host: string | undefined;
  /** 0: any free port. */
  readonly port: number;
  readonly tls?: Tls | undefined;
  /** Gets a line for the log when the system closed the listener; the server opens it again. */
  readonly onBroken?: (line: string) => void;
}

export class Server {
  readonly #options: ServerOptions;
  readonly #handler: Handler;
  readonly #draining = new Set<Promise<void>>();
  #listening: Listeners<HttpServer>;
  #tls: Tls | undefined;
  #underWay = 0;
  /** Of these, requests that wait for bytes of their callers. */
  #aside = 0;
  #closing = false;
  #toldAtMs = -Infinity;
  #broken: { readonly text: string; readonly atMs: number } | undefined;
  /** Cuts the delay before listening again short. */
  #wake = () => {};

  /** Throws a ListenError if it cannot listen on the host and port, or cannot use the certificate. */
  constructor(options: ServerOptions, handler: Handler) {
    this.#options = options;
    this.#handler = handler;
    this.#tls = options.tls;
    if (options.tls !== undefined) checkTls(options.tls);
    this.#listening = this.#open(options.port, options.tls);
  }

  get addr(): Deno.NetAddr {
    return this.#listening.listeners[0]!.addr;
  }

  /** The addresses that it listens on, in words; undefined for a single one. */
  get on(): string | undefined {
    return this.#listening.on;
  }

  /** Why this node cannot take connections lately, in one line; undefined while it can. */
  get trouble(): string | undefined {
    const { text, atMs = -Infinity } = this.#broken ?? {};
    return performance.now() - atMs <= BROKEN_LASTS_MS ? text : undefined;
  }

  /**
   * Serves new connections on the same port with another certificate; open connections keep theirs. Throws a
   * ListenError, and changes nothing, if it cannot be used.
   *
   * Deno cannot change a listener's certificate, nor open a second TLS listener beside it (`reusePort` needs an
   * unstable flag), so the port is closed for about a millisecond: too short for the refusals that look like a crash.
   */
  async replace(tls: Tls): Promise<void> {
    checkTls(tls);
    const { port } = this.addr;
    this.#tls = tls;
    this.#drain();
    for (let tries = 1; !this.#closing; tries++) {
      try {
        this.#listening = this.#open(port, tls);
        return;
      } catch (error) {
        // The system may hold the port a moment longer.
        if (tries === REOPEN_TRIES) throw error;
        await new Promise((resolve) => setTimeout(resolve, REOPEN_EVERY_MS));
      }
    }
  }

  /** Stops accepting connections; resolves when the requests under way are answered. */
  async shutdown(): Promise<void> {
    this.#closing = true;
    this.#wake();
    this.#drain();
    await Promise.all(this.#draining);
  }

  /** Deno.serve ends for good at the first connection that it cannot accept, as when file descriptors run out. */
  async #reopen(server: HttpServer, error: unknown): Promise<void> {
    const broken = this.#listening;
    if (!broken.listeners.includes(server) || this.#closing) return;
    const nowMs = performance.now();
    const text = `cannot accept connections: ${line(error)}`;
    this.#broken = { text, atMs: nowMs };
    if (nowMs - this.#toldAtMs > BROKEN_TOLD_MS) {
      this.#toldAtMs = nowMs;
      this.#options.onBroken?.(`${text}; keeps trying`);
    }
    const { port } = this.addr;
    this.#drain();
    while (broken === this.#listening) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      const timer = setTimeout(resolve, REOPEN_BROKEN_MS);
      await promise;
      clearTimeout(timer);
      if (this.#closing) return;
      try {
        this.#listening = this.#open(port, this.#tls);
      } catch {
        // It keeps trying: a node that nobody can call is of no use.
      }
    }
  }

  #drain(): void {
    for (const server of this.#listening.listeners) {
      const drained = server.shutdown().catch(() => {}).finally(() =>
        this.#draining.delete(drained)
      );
      this.#draining.add(drained);
    }
  }

  #open(port: number, tls: Tls | undefined): Listeners<HttpServer> {
    return listen({ host: this.#options.host, port }, (hostname, port) => {
      const server = Deno.serve(
        { hostname, port, onListen: () => {}, ...(tls && { cert: tls.cert, key: tls.key }) },
        (request, info) => this.#answer(request, new RealCaller(info, this.#wait)),
      );
      server.finished.catch((error) => this.#reopen(server, error));
      return server;
    });
  }

  /** Not async: a promise would add a third to the cost of `GET /hello`, whose handler answers at once. */
  #answer(request: Request, caller: Caller): Response | Promise<Response> {
    const working = this.#underWay - this.#aside;
    if (working >= REQUESTS_MAX && !(working < REQUESTS_MAX + KEPT_MAX && KEPT.test(request.url))) {
      return new Response("Try again in a second: too many requests are under way\n", {
        status: 503,
        headers: { "Retry-After": "1" },
      });
    }
    const answer = this.#handler(request, caller);
    if (request.method === "HEAD") return this.#count(Promise.resolve(answer).then(withoutLength));
    return answer instanceof Response ? answer : this.#count(answer);
  }

  readonly #wait = async <T>(waiting: Promise<T>): Promise<T> => {
    this.#aside++;
    try {
      return await waiting;
    } finally {
      this.#aside--;
    }
  };

  async #count(answer: Promise<Response>): Promise<Response> {
    this.#underWay++;
    try {
      return await answer;
    } finally {
      this.#underWay--;
    }
  }
}

/** Looks the remote address up only when it is needed. */
class RealCaller implements Caller {
  readonly #info: Deno.ServeHandlerInfo<Deno.NetAddr>;
  readonly aside: Caller["aside"];

  constructor(info: Deno.ServeHandlerInfo<Deno.NetAddr>, aside: Caller["aside"]) {
    this.#info = info;
    this.aside = aside;
  }

  get remote(): string {
    return this.#info.remoteAddr.hostname;
  }

  get completed(): Promise<void> {
    return this.#info.completed;
  }
}

/** Tries a certificate and its key; throws a ListenError if they cannot be used. */
function checkTls(tls: Tls): void {
  try {
    Deno.listenTls({ hostname: "127.0.0.1", port: 0, cert: tls.cert, key: tls.key }).close();
  } catch (error) {
    throw new ListenError(`Cannot use the certificate and its key: ${line(error)}`);
  }
}

function line(error: unknown): string {
  return errorText(error).replaceAll("\n", " ");
}
