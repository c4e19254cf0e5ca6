/**
 * The IP address that peers are given where this host's name does not lead them here.
 *
 * @module
 */
import { type Address, isLoopback, parseAddress } from "../address.ts";
import { dial } from "../net/connect.ts";
import { readProc } from "./libc.ts";

/** An address of one of this host's network interfaces. */
export interface OwnAddress {
  /** The interface's name. */
  readonly name: string;
  readonly address: string;
}

/** What this host knows about its network. */
export interface HostNetwork {
  /** All addresses of this host, those of the loopback and of single links among them. */
  addresses(): readonly OwnAddress[];
  /** The address from which this host calls a peer; undefined if the peer does not answer in time. */
  addressTowards(peer: Address): Promise<string | undefined>;
  /** The interfaces of default routes, the preferred one first; empty where they are not known. */
  defaultInterfaces(): readonly string[];
}

/** Seeds that are called to learn this host's address: one that answers is enough. */
const SEEDS_CALLED_MAX = 8;

/** Time for a seed to accept a connection: a start waits that long at most. */
const CONNECT_MS = 1_000;

const LOOPBACK = "127.0.0.1";

/** Flags of a route in Linux's tables: it is in use, and it refuses packets. */
const ROUTE_UP = 0x1;
const ROUTE_REJECTS = 0x200;

/** Whether other hosts may reach an address: not the loopback's, nor one that is valid on a single link. */
function isForPeers(ip: string): boolean {
  return !isLoopback(ip) && !/^(?:169\.254\.|fe[89ab])/i.test(ip);
}

/** The network of the host that this runs on. */
export const thisNetwork: HostNetwork = {
  addresses: () => Deno.networkInterfaces().map(({ name, address }) => ({ name, address })),
  async addressTowards({ host, port }) {
    try {
      const signal = AbortSignal.timeout(CONNECT_MS);
      using conn = await dial(host, port, signal);
      return conn.localAddr.hostname;
    } catch {
      return undefined;
    }
  },
  defaultInterfaces: () => [
    ...defaultRoutes(readTable("/proc/net/route")),
    ...defaultRoutes6(readTable("/proc/net/ipv6_route")),
  ],
};

/**
 * The address at which peers most likely reach this host: the one from which it calls its seeds, else one of the
 * default route's interface, else the first of any other, IPv4 before IPv6; on a host without
 * any, 127.0.0.1.
 *
 * The first interface alone would do for many hosts, but it may be a bridge of containers or a VPN, which all hosts
 * have under one address.
 */
export async function addressForPeers(
  network: HostNetwork,
  join: readonly string[],
): Promise<string> {
  const seeds = join.map(parseAddress).filter((seed) => seed !== undefined);
  const calls = seeds.slice(0, SEEDS_CALLED_MAX).map(async (seed) => {
    const address = await network.addressTowards(seed);
    if (address === undefined || !isForPeers(address)) throw new Error("it is of no use to peers");
    return address;
  });
  const towardsSeeds = await Promise.any(calls).catch(() => undefined);
  return towardsSeeds ?? routedAddress(network) ?? LOOPBACK;
}

/** This host's address on the default route's interface, else on any other; undefined if it has only loopback ones. */
export function routedAddress(
  network: Pick<HostNetwork, "addresses" | "defaultInterfaces">,
): string | undefined {
  const reachable = network.addresses().filter(({ address }) => isForPeers(address));
  const routed = network.defaultInterfaces().flatMap((name) =>
    reachable.filter((own) => own.name === name)
  );
  const best = routed.length > 0 ? routed : reachable;
  return (best.find(({ address }) => !address.includes(":")) ?? best[0])?.address;
}

/** The lines of a table that Linux has, in fields; none elsewhere. */
function readTable(path: string): string[][] {
  try {
    return readProc(path).split("\n").map((line) => line.trim().split(/\s+/));
  } catch {
    return [];
  }
}

/** Interfaces of IPv4's default routes, by metric. */
export function defaultRoutes(table: string[][]): string[] {
  const routes = table.flatMap(([name = "", to, , flags, , , metric, mask]) =>
    to === "00000000" && mask === "00000000" && isUp(flags)
      ? [{ name, metric: Number(metric) }]
      : []
  );
  return routes.sort((a, b) => a.metric - b.metric).map(({ name }) => name);
}

/** Interfaces of IPv6's default routes, by metric. */
export function defaultRoutes6(table: string[][]): string[] {
  const routes = table.flatMap(([to, bits, , , , metric = "", , , flags, name = ""]) =>
    /^0{32}$/.test(to ?? "") && bits === "00" && isUp(flags)
      ? [{ name, metric: Number.parseInt(metric, 16) }]
      : []
  );
  return routes.sort((a, b) => a.metric - b.metric).map(({ name }) => name);
}

function isUp(flags: string | undefined): boolean {
  const bits = Number.parseInt(flags ?? "", 16);
  return (bits & ROUTE_UP) !== 0 && (bits & ROUTE_REJECTS) === 0;
}
