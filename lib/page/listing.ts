/**
 * Which members a page lists, and in which order. (pure)
 *
 * @module
 */
import { tagWords } from "../about.ts";
import { isFolded, matcher, PAGE_ROWS, PAGE_ROWS_MAX } from "../../static/lists.js";
import type { ListedMember, MemberView } from "../report/members.ts";
import { STATUSES } from "../table.ts";

/** Characters of a filter: enough for an ID, an address and a status. */
export const FILTER_LENGTH_MAX = 400;

/** Orders of the list besides the usual one, trouble first: by ID, address, or the longest silence. */
export const SORTS = ["id", "address", "age"] as const;

export type Sort = typeof SORTS[number];

/** What is listed; without anything the first rows. */
export interface Wish {
  /** Keeps the members that match every word of it. */
  readonly filter?: string | undefined;
  readonly sort?: Sort | undefined;
  /** A member that is listed also where those like it are left out: its history is open. */
  readonly open?: string | undefined;
  /** Begins behind this member, if it is on the list. */
  readonly after?: string | undefined;
  /** As many rows, `PAGE_ROWS_MAX` at most; undefined: the first page. */
  readonly rows?: number | undefined;
}

export interface Listing {
  /** Trouble first, then by ID. */
  readonly rows: readonly ListedMember[];
  /** The decommissioned. */
  readonly gone: readonly ListedMember[];
  /** How many rows come before these and after them. */
  readonly before: number;
  readonly more: number;
}

/** The members that the page lists, of `count` that are not decommissioned. */
export function list(members: readonly ListedMember[], count: number, wish: Wish): Listing {
  const { filter = "", sort, open, after, rows: wanted = PAGE_ROWS } = wish;
  // Left out before anything is sorted, and matched: nearly all of a large cluster.
  const few = isFolded(count, filter)
    ? members.filter(({ id, status }) => status !== "live" || id === open)
    : members;
  const found = matching(few, filter);
  const split = found.findIndex((member) => member.status === "decommissioned");
  const gone = split < 0 ? [] : found.slice(split);
  const rows = split < 0 ? found : found.slice(0, split);
  if (sort !== undefined) rows.sort(ORDERS[sort]);
  const before = after === undefined ? 0 : rows.findIndex(({ id }) => id === after) + 1;
  const shown = rows.slice(before, before + Math.min(wanted, PAGE_ROWS_MAX));
  return { rows: shown, gone, before, more: rows.length - before - shown.length };
}

/** The members that match the filter, trouble first. */
export function matching(members: readonly ListedMember[], filter: string): ListedMember[] {
  const matches = matcher(filter.slice(0, FILTER_LENGTH_MAX), STATUSES);
  const found = filter.trim() === "" ? [...members] : members.filter((
    { id, address, status, tags },
  ) => matches({ id, address, status, tags: tagWords(tags) }));
  return found.sort(byTrouble);
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
