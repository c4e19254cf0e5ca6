/**
 * Requests that change the table, told apart by where they come from. Any web page that a colleague opens can make the
 * colleague's browser call a node, with that browser's access to the network. So a change that a browser asks for must
 * come from the node's own page. (pure)
 *
 * Browsers send `Sec-Fetch-Site`, but only to https and localhost; `Origin`, but only with a POST; and a name in
 * `Host`, which a foreign domain may have pointed at this node (DNS rebinding). So a GET from a browser that does not
 * say where it comes from leads to the page, which asks first. Scripts are not browsers, and are served at once.
 *
 * Rejected: tokens in the form. They need memory or a secret, and stop nothing that `Origin` does not.
 *
 * @module
 */
import { isIp, normalizeHost } from "../address.ts";

/** A request that would change the table. */
export interface Change {
  readonly method: string;
  readonly kind: "bye" | "exchange";
  readonly header: (name: string) => string | undefined;
}

/** `ask`: show the page that asks for confirmation, as nothing shows that a person wants this. */
export type Verdict = "pass" | "ask" | { readonly status: 403 | 405; readonly line: string };

/** Decides whether a request may change the table; `names` are this node's own names, in lower case. */
export function judge(change: Change, names: ReadonlySet<string>): Verdict {
  const { method, kind, header } = change;
  // HEAD would run as GET, and is what link checkers send.
  if (method !== "GET" && method !== "POST") return { status: 405, line: "Use GET or POST" };
  if (!isBrowser(header)) return "pass";
  if (kind === "exchange") {
    return refused("Only nodes may exchange tables, and this looks like a browser");
  }
  if (isPrefetch(header)) return refused("A prefetch changes nothing");
  const host = header("host") ?? "";
  if (!isOwnName(host, names)) {
    return refused(
      "Call this node by its IP address, localhost or its -advertise name: it does not know this one",
    );
  }
  const site = header("sec-fetch-site");
  const origin = header("origin");
  const foreign = "Use this node's own page: a page of another site changes nothing";
  if (site !== undefined) {
    return site === "same-origin" || site === "none" ? "pass" : refused(foreign);
  }
  if (origin !== undefined) return isSameHost(origin, host) ? "pass" : refused(foreign);
  return method === "GET"
    ? "ask"
    : refused("Use another browser: this one does not say which page sends the form");
}

function refused(line: string): Verdict {
  return { status: 403, line };
}

/** A page cannot hide these: it cannot set `Sec-` headers, nor `User-Agent` without a preflight. */
function isBrowser(header: Change["header"]): boolean {
  return header("origin") !== undefined || header("sec-fetch-site") !== undefined ||
    header("sec-fetch-mode") !== undefined || (header("user-agent") ?? "").startsWith("Mozilla/");
}

function isPrefetch(header: Change["header"]): boolean {
  return ["sec-purpose", "purpose", "x-purpose", "x-moz"].some((name) =>
    /prefetch|prerender|preview/i.test(header(name) ?? "")
  );
}

/** DNS cannot rebind an IP address or localhost; the other names were given to this node by its operator. */
function isOwnName(hostAndPort: string, names: ReadonlySet<string>): boolean {
  const host = normalizeHost(hostAndPort.replace(/:[0-9]*$/, ""));
  if (host === undefined) return false;
  const name = host.replace(/\.$/, "");
  return isIp(host) || name === "localhost" || name.endsWith(".localhost") || names.has(name);
}

/** Ignores the scheme: behind a proxy that ends TLS, this node sees http. */
function isSameHost(origin: string, host: string): boolean {
  return URL.parse(origin)?.host === (URL.parse(`http://${host}`)?.host ?? "");
}
