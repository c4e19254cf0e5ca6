/**
 * Living with the first gossiper's Go nodes: the text of `/hello` that they speak, and people read with curl.
 *
 *     hello n1                  who speaks
 *     n1 n2 n3                  the IDs known and not decommissioned
 *     n9                        the decommissioned ones
 *     host1:8080                the speaker's own address, then all others it knows
 *     host2:8080
 *
 * A Go node has no heartbeat, so whoever hears it directly makes one for it. What it lists is hearsay: it lists the
 * dead and the decommissioned among the living, so its IDs are only heard of, and its addresses are contacts to ask.
 *
 * @module
 */
import type { Contacts } from "./contacts.ts";
import type { Replica } from "./replica.ts";
import type { Turn } from "./effects.ts";
import { isId, normalizeAddress } from "./address.ts";
import { floorStep } from "./clock.ts";
import { CONTACTS_MAX, HEARTBEAT_MAX_MS, MEMBERS_MAX, TOMBSTONES_MAX } from "./limits.ts";
import type { WireError } from "./wire.ts";
import { ageOf, isUp } from "./table.ts";

export interface Hello {
  readonly id: string;
  readonly ids: readonly string[];
  readonly tombstones: readonly string[];
  /** The speaker's own address first. */
  readonly addresses: readonly string[];
}

/** Formats the text; every line ends in a line feed, and an empty list is an empty line. */
export function formatHello(hello: Hello): string {
  const lines = [`hello ${hello.id}`, hello.ids.join(" "), hello.tombstones.join(" ")];
  return [...lines, ...hello.addresses].join("\n") + "\n";
}

/**
 * Parses a Go node's text. Its known faults are harmless here: it leaves itself out of line 2, lists decommissioned
 * IDs there too, and doubles spaces in line 3. IDs and addresses outside the grammar are dropped and counted.
 */
export function parseHello(text: string): (Hello & { readonly dropped: number }) | WireError {
  const [first, afterFirst] = cut(text);
  const [second, afterSecond] = cut(afterFirst);
  const [third, rest] = cut(afterSecond);
  const id = first.startsWith("hello ") ? first.slice("hello ".length).trim() : "";
  if (!isId(id)) return { error: "the text does not begin with 'hello ' and an ID" };
  const ids = readTokens(second, " ", { read: readId, max: MEMBERS_MAX });
  const tombstones = readTokens(third, " ", { read: readId, max: TOMBSTONES_MAX });
  const addressesMax = MEMBERS_MAX + CONTACTS_MAX;
  const addresses = readTokens(rest, "\n", { read: normalizeAddress, max: addressesMax });
  return {
    id,
    ids: ids.values,
    tombstones: tombstones.values,
    addresses: addresses.values,
    dropped: ids.dropped + tombstones.dropped + addresses.dropped,
  };
}

/** The first line, and what follows it. */
function cut(text: string): [line: string, rest: string] {
  const end = text.indexOf("\n");
  return end < 0 ? [text, ""] : [text.slice(0, end), text.slice(end + 1)];
}

/** Tokens read, as a multiple of those taken: a text of 8 MiB can hold millions, empty ones among them. */
const TOKENS_READ = 2;

/** Reads up to `max` tokens, one after the other: an array of them all would be as large as a hostile text wants. */
function readTokens(
  text: string,
  separator: string,
  { read, max }: { read: (token: string) => string | undefined; max: number },
): { values: string[]; dropped: number } {
  const values: string[] = [];
  let dropped = 0;
  let at = 0;
  for (let count = 0; at < text.length; count++) {
    // What is left is not even counted.
    if (count === TOKENS_READ * max) return { values, dropped: dropped + 1 };
    const found = text.indexOf(separator, at);
    const end = found < 0 ? text.length : found;
    const token = text.slice(at, end).trim();
    at = end + 1;
    if (token === "") continue;
    const value = values.length < max ? read(token) : undefined;
    if (value === undefined) dropped++;
    else values.push(value);
  }
  return { values, dropped };
}

function readId(text: string): string | undefined {
  return isId(text) ? text : undefined;
}

/** Merges a Go node's text into the table and the contacts; true if others should know at once. */
export function absorbHello(
  hello: Hello,
  into: { replica: Replica; contacts: Contacts; ownAddress: string; intervalMs: number },
  turn: Turn,
): boolean {
  const { replica, contacts, ownAddress, intervalMs } = into;
  const [address = ""] = hello.addresses;
  const row = replica.table.get(hello.id);
  // A node of ours speaks for itself while it lives; when it is gone, a Go node may have taken over its ID.
  const taken = row !== undefined && row.boot !== "" &&
    isUp(replica.verdicts.statusOf(row, turn.nowMs));
  let urgent = !taken && address !== "" &&
    hearGo(replica, { id: hello.id, address, intervalMs }, turn);
  for (const id of hello.tombstones) {
    if (replica.bury(id, "", turn.nowMs) === "changed") urgent = true;
  }
  for (const id of hello.ids) hearOf(replica, id, { via: hello.id, nowMs: turn.nowMs });
  const known = new Set(replica.table.roster().map((row) => row.address)).add(ownAddress);
  for (const address of hello.addresses) if (!known.has(address)) contacts.add(address);
  return urgent;
}

/**
 * Notes that a Go node, which has no heartbeat of its own, is alive at `address`; true if others should know at
 * once.
 */
export function hearGo(
  replica: Replica,
  { id, address, intervalMs }: { id: string; address: string; intervalMs: number },
  { now, nowMs }: Pick<Turn, "now" | "nowMs">,
): boolean {
  const row = replica.table.get(id);
  const before = row ?? replica.forgotten.get(id);
  const known = before?.heartbeat ?? 0;
  const ageMs = before === undefined || known === 0 ? Infinity : ageOf(before, nowMs);
  if (row?.address === address && ageMs < intervalMs / 2) return false;
  // Growing by the age: two nodes that hear it apart make equal stamps only for equal times.
  const paced = known === 0 ? 0 : known + floorStep(ageMs);
  const heartbeat = Math.min(Math.max(paced, floorStep(now.wallMs)), HEARTBEAT_MAX_MS);
  const report = { id, address, boot: "", heartbeat, ageMs: 0, left: "" };
  return replica.merge(report, id, nowMs) === "changed";
}

/** Notes that `id` exists, about which nothing else is known. */
function hearOf(
  replica: Replica,
  id: string,
  { via, nowMs }: { via: string; nowMs: number },
): void {
  if (replica.table.get(id) !== undefined || replica.forgotten.renew(id, nowMs)) return;
  replica.merge({ id, address: "", boot: "", heartbeat: 0, ageMs: 0, left: "" }, via, nowMs);
}

/** The text of `GET /hello`, built again only when the roster or the contacts changed. */
export class HelloText {
  #version = "";
  #text = "";

  of(id: string, address: string, from: { replica: Replica; contacts: Contacts }): string {
    const { replica: { table }, contacts } = from;
    const version = `${table.version} ${contacts.version}`;
    if (version === this.#version) return this.#text;
    const addresses = new Set([address]);
    for (const row of table.roster()) if (row.address !== "") addresses.add(row.address);
    for (const contact of contacts.unanswered()) addresses.add(contact.address);
    this.#version = version;
    this.#text = formatHello({
      id,
      ids: table.roster().map((row) => row.id),
      tombstones: [...table.tombstones()].map((tombstone) => tombstone.id),
      addresses: [...addresses],
    });
    return this.#text;
  }
}
