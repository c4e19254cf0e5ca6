/**
 * What each route requires: nothing of readers, unless the node is private; a signature of nodes, and a key of whoever
 * decommissions, where the cluster has a key; and of browsers, always, that they come from the node's own page.
 *
 * @module
 */
import type { Context, MiddlewareHandler } from "hono";
import { judge } from "./browsers.ts";
import { readBody, refuse } from "./body.ts";
import type { Keyring } from "../net/keys.ts";
import { BODY_BYTES_MAX, FORM_BYTES_MAX } from "../limits.ts";
import { type Signer, UNSIGNED } from "../net/signer.ts";

/** Callers that were refused and are in the log; past it no further one is logged until the hour is over. */
const LOGGED_MAX = 256;

/** A caller that is refused is logged again after this time. */
const LOG_AGAIN_MS = 3_600_000;

export interface GateOptions {
  /** Of a cluster with a key. */
  readonly keys?: { readonly keyring: Keyring; readonly signer: Signer } | undefined;
  /** Reading takes the key as well. */
  readonly private: boolean;
  /** The lower-case names this node goes by. */
  readonly names: ReadonlySet<string>;
  readonly nowMs: () => number;
  /** A line for the log, about a caller that was refused; at most one for each caller. */
  readonly onRefused: (line: string) => void;
}

/** What the server tells of a request besides the request. */
export interface Caller {
  /** The IP address that the request came from. */
  readonly remote: string;
}

export interface Gate {
  /** In front of `/hello`, where a key is asked for. */
  readonly hello: MiddlewareHandler | undefined;
  /** Refuses an exchange that comes from a browser, unless `hello` did. */
  readonly exchange: (c: Context) => void;
  readonly bye: MiddlewareHandler;
  readonly read: MiddlewareHandler;
}

/** Creates the gate of a node. */
export function createGate(options: GateOptions): Gate {
  const { keys, names } = options;
  const logged = new LoggedCallers(options);

  /** Refuses for want of a key, and names the caller in the log. */
  function deny(c: Context, scheme: string, line: string): never {
    c.header("WWW-Authenticate", scheme);
    logged.refused(remoteOf(c), line);
    return refuse(401, line);
  }

  /** True if the page is to ask first. */
  function guard(c: Context, kind: "bye" | "exchange"): boolean {
    const header = (name: string) => c.req.header(name);
    const verdict = judge({ method: c.req.method, kind, header }, names);
    if (verdict === "pass" || verdict === "ask") return verdict === "ask";
    return refuse(verdict.status, verdict.line);
  }

  /** Whether the caller shows the key itself: to read by `Basic` as well, which browsers send to whoever asks. */
  async function showsKey(c: Context, { basic }: { basic: boolean }): Promise<boolean> {
    const given = c.req.header("authorization") ?? "";
    const bearer = /^Bearer +(\S+) *$/i.exec(given)?.[1];
    const key = bearer ?? (basic ? passwordOf(given) : undefined);
    return key !== undefined && keys !== undefined && await keys.keyring.holds(key);
  }

  async function read(c: Context): Promise<void> {
    if (!options.private || await showsKey(c, { basic: true })) return;
    deny(
      c,
      'Basic realm="gossiper", charset="UTF-8"',
      "Give the cluster's key to read: this node is private",
    );
  }

  /** Runs a signed request, and signs its answer. */
  async function runSigned(c: Context, next: () => Promise<void>, bytesMax: number): Promise<void> {
    const authorization = c.req.header("authorization") ?? "";
    const { raw } = c.req;
    const body = await readBody(raw, bytesMax);
    const request = { method: raw.method, target: targetOf(raw), body };
    const { code, error } = await keys!.signer.check(request, authorization);
    if (code === undefined) deny(c, "Gossip", error);
    if (error === undefined) {
      if (raw.method === "POST") c.req.raw = withBody(raw, body);
      await next();
    } else {
      logged.refused(remoteOf(c), error);
      c.res = c.text(`${error}\n`, 401, { "WWW-Authenticate": "Gossip" });
    }
    const text = await c.res.text();
    const answer = new Response(text, c.res);
    answer.headers.set(
      "Authentication-Info",
      await keys!.signer.signAnswer(code, answer.status, text),
    );
    c.res = undefined;
    c.res = answer;
  }

  async function hello(c: Context, next: () => Promise<void>): Promise<void> {
    const exchange = c.req.method === "POST" || c.req.query("from") !== undefined;
    if (!exchange) {
      await read(c);
      return await next();
    }
    guard(c, "exchange");
    if (c.req.method !== "POST" || !isSigned(c)) deny(c, "Gossip", UNSIGNED);
    await runSigned(c, next, BODY_BYTES_MAX);
  }

  return {
    hello: keys === undefined ? undefined : hello,
    exchange: keys === undefined ? (c) => void guard(c, "exchange") : () => {},

    async bye(c, next) {
      if (guard(c, "bye")) {
        return c.redirect(`/?bye=${encodeURIComponent(c.req.query("id") ?? "")}`, 303);
      }
      if (keys === undefined) return await next();
      if (isSigned(c)) return await runSigned(c, next, FORM_BYTES_MAX);
      if (c.req.method === "POST") {
        const body = await readBody(c.req.raw, FORM_BYTES_MAX);
        c.req.raw = withBody(c.req.raw, body);
        const field = new URLSearchParams(body).get("key");
        if (field !== null && await keys.keyring.holds(field.trim())) return await next();
      }
      if (await showsKey(c, { basic: false })) return await next();
      deny(
        c,
        "Bearer",
        "Give the cluster's key: as 'Authorization: Bearer KEY', or in the page's form",
      );
    },

    async read(c, next) {
      const { path } = c.req;
      if (path !== "/healthz" && path !== "/bye" && path !== "/hello") await read(c);
      await next();
    },
  };
}

