/**
 * `GET /live`: the members that can serve now, as other programs list them. (pure)
 *
 * @module
 */
import { formatAddress, parseAddress } from "../address.ts";
import { SetHash } from "../hash.ts";
import type { ListedMember } from "./members.ts";
import { kindsIn } from "./remarks.ts";

/** Remarks of live members that had better not be given work: they starve, or did not pass their checks yet. */
const BUSY: ReadonlySet<string> = new Set(["slow", "not checked yet"]);

/** Whether a member had better be given work: it is live, and neither slow nor unchecked. */
export function isServing({ status, remark }: ListedMember): boolean {
  return status === "live" && !(remark !== null && kindsIn(remark).some((kind) => BUSY.has(kind)));
}

/**
 * The addresses of those of `members` that can serve, sorted, one `host:port` a line; with `port`, those of the service
 * of that name, of the members that have it.
 */
export function liveText(members: readonly ListedMember[], port: string | undefined): string {
  const addresses = members.filter(isServing).flatMap(({ address, ports }) => {
    if (address === "") return [];
    if (port === undefined) return [address];
    const host = parseAddress(address)?.host;
    // A name is a caller's word: `constructor` is no port.
    const number = Object.hasOwn(ports, port) ? ports[port] : undefined;
    return host === undefined || number === undefined ? [] : [formatAddress(host, number)];
  });
  return [...new Set(addresses)].sort().map((address) => `${address}\n`).join("");
}

/** An ETag of such a list: equal for equal ones. */
export function etagOf(text: string): string {
  const hash = new SetHash();
  hash.toggle(text);
  return `"${hash}"`;
}
