/**
 * The page's content in words and order, before it becomes HTML.
 *
 * The server renders it, and sends it as `GET /page.json` to the script of an open page, which writes it into the same
 * places: whole at first, then what changed (updates.ts). So order, words and strips are made here alone, and a page
 * that was open for a week shows what a fresh one would.
 *
 * @module
 */
import { tagWords } from "../about.ts";
import { MANY, PAGE_ASIDE_MAX } from "../../static/lists.js";
import { durationWords, memberCount, whyWords } from "../../static/words.js";
import { type Headline, headlineOf } from "./headline.ts";
import { mapCells } from "./cells.ts";
import { list, matching, type Wish } from "./listing.ts";
import { drawStrip, type Strip } from "./strip.ts";
import { STRIP_SAMPLES, STRIP_STEP_MS } from "../report/strips.ts";
import { type ListedMember, type MemberView, type PageView, tableText } from "../report/members.ts";
import type { ContactView } from "../report/contacts.ts";
import { quietLine } from "../report/quiet.ts";
import { DEFAULT_CLUSTER } from "../limits.ts";
import { type Status, STATUSES } from "../table.ts";

/** Nodes that are offered where a page loses contact with its own: most of them may be gone with it. */
const OTHERS_MAX = 5;

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
    /** Its pace, where the size of the cluster stretched it; empty elsewhere. */
    readonly pace: string;
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
  /** Some that are live, to ask where this node does not answer. */
  readonly others: readonly Pick<MemberView, "id" | "address">[];
  /** Of all members, whatever the filter: see cells.ts. Empty below `MANY`, and for a page without rows. */
  readonly map: readonly string[];
  /** Members that match the filter, trouble first, then by ID, except the decommissioned, which are in `gone`. */
  readonly rows: readonly RowState[];
  readonly gone: readonly RowState[];
  readonly contacts: readonly ContactView[];
  /** How many rows come before these, where the page is not the first. */
  readonly before: number;
  /** How many matched beyond the limits. */
  readonly more: { readonly rows: number; readonly gone: number; readonly contacts: number };
}

/** The page's content, with the rows that are wished for. */
export function pageState(view: PageView, wish: Wish = {}): PageState {
  const counts = countStatuses(view.members);
  const count = memberCount(counts);
  const { rows, gone, before, more } = list(view.members, count, wish);
  const toRow = (member: ListedMember) => rowState(member, view);
  const suffix = suffixesOf(view.members);
  const isBrief = wish.rows === 0;
  return {
    self: {
      id: view.self.id,
      address: view.self.address,
      version: view.self.version,
      cluster: view.self.cluster === DEFAULT_CLUSTER ? "" : view.self.cluster,
      up: durationWords(view.self.upMs),
      pace: paceWords(view),
    },
    now: view.now,
    scheme: view.tls ? "https" : "http",
    deadAfterMs: view.deadAfterMs,
    quiet: quietLine(view.quiet, view.now),
    ...headlineOf(view, counts, suffix.id),
    suffix,
    counts,
    span: durationWords(stepMsOf(view) * STRIP_SAMPLES),
    others: othersOf(view),
    map: count < MANY || isBrief ? [] : mapCells(view.members),
    rows: rows.map(toRow),
    gone: isBrief ? [] : gone.slice(0, PAGE_ASIDE_MAX).map(toRow),
    contacts: view.contacts.slice(0, PAGE_ASIDE_MAX),
    before,
    more: {
      rows: more,
      gone: Math.max(0, gone.length - PAGE_ASIDE_MAX),
      contacts: Math.max(0, view.contacts.length - PAGE_ASIDE_MAX),
    },
  };
}

function paceWords({ isStretched, intervalMs, deadAfterMs }: PageView): string {
  if (!isStretched) return "";
  return `, a round every ${durationWords(intervalMs)}, dead after ${durationWords(deadAfterMs)}`;
}

/** The page for a terminal: its headline and its table, trouble first. */
export function pageText(view: PageView, filter = ""): string {
  const { verdict } = headlineOf(view, countStatuses(view.members));
  const lines = [verdict, quietLine(view.quiet, view.now)].filter(Boolean);
  return `${lines.join("\n")}\n\n${tableText(matching(view.members, filter))}`;
}

function countStatuses(members: readonly MemberView[]): Record<Status, number> {
  const counts = Object.fromEntries(STATUSES.map((status) => [status, 0])) as Record<
    Status,
    number
  >;
  for (const { status } of members) counts[status]++;
  return counts;
}

function othersOf({ members, self }: PageView): PageState["others"] {
  const others: PageState["others"][number][] = [];
  for (const { id, address, status } of members) {
    if (others.length === OTHERS_MAX) break;
    if (status === "live" && id !== self.id) others.push({ id, address });
  }
  return others;
}

function stepMsOf({ members: [any], details }: PageView): number {
  return any === undefined ? STRIP_STEP_MS : details(any.id).strip.stepMs;
}

function rowState(member: ListedMember, view: PageView): RowState {
  const { fromMs, startedMs, deadAfterMs } = view;
  const { tellings, strip, changes } = view.details(member.id);
  return {
    id: member.id,
    address: member.address,
    status: member.status,
    lastHeartbeat: member.lastHeartbeat,
    ageMs: member.ageMs,
    tags: tagWords(member.tags),
    why: whyOf(member),
    tellings,
    strip: drawStrip(strip, { fromMs, startedMs, deadAfterMs, changes }),
  };
}

/** What stands beside the status: its reason, where it is not live, and what else to know of the member. */
function whyOf({ status, reason, remark }: ListedMember): string {
  const why = status === "live" ? "" : whyWords(status, reason ?? "");
  return [why, remark].filter(Boolean).join("; ");
}

/** What the names and the addresses of all that are not decommissioned end in. */
function suffixesOf(members: readonly ListedMember[]): PageState["suffix"] {
  const named = members.filter(({ status }) => status !== "decommissioned");
  return {
    id: suffixOf(named.map(({ id }) => id)),
    address: suffixOf(named.map(({ address }) => address)),
  };
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
    if (length === 0) break;
    let same = 0;
    while (same < length && first.at(-1 - same) === name.at(-1 - same)) same++;
    length = same;
  }
  const [suffix = ""] = /\.[a-z].*|:\d+$/i.exec(first.slice(first.length - length)) ?? [];
  return suffix;
}
