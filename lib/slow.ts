/**
 * Slow members: those whose rounds come late say so with their heartbeats, and may be silent for longer.
 *
 * A process that hardly gets to run beats every few seconds: each silence would pass dead-after, and each heartbeat
 * end it. So it tells the greatest gap between its rounds in the last minute, and all wait for twice that, six
 * dead-afters at most. A crash is known by refusals as soon as ever. Lifeguard (memberlist) widens the observer's
 * patience; here the suspect knows best.
 *
 * A process that is stopped between a heartbeat and its sending is silent for longer than it knows. So whoever shows a
 * member unresponsive, and hears it again, takes that silence for such a gap.
 *
 * What it says is dated by a stamp of its own, as charges are: it counts for the heartbeats of a minute, and a replay
 * changes nothing. A healthy cluster says none of it.
 *
 * @module
 */
import { News } from "./news.ts";
import type { Pace } from "./pace.ts";
import type { Row } from "./table.ts";

/** What a member says of its rounds counts for its heartbeats of so long, in ms, and a gap for as long. */
const LASTS_MS = 60_000;

/** What still holds is told anew after so long, in ms, so that it never ends while the member is slow. */
const AGAIN_MS = LASTS_MS / 2;

/** A silence of so many gaps is no sign of an end. */
const SILENCE_GAPS = 2;

/** The longest silence believed, in dead-afters: a host that is lost must be known some time. */
const SILENCE_MAX_DEAD_AFTERS = 6;

/**
 * Who starved is live again once it beat for so many dead-afters without a gap of one: a process that gets a moment of
 * CPU time beats a few times, and falls silent again.
 */
const RECOVERED_DEAD_AFTERS = 0.4;

/** Slow members known at one time; a cluster with more has other troubles. */
export const SLOW_MAX = 1_024;

/** Entries in one message: 3 KB. */
export const SLOW_TOLD_MAX = 64;

/** What a member says of its own rounds, as it travels. */
export interface Slowness {
  readonly member: string;
  /** The greatest time between two of its rounds in its last minute. */
  readonly gapMs: number;
  /** Its heartbeat when it said so. */
  readonly at: number;
}

/** A node's own heartbeats: the greatest gap of the last minute. */
export class Gaps {
  readonly #pace: Pick<Pace, "deadAfterMs">;
  /** Gaps that matter, each greater than all later ones: by the time they ended, oldest first. */
  #lastMs = Infinity;
  #gaps: { readonly atMs: number; readonly gapMs: number }[] = [];

  constructor(pace: Pick<Pace, "deadAfterMs">) {
    this.#pace = pace;
  }

  /** Notes a heartbeat, by the monotonic clock. */
  note(monotonicMs: number): void {
    const gapMs = monotonicMs - this.#lastMs;
    this.#lastMs = monotonicMs;
    this.#gaps = this.#gaps.filter((gap) => gap.atMs > monotonicMs - LASTS_MS && gap.gapMs > gapMs);
    if (SILENCE_GAPS * gapMs > this.#pace.deadAfterMs) {
      this.#gaps.push({ atMs: monotonicMs, gapMs });
    }
  }

  /** The greatest gap of the last minute in ms; 0 where none needs anybody's patience. */
  get greatestMs(): number {
    return this.#gaps[0]?.gapMs ?? 0;
  }
}

/** How long a member that is not slow may be silent, and news travels. */
export type SlowPace = Pick<Pace, "deadAfterMs" | "newsMs">;

/** What is known of members that say they are slow. */
export class SlowMembers {
  readonly #pace: SlowPace;
  readonly #news: News;
  readonly #byId = new Map<string, Slowness>();
  /** Silences that this node saw end: how long each was, and the heartbeat that ended it. */
  readonly #silences = new Map<string, { readonly gapMs: number; readonly at: number }>();
  /** Members that were silent for longer than even a slow one may be: the heartbeat from which on they beat again. */
  readonly #starved = new Map<string, number>();
  #version = 0;

  constructor(pace: SlowPace) {
    this.#pace = pace;
    this.#news = new News(pace);
  }

  get empty(): boolean {
    return this.#byId.size === 0 && this.#silences.size === 0;
  }

  /** Grows with every change of who is slow, or how slow. */
  get version(): number {
    return this.#version;
  }

