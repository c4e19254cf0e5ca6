/**
 * What an open page does not have yet. (pure)
 *
 * The lists of a page, which may be long, are told to whoever names the state that he has (`base`) as parts: an entry
 * that is new, or `[from, count]`, so many entries of the list that he has, as they are. A heartbeat that goes on is no
 * change: of the rows shown its age is told, two numbers, and all other ages grow by the browser's own clock.
 *
 * @module
 */
import { isUp } from "../table.ts";
import type { PageState, RowState } from "./content.ts";

/** States kept to tell the difference to: those of the last seconds, also where some look at views of their own. */
export const STATES_MAX = 32;

/** Characters of their entries, unless the latest alone has more: as many as of texts (http/render_cache.ts). */
export const STATES_LENGTH_MAX = 4 * 1024 * 1024;

/** A cell of a map counts as so many. */
const CELL_LENGTH = 16;

/** States that are made so soon after each other are one, while nothing changes. */
const FRESH_MS = 500;

/** The same where no heartbeat is shown, as in a large cluster, whose state takes longest to make. */
const QUIET_FRESH_MS = 5_000;

/** An entry, or so many entries of the list before from an index on. */
export type Part<Entry> = Entry | readonly [from: number, count: number];

/** A heartbeat's age in ms, and how long before the state's `now` it was by the member's own clock. */
export type HeartbeatAge = readonly [ageMs: number, beforeMs: number];

/** The lists by the texts of their entries. */
interface KeptTexts {
  readonly token: string;
  readonly rows: readonly string[];
  readonly gone: readonly string[];
  readonly map: readonly string[];
  readonly length: number;
}

interface Latest {
  readonly kept: KeptTexts;
  readonly state: PageState;
  readonly version: string;
  readonly atMs: number;
  readonly freshMs: number;
}

export class Updates {
  readonly #nowMs: () => number;
  /** By their tokens, the one made longest ago first. */
  readonly #kept = new Map<string, KeptTexts>();
  /** By their keys. */
  readonly #latest = new Map<string, Latest>();
  #length = 0;
  #count = 0;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** The token `base`, where the difference to its state can be told. */
  known(token: string | undefined): string | undefined {
    return token !== undefined && this.#kept.has(token) ? token : undefined;
  }

  /**
   * The state in JSON, or what of it differs from the one of the token `base`. `key` is equal for readers of the same
   * view, and `version` while nothing changes; no two processes have the same.
   */
  write(
    { base, key, version }: { base?: string | undefined; key: string; version: string },
    make: () => PageState,
  ): string {
    const before = base === undefined ? undefined : this.#kept.get(base);
    const { kept, state } = this.#take(key, version, make);
    const { token } = kept;
    if (before === undefined) return JSON.stringify({ ...state, token });
    const rows = difference(before.rows, kept.rows, state.rows);
    return JSON.stringify({
      ...state,
      token,
      base,
      rows,
      gone: difference(before.gone, kept.gone, state.gone),
      map: difference(before.map, kept.map, state.map),
      heard: heardOf(state, rows),
    });
  }

  #take(key: string, version: string, make: () => PageState): Latest {
    const atMs = this.#nowMs();
    const before = this.#latest.get(key);
    if (before?.version === version && atMs - before.atMs < before.freshMs) return before;
    const state = make();
    const rows = state.rows.map(keyOf);
    const gone = state.gone.map(keyOf);
    const length = [...rows, ...gone].reduce((sum, { length }) => sum + length, 0) +
      state.map.length * CELL_LENGTH;
    // A map that stays as it is, as it mostly does, is kept once.
    const map = before !== undefined && isSame(before.kept.map, state.map)
      ? before.kept.map
      : state.map;
    const kept = { token: `${version}.${++this.#count}`, rows, gone, map, length };
    this.#kept.set(kept.token, kept);
    this.#length += length;
    for (const oldest of this.#kept.values()) {
      const isRoom = this.#kept.size <= STATES_MAX && this.#length <= STATES_LENGTH_MAX;
      if (isRoom || oldest === kept) break;
      this.#kept.delete(oldest.token);
      this.#length -= oldest.length;
    }
    const freshMs = state.rows.some(beats) ? FRESH_MS : QUIET_FRESH_MS;
    const latest = { kept, state, version, atMs, freshMs };
    for (const [name, { kept: { token } }] of this.#latest) {
      if (!this.#kept.has(token)) this.#latest.delete(name);
    }
    this.#latest.set(key, latest);
    return latest;
  }
}

/** Equal for rows of which nothing is to be told but the age of a heartbeat that went on. */
function keyOf(row: RowState): string {
  return JSON.stringify({ ...row, ageMs: 0, lastHeartbeat: beats(row) || row.lastHeartbeat });
}

function beats({ status, lastHeartbeat }: RowState): boolean {
  return isUp(status) && lastHeartbeat !== null;
}

function isSame(before: readonly string[], after: readonly string[]): boolean {
  return before.length === after.length && before.every((text, i) => text === after[i]);
}

/** `entries`, whose texts are `after`, as parts: those of which the list `before` has the text are not told again. */
function difference<Entry>(
  before: readonly string[],
  after: readonly string[],
  entries: readonly Entry[],
): Part<Entry>[] {
  const parts: Part<Entry>[] = [];
  let places: Map<string, number> | undefined;
  /** The run that may go on, and where in the list before an entry is that follows the last one. */
  let run: [from: number, count: number] | undefined;
  let next = 0;
  for (const [i, text] of after.entries()) {
    if (before[next] !== text) {
      places ??= new Map(before.map((text, place) => [text, place]));
      const place = places.get(text);
      run = undefined;
      if (place === undefined) {
        parts.push(entries[i]!);
        continue;
      }
      next = place;
    }
    if (run === undefined) parts.push(run = [next, 0]);
    run[1]++;
    next++;
  }
  return parts;
}

/** What is heard of the members that beat and whose rows are told as parts of the list before, in their order. */
function heardOf({ rows, now }: PageState, parts: readonly Part<RowState>[]): HeartbeatAge[] {
  const heard: HeartbeatAge[] = [];
  let at = 0;
  for (const part of parts) {
    const count = Array.isArray(part) ? part[1] as number : 0;
    for (const row of rows.slice(at, at + count)) {
      if (!beats(row)) continue;
      heard.push([row.ageMs ?? 0, Date.parse(now) - Date.parse(row.lastHeartbeat!)]);
    }
    at += count || 1;
  }
  return heard;
}
