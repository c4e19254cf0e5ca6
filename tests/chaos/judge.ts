/**
 * Holds what the nodes show against what is really so: the invariants of the design, as far as they can be seen from outside.
 * (pure)
 *
 * @module
 */
import type { ListedMember, MemberView } from "../../lib/report/members.ts";
import type { Truth } from "./truth.ts";

/** A member shown dead while cut off must be live again so many intervals after it could be heard: ten rounds and a verdict's. */
const RETURN_INTERVALS = 12;

/** The invariant's grace for a verdict. */
const GRACE_INTERVALS = 2;

/** A verdict before this share of dead-after is an early one: ages are rounded on the wire. */
const EARLY_SHARE = 0.95;

/** Who has woken for no longer than this accuses nobody: it heard its peers before, and the time it slept does not count. */
const AWAKE_INTERVALS = 1.5;

/** A peer heard no longer ago than this before the sleep was surely heard. */
const HEARD_INTERVALS = 2;

/** A broken invariant. */
export class Violation extends Error {
  override readonly name = "Violation";
  /** Its number in the design. */
  readonly invariant: string;
  /** The nodes whose logs may tell more. */
  readonly ids: readonly string[];

  constructor(invariant: string, ids: readonly string[], text: string) {
    super(text);
    this.invariant = invariant;
    this.ids = ids;
  }
}

/** A process that is asked what it sees. */
export interface Observer {
  readonly id: string;
  /** When it said that it listens. */
  readonly sinceMs: number;
}

/** A row of `GET /members`, as far as it is judged. */
type SeenMember = MemberView & Partial<Pick<ListedMember, "remark">>;

/** One answer to `GET /members`. */
export interface View {
  /** When it was asked. */
  readonly fromMs: number;
  /** When it had answered. */
  readonly untilMs: number;
  readonly rows: ReadonlyMap<string, SeenMember>;
}

interface Memory {
  readonly heartbeats: Map<string, number>;
  /** What it showed last, and when. */
  rows: ReadonlyMap<string, MemberView>;
  shownMs: number;
}

export interface JudgeOptions {
  readonly truth: Truth;
  readonly intervalMs: number;
  readonly deadAfterMs: number;
}

export class Judge {
  readonly #options: JudgeOptions;
  readonly #memories = new WeakMap<Observer, Memory>();
  /** By decommissioned ID: the processes that know it. */
  readonly #buriers = new Map<string, Set<Observer>>();
  /** Rows checked. */
  rows = 0;

  constructor(options: JudgeOptions) {
    this.#options = options;
  }

  /** The longest that anybody who is silent may be shown live. */
  get verdictMs(): number {
    return this.#options.deadAfterMs + GRACE_INTERVALS * this.#options.intervalMs;
  }

  /** Checks all that `observer` showed; throws a Violation. */
  view(observer: Observer, view: View): void {
    this.#options.truth.spread(view.untilMs);
    const memory = this.#memoryOf(observer);
    const before = memory.rows;
    // The change to what it shows now may be older than a stop, or came while it starved: then it takes as long as any
    // return.
    const isFresh = this.#options.truth.wellSinceMs(observer.id) < memory.shownMs;
    for (const row of view.rows.values()) {
      this.rows++;
      this.#checkHeartbeat(observer, row, memory);
      if (row.status === "decommissioned") this.bury(observer, row.id);
      if (row.id === observer.id) continue;
      if (row.status === "live") this.#checkLate(observer, row, view);
      if (row.status === "dead" || row.status === "unresponsive") {
        this.#checkDead(observer, row, { view, before, isFresh });
      }
    }
    for (const row of before.values()) this.#checkTombstone(observer, row, view);
    memory.rows = view.rows;
    memory.shownMs = view.fromMs;
  }

  /** Checks that `observer` could call `id` dead, as it logged at `atMs`. */
  told(observer: Observer, id: string, atMs: number): void {
    const { rows } = this.#memoryOf(observer);
    const times = { fromMs: atMs, untilMs: atMs };
    const row = rows.get(id);
    if (row !== undefined) this.#checkWaking(observer, row, times);
    const how = { status: "dead", windowMs: this.verdictMs, shownLive: liveIn(rows) };
    this.#checkFalse(observer, id, { ...times, ...how });
  }

  /** Takes down that `observer` knows `id` as decommissioned. */
  bury(observer: Observer, id: string): void {
    const buriers = this.#buriers.get(id) ?? new Set();
    this.#buriers.set(id, buriers.add(observer));
  }