  /** What a slow node says of itself now; undefined while what it said still does. */
  own(id: string, gapMs: number, heartbeat: number): Slowness | undefined {
    const said = this.#byId.get(id);
    if (gapMs === 0) return undefined;
    if (said !== undefined && said.gapMs >= gapMs && heartbeat - said.at < AGAIN_MS) {
      return undefined;
    }
    return { member: id, gapMs, at: heartbeat };
  }

  /** Merges what a member said: the latest counts. True if it is new. */
  add(said: Slowness, nowMs: number): boolean {
    const known = this.#byId.get(said.member);
    if (known === undefined && this.#byId.size >= SLOW_MAX) return false;
    if (known !== undefined && known.at >= said.at) return false;
    this.#byId.set(said.member, said);
    this.#news.note(said.member, nowMs);
    if (known?.gapMs !== said.gapMs) this.#version++;
    return true;
  }

  /** Notes that a member was unresponsive for so long, until this heartbeat. */
  ended(row: Pick<Row, "id" | "heartbeat">, gapMs: number, at: number): void {
    const { id } = row;
    if (this.#silences.size >= SLOW_MAX && !this.#silences.has(id)) return;
    if (this.gapMs(row) > 0) this.#starved.set(id, at);
    this.#silences.set(id, { gapMs, at });
    this.#version++;
  }

  /** Notes a heartbeat of a member that may starve: once it beat for long enough without a gap, it does no more. */
  beats(row: Pick<Row, "id" | "heartbeat">, heartbeat: number): void {
    const fromHeartbeat = this.#starved.get(row.id);
    if (fromHeartbeat === undefined) return;
    const { deadAfterMs } = this.#pace;
    if (heartbeat - row.heartbeat > deadAfterMs) this.#starved.set(row.id, heartbeat);
    else if (heartbeat - fromHeartbeat >= RECOVERED_DEAD_AFTERS * deadAfterMs) {
      this.#starved.delete(row.id);
    }
  }

  /** Notes that a member is another process, or was shown dead. */
  recovered(id: string): void {
    this.#starved.delete(id);
  }

  /** Whether a member was silent for longer than a slow one may be, and has not recovered. */
  isStarved(id: string): boolean {
    return this.#starved.has(id);
  }

  /** The gap between a member's rounds, in ms; 0 if it is not slow. */
  gapMs(row: Pick<Row, "id" | "heartbeat">): number {
    const { id, heartbeat } = row;
    return Math.max(
      ...[this.#byId.get(id), this.#silences.get(id)].map((gap) =>
        gap === undefined || heartbeat - gap.at > LASTS_MS ? 0 : gap.gapMs
      ),
    );
  }

  /** How long a member may be silent, in ms, where one that is not slow may be for `deadAfterMs`. */
  silenceMs(
    row: Pick<Row, "id" | "heartbeat">,
    { deadAfterMs }: Pick<Pace, "deadAfterMs"> = this.#pace,
  ): number {
    if (this.empty) return deadAfterMs;
    const silenceMs = SILENCE_GAPS * this.gapMs(row);
    const mostMs = SILENCE_MAX_DEAD_AFTERS * deadAfterMs;
    return Math.max(deadAfterMs, Math.min(silenceMs, mostMs));
  }

  /** IDs of members that are or were slow, or starve. */
  *members(): Iterable<string> {
    yield* this.#byId.keys();
    yield* this.#silences.keys();
    yield* this.#starved.keys();
  }

  /** Whether a member is among them. */
  has(id: string): boolean {
    return this.#byId.has(id) || this.#silences.has(id) || this.#starved.has(id);
  }

  /** Drops what a member said that it no longer is. */
  expire(row: Row): void {
    if (!this.empty && this.gapMs(row) === 0) this.forget(row.id);
  }

  forget(id: string): void {
    this.#news.forget(id);
    this.#starved.delete(id);
    const wasSlow = this.#silences.delete(id);
    if (this.#byId.delete(id) || wasSlow) this.#version++;
  }

  /** The entries to send along: the news, or in a full message all. */
  toSend(nowMs: number, isFull: boolean): Slowness[] {
    return this.#news.toSend(this.#byId.keys(), nowMs, isFull)
      .slice(-SLOW_TOLD_MAX)
      .map((id) => this.#byId.get(id)!);
  }
}
