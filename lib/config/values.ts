/**
 * The values that flags take. Each function reads one kind of text and returns its value, or throws a
 * {@linkcode UsageError} that completes the sentence "Cannot use -flag 'text': ..." with what to give instead. (pure)
 */

import {
  ADDRESS_BYTES_MAX,
  formatAddress,
  ID_LENGTH_MAX,
  isId,
  normalizeAddress,
  normalizeHost,
  parseAddress,
  PORT_MAX,
} from "../address.ts";
import { UsageError } from "./flags.ts";
import { type Network, parseNetwork } from "./networks.ts";
import { AGE_MAX_MS, INTERVAL_MAX_MS } from "../limits.ts";
import { quote } from "../text.ts";

/** A shorter interval costs more packets than it saves seconds. */
const INTERVAL_MIN_MS = 200;
/** After a longer silence, nobody needs a liveness store to see that a member is dead. */
const DEAD_AFTER_MAX_MS = 3_600_000;
/** Seeds only serve to find the other nodes: a few are enough. */
export const SEEDS_MAX = 64;

/** Names that lead people to one node: its proxies' and aliases. */
export const NAMES_MAX = 16;

/** Every new connection is checked against all of them. */
const NETWORKS_MAX = 64;

const MS_PER_UNIT: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** Addresses to listen on that peers cannot call. */
const EVERY_ADDRESS: readonly string[] = ["0.0.0.0", "::"];

/** `-id`: a node ID. */
export function readId(text: string): string {
  if (isId(text)) return text;
  throw new UsageError(`give 1 to ${ID_LENGTH_MAX} of the characters A-Z a-z 0-9 . _ : -`);
}

/** Where to listen: a host, IPv6 without brackets, and a port; 0: any free one. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** `-dns`: where to listen. */
export function readListenAddress(text: string): ListenAddress {
  const isAny = text.endsWith(":0");
  const address = parseAddress(isAny ? `${text.slice(0, -1)}1` : text);
  if (address !== undefined) return { host: address.host, port: isAny ? 0 : address.port };
  throw new UsageError("give an address of this host and a port, such as 127.0.0.1:5353");
}

/** `-port`: 0 to 65535. */
export function readPort(text: string): number {
  if (/^[0-9]{1,5}$/.test(text) && Number(text) <= PORT_MAX) return Number(text);
  // Kubernetes sets GOSSIPER_PORT=tcp://10.0.0.1:8080 in pods beside a service named gossiper.
  if (text.startsWith("tcp://")) {
    throw new UsageError(
      "give -port, or set enableServiceLinks to false in the pod's specification",
    );
  }
  throw new UsageError(`give a number from 0 to ${PORT_MAX}`);
}

/** `-host`: the address or name to listen on, normalized, IPv6 without brackets. */
export function readHost(text: string): string {
  const host = normalizeHost(text);
  if (host !== undefined) return host;
  throw new UsageError(
    "give an address or name of this host, such as 127.0.0.1 or ::1, and the port with -port",
  );
}

/** `-advertise`: the host that peers are to call, and the port, `undefined` if none is given. */
export function readAdvertise(text: string): { host: string; port: number | undefined } {
  const address = parseAddress(text);
  const host = reachableHost(address?.host ?? text);
  if (host !== undefined) return { host, port: address?.port };
  throw new UsageError("give a host or host:port that peers can reach, IPv6 in brackets");
}

/** The normalized host, if peers can be given it; `undefined` otherwise. */
export function reachableHost(text: string): string | undefined {
  const host = normalizeHost(text);
  if (host === undefined || EVERY_ADDRESS.includes(host)) return undefined;
  return formatAddress(host, PORT_MAX).length <= ADDRESS_BYTES_MAX ? host : undefined;
}

/** In `-join`, the prefix of a name of SRV records. */
export const SRV_PREFIX = "srv:";

/** `-join`: comma-separated addresses and names of SRV records; returned normalized, without duplicates. */
export function readSeeds(text: string): readonly string[] {
  const seeds = itemsOf(text).map((entry) => {
    const seed = entry.startsWith(SRV_PREFIX) ? normalizeSrv(entry) : normalizeAddress(entry);
    if (seed !== undefined) return seed;
    throw new UsageError(
      `${quote(entry)} is not an address; give each as host:port, such as n1:8080 or [::1]:8080, ` +
        "or as srv:_gossiper._tcp.example",
    );
  });
  const distinct = [...new Set(seeds)];
  if (distinct.length <= SEEDS_MAX) return distinct;
  throw new UsageError(`give at most ${SEEDS_MAX} nodes; the others are found through them`);
}