  /** Whether any process that knows the tombstone of `id` still runs. */
  isBuried(id: string, runs: (observer: Observer) => boolean): boolean {
    return [...this.#buriers.get(id) ?? []].some(runs);
  }

  #memoryOf(observer: Observer): Memory {
    let memory = this.#memories.get(observer);
    if (memory === undefined) {
      this.#memories.set(
        observer,
        memory = { heartbeats: new Map(), rows: new Map(), shownMs: -Infinity },
      );
    }
    return memory;
  }

  #checkHeartbeat(observer: Observer, row: MemberView, { heartbeats }: Memory): void {
    if (row.lastHeartbeat === null) return;
    const heartbeat = Date.parse(row.lastHeartbeat);
    const before = heartbeats.get(row.id) ?? -Infinity;
    if (heartbeat < before && row.status !== "decommissioned") {
      const was = new Date(before).toISOString();
      const text = `took ${row.id}'s heartbeat back from ${was} to ${row.lastHeartbeat}`;
      throw new Violation("2", [observer.id, row.id], `${observer.id} ${text}`);
    }
    heartbeats.set(row.id, heartbeat);
  }

  #checkTombstone(observer: Observer, before: MemberView, view: View): void {
    if (before.status !== "decommissioned") return;
    const status = view.rows.get(before.id)?.status;
    if (status === "decommissioned") return;
    const text = `showed ${before.id} decommissioned, and now ${status ?? "not at all"}`;
    throw new Violation("3", [observer.id, before.id], `${observer.id} ${text}`);
  }

  /** Who can't be heard is not live for longer than a verdict takes, but for those who slept, or listened to who did. */
  #checkLate(observer: Observer, row: SeenMember, { fromMs }: View): void {
    const { truth } = this.#options;
    const heardMs = truth.heardMs(observer.id, row.id);
    const { deadAfterMs } = this.#options;
    const lateMs = this.verdictMs - deadAfterMs + silenceMs(row, deadAfterMs);
    if (fromMs <= Math.max(heardMs, truth.stallEndMs) + lateMs) return;
    const since = heardMs === -Infinity
      ? "which it can never have heard"
      : `${seconds(fromMs - heardMs)} after the last heartbeat it can have heard`;
    const text = `${observer.id} shows ${row.id} live, ${since}`;
    throw new Violation("5", [observer.id, row.id], text);
  }

  #checkDead(
    observer: Observer,
    row: MemberView,
    { view, before, isFresh }: {
      view: View;
      before: ReadonlyMap<string, MemberView>;
      isFresh: boolean;
    },
  ): void {
    const { truth, intervalMs, deadAfterMs } = this.#options;
    const { fromMs, untilMs } = view;
    const wasLive = before.get(row.id)?.status === "live";
    const windowMs = wasLive && isFresh
      ? this.verdictMs
      : deadAfterMs + RETURN_INTERVALS * intervalMs;
    const shownLive = liveIn(wasLive ? before : view.rows);
    if (wasLive) this.#checkWaking(observer, before.get(row.id)!, { fromMs, untilMs });
    const { status } = row;
    this.#checkFalse(observer, row.id, { fromMs, untilMs, status, windowMs, shownLive });
    const early = row.ageMs !== null && row.ageMs < EARLY_SHARE * deadAfterMs;
    const sinceMs = fromMs - this.verdictMs;
    if (!early || truth.openSinceMs(row.id) > sinceMs) return;
    if (truth.lastMs("reject", row.id) > sinceMs) return;
    // Who starved is unresponsive until it beats steadily, however young a heartbeat is.
    const returnMs = deadAfterMs + RETURN_INTERVALS * intervalMs;
    if (status === "unresponsive" && truth.wellSinceMs(row.id) > fromMs - returnMs) return;
    const text = `shows ${row.id} ${status} ${seconds(row.ageMs!)} after its heartbeat, ` +
      "though its port was open to all";
    throw new Violation("5", [observer.id, row.id], `${observer.id} ${text}`);
  }

  /** `before` is what it showed last of a member that it calls dead now. */
  #checkWaking(
    observer: Observer,
    before: MemberView,
    { fromMs, untilMs }: { fromMs: number; untilMs: number },
  ): void {
    const { truth, intervalMs } = this.#options;
    const { id, status, ageMs } = before;
    const resumedMs = truth.resumedMs(observer.id);
    if (untilMs > resumedMs + AWAKE_INTERVALS * intervalMs) return;
    if (status !== "live" || ageMs === null || ageMs > HEARD_INTERVALS * intervalMs) return;
    const sinceMs = fromMs - this.verdictMs;
    if (truth.wellSinceMs(id) > sinceMs || truth.lastMs("reject", id) > sinceMs) return;
    // Those it was cut off from heard nothing of it, and tell that to who wakes among them.
    if (truth.goodSinceMs(observer.id, id) > sinceMs || !truth.isConnected(id, sinceMs)) return;
    const text = `calls ${id}, which runs, dead ${seconds(fromMs - resumedMs)} after it woke`;
    throw new Violation("8", [observer.id, id], `${observer.id} ${text}`);
  }

  #checkFalse(
    observer: Observer,
    id: string,
    at: {
      fromMs: number;
      untilMs: number;
      status: string;
      windowMs: number;
      shownLive: Iterable<string>;
    },
  ): void {
    const { truth } = this.#options;
    // News reaches a starved observer late: whoever was well since before that must be live to it too.
    const atMs = Math.min(at.fromMs, truth.starvingSinceMs(observer.id));
    const sinceMs = atMs - at.windowMs;
    const how = { sinceMs, shownLive: at.shownLive };
    if (observer.sinceMs > sinceMs) return;
    const isFalse = truth.mustShowLive(observer.id, id, how) ||
      (at.status === "dead" && truth.mustNotShowDead(observer.id, id, how));
    if (!isFalse) return;
    const starving = truth.isStarving(id) ? ", starved," : "";
    const text = `shows ${id} ${at.status}, which ran${starving} and was connected for ${
      seconds(at.untilMs - sinceMs)
    }`;
    throw new Violation("4", [observer.id, id], `${observer.id} ${text}`);
  }
}

function liveIn(rows: ReadonlyMap<string, MemberView>): string[] {
  return [...rows.values()].filter(({ status }) => status === "live").map(({ id }) => id);
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}

/** How long a member may be silent: who says that its rounds come late, twice as long, six dead-afters at most. */
function silenceMs({ remark }: SeenMember, deadAfterMs: number): number {
  const [, gapSeconds = "0"] = /^slow: its rounds come ([\d.]+) s/.exec(remark ?? "") ?? [];
  return Math.max(deadAfterMs, Math.min(2_000 * Number(gapSeconds) + 100, 6 * deadAfterMs));
}
