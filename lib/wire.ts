/**
 * The JSON body of an exchange, as it travels under `/hello`.
 *
 * Parsing never throws and trusts nothing: a body that is wrong as a whole is an error in one line; a wrong row among
 * good ones is dropped and counted, so that one bad entry cannot keep a table from its peers.
 *
 * @module
 */
import { ABOUT_BYTES_MAX, takeAbout } from "./about.ts";
import { normalizeAddress } from "./address.ts";
import { type Accept, ACCEPT_WITNESSES_MAX, ACCEPTED_MAX } from "./accepts.ts";
import { type Buckets, bucketsText, readBuckets } from "./buckets.ts";
import { type Charge, CHARGED_MAX, WITNESSES_MAX } from "./charges.ts";
import { decodeColumns } from "./columns.ts";
import { BOOT, isHeartbeat, isIdText, isText, listText, readList } from "./entries.ts";
import { type Mark, MARKS_TOLD_MAX } from "./forgotten.ts";
import { isWithin } from "./json_bounds.ts";
import {
  AGE_MAX_MS,
  MEMBERS_MAX,
  REASON_LENGTH_MAX,
  ROWS_BYTES_MAX,
  TOMBSTONES_MAX,
  VALUE_BYTES,
} from "./limits.ts";
import { SLOW_MAX, type Slowness } from "./slow.ts";
import type { Columns } from "./stamps.ts";
import type { Mutable, Report } from "./table.ts";
import type { Ticks } from "./ticks.ts";
import { readTicks, ticksText } from "./ticks_wire.ts";
import type { TidingsPart } from "./tidings.ts";
import { readTidings, TIDINGS_VALUES_MAX, tidingsText } from "./tidings_wire.ts";

/** The version of the JSON body this node speaks. */
export const WIRE_VERSION = 2;

/** A push or a pull: one side of an exchange. Every part but the hash may be missing. */
export interface Message {
  /** The hash of the sender's roster (see table.ts). */
  readonly roster: string;
  /** In an answer: who answers. */
  readonly id?: string;
  /** In an answer to the caller's own ID: tells a node that called itself from one that has a twin. */
  readonly boot?: string;
  /** Heartbeats and ages in the sender's roster order: readable only where the rosters are equal. */
  readonly columns?: Columns;
  /** The same as ticks (ticks.ts). */
  readonly ticks?: Ticks;
  /** The sender reads ticks; its own are so many ms apart. */
  readonly unitMs?: number;
  /** Members that read ticks, in the sender's roster order (forms.ts). */
  readonly readers?: string;
  /** In an answer: the ticks of the request could not be read, and are asked for as columns. */
  readonly unread?: boolean;
  readonly rows?: readonly Report[];
  readonly tombstones?: readonly { readonly id: string; readonly by: string }[];
  /** Members that were dropped from the table. */
  readonly forgotten?: readonly Mark[];
  readonly charges?: readonly Charge[];
  readonly accepts?: readonly Accept[];
  readonly slow?: readonly Slowness[];
  /** What is said for the sake of hooks. */
  readonly tidings?: TidingsPart;
  /** In a request: `rows` and `tombstones` are all that the caller has, so answer with what they lack. */
  readonly full?: boolean;
  /** The hashes of the roster's parts: the other differs somewhere (repair.ts). */
  readonly buckets?: Buckets;
  /** With `buckets`: heartbeats are late at the caller, so answer with those of the parts that are equal as well. */
  readonly late?: boolean;
  /** Entries left out because they broke a rule. */
  readonly dropped: number;
}

/** A message about to be sent; its columns are already encoded. */
export interface Draft extends Mutable<Omit<Message, "columns" | "dropped">> {
  /** The sender's own heartbeat, from which the columns count. */
  beat?: number;
  beats?: string;
}

/** What is wrong with a text as a whole, in one line. */
export interface WireError {
  readonly error: string;
}

/**
 * Characters of a text that is parsed unchecked, as nothing in it can cost much: a push of 20,000 members has fewer.
 */
const SHORT_LENGTH = 65_536;

