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

/** A list, and what changes with it. */
export interface LiveList {
  /** One `host:port` a line, sorted. */
  readonly text: string;
  /** An ETag: equal for equal lists. */
  readonly etag: string;
}

/** Whether a member had better be given work: it is live, and neither slow nor unchecked. */
export function isServing({ status, remark }: ListedMember): boolean {
  return status === "live" && !(remark !== null && kindsIn(remark).some((kind) => BUSY.has(kind)));
}

/**
 * The addresses of those of `members` that can serve; with `port`, those of the service
 * of that name, of the members that have it.
 */
export function liveList(members: readonly ListedMember[], port: string | undefined): LiveList {
  const addresses = members.filter(isServing).flatMap(({ address, ports }) => {
    if (address === "") return [];
    if (port === undefined) return [address];
    const host = parseAddress(address)?.host;
    const number = ports[port];
    return host === undefined || number === undefined ? [] : [formatAddress(host, number)];
  });
  const text = [...new Set(addresses)].sort().map((address) => `${address}\n`).join("");
  const hash = new SetHash();
  hash.toggle(text);
  return { text, etag: `"${hash}"` };
}
