/**
 * The page's content in words and order, before it becomes HTML.
 *
 * The server renders it, and sends it as `GET /page.json` to the script of an open page, which writes it into the same
 * places. So order, words and strips are made here alone, and a page that was open for a week shows what a fresh one
 * would.
 *
 * @module
 */
import {
  countWords,
  durationWords,
  matcher,
  memberCount,
  numberWords,
  secondWords,
  whyWords,
} from "../../static/words.js";
import { drawStrip, type Strip } from "./strip.ts";
import { STRIP_SAMPLES, STRIP_STEP_MS } from "../report/strips.ts";
import {
  type ContactView,
  type MemberView,
  type PageMember,
  type PageView,
  tableText,
} from "../report/members.ts";
import { DEFAULT_CLUSTER } from "../limits.ts";
import { type Status, STATUSES } from "../table.ts";

/** Rows on the page: as many as a browser lays out at once. The filter finds the others. */
export const PAGE_ROWS_MAX = 2_000;

/** Decommissioned members, and contacts, on the page: their number only grows, and `GET /members` lists all. */
export const PAGE_ASIDE_MAX = 200;

/** Characters of a filter: enough for an ID, an address and a status. */
export const FILTER_LENGTH_MAX = 400;

/** A row of the page. */
export interface RowState extends MemberView {
  /** Why the member is not live; empty while it is. */
  readonly why: string;
  readonly strip: Strip;
}

/** Everything that changes on an open page. */
export interface PageState {
  readonly self: {
    readonly id: string;
    readonly address: string;
    readonly version: string;
    /** Empty for the default cluster. */
    readonly cluster: string;
    /** How long the node has been running, in words. */
    readonly up: string;
  };
  readonly now: string;
  readonly deadAfterMs: number;
  readonly title: string;
  readonly verdict: string;
  readonly tone: "good" | "warn" | "bad";
  /** Of all members, whatever the filter; in the order of `STATUSES`. */
  readonly counts: Readonly<Record<Status, number>>;
  /** The latest change of status, in a sentence; empty if none is known. */
  readonly latest: string;
  /** The time that a strip covers, in words. */
  readonly span: string;
  /** Members that match the filter, trouble first, then by ID, except the decommissioned, which are in `gone`. */
  readonly rows: readonly RowState[];
  readonly gone: readonly RowState[];
  readonly contacts: readonly ContactView[];
  /** How many matched beyond the limits. */
  readonly more: { readonly rows: number; readonly gone: number; readonly contacts: number };
}

/** The page's content; `filter` keeps the members that match every word of it. */
export function pageState(view: PageView, filter = ""): PageState {
  const counts = countStatuses(view.members);
  const sorted = listed(view, filter);
  const split = sorted.findIndex((member) => member.status === "decommissioned");
  const rows = split < 0 ? sorted : sorted.slice(0, split);
  const gone = split < 0 ? [] : sorted.slice(split);
  const toRow = (member: PageMember) => rowState(member, view.deadAfterMs);
  const verdict = verdictWords(counts);
  return {
    self: {
      id: view.self.id,
      address: view.self.address,
      version: view.self.version,
      cluster: view.self.cluster === DEFAULT_CLUSTER ? "" : view.self.cluster,
      up: durationWords(view.self.upMs),
    },
    now: view.now,
    deadAfterMs: view.deadAfterMs,
    title: `${verdict} · ${view.self.id} · Gossiper`,
    verdict,
    tone: counts.dead > 0 ? "bad" : counts.unknown > 0 ? "warn" : "good",
    counts,
    latest: latestWords(view),
    span: durationWords((view.members[0]?.strip.stepMs ?? STRIP_STEP_MS) * STRIP_SAMPLES),
    rows: rows.slice(0, PAGE_ROWS_MAX).map(toRow),
    gone: gone.slice(0, PAGE_ASIDE_MAX).map(toRow),
    contacts: view.contacts.slice(0, PAGE_ASIDE_MAX),
    more: {
      rows: Math.max(0, rows.length - PAGE_ROWS_MAX),
      gone: Math.max(0, gone.length - PAGE_ASIDE_MAX),
      contacts: Math.max(0, view.contacts.length - PAGE_ASIDE_MAX),
    },
  };
}

/** The page for a terminal: its headline and its table, trouble first. */
export function pageText(view: PageView, filter = ""): string {
  const verdict = verdictWords(countStatuses(view.members));
  return `${verdict}\n\n${tableText(listed(view, filter))}`;
}

/** The members that match the filter, trouble first. */
function listed({ members }: PageView, filter: string): PageMember[] {
  return members.filter(matcher(filter.slice(0, FILTER_LENGTH_MAX), STATUSES)).sort(byTrouble);
}

function countStatuses(members: readonly MemberView[]): Record<Status, number> {
  const counts = Object.fromEntries(STATUSES.map((status) => [status, 0])) as Record<
    Status,
    number
  >;
  for (const { status } of members) counts[status]++;
  return counts;
}

function byTrouble(a: MemberView, b: MemberView): number {
  return STATUSES.indexOf(a.status) - STATUSES.indexOf(b.status) ||
    (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
}

function rowState(member: PageMember, deadAfterMs: number): RowState {
  return {
    id: member.id,
    address: member.address,
    status: member.status,
    lastHeartbeat: member.lastHeartbeat,
    ageMs: member.ageMs,
    why: member.status === "live" ? "" : whyWords(member.status, member.reason ?? ""),
    strip: drawStrip(member.strip, deadAfterMs),
  };
}

function verdictWords(counts: PageState["counts"]): string {
  const { dead, unknown, left } = counts;
  const all = memberCount(counts);
  const members = countWords(all, "member");
  if (dead > 0) return `${numberWords(dead)} of ${members} ${dead === 1 ? "is" : "are"} dead`;
  if (unknown > 0) return `No heartbeat yet from ${countWords(unknown, "member")}`;
  if (left > 0) return "No member is dead";
  return all === 1 ? "This node is alone" : `All ${members} are live`;
}

function latestWords({ members, now }: PageView): string {
  const at = members.reduce((max, { since }) => since !== null && since > max ? since : max, "");
  const [latest, ...others] = members.filter((member) => at !== "" && member.since === at);
  if (latest === undefined) return "";
  const { id, status } = latest;
  // For a change of today the time is enough.
  const time = secondWords(at).replace(`${now.slice(0, "2026-01-12".length)} `, "");
  const why = whyWords(status, latest.reason ?? "");
  const more = others.length === 0 ? "" : ` (and ${countWords(others.length, "more change")})`;
  return `${time}: ${id} ${status === "left" ? "left" : `is ${status}`}${why && `, ${why}`}${more}`;
}
