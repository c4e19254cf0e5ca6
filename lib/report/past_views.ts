/**
 * The past as people and scripts see it. (pure)
 *
 * @module
 */
import type { Status } from "../table.ts";
import type { Became, Past, PastChange, PastQuery } from "./past.ts";

const DAY_MS = 24 * 3_600_000;

/** How far a caller's "now" may be ahead of this node's: clocks that are kept right differ by less. */
const CALLER_AHEAD_MS = 1_000;

/** Per cent of the time in which a member was live; null: not known, or it was off as planned all the time. */
export interface Uptimes {
  /** Of the last 24 hours. */
  readonly day: number | null;
  /** Of the last 30 days. */
  readonly month: number | null;
  /** Ms of these 30 days of which this node knows whether the member was live; its planned stops do not count. */
  readonly knownMs: number;
}

/** A change as `GET /history` shows it. */
export interface PastChangeView {
  /** RFC 3339, by the clock of the node that saw it. */
  readonly at: string;
  readonly id: string;
  readonly from: Status | null;
  readonly to: Became;
  readonly reason: string;
  /** The node that told it, as this one was off; null mostly. */
  readonly toldBy: string | null;
}

/** The answer of `GET /history`. */
export interface HistoryView {
  /** The node that answers. */
  readonly id: string;
  /** When the oldest change kept was seen; null: nothing is kept. */
  readonly first: string | null;
  /** Times in which this node was off, and nobody told it what happened. */
  readonly unknown: readonly { readonly from: string; readonly to: string }[];
  /** Oldest first. */
  readonly changes: readonly PastChangeView[];
  /** Give it as `from` for the next page; null: this is the last. */
  readonly next: string | null;
}

/** The answer of `GET /members?at=`: what this node believed at a time. */
export interface MembersAtView {
  /** The node that answers. */
  readonly id: string;
  readonly at: string;
  /** This node ran then, or was told what happened; of the future nobody knows. */
  readonly known: boolean;
  /** Sorted by ID. */
  readonly members: readonly {
    readonly id: string;
    readonly status: Became;
    readonly reason: string;
    readonly since: string;
    readonly toldBy: string | null;
  }[];
}

/** What a node tells one that was off. */
export interface Missed {
  /** It saw all that happened from the asked time on. */
  readonly complete: boolean;
  readonly changes: readonly PastChange[];
  readonly nextMs: number | undefined;
}

/** How much of the last day and month a member was live, at a time in ms since the epoch. */
export function uptimesOf(past: Past, id: string, wallMs: number): Uptimes {
  const of = (ms: number) => {
    const { upMs, knownMs } = past.uptime(id, { fromMs: wallMs - ms, toMs: wallMs });
    // Never 100 for one that was down for a moment.
    return { share: knownMs === 0 ? null : Math.floor(upMs / knownMs * 1e5) / 1e3, knownMs };
  };
  const month = of(30 * DAY_MS);
  return { day: of(DAY_MS).share, month: month.share, knownMs: month.knownMs };
}

/** One page of the changes that a query asks for, and the times of which this node knows nothing. */
export function historyView(
  past: Past,
  { fromMs, toMs, id }: PastQuery,
  selfId: string,
): HistoryView {
  const { changes, nextMs } = past.page({ fromMs, toMs, id });
  const gaps = past.gaps.filter((gap) => gap.toMs > fromMs && gap.fromMs < toMs);
  return {
    id: selfId,
    first: past.firstMs === undefined ? null : timeOf(past.firstMs),
    unknown: gaps.map((gap) => ({ from: timeOf(gap.fromMs), to: timeOf(gap.toMs) })),
    changes: changes.map(({ atMs, id, from, to, reason, by }) => {
      return { at: timeOf(atMs), id, from, to, reason, toldBy: by ?? null };
    }),
    next: nextMs === undefined ? null : timeOf(nextMs),
  };
}

/** What this node believed at `ms` since the epoch; `id` and `wallMs` are its own, now. */
export function membersAtView(
  past: Past,
  ms: number,
  { id, wallMs }: { readonly id: string; readonly wallMs: number },
): MembersAtView {
  const known = past.firstMs !== undefined && past.firstMs <= ms &&
    ms <= wallMs + CALLER_AHEAD_MS &&
    !past.gaps.some(({ fromMs, toMs }) => fromMs <= ms && ms < toMs);
  const members = past.at(ms).map(({ id, to, reason, atMs, by }) => {
    return { id, status: to, reason, since: timeOf(atMs), toldBy: by ?? null };
  });
  return { id, at: timeOf(ms), known, members };
}

/** One page of what this node saw, for a node that was off; none of it unless it saw all. */
export function missedOf(past: Past, query: PastQuery): Missed {
  const { fromMs, toMs } = query;
  const complete = (past.firstMs ?? Infinity) <= fromMs &&
    !past.gaps.some((gap) => gap.toMs > fromMs && gap.fromMs < toMs);
  return { complete, ...complete ? past.page(query) : { changes: [], nextMs: undefined } };
}

/** RFC 3339, in UTC and to the ms. */
export function timeOf(ms: number): string {
  return new Date(ms).toISOString();
}