/**
 * What a body may hold: its rows are three deep, and words in them as deep as older nodes pass them on; all lists at
 * their longest, each value, list and comma counted. So no row among many makes the whole body one that is refused.
 */
const BODY_BOUNDS = {
  depth: 3 + ABOUT_BYTES_MAX / 2,
  values: ROWS_BYTES_MAX / VALUE_BYTES + TOMBSTONES_MAX * 3 + CHARGED_MAX * WITNESSES_MAX * 4 +
    ACCEPTED_MAX * ACCEPT_WITNESSES_MAX * 4 + SLOW_MAX * 4 + MARKS_TOLD_MAX * 4 +
    TIDINGS_VALUES_MAX + 100,
};

const HASH = /^[0-9a-f]{16}$/;
const REASON = new RegExp(`^[A-Za-z0-9 ._-]{0,${REASON_LENGTH_MAX}}$`);

/**
 * Encodes the JSON body of an exchange. Concatenated, as IDs, hashes and columns need no escapes: a fifth of the
 * time.
 */
export function encodeMessage(draft: Draft): string {
  const { id, boot, roster, beat, beats, rows, tombstones, charges } = draft;
  let text = `{"v":${WIRE_VERSION}`;
  if (id !== undefined) text += `,"id":"${id}"`;
  text += `,"roster":"${roster}"`;
  if (boot !== undefined) text += `,"boot":"${boot}"`;
  if (draft.full) text += ',"full":true';
  if (draft.late) text += ',"late":true';
  if (draft.buckets) text += `,"buckets":"${bucketsText(draft.buckets)}"`;
  if (beat !== undefined) text += `,"beat":${beat},"beats":"${beats}"`;
  text += ticksText(draft);
  if (draft.unread) text += ',"unread":true';
  if (rows) text += `,"rows":[${rows.map(rowText).join(",")}]`;
  if (tombstones) {
    const entries = tombstones.map(({ id, by }) => by === "" ? [id] : [id, by]);
    text += `,"tombstones":${JSON.stringify(entries)}`;
  }
  const { forgotten, accepts, slow } = draft;
  text += listText("forgotten", forgotten?.map((m) => [m.id, m.heartbeat, Math.floor(m.ageMs)]));
  text += listText("charges", charges?.map((c) => [c.member, c.witness, c.upTo]));
  text += listText("accepts", accepts?.map((a) => [a.member, a.witness, a.at]));
  text += listText("slow", slow?.map((s) => [s.member, Math.floor(s.gapMs), s.at]));
  if (draft.tidings) text += tidingsText(draft.tidings);
  return text + "}";
}

function rowText({ id, address, heartbeat, ageMs, boot, left, about }: Report): string {
  const entry = [id, address, heartbeat, Math.floor(ageMs), boot];
  if (left !== "" || about !== undefined) entry.push(left);
  const text = JSON.stringify(entry);
  return about === undefined ? text : `${text.slice(0, -1)},${about.text}]`;
}

