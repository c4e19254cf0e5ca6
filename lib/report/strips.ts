/**
 * The last ten minutes of every member: the greatest age and the worst status within each step. (pure)
 *
 * All members share two arrays, 180 bytes per member, so a full table costs 12 MB and a step makes no garbage.
 *
 * @module
 */
import type { Status } from "../table.ts";
import type { KeptChange } from "./stories.ts";

/** Samples in a strip: few enough that a single one is visible on the page. */
export const STRIP_SAMPLES = 60;

/** Length of a step; 60 of them are ten minutes, in which a restart can be seen to come and go. */
export const STRIP_STEP_MS = 10_000;

/** Intervals in a step, where the interval is long: each step then sees a round. */
const STRIP_STEP_INTERVALS = 2;

/** The length of a step for nodes with that interval, in ms. */
export function stripStepMs(intervalMs: number): number {
  return Math.max(STRIP_STEP_MS, STRIP_STEP_INTERVALS * intervalMs);
}

/**
 * The character for each status in `StripView.statuses`. Of several statuses within one step the last in this order is
 * kept, so that a quick restart (`left`, then `live`) shows. The first also marks steps in which nothing was seen.
 */
export const STATUS_MARK: Readonly<Record<Status, string>> = {
  decommissioned: ".",
  unknown: "?",
  live: "+",
  left: "-",
  failing: "f",
  unresponsive: "!",
  dead: "x",
};

/** Ages are kept in tenths of a second, up to 1 h 49 min: past the longest dead-after. */
const AGE_UNIT_MS = 100;
const AGE_MAX = 0xffff;

/** Members that the arrays have room for at first; they double when full. */
const ROOM_FIRST = 64;

/** A status is stored as its place in `STATUS_MARK`; 0 is a step in which the member was not seen. */
const CODED = Object.keys(STATUS_MARK) as Status[];
const MARKS = Object.values(STATUS_MARK);

/** A member's last ten minutes as this node saw them. */
export interface StripView {
  /** Length of a step in ms. */
  readonly stepMs: number;
  /** The greatest heartbeat age within each step in ms, oldest first; null if not known then. */
  readonly samples: readonly (number | null)[];
  /** The worst status within each step: one `STATUS_MARK` per sample. */
  readonly statuses: string;
}

/** What strips are drawn from. */
export interface StripSource {
  /** When the first sample of each strip began, in ms since the epoch. */
  readonly fromMs: number;
  view(id: string): StripView;
  /** The changes of a member's status in that time, oldest first. */
  changes(id: string): readonly Pick<KeptChange, "atMs" | "to" | "reason">[];
}

/** A member's state at one moment. */
export interface Sample {
  readonly status: Status;
  /** Null if never heard from. */
  readonly ageMs: number | null;
}

interface StripSlot {
  readonly slot: number;
  /** The last step it was seen in. */
  step: number;
}

export class Strips {
  /** Length of a step in ms. */
  readonly stepMs: number;
  readonly #places = new Map<string, StripSlot>();
  readonly #free: number[] = [];
  #ages = new Uint16Array(ROOM_FIRST * STRIP_SAMPLES);
  #codes = new Uint8Array(ROOM_FIRST * STRIP_SAMPLES);
  #slots = 0;
  #step = 0;

  constructor(stepMs: number) {
    this.stepMs = stepMs;
  }

  /** Members with a strip. */
  get size(): number {
    return this.#places.size;
  }

  /** The monotonic time at which the oldest sample began. */
  get fromMs(): number {
    return (this.#step - STRIP_SAMPLES + 1) * this.stepMs;
  }

  /** Moves on to the step of `monotonicMs`; skipped steps stay empty. */
  advance(monotonicMs: number): void {
    const step = Math.floor(monotonicMs / this.stepMs);
    if (step <= this.#step) return;
    const passed = Math.min(step - this.#step, STRIP_SAMPLES);
    this.#step = step;
    for (const [id, place] of this.#places) {
      // Not seen for a whole strip: a member decommissioned ten minutes ago.
      if (step - place.step >= STRIP_SAMPLES) {
        this.#places.delete(id);
        this.#free.push(place.slot);
        continue;
      }
      for (let i = 0; i < passed; i++) {
        const at = this.#at(place.slot, step - i);
        this.#ages[at] = 0;
        this.#codes[at] = 0;
      }
    }
  }

  /** Adds a sample of a member to the current step. */
  sample(id: string, { status, ageMs }: Sample): void {
    const code = CODED.indexOf(status);
    if (code === 0) return;
    const place = this.#places.get(id) ?? this.#place(id);
    place.step = this.#step;
    const at = this.#at(place.slot, this.#step);
    const age = Math.min(Math.round((ageMs ?? 0) / AGE_UNIT_MS), AGE_MAX);
    if (age > this.#ages[at]!) this.#ages[at] = age;
    if (code > this.#codes[at]!) this.#codes[at] = code;
  }

  /** What strips of the last minutes are drawn from; `epochMs` is when the monotonic clock began. */
  source(epochMs: number, stories: { history(id: string): readonly KeptChange[] }): StripSource {
    return {
      fromMs: epochMs + this.fromMs,
      view: (id) => this.view(id),
      changes: (id) => stories.history(id),
    };
  }

  /** The member's strip, oldest sample first. */
  view(id: string): StripView {
    const place = this.#places.get(id);
    const samples = new Array<number | null>(STRIP_SAMPLES).fill(null);
    let statuses = "";
    for (let i = 0; i < STRIP_SAMPLES; i++) {
      // The oldest is where the next step will be.
      const at = place && this.#at(place.slot, this.#step + 1 + i);
      const code = at === undefined ? 0 : this.#codes[at]!;
      statuses += MARKS[code];
      if (at !== undefined && code > 1) samples[i] = this.#ages[at]! * AGE_UNIT_MS;
    }
    return { stepMs: this.stepMs, samples, statuses };
  }

  #place(id: string): StripSlot {
    const slot = this.#free.pop() ?? this.#slots++;
    if (slot * STRIP_SAMPLES >= this.#codes.length) this.#grow();
    const from = slot * STRIP_SAMPLES;
    this.#ages.fill(0, from, from + STRIP_SAMPLES);
    this.#codes.fill(0, from, from + STRIP_SAMPLES);
    const place = { slot, step: this.#step };
    this.#places.set(id, place);
    return place;
  }

  #grow(): void {
    const ages = new Uint16Array(this.#ages.length * 2);
    ages.set(this.#ages);
    this.#ages = ages;
    const codes = new Uint8Array(this.#codes.length * 2);
    codes.set(this.#codes);
    this.#codes = codes;
  }

  #at(slot: number, step: number): number {
    return slot * STRIP_SAMPLES + (step + STRIP_SAMPLES) % STRIP_SAMPLES;
  }
}