/** Keeps the log to one line for each caller, whatever they send. */
class LoggedCallers {
  readonly #options: GateOptions;
  readonly #callers = new Set<string>();
  #sinceMs = -Infinity;

  constructor(options: GateOptions) {
    this.#options = options;
  }

  refused(remote: string, line: string): void {
    const { nowMs, onRefused } = this.#options;
    if (nowMs() - this.#sinceMs > LOG_AGAIN_MS) {
      this.#callers.clear();
      this.#sinceMs = nowMs();
    }
    if (this.#callers.has(remote) || this.#callers.size >= LOGGED_MAX) return;
    this.#callers.add(remote);
    onRefused(`refused a request from ${remote}: ${line}`);
    if (this.#callers.size === LOGGED_MAX) {
      onRefused("further callers that are refused are not logged");
    }
  }
}

/** Path and query as they came: with a strange Host the whole is no URL. */
function targetOf({ url }: Request): string {
  return url.replace(/^[a-z]+:\/\/[^/?#]*/i, "");
}

/** The request with a body that was read. Not made from the request itself: Deno warns of a copied signal. */
function withBody(request: Request, body: string): Request {
  const { method, headers } = request;
  return new Request(`http://node${targetOf(request)}`, { method, headers, body });
}

function isSigned(c: Context): boolean {
  return /^Gossip /i.test(c.req.header("authorization") ?? "");
}

function remoteOf(c: Context): string {
  return (c.env as Partial<Caller> | undefined)?.remote ?? "an unknown address";
}

/** The password of `Basic`, whatever the user. */
function passwordOf(authorization: string): string | undefined {
  const [, base64] = /^Basic +([A-Za-z0-9+/=]+) *$/i.exec(authorization) ?? [];
  if (base64 === undefined) return undefined;
  try {
    const text = atob(base64);
    return text.slice(text.indexOf(":") + 1);
  } catch {
    return undefined;
  }
}
