/**
 * Who may do what. Everybody may read, unless the node is private. Where the cluster has a key, an exchange must be
 * signed, and `/bye` takes the key. A browser may change something only from the node's own page, key or not.
 *
 * @module
 */
import type { Context, MiddlewareHandler } from "./hono.ts";
import { judge } from "./browsers.ts";
import { readBody, refuse } from "./body.ts";
import type { Keyring } from "../net/keys.ts";
import { BODY_BYTES_MAX, FORM_BYTES_MAX } from "../limits.ts";
import { type Signer, UNSIGNED } from "../net/signer.ts";
import { OncePer } from "../once.ts";

/** A refused caller is logged once an hour, and so are at most this many of them. */
const LOGGED = { keysMax: 256, periodMs: 3_600_000 };

/** Paths that `read` lets pass: a kubelet that sends probes has no key, and the others have rules of their own. */
const UNREAD: ReadonlySet<string> = new Set(["/healthz", "/readyz", "/bye", "/hello"]);

export interface GateOptions {
  /** Undefined in a cluster without a key. */
  readonly keys?: { readonly keyring: Keyring; readonly signer: Signer } | undefined;
  /** Whether reading takes the key as well. */
  readonly private: boolean;
  /** This node's own names, in lower case. */
  readonly names: ReadonlySet<string>;
  readonly nowMs: () => number;
  /** Gets a line for the log about a refused caller, at most one per caller and hour. */
  readonly onRefused: (line: string) => void;
}

/** What the server knows about the caller of a request. */
export interface Caller {
  /** The IP address that the request came from. */
  readonly remote: string;
}

export interface Gate {
  /** Runs before `/hello`, in a cluster with a key. */
  readonly hello: MiddlewareHandler | undefined;
  /** Refuses an exchange that a browser sends, where `hello` does not run. */
  readonly exchange: (c: Context) => void;
  readonly bye: MiddlewareHandler;
  /** Refuses readers without the key, on a private node; lets probes pass. */
  readonly read: MiddlewareHandler;
  /** Whether the caller may learn about members and files. */
  readonly mayRead: (c: Context) => Promise<boolean>;
}

/** Creates the gate of a node. */
export function createGate(options: GateOptions): Gate {
  const { keys, names } = options;
  const logged = new OncePer(LOGGED);

  function logRefusal(c: Context, line: string): void {
    const { nowMs, onRefused } = options;
    const remote = remoteOf(c);
    const once = logged.admit(remote, nowMs());
    if (once !== "no") onRefused(`refused a request from ${remote}: ${line}`);
    if (once === "last") onRefused("refused too many callers: logs no more of them for an hour");
  }

  /** Refuses a caller without the key, and logs its address. */
  function deny(c: Context, scheme: string, line: string): never {
    c.header("WWW-Authenticate", scheme);
    logRefusal(c, line);
    return refuse(401, line);
  }

  /** True if the page has to ask for confirmation first. */
  function guard(c: Context, kind: "bye" | "exchange"): boolean {
    const header = (name: string) => c.req.header(name);
    const { method } = c.req;
    const change = { method, kind, host: hostOf(c), keyed: keys !== undefined, header };
    const verdict = judge(change, names);
    if (verdict === "pass" || verdict === "ask") return verdict === "ask";
    return refuse(verdict.status, verdict.line);
  }

  /** Whether the caller sent the key itself. `Basic` is for reading only: a browser sends it whichever page asks. */
  async function showsKey(c: Context, { basic }: { basic: boolean }): Promise<boolean> {
    const given = c.req.header("authorization") ?? "";
    const bearer = /^Bearer +(\S+) *$/i.exec(given)?.[1];
    const key = bearer ?? (basic ? passwordOf(given) : undefined);
    return key !== undefined && keys !== undefined && await keys.keyring.holds(key);
  }

  async function mayRead(c: Context): Promise<boolean> {
    return !options.private || await showsKey(c, { basic: true });
  }

  async function read(c: Context): Promise<void> {
    if (await mayRead(c)) return;
    deny(
      c,
      'Basic realm="gossiper", charset="UTF-8"',
      "Give the cluster's key to read from this node: it is private",
    );
  }

  /** Checks and runs a signed request, and signs the answer. */
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
      logRefusal(c, error);
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
        "Give the cluster's key as 'Authorization: Bearer KEY', or in the page's form",
      );
    },

    async read(c, next) {
      if (!UNREAD.has(c.req.path)) await read(c);
      await next();
    },

    mayRead,
  };
}

/** Host and port as the caller wrote them. HTTP/2 has them in the URL only, and Deno gives no `Host` for it. */
function hostOf(c: Context): string {
  return c.req.header("host") || (/^[a-z]+:\/\/([^/?#]*)/i.exec(c.req.url)?.[1] ?? "");
}

/** Path and query as they came. No URL parser: with a malformed Host the whole is not a URL. */
function targetOf({ url }: Request): string {
  return url.replace(/^[a-z]+:\/\/[^/?#]*/i, "");
}

/** A request with a body that was already read. Not a copy of `request`: Deno warns of a copied signal. */
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

/** The password of `Basic`, with any user name. */
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
