/**
 * Lists in a body: how their entries are written and read. A wrong entry among good ones is dropped and counted.
 *
 * @module
 */
import { isId } from "./address.ts";
import { BOOT_LENGTH, HEARTBEAT_MAX_MS, HEARTBEAT_STEP_MS } from "./limits.ts";

/** A boot mark; empty for a Go node. */
export const BOOT = new RegExp(`^(?:[0-9a-f]{${BOOT_LENGTH}})?$`);

/** A list as a field that follows another; empty for none. */
export function listText(name: string, entries: readonly unknown[] | undefined): string {
  return entries === undefined ? "" : `,"${name}":${JSON.stringify(entries)}`;
}

/** Reads the entries of a list that may be anything; undefined where there is no list. */
export function readList<T>(
  list: unknown,
  read: (entry: unknown[]) => T | undefined,
  max: number,
): { entries: T[]; dropped: number } | undefined {
  if (list === undefined) return undefined;
  if (!Array.isArray(list)) return { entries: [], dropped: 1 };
  const entries: T[] = [];
  for (const item of list.slice(0, max)) {
    const entry = Array.isArray(item) ? read(item) : undefined;
    if (entry !== undefined) entries.push(entry);
  }
  return { entries, dropped: list.length - entries.length };
}

/** Whether `value` is a stamp; one that is no multiple of the step would not survive the columns. */
export function isHeartbeat(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 &&
    value <= HEARTBEAT_MAX_MS && value % HEARTBEAT_STEP_MS === 0;
}

/** Whether `value` is a text of a grammar. */
export function isText(value: unknown, grammar: RegExp): value is string {
  return typeof value === "string" && grammar.test(value);
}

/** Whether `value` is an ID. */
export function isIdText(value: unknown): value is string {
  return typeof value === "string" && isId(value);
}

/** Whether `value` counts something, up to `max`. */
export function isCount(value: unknown, max: number): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= max;
}

/** Whether `value` is an age or a length of time in ms; it may be longer than is believed. */
export function isSpan(value: unknown): value is number {
  return typeof value === "number" && value >= 0;
}
