/**
 * The page's content in words and order, before it becomes HTML.
 *
 * The server renders it, and sends it as `GET /page.json` to the script of an open page, which writes it into the same
 * places. So order, words and strips are made here alone, and a page that was open for a week shows what a fresh one
 * would.
 *
 * @module
 */
import { countWords, durationWords, numberWords, secondWords, whyWords } from "../report/words.ts";
import { drawStrip, type Strip } from "./strip.ts";
import { STRIP_SAMPLES, STRIP_STEP_MS } from "../report/strips.ts";
import type { ContactView, MemberView, PageMember, PageView } from "../report/members.ts";
import type { Status } from "../table.ts";

/** Rows on the page: a browser lays out so many at once; the filter finds the others. */
export const PAGE_ROWS_MAX = 2_000;

/** Decommissioned members and contacts on the page: they only ever grow, and `GET /members` has them all. */
export const PAGE_ASIDE_MAX = 200;

/** Letters of a filter: an ID, an address and a status fit. */
export const FILTER_LENGTH_MAX = 400;

/** A row of the page. */
export interface RowState extends MemberView {
  /** Why the member is not live; empty while it is. */
  readonly why: string;
  readonly strip: Strip;
}

/** All that changes on an open page. */
export interface PageState {
  readonly self: {
    readonly id: string;
    readonly address: string;
    readonly version: string;
    readonly cluster: string;
    /** In words. */
    readonly up: string;
  };
  readonly now: string;
  readonly deadAfterMs: number;
  readonly title: string;
  readonly verdict: string;
  readonly tone: "good" | "warn" | "bad";
  /** Of all members, whatever the filter. */
  readonly counts: Readonly<Record<Status, number>>;
  /** The latest change of status, in a sentence; empty: none is known. */
  readonly latest: string;
  /** The time that a strip covers, in words. */
  readonly span: string;
  /** Those that match the filter, trouble first, then by ID; decommissioned ones stand in `gone`. */
  readonly rows: readonly RowState[];
  readonly gone: readonly RowState[];
  readonly contacts: readonly ContactView[];
  /** How many of each matched but found no room. */
  readonly more: { readonly rows: number; readonly gone: number; readonly contacts: number };
}

/** Trouble first. Those that left stand last: a planned stop is no trouble, and they stay until decommissioned. */
const RANK: Readonly<Record<Status, number>> = {
  dead: 0,
  unknown: 1,
  live: 2,
  left: 3,
  decommissioned: 4,
};

/** The page's content; `filter` keeps the members that match every word of it. */
export function pageState(view: PageView, filter = ""): PageState {
  const counts = { live: 0, dead: 0, left: 0, decommissioned: 0, unknown: 0 };
  for (const member of view.members) counts[member.status]++;
  const matches = matcher(filter);
  const sorted = view.members.filter(matches).sort(byTrouble);
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
      cluster: view.self.cluster ?? "",
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

/** Members but for the decommissioned. */
export function memberCount(counts: PageState["counts"]): number {
  return counts.live + counts.dead + counts.left + counts.unknown;
}

/** A word that is a status means that status; any other is looked for in ID and address. */
function matcher(filter: string): (member: MemberView) => boolean {
  const words = filter.slice(0, FILTER_LENGTH_MAX).toLowerCase().split(/\s+/).filter(Boolean);
  return (member) =>
    words.every((word) =>
      Object.hasOwn(RANK, word)
        ? member.status === word
        : member.id.toLowerCase().includes(word) || member.address.toLowerCase().includes(word)
    );
}

function byTrouble(a: MemberView, b: MemberView): number {
  return RANK[a.status] - RANK[b.status] || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
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
  const all = memberCount(counts);
  if (counts.dead > 0) {
    return `${numberWords(counts.dead)} of ${countWords(all, "member")} ${
      counts.dead === 1 ? "is" : "are"
    } dead`;
  }
  if (counts.unknown > 0) return `${countWords(counts.unknown, "member")} never heard from`;
  if (counts.left > 0) return "No member is dead";
  return all === 1 ? "This node is alone" : `All ${countWords(all, "member")} are live`;
}

function latestWords({ members, now }: PageView): string {
  const at = members.reduce((max, { since }) => since !== null && since > max ? since : max, "");
  const [latest, ...others] = members.filter((member) => at !== "" && member.since === at);
  if (latest === undefined) return "";
  const { id, status } = latest;
  // Of today the time is enough.
  const time = secondWords(at).replace(`${now.slice(0, "2026-01-12".length)} `, "");
  const why = whyWords(status, latest.reason ?? "");
  const more = others.length === 0 ? "" : ` (and ${countWords(others.length, "more change")})`;
  return `${time}: ${id} ${status === "left" ? "left" : `is ${status}`}${why && `, ${why}`}${more}`;
}
