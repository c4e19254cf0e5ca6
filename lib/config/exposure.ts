/**
 * How a node can be reached, and under which names, as its flags say. (pure)
 *
 * @module
 */
import { formatAddress, normalizeHost } from "../address.ts";
import type { Config } from "./config.ts";
import { reachableHost } from "./values.ts";

/** The lower-case names of a node. A browser that calls it by another name was led there by somebody. */
export function ownNames(config: Config, hostname: string): ReadonlySet<string> {
  const names = new Set<string>();
  for (const name of [hostname, config.host ?? "", config.advertiseHost]) {
    const normal = normalizeHost(name);
    if (normal !== undefined) names.add(normal);
  }
  return names;
}

/** Where a node listens, in words: a link to its page, its address for peers, and how to join it if it joins nobody. */
export function describeListening(
  config: Config,
  at: { scheme: "http" | "https"; port: number; address: string },
): string {
  const { host, advertiseHost, join } = config;
  const every = reachableHost(host ?? "") === undefined;
  const url = `${at.scheme}://${formatAddress(every ? advertiseHost : host!, at.port)}/`;
  return `listens on ${url}${every ? " (every address)" : ""}, known to peers as ${at.address}` +
    (join.length === 0 ? `; others join it with -join ${at.address}` : "");
}

/** Warnings for the log of a node that lets strangers do more than its owner may expect. */
export function warnings(config: Config): string[] {
  const keyed = config.keyFile !== undefined || config.keyText !== undefined;
  const { host } = config;
  const loopback = host === "localhost" || host === "::1" || /^127\./.test(host ?? "");
  const lines: string[] = [];
  if (!keyed && !loopback) {
    lines.push(
      "no key: whoever reaches this port can join, decommission members and forge heartbeats; " +
        "give -key-file, or -host 127.0.0.1",
    );
  }
  return lines;
}
