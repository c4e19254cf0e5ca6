/**
 * How a node can be reached, and under which names, as its flags say. (pure)
 *
 * @module
 */
import { formatAddress, isLoopback, normalizeHost } from "../address.ts";
import { isBlockedPort } from "./blocked_ports.ts";
import type { Config } from "./config.ts";

/** The lower-case names of a node. A browser that calls it by another name was led there by somebody. */
export function ownNames(config: Config, hostname: string): ReadonlySet<string> {
  const names = new Set<string>(config.names);
  for (const name of [hostname, config.host ?? "", config.advertiseHost]) {
    const normal = normalizeHost(name);
    if (normal !== undefined) names.add(normal);
  }
  return names;
}

/** Where a process listens. */
export interface Endpoint {
  readonly scheme: "http" | "https";
  readonly port: number;
  /** Its address for peers. */
  readonly address: string;
  /** What it listens on, in words; undefined for the one address of `-host`. */
  readonly on: string | undefined;
  /** The process ID: the one that `npx` shows is that of another process. */
  readonly pid: number;
}

/** Where a node listens, in words: a link to its page, its address for peers, and how to join it if it joins nobody. */
export function describeListening(
  { host, advertiseHost, join }: Config,
  { scheme, port, address, on, pid }: Endpoint,
): string {
  const named = `${scheme}://${formatAddress(on === undefined ? host! : advertiseHost, port)}/`;
  // No browser opens a name that ends in a number.
  const url = URL.canParse(named) ? named : `${scheme}://localhost:${port}/`;
  return `listens on ${url} (${on === undefined ? "" : `${on}, `}pid ${pid}), known to peers as ` +
    address + (join.length === 0 ? `; others join it with -join ${address}` : "");
}

/** What to know of a node that does not keep its ID; undefined for one that does. */
export function idHint({ idGiven, state }: Config): string | undefined {
  if (idGiven || state !== undefined) return undefined;
  return "no -id and no -state: after a restart this node is a new member, with another ID; give one of them";
}

/**
 * Warnings for the log of a node that lets strangers do more than its owner may expect, that people cannot reach, or
 * that joins nobody but itself; `address` is the one that peers are given.
 */
export function warnings(config: Config, address: string): string[] {
  const keyed = config.keyFile !== undefined || config.keyText !== undefined;
  const loopback = config.host !== undefined && isLoopback(config.host);
  const lines: string[] = [];
  if (!keyed && !loopback) {
    const hooks = config.hooks.length === 0 ? "" : ", and so have -on-change run or keep it quiet";
    lines.push(
      "no key: whoever reaches this port can join, decommission members and forge heartbeats" +
        `${hooks}; give -key-file, or -host 127.0.0.1`,
    );
  }
  // 0 takes a free port, and systems give none of those by themselves.
  if (config.port !== 0 && isBlockedPort(config.port)) {
    lines.push(
      `-port ${config.port} belongs to another protocol: no browser opens this node's page there, and no command ` +
        "asks it; give another port",
    );
  }
  if (config.join.length > 0 && config.join.every((seed) => seed === address)) {
    lines.push(
      `-join names only ${address}, which is this node itself: it joins nobody, and waits to be joined; ` +
        "if that is a load balancer's name, give peers a name of this host alone with -advertise",
    );
  }
  return lines;
}
