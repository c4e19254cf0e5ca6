/**
 * To whom a decommission got that a user of this node asked for: who did it wants to know when all know.
 *
 * A member knows it once its roster is this node's own, which every exchange tells. The latest few are counted, for a
 * while.
 *
 * @module
 */
import type { Row } from "./table.ts";

/** Decommissions counted at once: a user asks for one after the other. */
const COUNTED_MAX = 16;

/** For how long, in ms: by then the news has long arrived, or never will. */
const COUNTED_MS = 60_000;

/** Members that a round calls besides, as they are not known to know: some thousand are asked within the time above. */
const ASKED_MAX = 48;

/** How far a decommission got among the live members. */
export interface Progress {
  readonly known: number;
  readonly of: number;
}

export class Spread {
  /** By ID of the decommissioned, the latest last: who knows it, and until when that is counted. */
  readonly #known = new Map<string, { readonly by: Set<string>; readonly untilMs: number }>();
  #version = 0;

  /** Grows whenever more is known. */
  get version(): number {
    return this.#version;
  }

  /** Begins to count for one. */
  begin(id: string, nowMs: number): void {
    this.#known.set(id, { by: new Set(), untilMs: nowMs + COUNTED_MS });
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= COUNTED_MAX) break;
      this.#known.delete(oldest);
    }
    this.#version++;
  }

  /** A member has this node's roster: it knows of all. */
  shares(member: string): void {
    for (const { by } of this.#known.values()) {
      if (by.has(member)) continue;
      by.add(member);
      this.#version++;
    }
  }

  /** Addresses of `live` members that are not known to know of the latest; a few at a time. */
  untold(live: readonly Row[], nowMs: number): string[] {
    for (const [id, { untilMs }] of this.#known) {
      if (untilMs > nowMs) continue;
      this.#known.delete(id);
      this.#version++;
    }
    const latest = [...this.#known.values()].at(-1);
    if (latest === undefined) return [];
    return live.filter(({ id, boot }) => boot !== "" && !latest.by.has(id)).slice(0, ASKED_MAX)
      .map(({ address }) => address);
  }

  /** How far one got among the `live` members; undefined if that is not counted. */
  progress(id: string, live: readonly Row[]): Progress | undefined {
    const by = this.#known.get(id)?.by;
    if (by === undefined) return undefined;
    // A Go node has no roster to compare.
    const ours = live.filter(({ boot }) => boot !== "");
    return { known: ours.filter((row) => by.has(row.id)).length, of: ours.length };
  }
}
