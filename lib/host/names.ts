/**
 * Names of hosts, as this host resolves them: a wrong one is said at the start, not found out by silence later.
 *
 * @module
 */
import { parseAddress } from "../address.ts";
import type { Config } from "../config/config.ts";
import { quote } from "../text.ts";

/** `unsure`: the resolver does not answer now, which says nothing of the name. */
export type Lookup = "found" | "missing" | "unsure";

/** What this host knows of names and of its own addresses. */
export interface Host {
  lookup(name: string): Lookup;
  /** Its addresses, those of the loopback and of single links among them. */
  addresses(): readonly string[];
}

/** What names came to: a config to start with, and what to warn of; or the one line that says what is wrong. */
export type Settled =
  | { readonly kind: "run"; readonly config: Config; readonly warning: string | undefined }
  | { readonly kind: "usage"; readonly message: string };

/** Messages of the lookups that fail, on Unix and on Windows. */
const LOOKUP_FAILED = /lookup address|No such host|os error 1100[1-4]/i;
const LOOKUP_UNSURE = /temporar|try again|os error 11002/i;

/** Addresses that no other host reaches: the loopback's, and those of a single link. */
const NOT_FOR_PEERS = /^(?:127\.|169\.254\.|::1$|fe[89ab])/i;

/** The host this runs on. */
export const thisHost: Host = {
  lookup(name) {
    try {
      // Binding resolves a name as connecting does, hosts file and all, but sends nothing to where it leads.
      Deno.listen({ hostname: name, port: 0 }).close();
      return "found";
    } catch (error) {
      const text = error instanceof Error ? error.message : "";
      if (!LOOKUP_FAILED.test(text)) return "found"; // and is another host's
      return LOOKUP_UNSURE.test(text) ? "unsure" : "missing";
    }
  },
  addresses: () => Deno.networkInterfaces().map(({ address }) => address),
};

/**
 * Checks the names that a node is started with, and gives peers this host's address where its own name does not
 * resolve. A name that only cannot be looked up just now is taken as it is.
 */
export function settleNames(config: Config, host: Host = thisHost): Settled {
  const isMissing = (name: string) => host.lookup(name) === "missing";
  const usage = (message: string) => ({ kind: "usage", message }) as const;
  if (config.host !== undefined && isMissing(config.host)) {
    return usage(
      `Cannot listen on -host ${quote(config.host)}: the name does not resolve; ` +
        "give an address of this host, such as 127.0.0.1, or leave -host out",
    );
  }
  const derived = config.advertiseDefault || config.advertiseHost === config.host;
  if (!derived && isMissing(config.advertiseHost)) {
    return usage(
      `Cannot give peers -advertise ${quote(config.advertiseHost)}: the name does not resolve; ` +
        `give one that does, or an address, such as ${addressForPeers(host)}`,
    );
  }
  // A service may have no hosts yet, and a state file has addresses of its own.
  const names = config.join.map((seed) => parseAddress(seed)?.host);
  const known = names.filter((name) => name !== undefined);
  const elsewhere = known.length < names.length || config.state !== undefined;
  if (!elsewhere && known.length > 0 && known.every(isMissing)) {
    const [which, what] = known.length === 1
      ? [quote(known[0]!), "the name does not resolve; check it, or give an address"]
      : [known.map(quote).join(", "), "none of the names resolves; check them, or give addresses"];
    return usage(`Cannot join ${which}: ${what}`);
  }
  if (!config.advertiseDefault || host.lookup(config.advertiseHost) === "found") {
    return { kind: "run", config, warning: undefined };
  }
  const advertiseHost = addressForPeers(host);
  return {
    kind: "run",
    config: Object.freeze({ ...config, advertiseHost }),
    warning:
      `this host's name, ${quote(config.advertiseHost)}, does not resolve: peers are given ` +
      `its address ${advertiseHost} instead; -advertise gives them another`,
  };
}

/** The first address that other hosts may reach, IPv4 before IPv6; the loopback's where there is none. */
function addressForPeers(host: Host): string {
  const reachable = host.addresses().filter((address) => !NOT_FOR_PEERS.test(address));
  return reachable.find((address) => !address.includes(":")) ?? reachable[0] ?? "127.0.0.1";
}
