/**
 * Networks in CIDR notation, and which addresses a node may call. (pure)
 *
 * Peers say where to call, so a hostile one could point a node at any service. What a call can do there is little
 * (one POST
 * of /hello, with back-off), but some addresses are no node's: link-local ones answer with a cloud's secrets to
 * whoever asks.
 *
 * @module
 */
import { ipBytes } from "../address.ts";

/** A network: the first `bits` of the 16 bytes count. IPv4 lies in ::ffff:0:0/96, as the system has it. */
export interface Network {
  readonly bytes: readonly number[];
  readonly bits: number;
}

const IPV4_BITS = 96;

/** Never called unless `-allow` names them: link-local, where clouds keep metadata; nobody's (0.0.0.0/8); multicast. */
const FORBIDDEN = [
  "169.254.0.0/16",
  "fe80::/10",
  "fd00:ec2::254/128",
  "224.0.0.0/4",
  "ff00::/8",
  "0.0.0.0/8",
  "::/128",
]
  .map((text) => parseNetwork(text)!);

/**
 * Reads `10.0.0.0/8`, `fd00::/8`, or a single address; `undefined` if the text is none, or has bits beyond its
 * length.
 */
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

/** Whether a node may call `ip`, given what `-allow` names; with nothing named, all but what is no node's. */
export function mayCall(ip: string, allowed: readonly Network[]): boolean {
  const bytes = ipBytes(ip);
  if (bytes === undefined) return false;
  const within = (network: Network) => contains(network, bytes);
  return allowed.length > 0 ? allowed.some(within) : !FORBIDDEN.some(within);
}

function contains({ bytes, bits }: Network, ip: readonly number[]): boolean {
  return bytes.every((byte, i) => (ip[i]! & mask(bits, i)) === byte);
}

/** The bits of byte `i` that count in a prefix of `bits`. */
function mask(bits: number, i: number): number {
  const count = Math.min(8, Math.max(0, bits - 8 * i));
  return (0xff00 >> count) & 255;
}
