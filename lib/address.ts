/**
 * The grammar of node IDs and of addresses: what the edge lets in. (pure)
 *
 * An address has one spelling (lower-case names, the shortest form of IPv6), so that addresses are equal when their
 * texts are. The characters that pass need no escaping in a URL, a log line or HTML.
 */

/** Characters of an ID: room for a full host name or a UUID, small enough for a table of 65,536. */
export const ID_LENGTH_MAX = 64;

/** Bytes of an address: a host name is at most 253 by DNS, and few come near it. All are ASCII. */
export const ADDRESS_BYTES_MAX = 255;

/** The highest TCP port; the lowest that can be reached is 1. */
export const PORT_MAX = 65_535;

/** Where a node can be reached. */
export interface Address {
  /** A lower-case name, an IPv4 address, or an IPv6 address without brackets. */
  readonly host: string;
  /** 1 to 65535. */
  readonly port: number;
}

const ID = new RegExp(`^[A-Za-z0-9._:-]{1,${ID_LENGTH_MAX}}$`);
const PORT = /^[1-9][0-9]{0,4}$/;
const NAME = /^[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.?$/;
const BRACKETED = /^\[([0-9A-Fa-f:.]{2,45})\]$/;
const IPV4 = /^(?:(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])(?:\.(?!$)|$)){4}$/;

/**
 * What the system's lookup and URLs read as an IPv4 address, however oddly it is written: `0x7f.1`, `2130706433`. Both
 * need a number in each label. So `web.1`, a task of a Swarm, is a name for the lookup, and for URLs an error.
 */
const ONLY_NUMBERS = /^(?:(?:[0-9]+|0[Xx][0-9A-Fa-f]*)(?:\.|$))+$/;

/** Whether the text can be a node ID: 1 to 64 of `A-Z a-z 0-9 . _ : -`. */
export function isId(text: string): boolean {
  return ID.test(text);
}

/**
 * The one spelling of a host: a lower-case name, IPv4, or IPv6 without brackets (given with or without). `undefined`
 * for anything else: other characters, zone IDs, and numbers that are not a plain IPv4 address, such as `0x7f.1`,
 * which a URL would quietly read as 127.0.0.1.
 */
export function normalizeHost(text: string): string | undefined {
  if (text.length > ADDRESS_BYTES_MAX) return undefined;
  if (text.includes(":")) return normalizeIpv6(text.startsWith("[") ? text : `[${text}]`);
  if (!NAME.test(text)) return undefined;
  if (ONLY_NUMBERS.test(text)) return IPV4.test(text) ? text : undefined;
  return text.toLowerCase();
}

/** Reads `host:port` or `[v6]:port`; the host comes in its one spelling. `undefined` if it is neither. */
export function parseAddress(text: string): Address | undefined {
  if (text.length > ADDRESS_BYTES_MAX) return undefined;
  const colon = text.lastIndexOf(":");
  const hostText = text.slice(0, Math.max(colon, 0));
  const portText = text.slice(colon + 1);
  if (!PORT.test(portText) || Number(portText) > PORT_MAX) return undefined;
  // Without its brackets the last group of an IPv6 address could be the port.
  if (hostText.includes(":") && !hostText.startsWith("[")) return undefined;
  const host = normalizeHost(hostText);
  return host === undefined ? undefined : { host, port: Number(portText) };
}

/** Writes an address as `host:port`, with brackets around an IPv6 host. */
export function formatAddress(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** The one spelling of an address; `undefined` if the text is not an address. */
export function normalizeAddress(text: string): string | undefined {
  const address = parseAddress(text);
  return address && formatAddress(address.host, address.port);
}

function normalizeIpv6(bracketed: string): string | undefined {
  // The URL parser knows every form of IPv6; the pattern keeps all other texts from it.
  if (!BRACKETED.test(bracketed)) return undefined;
  return URL.parse(`http://${bracketed}/`)?.hostname.slice(1, -1);
}

/** Whether a host, in its one spelling, is an IP address. */
export function isIp(host: string): boolean {
  return host.includes(":") || /^[0-9.]+$/.test(host);
}

/** Whether a host, in its one spelling, leads every host to itself. */
export function isLoopback(host: string): boolean {
  return /^(?:127\.[0-9.]+|::1|::ffff:7f[0-9a-f]{2}:[0-9a-f]+|(?:.+\.)?localhost\.?)$/.test(host);
}

/** The 16 bytes of an IP address, or `undefined` if the text is a name. */
export function ipBytes(text: string): number[] | undefined {
  const host = normalizeHost(text);
  if (host === undefined) return undefined;
  if (!host.includes(":")) {
    if (!isIp(host)) return undefined;
    return [...new Array<number>(10).fill(0), 255, 255, ...host.split(".").map(Number)];
  }
  const [head = "", tail] = host.split("::");
  const words = (part: string) =>
    part === "" ? [] : part.split(":").map((word) => Number.parseInt(word, 16));
  const [first, last] = [words(head), words(tail ?? "")];
  const zeros = new Array<number>(8 - first.length - last.length).fill(0);
  return [...first, ...zeros, ...last].flatMap((word) => [word >> 8, word & 255]);
}
