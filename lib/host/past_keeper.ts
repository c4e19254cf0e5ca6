/**
 * A node's past: kept beside its state file, where it has one, and completed by others for the time it did not run.
 *
 * @module
 */
import type { Moment } from "../clock.ts";
import type { Log } from "../log.ts";
import type { World } from "../net/driver.ts";
import { type Gap, isEndless, Past, type PastChange, type PastEntry } from "../report/past.ts";
import type { Row } from "../table.ts";
import { askMissed } from "./ask_missed.ts";
import { writtenMs } from "./files.ts";
import { type FoundPast, PastFile, readPast } from "./past_file.ts";
import type { Saved } from "./state_format.ts";

/** Delay between two nodes that are asked what happened, and how many are about one gap before it rests. */
const ASK_AGAIN_MS = 5_000;
const ASKED_MAX = 12;

/** Gaps that are asked about, the latest: a month of a node that is off every night. */
const GAPS_ASKED_MAX = 32;

/** Changes taken at once: 50 ms at most, where each moves a full past that comes after it. */
const TAKEN_AT_ONCE = 500;

/** Delay between two looks at what is too old, and at what nobody could tell so far: those who can may be back. */
const LOOK_AGAIN_MS = 3_600_000;

/**
 * A pause between two rounds that is longer than so many intervals and ms: this node was suspended, or its clock was
 * set ahead. A round may be late by less on a busy machine.
 */
const PAUSE_INTERVALS = 3;
const PAUSE_MS = 10_000;

/** Logged once the disk takes changes again. */
const WORKS_AGAIN = "the history is written again";

export interface PastKeeperOptions {
  readonly id: string;
  /** The state file; undefined: the past is kept in memory. */
  readonly state: string | undefined;
  /** What that file held at the start. */
  readonly saved: Pick<Saved, "heartbeat"> | undefined;
  readonly now: () => Moment;
  readonly random: () => number;
  readonly log: Log;
  readonly post: World["post"];
}

export class PastKeeper {
  readonly past = new Past();
  readonly #options: PastKeeperOptions;
  readonly #file: PastFile | undefined;
  /** Who was asked about a gap that nobody has told yet: that before this start, and those before earlier ones. */
  readonly #asked = new Map<Gap, Set<string>>();
  #nextAskMs = -Infinity;
  #nextLookMs = -Infinity;
  readonly #start: Moment;
  /** Gaps of this life: at their ends it believed what it did before. */
  readonly #pauses = new WeakSet<Gap>();
  /** The wall clock's time of the last round. */
  #roundMs: number;

