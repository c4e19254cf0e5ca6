/**
 * Living with the first gossiper's Go nodes: what their text tells this node, and the text it gives them.
 *
 * A Go node has no heartbeat, so whoever hears it directly makes one for it. What it lists is hearsay: it lists the
 * dead
 * and the decommissioned among the living, so its IDs are only heard of, and its addresses are contacts to ask.
 *
 * @module
 */
import type { Contacts } from "./contacts.ts";
import { formatHello, type Hello } from "./hello.ts";
import type { Replica } from "./replica.ts";
import type { Turn } from "./effects.ts";

/** Joins a Go node's text into the table and the contacts; true if others should know at once. */
export function absorbHello(
  hello: Hello,
  into: { replica: Replica; contacts: Contacts; ownAddress: string },
  turn: Turn,
): boolean {
  const { replica, contacts, ownAddress } = into;
  const [address = ""] = hello.addresses;
  const row = replica.table.get(hello.id);
  // A node of ours speaks for itself while it lives; when it is gone, a Go node may have taken over its ID.
  const taken = row !== undefined && row.boot !== "" &&
    replica.watch.statusOf(row, turn.nowMs) === "live";
  let urgent = !taken && address !== "" && replica.hearGo(hello.id, address, turn);
  for (const id of hello.tombstones) {
    if (replica.bury(id, "", turn.nowMs) === "changed") urgent = true;
  }
  for (const id of hello.ids) replica.hearOf(id, hello.id, turn.nowMs);
  const known = new Set(replica.table.roster().map((row) => row.address)).add(ownAddress);
  for (const address of hello.addresses) if (!known.has(address)) contacts.add(address);
  return urgent;
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
