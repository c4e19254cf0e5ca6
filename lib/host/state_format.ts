/**
 * What a node remembers across restarts, and the text of its state file. (pure)
 *
 * Kept are the ID, the highest heartbeat, the members, the tombstones and what hooks were told. A node that starts
 * again is the same node, finds the others without `-join`, shows who is missing, tells nothing twice, and undoes no
 * decommission, even if all nodes were stopped at once.
 *
 * @module
 */
import { normalizeAddress } from "../address.ts";
import type { Gossip } from "../gossip.ts";
import { SetHash } from "../hash.ts";
import { HEARTBEAT_MAX_MS, TOMBSTONES_MAX } from "../limits.ts";
import { ageOf, isUp, type Row } from "../table.ts";
import { TOLD_MAX } from "../told.ts";
import { BOOT, isHeartbeat, isIdText } from "../entries.ts";
import { decodeTold, encodeTold, type SavedTold, saveTold } from "./state_told.ts";

/** Addresses kept, the last heard first: any node that answers tells the rest. */
export const SAVED_ADDRESSES_MAX = 256;

/** Members kept, the last heard first: the largest cluster that is intended, in some 400 KB. */
export const SAVED_MEMBERS_MAX = 4_096;

/** Characters of the longest state file: all tombstones, members and addresses at their longest, with room to spare. */
export const STATE_LENGTH_MAX = 16 * 1024 * 1024;

/** The value of the file's first field. */
const FORMAT = "gossiper state";

/** Grows when older programs can no longer read the file: they skip fields that they do not know. */
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
  /** Members that ran, or should have; none in a file of gossiper 1.0. */
  readonly members: readonly SavedMember[];
  readonly tombstones: readonly { readonly id: string; readonly by: string }[];
  /** What hooks were told. */
  readonly told: readonly SavedTold[];
}

/** A member as this node last heard it. */
export interface SavedMember {
  readonly id: string;
  readonly address: string;
  /** Empty for a Go node. */
  readonly boot: string;
  readonly heartbeat: number;
  /** When that heartbeat was made, in ms since the epoch by this node's wall clock. */
  readonly heardAtMs: number;
}

/** Writes the text of a state file, one entry per line, so that it can be read and compared. */
export function encodeSaved(saved: Saved): string {
  const { id, cluster, heartbeat, addresses, members, tombstones, told } = saved;
  const body = {
    format: FORMAT,
    version: VERSION,
    id,
    cluster,
    heartbeat,
    addresses,
    members: members.map((m) => [m.id, m.address, m.boot, m.heartbeat, m.heardAtMs]),
    tombstones: tombstones.map(({ id, by }) => [id, by]),
    // Left out where there are no hooks: the file stays as it was.
    ...(told.length > 0 && { told: told.map(encodeTold) }),
  };
  const lines = Object.entries({ ...body, check: checkOf(body) }).map(([name, value]) => {
    const text = Array.isArray(value)
      ? `[\n  ${value.map((entry) => JSON.stringify(entry)).join(",\n  ")}\n ]`
      : JSON.stringify(value);
    return ` ${JSON.stringify(name)}: ${text}`;
  });
  return `{\n${lines.join(",\n")}\n}\n`;
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
  const { id, cluster, heartbeat, addresses, members = [], tombstones, told = [] } = body;
  if (!isIdText(id) || !isIdText(cluster)) return undefined;
  if (!Number.isSafeInteger(heartbeat)) return undefined;
  if (Number(heartbeat) < 0 || Number(heartbeat) > HEARTBEAT_MAX_MS) return undefined;
  if (!Array.isArray(addresses) || addresses.length > SAVED_ADDRESSES_MAX) return undefined;
  if (!addresses.every(isAddress)) return undefined;
  if (!Array.isArray(members) || members.length > SAVED_MEMBERS_MAX) return undefined;
  if (!members.every(isMember)) return undefined;
  if (!Array.isArray(tombstones) || tombstones.length > TOMBSTONES_MAX) return undefined;
  if (!tombstones.every(isTombstone)) return undefined;
  if (!Array.isArray(told) || told.length > TOLD_MAX) return undefined;
  return {
    id,
    cluster,
    heartbeat: Number(heartbeat),
    addresses,
    members: members.map(([id, address, boot, heartbeat, heardAtMs]) => {
      return { id, address, boot, heartbeat, heardAtMs };
    }),
    tombstones: tombstones.map(([id, by]) => ({ id, by })),
    // A later program may tell of what this one does not know.
    told: told.flatMap((entry) => decodeTold(entry) ?? []),
  };
}

