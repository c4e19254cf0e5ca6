/**
 * The past as text: one line of JSON for each entry, in the file and between nodes. (pure)
 *
 *     [1764000000000,"n3","live","dead","connection refused"]         a change; the node that told it comes last
 *     [1764000000000,1764000060000]                                   a gap: this node was off
 *     [1764000000000,1764000060000,"n4"]                              n4 told what happened in that gap
 *
 * @module
 */
import { isIdText } from "../entries.ts";
import { HEARTBEAT_MAX_MS } from "../limits.ts";
import type { Became, PastChange, PastEntry } from "../report/past.ts";
import { type Status, STATUSES } from "../table.ts";

/** Characters of a reason: a line is about 100 bytes, and 400 at most. */
const PAST_REASON_LENGTH_MAX = 200;

/** Characters that could forge a line or move a cursor. */
const UNSHOWN = /[\p{C}\u2028\u2029]+/gu;

const BECAME: ReadonlySet<unknown> = new Set<Became>([...STATUSES, "forgotten"]);

/** Writes an entry as a line. */
export function encodeEntry(entry: PastEntry): string {
  if (entry.kind === "change") return `${JSON.stringify(encodeChange(entry.change))}\n`;
  const { fromMs, toMs } = entry.gap;
  return `${JSON.stringify(entry.kind === "gap" ? [fromMs, toMs] : [fromMs, toMs, entry.by])}\n`;
}

/** A change as JSON. */
export function encodeChange({ atMs, id, from, to, reason, by }: PastChange): unknown[] {
  const parts = [Math.floor(atMs), id, from, to, reason.slice(0, PAST_REASON_LENGTH_MAX)];
  return by === undefined ? parts : [...parts, by];
}

/** Reads a line; undefined for one that is torn or wrong. */
export function decodeEntry(line: string): PastEntry | undefined {
  let parts: unknown;
  try {
    parts = JSON.parse(line);
  } catch {
    return undefined;
  }
  const change = decodeChange(parts);
  if (change !== undefined) return { kind: "change", change };
  if (!Array.isArray(parts)) return undefined;
  const [fromMs, toMs, by] = parts;
  if (!isTime(fromMs) || !isTime(toMs) || toMs < fromMs) return undefined;
  const gap = { fromMs, toMs };
  if (by === undefined) return { kind: "gap", gap };
  return isIdText(by) ? { kind: "told", gap, by } : undefined;
}

/** Reads a change; undefined for anything else. */
export function decodeChange(parts: unknown): PastChange | undefined {
  if (!Array.isArray(parts)) return undefined;
  const [atMs, id, from, to, reason, by] = parts;
  if (!isTime(atMs) || !isIdText(id) || typeof reason !== "string") return undefined;
  if (!BECAME.has(to) || !(from === null || (BECAME.has(from) && from !== "forgotten"))) {
    return undefined;
  }
  if (by !== undefined && !isIdText(by)) return undefined;
  return {
    atMs,
    id,
    from: from as Status | null,
    to: to as Became,
    by,
    reason: start(reason).replace(UNSHOWN, " ").toWellFormed(),
  };
}

/** Its first characters, joined anew: a slice would keep the megabytes in memory that a peer may have sent. */
function start(reason: string): string {
  if (reason.length <= PAST_REASON_LENGTH_MAX) return reason;
  return [...reason.slice(0, PAST_REASON_LENGTH_MAX)].join("");
}

function isTime(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 &&
    value <= HEARTBEAT_MAX_MS;
}
