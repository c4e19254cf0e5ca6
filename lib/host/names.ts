/**
 * Host names, as this host resolves them. A wrong name is reported at the start: later it would only show as silence.
 *
 * @module
 */
import { isLoopback, normalizeHost, parseAddress } from "../address.ts";
import type { Config } from "../config/config.ts";
import { quote } from "../text.ts";
import { addressForPeers, type HostNetwork, thisNetwork } from "./own_address.ts";

/**
 * `loopback`: found, but it leads every host that resolves it so to itself. `unsure`: the resolver does not answer
 * now, which says nothing about the name.
 */
export type LookupResult = "found" | "loopback" | "missing" | "unsure";

/** What this host knows about names and its network. */
export interface Host {
  readonly name: string;
  readonly network: HostNetwork;
  lookup(name: string): LookupResult;
}

/** A configuration to start with and what to warn of, or the line that says what is wrong. */
export type Settled =
  | { readonly kind: "run"; readonly config: Config; readonly warning: string | undefined }
  | { readonly kind: "usage"; readonly message: string };

/**
 * Messages of failed lookups, on Unix and on Windows. Rejected: the codes of `node:dns`, as Deno 2.7 gives the same one
 * for a name that does not exist and for a name server that does not answer.
 */
const LOOKUP_FAILED = /lookup address|No such host|os error 1100[1-4]/i;
const LOOKUP_UNSURE = /temporar|try again|os error 11002/i;

/** The host this runs on. */
export const thisHost: Host = {
  get name() {
    return Deno.hostname();
  },
  network: thisNetwork,
  lookup(name) {
    try {
      // Listening resolves a name as connecting does, including the hosts file, but sends nothing to where it leads.
      using listener = Deno.listen({ hostname: name, port: 0 });
      return isLoopback(listener.addr.hostname) ? "loopback" : "found";
    } catch (error) {
      const text = error instanceof Error ? error.message : "";
      if (!LOOKUP_FAILED.test(text)) return "found"; // at another host
      return LOOKUP_UNSURE.test(text) ? "unsure" : "missing";
    }
  },
};

/**
 * Checks the names that a node is started with, and gives peers this host's address where its name does not lead them
 * here. A name of a flag, or of a certificate, that cannot be looked up just now is used as it is.
 */
export async function settleNames(config: Config, host: Host = thisHost): Promise<Settled> {
  const message = await findWrongName(config, host);
  if (message !== undefined) return { kind: "usage", message };
  const fault = config.advertiseDefault ? faultOfName(config, host) : undefined;
  if (fault === undefined) return { kind: "run", config, warning: faultOfLoopback(config, host) };
  const advertiseHost = await addressForPeers(host.network, config.join);
  const remedy = isLoopback(advertiseHost)
    ? `peers are given ${advertiseHost}, as it has no address that they could reach; ` +
      "connect it and restart this node, or give them another with -advertise"
    : `peers are given its address ${advertiseHost} instead; -advertise gives them another`;
  return {
    kind: "run",
    config: Object.freeze({ ...config, advertiseHost }),
    warning: `this host's name, ${quote(host.name)}, ${fault}: ${remedy}`,
  };
}

/** What is wrong with a loopback address that flags give, where this node joins one elsewhere; undefined if nothing. */
function faultOfLoopback({ advertiseHost, host: listens, join }: Config, host: Host) {
  if (!isLoopback(advertiseHost)) return undefined;
  const seeds = join.map((seed) => parseAddress(seed)?.host);
  const elsewhere = seeds.find((seed) => seed !== undefined && host.lookup(seed) === "found");
  if (elsewhere === undefined) return undefined;
  const listening = listens !== undefined && isLoopback(listens)
    ? ", and listen there (-host)"
    : "";
  return `peers are given ${advertiseHost}, which leads each to itself, though this node joins ` +
    `${elsewhere}: give them an address that they can reach with -advertise${listening}`;
}

/** Why peers cannot call this host by its name; undefined if they can. */
function faultOfName({ advertiseHost, tls }: Config, host: Host): string | undefined {
  if (normalizeHost(host.name) === undefined) return "cannot be used in an address";
  const found = host.lookup(advertiseHost);
  if (found === "found") return undefined;
  // A certificate holds the name, and seldom the address: peers may look it up once a name server answers again.
  if (tls !== undefined && advertiseHost !== "localhost" && found !== "missing") return undefined;
  if (found !== "loopback") return "does not resolve";
  return "resolves to a loopback address, which leads each peer to itself";
}

/** The line that says which name of a flag does not exist; undefined if all may be used. */
async function findWrongName(config: Config, host: Host): Promise<string | undefined> {
  const isMissing = (name: string) => host.lookup(name) === "missing";
  if (config.host !== undefined && isMissing(config.host)) {
    return `Cannot listen on -host ${quote(config.host)}: the name does not resolve; ` +
      "give an address of this host, such as 127.0.0.1, or leave -host out";
  }
  const derived = config.advertiseDefault || config.advertiseHost === config.host;
  if (!derived && isMissing(config.advertiseHost)) {
    const address = await addressForPeers(host.network, config.join);
    return `Cannot give peers -advertise ${quote(config.advertiseHost)}: the name does not ` +
      `resolve; give one that does, or an address, such as ${address}`;
  }
  // SRV records may still be missing, and a state file holds addresses of its own.
  const names = config.join.map((seed) => parseAddress(seed)?.host);
  const known = names.filter((name) => name !== undefined);
  const elsewhere = known.length < names.length || config.state !== undefined;
  if (elsewhere || known.length === 0 || !known.every(isMissing)) return undefined;
  const [which, what] = known.length === 1
    ? [quote(known[0]!), "the name does not resolve; check it, or give an address"]
    : [known.map(quote).join(", "), "none of the names resolves; check them, or give addresses"];
  return `Cannot join ${which}: ${what}`;
}
