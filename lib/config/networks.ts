/**
 * Networks in CIDR notation, and which addresses a node may call. (pure)
 *
 * Peers tell a node where to call, so a hostile one could point it at any service. A call can do little there (one
 * POST of /hello, with back-off), but some addresses are never a node's, and answer a request with a cloud's secrets.
 *
 * Rejected: `BlockList` of `node:net`. It does not know the IPv6 forms of IPv4 addresses either, cannot say how narrow
 * the network is that holds an address, and costs every node 3 MB of memory.
 *
 * @module
 */
import { ipBytes } from "../address.ts";

/** A network: the first `bits` of the 16 bytes count. IPv4 is ::ffff:0:0/96, as it is for the system. */
export interface Network {
  readonly bytes: readonly number[];
  readonly bits: number;
}

const IPV4_BITS = 96;

/** Link-local networks, "this network" and multicast: no node can be called there from another network. */
const NO_NODES = ["169.254.0.0/16", "0.0.0.0/8", "224.0.0.0/4", "fe80::/10", "::/128", "ff00::/8"];

/** Addresses where clouds give out a machine's credentials, the link-local ones among them. */
const METADATA = [
  "169.254.169.254", // most clouds
  "169.254.170.2", // AWS ECS
  "169.254.170.23", // AWS EKS
  "169.254.42.42", // Scaleway
  "169.254.0.23", // Tencent
  "100.100.100.200", // Alibaba
  "168.63.129.16", // Azure
  "192.0.0.192", // Oracle
  "fd00:ec2::254", // AWS
  "fd00:ec2::23", // AWS EKS
  "fd20:ce::254", // Google
  "fd00:c1::a9fe:a9fe", // Oracle
  "fd00:42::42", // Scaleway
];

/**
 * Prefixes after which an IPv6 address holds an IPv4 address, to which gateways carry its packets: the well-known one
 * of NAT64 (RFC 6052) and 6to4 (RFC 3056). The prefixes that networks choose for a NAT64 of their own are not known.
 */
const CARRIERS = [
  { bytes: [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0], bits: 96 },
  { bytes: [0x20, 0x02], bits: 16 },
];

/** Never called, unless `-allow` names a network that is as narrow. Read at the first call: a start is 3 ms sooner. */
let forbidden: readonly Network[] | undefined;

/** Reads `10.0.0.0/8`, `fd00::/8` or a single address; `undefined` for other text, and for bits past the length. */
export function parseNetwork(text: string): Network | undefined {
  const [, host = "", length] = /^([0-9A-Fa-f.:]+)(?:\/([0-9]{1,3}))?$/.exec(text) ?? [];
  const bytes = ipBytes(host);
  if (bytes === undefined) return undefined;
  const offset = host.includes(":") ? 0 : IPV4_BITS;
  const bits = length === undefined ? 128 : offset + Number(length);
  if (bits > 128) return undefined;
  const network = { bytes, bits };
  const tail = bytes.some((byte, i) => (byte & ~mask(bits, i) & 255) !== 0);
  return tail ? undefined : network;
}

/**
 * Whether a node may call `ip`: it is in one of the networks of `-allow`, or that flag is not given. A forbidden
 * network, such as a cloud's metadata address, is opened only by a network of `-allow` that is as narrow: `fd00::/8`
 * opens no `fd00:ec2::254`.
 */
export function mayCall(ip: string, allowed: readonly Network[]): boolean {
  const bytes = ipBytes(ip);
  if (bytes === undefined) return false;
  forbidden ??= [...NO_NODES, ...METADATA].flatMap((text) => withCarried(parseNetwork(text)!));
  const forbiddenBits = narrowest(forbidden, bytes);
  const allowedBits = narrowest(allowed, bytes);
  return allowed.length === 0
    ? forbiddenBits < 0
    : allowedBits >= 0 && allowedBits >= forbiddenBits;
}

/** The bits of the narrowest network that contains an address; -1 if none does. */
function narrowest(networks: readonly Network[], ip: readonly number[]): number {
  let most = -1;
  for (const network of networks) {
    if (network.bits > most && contains(network, ip)) most = network.bits;
  }
  return most;
}

function contains({ bytes, bits }: Network, ip: readonly number[]): boolean {
  return bytes.every((byte, i) => (ip[i]! & mask(bits, i)) === byte);
}

/** The network and, of an IPv4 network, the IPv6 networks that lead to it. */
function withCarried(network: Network): Network[] {
  const { bytes, bits } = network;
  const ipv4 = parseNetwork("0.0.0.0/0")!;
  if (bits < IPV4_BITS || !contains(ipv4, bytes)) return [network];
  const carried = CARRIERS.map((carrier) => ({
    bytes: [...carrier.bytes, ...bytes.slice(12), ...new Array<number>(10).fill(0)].slice(0, 16),
    bits: carrier.bits + bits - IPV4_BITS,
  }));
  return [network, ...carried];
}

/** The bits of byte `i` that count in a prefix of `bits`. */
function mask(bits: number, i: number): number {
  const count = Math.min(8, Math.max(0, bits - 8 * i));
  return (0xff00 >> count) & 255;
}