/** Decodes the JSON body of an exchange, push or answer. */
export function decodeMessage(text: string): Message | WireError {
  if (text.length > SHORT_LENGTH && !isWithin(text, BODY_BOUNDS)) {
    return { error: "the body holds too many or too deep values" };
  }
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return { error: "the body is not JSON" };
  }
  if (!isRecord(body)) return { error: "the body is not a JSON object" };
  if (body.v !== WIRE_VERSION) {
    return { error: `the body's version is not ${WIRE_VERSION}, the only one known here` };
  }
  const { id, boot, roster, beat, beats } = body;
  if (!isText(roster, HASH)) return { error: "'roster' must be 16 hex digits" };
  if (id !== undefined && !isIdText(id)) {
    return { error: "'id' is not an ID" };
  }
  let columns: Columns | undefined;
  if (beats !== undefined) {
    if (!isHeartbeat(beat) || typeof beats !== "string") {
      return { error: "'beats' must be text, and 'beat' a heartbeat" };
    }
    columns = decodeColumns(beats, beat);
    if (columns === undefined) return { error: "'beats' is not columns of numbers" };
  }
  const rows = readList(body.rows, readRow, MEMBERS_MAX);
  const tombstones = readList(body.tombstones, readTombstone, TOMBSTONES_MAX);
  const charges = readList(body.charges, readCharge, CHARGED_MAX * WITNESSES_MAX);
  const accepts = readList(body.accepts, readAccept, ACCEPTED_MAX * ACCEPT_WITNESSES_MAX);
  const slow = readList(body.slow, readSlowness, SLOW_MAX);
  const forgotten = readList(body.forgotten, readMark, MARKS_TOLD_MAX);
  const tidings = readTidings(body);
  // Filled in one by one: spreading optional parts would cost more than the parsing.
  const message: Mutable<Message> = {
    roster,
    dropped: (rows?.dropped ?? 0) + (tombstones?.dropped ?? 0) + (charges?.dropped ?? 0) +
      (accepts?.dropped ?? 0) + (slow?.dropped ?? 0) + (forgotten?.dropped ?? 0) +
      tidings.dropped,
  };
  if (id !== undefined) message.id = id;
  if (isText(boot, BOOT)) message.boot = boot;
  if (columns) message.columns = columns;
  Object.assign(message, readTicks(body));
  if (body.unread === true) message.unread = true;
  if (tidings.part) message.tidings = tidings.part;
  if (rows) message.rows = rows.entries;
  if (tombstones) message.tombstones = tombstones.entries;
  if (charges) message.charges = charges.entries;
  if (accepts) message.accepts = accepts.entries;
  if (slow) message.slow = slow.entries;
  if (forgotten) message.forgotten = forgotten.entries;
  if (body.full === true) message.full = true;
  if (body.late === true) message.late = true;
  const buckets = readBuckets(body.buckets);
  if (buckets) message.buckets = buckets;
  return message;
}

function readRow(entry: unknown[]): Report | undefined {
  const [id, address, heartbeat, ageMs, boot, left = "", words] = entry;
  if (!isIdText(id) || !isHeartbeat(heartbeat)) return undefined;
  if (typeof address !== "string" || !isText(boot, BOOT) || !isText(left, REASON)) return undefined;
  if (typeof ageMs !== "number" || !(ageMs >= 0)) return undefined;
  const normal = address === "" ? "" : normalizeAddress(address);
  if (normal === undefined) return undefined;
  const about = words === undefined ? undefined : takeAbout(words);
  if (words !== undefined && about === undefined) return undefined;
  return { id, address: normal, heartbeat, ageMs: Math.min(ageMs, AGE_MAX_MS), boot, left, about };
}

function readTombstone(entry: unknown[]): { id: string; by: string } | undefined {
  const [id, by = ""] = entry;
  if (!isIdText(id)) return undefined;
  if (by !== "" && !isIdText(by)) return undefined;
  return { id, by };
}

function readCharge(entry: unknown[]): Charge | undefined {
  const [member, witness, upTo] = entry;
  if (!isIdText(member)) return undefined;
  if (!isIdText(witness)) return undefined;
  return isHeartbeat(upTo) ? { member, witness, upTo } : undefined;
}

function readAccept(entry: unknown[]): Accept | undefined {
  const read = readCharge(entry);
  return read && { member: read.member, witness: read.witness, at: read.upTo };
}

function readSlowness(entry: unknown[]): Slowness | undefined {
  const [member, gapMs, at] = entry;
  if (!isIdText(member) || !isHeartbeat(at)) return undefined;
  // It is passed on in whole ms, and 0 is no gap.
  if (typeof gapMs !== "number" || !(gapMs >= 1)) return undefined;
  return { member, gapMs: Math.min(gapMs, AGE_MAX_MS), at };
}

function readMark([id, heartbeat, ageMs]: unknown[]): Mark | undefined {
  if (!isIdText(id) || !isHeartbeat(heartbeat)) return undefined;
  if (typeof ageMs !== "number" || !(ageMs >= 0)) return undefined;
  return { id, heartbeat, ageMs: Math.min(ageMs, AGE_MAX_MS) };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
