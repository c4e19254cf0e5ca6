/**
 * Who may do what. Everybody may read, unless the node is private. Where the cluster has a key, an exchange must be
 * signed, and `/bye`, `/forget`, `/tag`, `/quiet` and `/hook-test` take the key. A browser may change something only
 * from the node's own page, key or not.
 *
 * @module
 */
import { judge, type Names } from "./browsers.ts";
import { readBody, refuse } from "./body.ts";
import { redirectTo } from "./headers.ts";
import { byePath, forgetPath } from "../page/links.tsx";
import type { Keyring } from "../net/keys.ts";
import { authorizationOf, isSigned, passwordOf } from "./authorization.ts";
import { type CallerContext, RecentCallers } from "./callers.ts";
import { BODY_BYTES_MAX, FORM_BYTES_MAX } from "../limits.ts";
import { type Signer, UNSIGNED } from "../net/signer.ts";
import { OncePer } from "../once.ts";

/** A refused caller is logged once an hour, and so are at most this many of them. */
const LOGGED = { keysMax: 256, periodMs: 3_600_000 };

/**
 * Bytes of a signed body from an address that has not shown the key of late: the columns of a full table, which may be
 * a member's first words to this node. Its rows come after them.
 */
const UNPROVED_BYTES_MAX = 512 * 1024;

/** Addresses that have: those of a cluster of four thousand, each of which comes within minutes. */
const PROVED = { callersMax: 4_096, forMs: 600_000 };

/** Paths that `read` lets pass: a kubelet that sends probes has no key, and the others have rules of their own. */
const UNREAD: ReadonlySet<string> = new Set([
  "/healthz",
  "/readyz",
  "/bye",
  "/forget",
  "/tag",
  "/quiet",
  "/hook-test",
  "/missed",
  "/hello",
]);

export interface GateOptions {
  /** Undefined in a cluster without a key. */
  readonly keys?: { readonly keyring: Keyring; readonly signer: Signer } | undefined;
  /** Whether reading takes the key as well. */
  readonly private: boolean;
  readonly names: Names;
  readonly nowMs: () => number;
  /** Gets a line for the log about a refused caller, at most one per caller and hour. */
  readonly onRefused: (line: string) => void;
}

type Middleware = (c: CallerContext, next: () => Promise<void>) => Promise<Response | void>;

export interface Gate {
  /** Runs before `/hello`, in a cluster with a key. */
  readonly hello: Middleware | undefined;
  /** Refuses an exchange that a browser sends, where `hello` does not run. */
  readonly exchange: (c: CallerContext) => void;
  /** Runs before a change that a user asks for. */
  readonly bye: Middleware;
  /** Lets nodes of the cluster pass, and nobody else where it has a key. */
  readonly peer: Middleware;
  /** Refuses readers without the key, on a private node. Lets probes pass; `HEAD /` learns that the node is there. */
  readonly read: Middleware;
  /** Whether the caller may learn about members and files. */
  readonly mayRead: (c: CallerContext) => Promise<boolean>;
  /** `stream`, which ends before its next piece once the caller may no longer read: keys can be taken out. */
  readonly whileReader: (c: CallerContext, stream: ReadableStream<Uint8Array>) => typeof stream;
}

