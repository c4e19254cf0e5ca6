/**
 * What hooks were told, as the state file keeps it: a node that starts again neither forgets nor repeats. (pure)
 *
 * @module
 */
import { readTold, toldEntry } from "../tidings_wire.ts";
import type { Told } from "../told.ts";

/** That a hook was told, dated by this node's wall clock. */
export interface SavedTold {
  readonly told: Omit<Told, "ageMs">;
  /** In ms since the epoch. */
  readonly toldAtMs: number;
}

/** What is to be kept of what is remembered at `wallMs`. */
export function saveTold(remembered: readonly Told[], wallMs: number): SavedTold[] {
  return remembered.map(({ ageMs, ...told }) => ({ told, toldAtMs: Math.floor(wallMs - ageMs) }));
}

/** What a node that starts at `wallMs` gets back. */
export function toldBefore(saved: readonly SavedTold[], wallMs: number): Told[] {
  // A clock that was set back makes nothing come from the future.
  return saved.map(({ told, toldAtMs }) => ({ ...told, ageMs: Math.max(0, wallMs - toldAtMs) }));
}

/** One as an entry of the file: its time, and the rest as it travels. */
export function encodeTold({ told, toldAtMs }: SavedTold): unknown[] {
  return [toldAtMs, ...toldEntry({ ...told, ageMs: 0 })];
}

/** Reads an entry; undefined for anything else. */
export function decodeTold(value: unknown): SavedTold | undefined {
  if (!Array.isArray(value)) return undefined;
  const [toldAtMs, ...entry] = value;
  const read = readTold(entry);
  if (read === undefined || !Number.isSafeInteger(toldAtMs)) return undefined;
  const { ageMs: _, ...told } = read;
  return { told, toldAtMs };
}
