/**
 * Requests that change the table, told apart by where they come from. Any web page that a colleague opens can make the
 * colleague's browser call a node, with that browser's access to the network. So a change that a browser asks for must
 * be a form sent from the node's own page; whatever else it asks for leads to that page, which asks first. (pure)
 *
 * Browsers send `Sec-Fetch-Site`, but only to https and localhost, and `none` after a redirect from an address that was
 * typed; `Origin`, but only with a POST; and a name in `Host`, which a foreign domain may have pointed at this node
 * (DNS rebinding). A page under such a name can pose as a script, so the name counts whoever asks. Excepted are callers
 * that send the cluster's key, which no page has, and nodes, which join by whatever alias a seed has: a browser that
 * poses as a node sends `Origin` with a POST, and some `Accept-Language` with a GET.
 *
 * Rejected: tokens in the form. They need memory or a secret, and stop nothing that `Origin` does not.
 *
 * @module
 */
import { isIp, normalizeHost } from "../address.ts";
import { quote } from "../text.ts";

/** A request that would change the table. */
export interface ChangeRequest {
  readonly method: string;
  readonly kind: "bye" | "exchange";
  /** Host and port that the caller called. */
  readonly host: () => string;
  /** Whether the cluster has a key. */
  readonly keyed: boolean;
  readonly header: (name: string) => string | undefined;
}

/** Names, in lower case. */
export interface Names {
  /** All that this node goes by. */
  readonly own: ReadonlySet<string>;
  /** Those of them that `-name` gives. A proxy under such a name may call this node by another one. */
  readonly given: ReadonlySet<string>;
}

/** `ask`: show the page that asks for confirmation, as nothing shows that a person wants this. */
export type Permission = "pass" | "ask" | { readonly status: 403 | 405; readonly line: string };

/**
 * Programs that follow links for others: crawlers, link checkers, chats that show a preview. They name themselves, and
 * most give an address to complain at.
 */
const PREVIEWER =
  /bot\b|crawl|spider|preview|scan|check|facebookexternalhit|whatsapp|skype|slack|\+https?:/i;

const BROWSERS_ONLY = ["origin", "sec-fetch-site", "sec-fetch-mode", "sec-purpose"];

/** Decides whether a request may change the table. */
export function judge(request: ChangeRequest, names: Names): Permission {
  const { method, kind, keyed, header } = request;
  // HEAD would run as GET, and is what link checkers send.
  if (method !== "GET" && method !== "POST") return { status: 405, line: "Use GET or POST" };
  const browser = isBrowser(header);
  if (kind === "exchange") {
    const posing = method === "GET" && header("accept-language") !== undefined &&
      !isOwnName(request.host(), names.own);
    return browser || posing
      ? refused("Only nodes may exchange tables, and this looks like a browser")
      : "pass";
  }
  const host = request.host();
  if (!isOwnName(host, names.own) && !(keyed && hasKeyHeader(header))) {
    return refused(strangeName(host));
  }
  if (method === "GET") return browser || isPreviewer(header) ? "ask" : "pass";
  if (!browser) return "pass";
  const site = header("sec-fetch-site");
  const origin = header("origin");
  const foreign = "Use this node's own page: a page of another site changes nothing";
  if (site !== undefined && site !== "none") {
    return site === "same-origin" ? "pass" : refused(foreign);
  }
  if (origin !== undefined) {
    return isSameHost(origin, host) || isNamed(origin, names) ? "pass" : refused(foreign);
  }
  return refused("Use another browser: this one does not say which page sends the form");
}

function refused(line: string): Permission {
  return { status: 403, line };
}

/** A page cannot set `Origin` or `Sec-` headers. It can set the others, in Firefox even `User-Agent`. */
function isBrowser(header: ChangeRequest["header"]): boolean {
  return BROWSERS_ONLY.some((name) => header(name) !== undefined) ||
    (header("user-agent") ?? "").startsWith("Mozilla/");
}

/** Whether the answer is for eyes: of a browser that hides its name, or somebody's whom a chat shows a preview. */
function isPreviewer(header: ChangeRequest["header"]): boolean {
  return (header("accept") ?? "").includes("text/html") ||
    PREVIEWER.test(header("user-agent") ?? "");
}

/** A key or a signature, which is checked afterwards. Not `Basic`, which a browser sends whichever page asks. */
function hasKeyHeader(header: ChangeRequest["header"]): boolean {
  return /^(?:Bearer|Gossip) /i.test(header("authorization") ?? "");
}

/** The host in its one spelling, without a final dot; undefined if it is invalid. */
function nameIn(hostAndPort: string): string | undefined {
  return normalizeHost(hostAndPort.replace(/:[0-9]*$/, ""))?.replace(/\.$/, "");
}

/** DNS cannot rebind an IP address or localhost; the other names were given to this node by its operator. */
function isOwnName(hostAndPort: string, names: ReadonlySet<string>): boolean {
  const name = nameIn(hostAndPort);
  if (name === undefined) return false;
  return isIp(name) || name === "localhost" || name.endsWith(".localhost") || names.has(name);
}

/** What to do about a name that this node does not go by. */
function strangeName(host: string): string {
  const name = nameIn(host);
  const start = name === undefined ? "" : `, or start the node with -name ${name}`;
  return `Call this node by its IP address or localhost${start}: ` +
    `it does not know the name ${quote(host)}`;
}

/** The page under a name that `-name` gives, on the usual port, whatever name its proxy calls this node by. */
function isNamed(origin: string, names: Names): boolean {
  return names.given.has(URL.parse(origin)?.host ?? "");
}

/** Ignores the scheme: behind a proxy that ends TLS, this node sees http. */
function isSameHost(origin: string, host: string): boolean {
  return URL.parse(origin)?.host === (URL.parse(`http://${host}`)?.host ?? "");
}