/** Creates the gate of a node. */
export function createGate(options: GateOptions): Gate {
  const { keys, names, nowMs, onRefused } = options;
  const logged = new OncePer(LOGGED);
  const proved = new RecentCallers(PROVED);

  function logRefusal(c: CallerContext, line: string): void {
    const { remote } = c.env;
    const once = logged.admit(remote, nowMs());
    if (once !== "no") onRefused(`refused a request from ${remote}: ${line}`);
    if (once === "last") onRefused("refused too many callers: logs no more of them for an hour");
  }

  /** Refuses a caller without the key, and logs its address. */
  function deny(c: CallerContext, scheme: string, line: string): never {
    c.header("WWW-Authenticate", scheme);
    logRefusal(c, line);
    return refuse(401, line);
  }

  /** True if the page has to ask for confirmation first. */
  function guard(c: CallerContext, kind: "bye" | "exchange"): boolean {
    const header = (name: string) => c.req.header(name);
    const { method } = c.req;
    const change = { method, kind, host: () => hostOf(c), keyed: keys !== undefined, header };
    const verdict = judge(change, names);
    if (verdict === "pass" || verdict === "ask") return verdict === "ask";
    return refuse(verdict.status, verdict.line);
  }

  /** Whether the caller sent the key itself. `Basic` is for reading only: a browser sends it whichever page asks. */
  async function showsKey(given: string, { basic }: { basic: boolean }): Promise<boolean> {
    const bearer = /^Bearer +(\S+) *$/i.exec(given)?.[1];
    const key = bearer ?? (basic ? passwordOf(given) : undefined);
    return key !== undefined && keys !== undefined && await keys.keyring.holds(key);
  }

  async function mayRead(c: CallerContext): Promise<boolean> {
    return !options.private || await showsKey(authorizationOf(c), { basic: true });
  }

  async function read(c: CallerContext): Promise<void> {
    if (await mayRead(c)) return;
    deny(
      c,
      'Basic realm="gossiper", charset="UTF-8"',
      "Give the cluster's key to read from this node: it is private",
    );
  }

  /** Checks and runs a signed request, and signs the answer. */
  async function runSigned(
    c: CallerContext,
    next: () => Promise<void>,
    bytesMax: number,
  ): Promise<void> {
    const authorization = authorizationOf(c);
    const { raw } = c.req;
    const { signer } = keys!;
    const plausible = signer.isPlausible(authorization);
    if (plausible === "no") deny(c, "Gossip", UNSIGNED);
    // A node whose clock is off is told so, if it shows the key without making this node wait.
    const unproved = !proved.has(c.env, nowMs());
    using body = await readBody(c, {
      bytesMax: unproved ? Math.min(bytesMax, UNPROVED_BYTES_MAX) : bytesMax,
      waits: plausible === "yes",
    });
    const request = { method: raw.method, target: targetOf(raw), body: body.text };
    const { code, error } = await signer.check(request, authorization);
    if (code === undefined) deny(c, "Gossip", error);
    if (error === undefined) {
      proved.add(c.env, nowMs());
      c.set("body", body.text);
      await next();
    } else {
      logRefusal(c, error);
      c.res = c.text(`${error}\n`, 401, { "WWW-Authenticate": "Gossip" });
    }
    const text = await c.res.text();
    const answer = new Response(text, c.res);
    answer.headers.set(
      "Authentication-Info",
      await signer.signAnswer(code, answer.status, text),
    );
    c.res = undefined;
    c.res = answer;
  }

  async function hello(c: CallerContext, next: () => Promise<void>): Promise<void> {
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
        const id = c.req.query("id") ?? "";
        return c.redirect(redirectTo(c.req.path === "/bye" ? byePath(id) : forgetPath(id)), 303);
      }
      if (keys === undefined) return await next();
      if (isSigned(c)) return await runSigned(c, next, FORM_BYTES_MAX);
      let line = "Give the cluster's key as 'Authorization: Bearer KEY', or in the page's form";
      if (c.req.method === "POST") {
        using body = await readBody(c, { bytesMax: FORM_BYTES_MAX });
        c.set("body", body.text);
        const field = new URLSearchParams(body.text).get("key")?.trim() ?? "";
        if (field !== "" && await keys.keyring.holds(field)) return await next();
        if (field !== "") line = "That is not the cluster's key";
      }
      if (await showsKey(authorizationOf(c), { basic: false })) return await next();
      deny(c, "Bearer", line);
    },

    async peer(c, next) {
      guard(c, "exchange");
      if (keys === undefined) return await next();
      return isSigned(c) ? await runSigned(c, next, FORM_BYTES_MAX) : deny(c, "Gossip", UNSIGNED);
    },

    async read(c, next) {
      const { path, method } = c.req;
      if (method === "HEAD" && path === "/" && !(await mayRead(c))) return c.body(null);
      if (!UNREAD.has(path)) await read(c);
      return await next();
    },

    mayRead,

    whileReader(c, stream) {
      if (!options.private) return stream;
      const authorization = authorizationOf(c);
      return endUnless(stream, () => showsKey(authorization, { basic: true }));
    },
  };
}

/** Host and port as the caller wrote them. HTTP/2 has them in the URL only, and Deno gives no `Host` for it. */
function hostOf(c: CallerContext): string {
  return c.req.header("host") || (/^[a-z]+:\/\/([^/?#]*)/i.exec(c.req.url)?.[1] ?? "");
}

/** Path and query as they came. No URL parser: with a malformed Host the whole is not a URL. */
function targetOf({ url }: Request): string {
  return url.replace(/^[a-z]+:\/\/[^/?#]*/i, "");
}

/** `stream`, which ends before the first piece for which `holds` is false. */
function endUnless(stream: ReadableStream<Uint8Array>, holds: () => Promise<boolean>) {
  const reader = stream.getReader();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await reader.read();
      if (!done && await holds()) return controller.enqueue(value);
      controller.close();
      await reader.cancel();
    },
    cancel: () => reader.cancel(),
  }, { highWaterMark: 0 });
}
