/**
 * The browser as attacker: any web page that a colleague opens can make his browser call a node, with his access to the
 * network. So a request that changes the table, and comes from a browser, has to come from the node's own page. (pure)
 *
 * What browsers tell: `Sec-Fetch-Site`, but only to https and localhost; `Origin`, but only with a POST; and the
 * name in
 * `Host`, which a foreign domain may have pointed at this node (DNS rebinding). So a bare GET from a browser that
 * does not
 * say where it comes from gets the page's question instead of an effect. Scripts are no browsers, and are not held up.
 *
 * Rejected: tokens in the form. They need a memory or a secret, and guard against nothing that `Origin` does not.
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

/** `ask`: show the page that asks, as nothing says that a person wants this. */
export type Verdict = "pass" | "ask" | { readonly status: 403 | 405; readonly line: string };

/** Whether the request may take effect; `names` are the lower-case names this node goes by. */
export function judge(change: Change, names: ReadonlySet<string>): Verdict {
  const { method, kind, header } = change;
  // HEAD would run as GET, and is what link checkers send.
  if (method !== "GET" && method !== "POST") return { status: 405, line: "Use GET or POST" };
  if (!isBrowser(header)) return "pass";
  if (kind === "exchange") {
    return refused("Only nodes take part in exchanges, and no browser is one");
  }
  if (isPrefetch(header)) return refused("Nothing is changed by a prefetch");
  const host = header("host") ?? "";
  if (!isOwnName(host, names)) {
    return refused(
      "This node does not go by the name you called it; use its address, or see -advertise",
    );
  }
  const site = header("sec-fetch-site");
  const origin = header("origin");
  const foreign = "Nothing is changed at the word of another site's page";
  if (site !== undefined) {
    return site === "same-origin" || site === "none" ? "pass" : refused(foreign);
  }
  if (origin !== undefined) return isSameHost(origin, host) ? "pass" : refused(foreign);
  return method === "GET" ? "ask" : refused("This browser does not say which page sends this");
}

function refused(line: string): Verdict {
  return { status: 403, line };
}

/** A page cannot take these away: it has no say in `Sec-` headers, nor in `User-Agent` without a question first. */
function isBrowser(header: Change["header"]): boolean {
  return header("origin") !== undefined || header("sec-fetch-site") !== undefined ||
    header("sec-fetch-mode") !== undefined || (header("user-agent") ?? "").startsWith("Mozilla/");
}

function isPrefetch(header: Change["header"]): boolean {
  return ["sec-purpose", "purpose", "x-purpose", "x-moz"].some((name) =>
    /prefetch|prerender|preview/i.test(header(name) ?? "")
  );
}

/** IP addresses are no names, so none can be rebound; the rest are names that people gave this node. */
function isOwnName(hostAndPort: string, names: ReadonlySet<string>): boolean {
  const host = normalizeHost(hostAndPort.replace(/:[0-9]*$/, ""));
  if (host === undefined) return false;
  const name = host.replace(/\.$/, "");
  return isIp(host) || name === "localhost" || name.endsWith(".localhost") || names.has(name);
}

/** The scheme is left out: behind a proxy that ends TLS, this node sees http. */
function isSameHost(origin: string, host: string): boolean {
  return URL.parse(origin)?.host === (URL.parse(`http://${host}`)?.host ?? "");
}
