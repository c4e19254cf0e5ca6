/**
 * What a node remembers across restarts, and the text of its state file. (pure)
 *
 * Kept are the ID, the highest heartbeat, the members' addresses and the tombstones. A node that starts again is the
 * same node, finds the others without `-join`, and undoes no decommission, even if all nodes were stopped at once.
 *
 * @module
 */
import { isId, normalizeAddress } from "../address.ts";
import type { Gossip } from "../gossip.ts";
import { SetHash } from "../hash.ts";
import { HEARTBEAT_MAX_MS, TOMBSTONES_MAX } from "../limits.ts";

/** Addresses kept, the last heard first: any node that answers tells the rest. */
export const SAVED_ADDRESSES_MAX = 256;

/** Characters of the longest state file: all tombstones and addresses at their longest, with room to spare. */
export const STATE_LENGTH_MAX = 16 * 1024 * 1024;

/** The value of the file's first field. */
const FORMAT = "gossiper state";

/** Grows when older programs can no longer read the file. */
const VERSION = 1;

/** The contents of a state file. */
export interface Saved {
  readonly id: string;
  /** The cluster's name: the tombstones of one cluster must not get into another. */
  readonly cluster: string;
  /** The highest heartbeat that this node made. */
  readonly heartbeat: number;
  /** Where members were, in the order in which to try them. */
  readonly addresses: readonly string[];
  readonly tombstones: readonly { readonly id: string; readonly by: string }[];
}

/** Writes the text of a state file, one entry per line, so that it can be read and compared. */
export function encodeSaved(saved: Saved): string {
  const { id, cluster, heartbeat, addresses, tombstones } = saved;
  const body = {
    format: FORMAT,
    version: VERSION,
    id,
    cluster,
    heartbeat,
    addresses,
    tombstones: tombstones.map(({ id, by }) => [id, by]),
  };
  return `${JSON.stringify({ ...body, check: checkOf(body) }, null, 1)}\n`;
}

/** Reads the text of a state file. An error completes the sentence "Cannot use the state file: it ...". */
export function decodeSaved(text: string): Saved | { readonly error: string } {
  if (text.trim() === "") return { error: "is empty" };
  if (text.length > STATE_LENGTH_MAX) return { error: "is too long for one" };
  const parsed = parse(text);
  if (!isRecord(parsed) || parsed["format"] !== FORMAT) {
    // A truncated file still begins like ours.
    const cut = /^\s*\{\s*"format":\s*"gossiper/.test(text);
    return { error: cut ? "is damaged" : "is not a state file of gossiper" };
  }
  const { check, ...body } = parsed;
  if (typeof body["version"] === "number" && body["version"] > VERSION) {
    return { error: "was written by a newer gossiper" };
  }
  if (check !== checkOf(body)) return { error: "is damaged" };
  return readBody(body) ?? { error: "is damaged" };
}

function readBody(body: Record<string, unknown>): Saved | undefined {
  const { id, cluster, heartbeat, addresses, tombstones } = body;
  if (!isIdText(id) || !isIdText(cluster)) return undefined;
  if (!Number.isSafeInteger(heartbeat)) return undefined;
  if (Number(heartbeat) < 0 || Number(heartbeat) > HEARTBEAT_MAX_MS) return undefined;
  if (!Array.isArray(addresses) || addresses.length > SAVED_ADDRESSES_MAX) return undefined;
  if (!addresses.every(isAddress)) return undefined;
  if (!Array.isArray(tombstones) || tombstones.length > TOMBSTONES_MAX) return undefined;
  if (!tombstones.every(isTombstone)) return undefined;
  return {
    id,
    cluster,
    heartbeat: Number(heartbeat),
    addresses,
    tombstones: tombstones.map(([id, by]) => ({ id, by })),
  };
}

/** What to remember of a running node. */
export function snapshot(
  gossip: Gossip,
  of: { id: string; address: string; cluster: string; random: () => number },
): Saved {
  const { table } = gossip.replica;
  const { id, address, cluster, random } = of;
  const others = table.roster().filter((row) => row.id !== id && row.address !== "");
  const rank = new Map(others.map((row) => {
    // Live members in random order, or all nodes of a restarted cluster would call the same few; then by heartbeat.
    return [row, gossip.statusOf(row) === "live" ? HEARTBEAT_MAX_MS + random() : row.heartbeat];
  }));
  others.sort((a, b) => rank.get(b)! - rank.get(a)!);
  const addresses = new Set(others.map((row) => row.address));
  // Contacts that have not answered since the start: all that the first node of a restarted cluster has.
  for (const contact of gossip.contacts.unanswered()) addresses.add(contact.address);
  addresses.delete(address);
  return {
    id,
    cluster,
    heartbeat: table.get(id)?.heartbeat ?? 0,
    addresses: [...addresses].slice(0, SAVED_ADDRESSES_MAX),
    tombstones: Array.from(table.tombstones(), ({ id, by }) => ({ id, by })),
  };
}

/** Gives a node that was just created its memory back; the addresses are among its contacts already. */
export function restore(gossip: Gossip, saved: Saved, id: string): void {
  const { replica, nowMs } = gossip;
  for (const tombstone of saved.tombstones) replica.bury(tombstone.id, tombstone.by, nowMs);
  if (saved.id === id) replica.jumpPast(saved.heartbeat, nowMs);
}

/** A checksum: it reveals damage, but does not protect from forgery. */
function checkOf(body: Record<string, unknown>): string {
  const hash = new SetHash();
  hash.toggle(JSON.stringify(body));
  return hash.toString();
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isIdText(value: unknown): value is string {
  return typeof value === "string" && isId(value);
}

function isAddress(value: unknown): value is string {
  return typeof value === "string" && normalizeAddress(value) === value;
}

function isTombstone(value: unknown): value is [string, string] {
  return Array.isArray(value) && value.length === 2 && isIdText(value[0]) &&
    (value[1] === "" || isIdText(value[1]));
}