  constructor(options: PastKeeperOptions) {
    this.#options = options;
    const { state, saved, log, now } = options;
    this.#start = now();
    this.#roundMs = this.#start.wallMs;
    if (state === undefined) return;
    const found: FoundPast = readPast(state, (text) => log.notice("warn", text));
    for (const entry of found.entries) this.past.add(entry);
    this.#file = new PastFile({
      statePath: state,
      found,
      keptFromMs: () => this.past.keptFromMs(this.#steadyMs()),
      onTrouble: (text) => log.notice(text === undefined ? "info" : "warn", text ?? WORKS_AGAIN),
    });
    const nowMs = this.#start.wallMs;
    // The state file is written once a minute at least; a copy that was put back is older than its date.
    const writeMs = Math.min(writtenMs(state), saved?.heartbeat ?? 0);
    const lastMs = found.entries.length === 0 ? [] : [this.past.lastMs ?? 0, writeMs];
    // Not what is ahead: the clock was wrong then, or is now.
    const ranMs = Math.max(0, ...lastMs.filter((ms) => ms < nowMs));
    if (!this.#shorten(nowMs) && ranMs > 0) {
      this.#add({ kind: "gap", gap: { fromMs: ranMs, toMs: Math.floor(nowMs) } });
    }
  }

  /** Why the past is not on disk, in one line; undefined if it is. */
  get trouble(): string | undefined {
    return this.#file?.trouble;
  }

  /** Keeps a change that this node sees now, dated by its wall clock to the ms. */
  record(change: Omit<PastChange, "atMs" | "by">): void {
    const { id, from, to, reason } = change;
    const atMs = Math.floor(this.#options.now().wallMs);
    this.#add({ kind: "change", change: { atMs, id, from, to, reason } });
  }

  /** Asks one of the live members what happened while this node did not run, until all is told; drops what is old. */
  round(live: readonly Row[], intervalMs: number): void {
    const { monotonicMs: nowMs, wallMs } = this.#options.now();
    this.#notePause(wallMs, intervalMs);
    if (nowMs >= this.#nextLookMs) {
      this.#nextLookMs = nowMs + LOOK_AGAIN_MS;
      this.#shorten(wallMs);
      this.past.expire(this.#steadyMs());
      this.#asked.clear();
    }
    if (this.past.gaps.length > 0 && nowMs >= this.#nextAskMs) this.#askNext(live, nowMs);
  }

  /** Writes a last time, and ends. */
  async close(): Promise<void> {
    await this.#file?.close();
  }

  /** The wall clock's time, but no further than this node ran: a clock that jumps ahead makes nothing old. */
  #steadyMs(): number {
    const { wallMs, monotonicMs } = this.#options.now();
    return Math.min(wallMs, this.#start.wallMs + monotonicMs - this.#start.monotonicMs);
  }

  /** Adds a gap where this node was suspended since the last round. */
  #notePause(wallMs: number, intervalMs: number): void {
    if (wallMs - this.#roundMs > PAUSE_INTERVALS * intervalMs + PAUSE_MS) {
      const gap = { fromMs: Math.floor(this.#roundMs), toMs: Math.floor(wallMs) };
      this.#pauses.add(gap);
      this.#add({ kind: "gap", gap });
    }
    this.#roundMs = wallMs;
  }

  /** Asks of the latest gap of which there is still somebody to ask. */
  #askNext(live: readonly Row[], nowMs: number): void {
    const others = live.filter(({ address, boot }) => address !== "" && boot !== "");
    // What is longer than anybody remembers, nobody can tell.
    const gaps = this.past.gaps.filter((gap) => !isEndless(gap));
    for (const gap of gaps.slice(-GAPS_ASKED_MAX).reverse()) {
      const asked = this.#asked.get(gap) ?? new Set();
      const unasked = asked.size < ASKED_MAX ? others.filter(({ id }) => !asked.has(id)) : [];
      const row = unasked[Math.floor(this.#options.random() * unasked.length)];
      if (row === undefined) continue;
      this.#nextAskMs = nowMs + ASK_AGAIN_MS;
      this.#asked.set(gap, asked.add(row.id));
      void this.#askOf(row, gap);
      return;
    }
  }

  /** This node runs now, so gaps that last longer are of a clock that was ahead: one until now takes their place. */
  #shorten(wallMs: number): boolean {
    const wrong = this.past.gaps.filter(({ fromMs, toMs }) => fromMs < wallMs && wallMs < toMs);
    for (const gap of wrong) this.#add({ kind: "told", gap, by: this.#options.id });
    const [first] = wrong;
    if (first === undefined) return false;
    this.#add({ kind: "gap", gap: { fromMs: first.fromMs, toMs: Math.floor(wallMs) } });
    return true;
  }

  #add(entry: PastEntry): void {
    this.past.add(entry);
    this.#file?.add(entry);
  }

  /** Asks one member about one gap, and takes what it tells as what happened. */
  async #askOf({ id, address }: Row, gap: Gap): Promise<void> {
    const told = await askMissed(this.#options.post, address, gap);
    if (told === undefined) return;
    // Another told it meanwhile, or it is too old by now.
    if (!this.past.gaps.includes(gap)) return;
    const believed = new Map(
      told.map((change) => [change.id, this.past.became(change.id, gap.toMs)]),
    );
    told.sort((a, b) => a.atMs - b.atMs);
    for (const [i, change] of told.entries()) {
      // Rounds must be on time meanwhile.
      if (i > 0 && i % TAKEN_AT_ONCE === 0) await new Promise((resolve) => setTimeout(resolve));
      const { id: member, from, to, atMs } = change;
      // Seen by this node as well, a moment before it ended.
      if (from !== to && this.past.became(member, atMs) === to) continue;
      this.#add({ kind: "change", change: { ...change, by: change.by ?? id } });
    }
    for (const [member, to] of this.#pauses.has(gap) ? believed : []) {
      const last = this.past.became(member, gap.toMs);
      if (to === undefined || to === last) continue;
      const from = last === undefined || last === "forgotten" ? null : last;
      const reason = "believed by this node when it ran again";
      const change = { atMs: gap.toMs, id: member, from, to, reason, by: this.#options.id };
      this.#add({ kind: "change", change });
    }
    this.#asked.delete(gap);
    this.#add({ kind: "told", gap, by: id });
    const { log } = this.#options;
    log.notice(
      "info",
      `${id} told ${told.length} changes that this node missed while it did not run`,
    );
  }
}
