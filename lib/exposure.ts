/**
 * Who can reach a node, and by which names: what its flags say about it. (pure)
 *
 * @module
 */
import { normalizeHost } from "./address.ts";
import type { Config } from "./config.ts";

/** The lower-case names a node goes by: a browser that calls it by another was led there. */
export function ownNames(config: Config, hostname: string): ReadonlySet<string> {
  const names = new Set<string>();
  for (const name of [hostname, config.host ?? "", config.advertiseHost]) {
    const normal = normalizeHost(name);
    if (normal !== undefined) names.add(normal);
  }
  return names;
}

/** Lines for the log of a node that lets strangers do what its owner may not expect. */
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
