/**
 * What a node answers, checked and made safe to print: whoever listens there may answer anything. (pure)
 *
 * IDs, statuses and times have a form, and an answer in which one has another is unreadable. Free text is cut and
 * escaped: it can forge no line and move no cursor.
 *
 * @module
 */
import { portsIn, tagsIn } from "../about.ts";
import { ADDRESS_BYTES_MAX, isId, normalizeAddress } from "../address.ts";
import { isWithin } from "../json_bounds.ts";
import { MEMBERS_MAX, TOMBSTONES_MAX } from "../limits.ts";
import type { Uptimes } from "../report/past_views.ts";
import type { ListedMember, StoryView } from "../report/members.ts";
import type { ToldView } from "../report/told_log.ts";
import type { ChangeView } from "../report/stories.ts";
import type { Status } from "../table.ts";
import { escapeText } from "../text.ts";

/** Characters of a reason that are shown: several times what a node says. */
export const SHOWN_REASON_LENGTH_MAX = 1_000;

/** A table is the longest answer: of a member some 14 values without tags and ports, four within each other. */
const JSON_BOUNDS = { depth: 8, values: 24 * (MEMBERS_MAX + TOMBSTONES_MAX) };

/** A node of a later version may know further statuses, which are words like these. */
const STATUS = /^[a-z]{1,32}$/;

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z$/;

/** The answer is not one that a node gives; the message completes "it answers something else: ...". */
export class UnreadableError extends Error {
  override readonly name = "UnreadableError";
}

/** Members of `GET /members` or of a snapshot, in the order of the answer. */
export function readMembers(json: string): ListedMember[] {
  const { members } = readObject(parse(json));
  if (!Array.isArray(members)) throw new UnreadableError("a table without members");
  return members.map(readMember);
}

/** `GET /members/NNN`. */
export function readStory(json: string): StoryView {
  const story = readObject(parse(json));
  if (!Array.isArray(story["history"])) throw new UnreadableError("a member without its history");
  const uptime = readUptimes(story["uptime"]);
  const history = story["history"].map(readChangeFields);
  return { ...readMember(story), uptime, history, told: readTold(story["told"]) };
}

/** Older nodes tell none. */
function readTold(value: unknown): ToldView[] {
  if (!Array.isArray(value)) return [];
  return value.map((entry) => {
    const told = readObject(entry);
    return {
      hook: readReason(told["hook"]),
      to: readStatus(told["to"]),
      by: readId(told["by"]),
      at: readTime(told["at"]),
      result: readReason(told["result"]),
    };
  });
}

/** Older nodes tell none. */
function readUptimes(value: unknown): Uptimes {
  const { day, month, knownMs } = (value ?? {}) as Record<string, unknown>;
  const shareOf = (share: unknown) => typeof share === "number" ? share : null;
  return { day: shareOf(day), month: shareOf(month), knownMs: shareOf(knownMs) ?? 0 };
}

/** A change of `GET /events`. */
export function readChange(json: string): ChangeView {
  return readChangeFields(parse(json));
}

/** `POST /tag`. */
export function readTagsAnswer(json: string): Record<string, string> {
  return tagsIn(readObject(parse(json)));
}

/** `GET /live`. */
export function readAddresses(text: string): string[] {
  return text.split("\n").filter(Boolean).map((line) => {
    const address = normalizeAddress(line);
    if (address !== undefined) return address;
    throw new UnreadableError("a line that is no address");
  });
}

/** JSON on one line of printable ASCII. */
export function jsonLine(json: string): string {
  parse(json);
  // Control characters in valid JSON are blanks between its words.
  return escapeText(json.replace(/[\n\r\t]+/g, " ").trim());
}

/** The first line of a text, cut and escaped. */
export function firstLine(text: string): string {
  return readable(text.trimStart().split("\n")[0]!.trimEnd());
}

function parse(json: string): unknown {
  if (!isWithin(json, JSON_BOUNDS)) throw new UnreadableError("too many or too deep values");
  try {
    return JSON.parse(json);
  } catch {
    throw new UnreadableError("no JSON");
  }
}

function readObject(value: unknown): Record<string, unknown> {
  if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  throw new UnreadableError("no object");
}

function readMember(value: unknown): ListedMember {
  const member = readObject(value);
  return {
    id: readId(member["id"]),
    address: readAddress(member["address"]),
    status: readStatus(member["status"]),
    lastHeartbeat: orNull(readTime, member["lastHeartbeat"]),
    ageMs: orNull(readNumber, member["ageMs"]),
    reason: orNull(readReason, member["reason"]),
    since: orNull(readTime, member["since"]),
    // Nodes of earlier versions have no remarks and tags.
    remark: orNull(readReason, member["remark"] ?? null),
    tags: tagsIn(member["tags"]),
    ports: portsIn(member["ports"]),
  };
}

function readChangeFields(value: unknown): ChangeView {
  const change = readObject(value);
  return {
    id: readId(change["id"]),
    address: readAddress(change["address"]),
    from: orNull(readStatus, change["from"]),
    to: readStatus(change["to"]),
    at: readTime(change["at"]),
    reason: readReason(change["reason"]),
    tags: tagsIn(change["tags"]),
    event: readNumber(change["event"]),
  };
}

function orNull<T>(read: (value: unknown) => T, value: unknown): T | null {
  return value === null ? null : read(value);
}

function readId(value: unknown): string {
  if (typeof value === "string" && isId(value)) return value;
  throw new UnreadableError("a member without an ID");
}

/** Empty where only the ID is known. */
function readAddress(value: unknown): string {
  if (typeof value === "string" && value.length <= ADDRESS_BYTES_MAX) return escapeText(value);
  throw new UnreadableError("a member without an address");
}

function readStatus(value: unknown): Status {
  if (typeof value === "string" && STATUS.test(value)) return value as Status;
  throw new UnreadableError("a member without a status");
}

function readTime(value: unknown): string {
  if (typeof value === "string" && TIME.test(value)) return value;
  throw new UnreadableError("a time that cannot be read");
}

function readNumber(value: unknown): number {
  if (typeof value === "number" && Number.isFinite(value)) return value;
  throw new UnreadableError("a number that cannot be read");
}

function readReason(value: unknown): string {
  if (typeof value === "string") return readable(value);
  throw new UnreadableError("a reason that cannot be read");
}

function readable(text: string): string {
  return escapeText(
    text.length > SHOWN_REASON_LENGTH_MAX ? `${text.slice(0, SHOWN_REASON_LENGTH_MAX)}...` : text,
  );
}
