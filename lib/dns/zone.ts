/**
 * The names under `gossip.`, and what each stands for now. (pure)
 *
 *     gossip             every member that can serve
 *     web.gossip         those tagged role=web, or with a port named web
 *     _web._tcp.gossip   the same, as SRV records are asked for
 *     a.zone.gossip      those tagged zone=a
 *     7f000001.ip.gossip an IP address: what SRV records lead to, as they cannot hold one
 *
 * A name is the same in upper and lower case. Members that can serve are those of `GET /live`.
 *
 * @module
 */
import { type Address, ipBytes, isIp, parseAddress } from "../address.ts";
import type { ListedMember } from "../report/members.ts";

/** The name below which all others are. */
export const ZONE = "gossip";

/** Names that are looked at: those of a DNS host name, with the underscores of a service. */
const NAME = /^[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63}){0,8}$/;

const IP_LABEL = "ip";

const TCP_LABEL = "_tcp";

/** A label longer than DNS has them: an address may hold such a name, a DNS message cannot. */
const TOO_LONG = /[^.]{64}/;

/** What a name stands for: places, one IP address, or undefined where there is no such name. */
export type Meaning =
  | { readonly kind: "places"; readonly places: readonly Address[] }
  | { readonly kind: "ip"; readonly ip: string };

/** Whether a name, without its last dot, is one that this zone could have. */
export function isInZone(name: string): boolean {
  const lower = name.toLowerCase();
  return NAME.test(lower) && (lower === ZONE || lower.endsWith(`.${ZONE}`));
}

/**
 * What a name of the zone means; `live` gives the members that can serve. A service that nobody has is a name that does
 * not exist.
 */
export function meaningOf(
  name: string,
  live: readonly ListedMember[],
): Meaning | undefined {
  const labels = name.toLowerCase().split(".").slice(0, -1);
  const [first, second] = labels;
  if (labels.length === 2 && second === IP_LABEL) {
    const ip = ipOf(first!);
    return ip === undefined ? undefined : { kind: "ip", ip };
  }
  const service = serviceOf(labels);
  const found = live.flatMap((member) => placeOf(member, labels, service) ?? []);
  if (found.length === 0 && !hasNamesBelow(labels, live)) return undefined;
  return { kind: "places", places: found };
}

/** Whether names end in these labels: a resolver that asks label by label takes NXDOMAIN for the end (RFC 8020). */
function hasNamesBelow(labels: readonly string[], live: readonly ListedMember[]): boolean {
  const [first] = labels;
  if (first === undefined || labels.length > 1) return labels.length === 0;
  return first === IP_LABEL || first === TCP_LABEL ||
    live.some(({ tags }) => Object.keys(tags).some((key) => key.toLowerCase() === first));
}

/** The name that leads to a place: its own, or one that stands for its IP address. */
export function targetOf({ host }: Address): string {
  if (!isIp(host)) return host;
  const bytes = host.includes(":") ? ipBytes(host)! : host.split(".").map(Number);
  const hex = bytes.map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return `${hex}.${IP_LABEL}.${ZONE}`;
}

/** The service that a name asks for; undefined where it asks for a tag. */
function serviceOf(labels: readonly string[]): string | undefined {
  const [first, second] = labels;
  if (labels.length === 1) return first;
  if (labels.length === 2 && second === TCP_LABEL && first!.startsWith("_")) return first!.slice(1);
  return undefined;
}

function placeOf(
  { address, tags, ports }: ListedMember,
  labels: readonly string[],
  service: string | undefined,
): Address | undefined {
  const at = parseAddress(address);
  if (at === undefined || TOO_LONG.test(at.host) || labels.length > 2) return undefined;
  const named = Object.entries(ports).find(([name]) => name.toLowerCase() === service)?.[1];
  const isAsked = labels.length === 0 || named !== undefined || Object.entries(tags).some(
    ([key, value]) =>
      service === undefined
        ? key.toLowerCase() === labels[1] && value.toLowerCase() === labels[0]
        : key === "role" && value.toLowerCase() === service,
  );
  return isAsked ? { host: at.host, port: named ?? at.port } : undefined;
}

/** The IP address that 8 or 32 hex digits stand for. */
function ipOf(hex: string): string | undefined {
  if (/^[0-9a-f]{8}$/.test(hex)) {
    return hex.match(/../g)!.map((byte) => Number.parseInt(byte, 16)).join(".");
  }
  return /^[0-9a-f]{32}$/.test(hex) ? hex.match(/.{4}/g)!.join(":") : undefined;
}