function normalizeSrv(entry: string): string | undefined {
  const name = normalizeHost(entry.slice(SRV_PREFIX.length));
  // A name without service and protocol is a host's, and has no SRV records.
  return name !== undefined && /^_[^.]+\._tcp\./.test(name) ? SRV_PREFIX + name : undefined;
}

/** `-name`: comma-separated names by which people call this node; returned in lower case, without a final dot. */
export function readNames(text: string): readonly string[] {
  const names = itemsOf(text).map((item) => {
    const name = normalizeHost(item);
    if (name !== undefined) return name.replace(/\.$/, "");
    throw new UsageError(
      `${
        quote(item)
      } is not a host; give each without scheme, port or path, such as gossip.example`,
    );
  });
  const distinct = [...new Set(names)];
  if (distinct.length <= NAMES_MAX) return distinct;
  throw new UsageError(`give at most ${NAMES_MAX} names`);
}

/** `-state` and the like: the path of a file, which need not exist yet. */
export function readFile(text: string): string {
  if (!text.includes("\0") && !/[\\/]$/.test(text)) return text;
  throw new UsageError("give the path of a file, such as /var/lib/gossiper/n1.state");
}

/** `-dist`: the path of a folder, without a final slash. */
export function readFolder(text: string): string {
  if (!text.includes("\0")) return text.replace(/(?<=.)[\\/]+$/, "");
  throw new UsageError("give the path of a folder, such as /srv/gossiper");
}

/** `-interval`, in ms. */
export function readInterval(text: string): number {
  const ms = readDuration(text);
  if (ms >= INTERVAL_MIN_MS && ms <= INTERVAL_MAX_MS) return ms;
  throw new UsageError(
    `give a duration from ${formatDuration(INTERVAL_MIN_MS)} to ${formatDuration(INTERVAL_MAX_MS)}`,
  );
}

/** `-dead-after`, in ms; `paceOf` checks it against the interval. */
export function readDeadAfter(text: string): number {
  const ms = readDuration(text);
  if (ms <= DEAD_AFTER_MAX_MS) return ms;
  throw new UsageError(`give a duration of at most ${formatDuration(DEAD_AFTER_MAX_MS)}`);
}

/** `-forget`, in ms; `0` and `never` are Infinity. */
export function readForget(text: string): number {
  if (text === "0" || text === "never") return Infinity;
  const ms = readDuration(text);
  if (ms > 0 && ms <= AGE_MAX_MS) return ms;
  throw new UsageError(`give a duration of at most ${formatDuration(AGE_MAX_MS)}, or 0`);
}

/** `-allow`: comma-separated networks in CIDR notation; an empty text gives no networks. */
export function readNetworks(text: string): readonly Network[] {
  const networks = itemsOf(text).map((item) => {
    const network = parseNetwork(item);
    if (network !== undefined) return network;
    throw new UsageError(
      `${quote(item)} is not a network; give each as 10.0.0.0/8, fd00::/8 or one IP address`,
    );
  });
  if (networks.length <= NETWORKS_MAX) return networks;
  throw new UsageError(`give at most ${NETWORKS_MAX} networks`);
}

/** The items of a comma-separated text, without blanks around them. */
function itemsOf(text: string): string[] {
  return text.split(",").map((item) => item.trim()).filter((item) => item !== "");
}

/** Reads `500ms`, `1.5s`, `1m` or `1h` as whole milliseconds. */
export function readDuration(text: string): number {
  const [, amount, unit] = /^([0-9]+(?:\.[0-9]+)?)(ms|s|m|h)$/.exec(text) ?? [];
  const msPerUnit = MS_PER_UNIT[unit ?? ""];
  if (msPerUnit !== undefined) return Math.round(Number(amount) * msPerUnit);
  throw new UsageError("give a number and one of ms, s, m or h, such as 500ms, 5s or 72h");
}

/** Writes whole milliseconds as a duration that flags take, in the largest unit that fits. */
export function formatDuration(ms: number): string {
  const [unit, msPerUnit] = Object.entries(MS_PER_UNIT).findLast(([, size]) => ms % size === 0) ??
    ["ms", 1];
  return `${ms / msPerUnit}${unit}`;
}

/** One of a few words. */
export function oneOf<Word extends string>(words: readonly Word[]): (text: string) => Word {
  return (text) => {
    const word = words.find((word) => word === text);
    if (word !== undefined) return word;
    throw new UsageError(`give ${words.slice(0, -1).join(", ")} or ${words.at(-1)}`);
  };
}

/** A switch, which has the text `true` if it is given alone. */
export function readSwitch(text: string): boolean {
  if (text === "true" || text === "1") return true;
  if (text === "false" || text === "0") return false;
  throw new UsageError("give true or false, or the flag alone");
}
