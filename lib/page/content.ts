/**
 * The page's content in words and order, before it becomes HTML.
 *
 * The server renders it, and sends it as `GET /page.json` to the script of an open page, which writes it into the same
 * places. So order, words and strips are made here alone, and a page that was open for a week shows what a fresh one
 * would.
 *
 * @module
 */
import { tagWords } from "../about.ts";
import { isFolded, matcher } from "../../static/lists.js";
import { durationWords, memberCount, whyWords } from "../../static/words.js";
import { type Headline, headlineOf } from "./headline.ts";
import { drawStrip, type Strip } from "./strip.ts";
import { STRIP_SAMPLES, STRIP_STEP_MS } from "../report/strips.ts";
import { type MemberView, type PageMember, type PageView, tableText } from "../report/members.ts";
import type { ContactView } from "../report/contacts.ts";
import { quietLine } from "../report/quiet.ts";
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
  /** What the member says it is: "role=web". */
  readonly tags: readonly string[];
  /** Why the member is not live; empty while it is. */
  readonly why: string;
  /** How often hooks were told of it. */
  readonly tellings: number;
  readonly strip: Strip;
}

/** Everything that changes on an open page. */
export interface PageState extends Headline {
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
  /** Of the pages of the other nodes: "http" or "https". */
  readonly scheme: string;
  readonly deadAfterMs: number;
  /** Whom hooks say nothing of, in a line; empty for nobody. */
  readonly quiet: string;
  /** Of all members, whatever the filter; in the order of `STATUSES`. */
  readonly counts: Readonly<Record<Status, number>>;
  /** What the names and addresses of all rows end in, which is shown dimmed. */
  readonly suffix: { readonly id: string; readonly address: string };
  /** The time that a strip covers, in words. */
  readonly span: string;
  /** Members that match the filter, trouble first, then by ID, except the decommissioned, which are in `gone`. */
  readonly rows: readonly RowState[];
  readonly gone: readonly RowState[];
  readonly contacts: readonly ContactView[];
  /** How many matched beyond the limits. */
  readonly more: { readonly rows: number; readonly gone: number; readonly contacts: number };
}

/** Orders of the list besides the usual one, trouble first: by ID, address, or the longest silence. */
export const SORTS = ["id", "address", "age"] as const;

export type Sort = typeof SORTS[number];

export interface PageStateOptions {
  readonly sort?: Sort | undefined;
  /** Leave out the live members of a large cluster, but for this one, whose history is open. */
  readonly folded?: { readonly but: string | undefined };
}

/** The page's content; `filter` keeps the members that match every word of it. */
export function pageState(view: PageView, filter = "", options: PageStateOptions = {}): PageState {
  const counts = countStatuses(view.members);
  const { sort, folded } = options;
  const isLeftOut = folded !== undefined && isFolded(memberCount(counts), filter);
  const found = listed(view, filter);
  const split = found.findIndex((member) => member.status === "decommissioned");
  const gone = split < 0 ? [] : found.slice(split);
  const rows = (split < 0 ? found : found.slice(0, split)).filter(({ id, status }) =>
    !isLeftOut || status !== "live" || id === folded.but
  );
  if (sort !== undefined) rows.sort(ORDERS[sort]);
  const toRow = (member: PageMember) => rowState(member, view);
  const named = view.members.filter(({ status }) => status !== "decommissioned");
  const suffix = {
    id: suffixOf(named.map(({ id }) => id)),
    address: suffixOf(named.map(({ address }) => address)),
  };
  return {
    self: {
      id: view.self.id,
      address: view.self.address,
      version: view.self.version,
      cluster: view.self.cluster === DEFAULT_CLUSTER ? "" : view.self.cluster,
      up: durationWords(view.self.upMs),
    },
    now: view.now,
    scheme: view.tls ? "https" : "http",
    deadAfterMs: view.deadAfterMs,
    quiet: quietLine(view.quiet, view.now),
    ...headlineOf(view, counts, suffix.id),
    suffix,
    counts,
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
  const { verdict } = headlineOf(view, countStatuses(view.members));
  const lines = [verdict, quietLine(view.quiet, view.now)].filter(Boolean);
  return `${lines.join("\n")}\n\n${tableText(listed(view, filter))}`;
}

/** The members that match the filter, trouble first. */
function listed({ members }: PageView, filter: string): PageMember[] {
  const matches = matcher(filter.slice(0, FILTER_LENGTH_MAX), STATUSES);
  // Field by field: a copy of the whole would draw each strip.
  return members.filter(({ id, address, status, tags }) =>
    matches({ id, address, status, tags: tagWords(tags) })
  ).sort(byTrouble);
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

/** Within one order the usual one stays, as sorting keeps it. Ages of the live differ by chance. */
const ORDERS: Readonly<Record<Sort, (a: MemberView, b: MemberView) => number>> = {
  id: (a, b) => a.id < b.id ? -1 : 1,
  address: (a, b) => a.address < b.address ? -1 : a.address > b.address ? 1 : 0,
  age: (a, b) => silenceOf(b) - silenceOf(a),
};

function silenceOf({ status, ageMs }: MemberView): number {
  return status === "live" ? 0 : ageMs ?? Infinity;
}

function rowState(member: PageMember, view: PageView): RowState {
  const { fromMs, startedMs, deadAfterMs } = view;
  return {
    id: member.id,
    address: member.address,
    status: member.status,
    lastHeartbeat: member.lastHeartbeat,
    ageMs: member.ageMs,
    tags: tagWords(member.tags),
    why: whyOf(member),
    tellings: member.tellings,
    strip: drawStrip(member.strip, { fromMs, startedMs, deadAfterMs, changes: member.changes }),
  };
}

/** What stands beside the status: its reason, where it is not live, and what else to know of the member. */
function whyOf({ status, reason, remark }: PageMember): string {
  const why = status === "live" ? "" : whyWords(status, reason ?? "");
  return [why, remark].filter(Boolean).join("; ");
}

/**
 * What all names end in, from a dot before a letter or the port on: ".example.org:8080"; empty for one name. IP
 * addresses end in nothing that another name would.
 */
function suffixOf(all: readonly string[]): string {
  const names = all.filter((name) => /[g-z]/i.test(name));
  const [first = "", ...others] = names.length > 0 ? names : all;
  let length = others.length === 0 ? 0 : first.length;
  for (const name of others) {
    let same = 0;
    while (same < length && first.at(-1 - same) === name.at(-1 - same)) same++;
    length = same;
  }
  const [suffix = ""] = /\.[a-z].*|:\d+$/i.exec(first.slice(first.length - length)) ?? [];
  return suffix;
}