/** What to remember of a running node. */
export function snapshot(
  gossip: Gossip,
  of: { id: string; address: string; cluster: string; wallMs: number; random: () => number },
): Saved {
  const { table } = gossip.replica;
  const { id, address, cluster, wallMs, random } = of;
  const others = table.roster().filter((row) => row.id !== id && row.address !== "");
  const rank = new Map(others.map((row) => {
    // Live members in random order, or all nodes of a restarted cluster would call the same few; then by heartbeat.
    return [row, isUp(gossip.statusOf(row)) ? HEARTBEAT_MAX_MS + random() : row.heartbeat];
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
    members: membersOf(gossip, of),
    tombstones: Array.from(table.tombstones(), ({ id, by }) => ({ id, by })),
    told: saveTold(gossip.tellings.remembered(gossip.nowMs), wallMs),
  };
}

/** The members to remember, the last heard first. Those that left as planned, or were never heard, are not missed. */
function membersOf(
  gossip: Gossip,
  { id: ownId, wallMs }: { id: string; wallMs: number },
): SavedMember[] {
  const { nowMs, replica: { table, former } } = gossip;
  const startMs = wallMs - nowMs;
  const heardAtMs = (row: Row) => Math.floor(wallMs - ageOf(row, nowMs) - former.beforeMs(row));
  const members: SavedMember[] = [];
  for (const row of table.roster()) {
    if (row.id === ownId || row.heartbeat === 0 || row.left !== "") continue;
    const { id, address, boot, heartbeat } = row;
    members.push({ id, address, boot, heartbeat, heardAtMs: heardAtMs(row) });
  }
  for (const { beforeMs, ...member } of former.pending()) {
    if ((table.get(member.id)?.heartbeat ?? 0) > 0 || table.tombstone(member.id)) continue;
    members.push({ ...member, heardAtMs: Math.floor(startMs - beforeMs) });
  }
  return members.sort((a, b) => b.heardAtMs - a.heardAtMs).slice(0, SAVED_MEMBERS_MAX);
}

/** Gives a node that was just created its memory back; the addresses are among its contacts already. */
export function restore(
  gossip: Gossip,
  saved: Saved,
  { id, wallMs }: { id: string; wallMs: number },
): void {
  const { replica, nowMs } = gossip;
  for (const tombstone of saved.tombstones) replica.bury(tombstone.id, tombstone.by, nowMs);
  if (saved.id === id) replica.jumpPast(saved.heartbeat, nowMs);
  for (const { heardAtMs, ...member } of saved.members) {
    if (member.id === id) continue;
    replica.former.add({ ...member, beforeMs: Math.max(0, wallMs - heardAtMs) });
  }
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

function isAddress(value: unknown): value is string {
  return typeof value === "string" && normalizeAddress(value) === value;
}

function isMember(value: unknown): value is [string, string, string, number, number] {
  if (!Array.isArray(value) || value.length !== 5) return false;
  const [id, address, boot, heartbeat, heardAtMs] = value;
  return isIdText(id) && (address === "" || isAddress(address)) &&
    typeof boot === "string" && BOOT.test(boot) &&
    isHeartbeat(heartbeat) && heartbeat > 0 && Number.isSafeInteger(heardAtMs);
}

function isTombstone(value: unknown): value is [string, string] {
  return Array.isArray(value) && value.length === 2 && isIdText(value[0]) &&
    (value[1] === "" || isIdText(value[1]));
}
