/** Times and numbers as people read them. */
import type { Status } from "../table.ts";

/** A length of time in at most two units: "48 s", "12 min", "3 h 12 min", "4 d 7 h". */
export function durationWords(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return join(minutes, "min", minutes < 10 ? seconds % 60 : 0, "s");
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return join(hours, "h", minutes % 60, "min");
  return join(Math.floor(hours / 24), "d", hours % 24, "h");
}

function join(major: number, majorUnit: string, minor: number, minorUnit: string): string {
  return minor === 0 ? `${major} ${majorUnit}` : `${major} ${majorUnit} ${minor} ${minorUnit}`;
}

/** An age in one unit, so that a column of them is quickly read: "2.1 s ago", "12 min ago"; null is "never". */
export function ageWords(ageMs: number | null): string {
  if (ageMs === null) return "never";
  const tenths = Math.max(0, Math.floor(ageMs / 100));
  if (tenths < 100) return `${(tenths / 10).toFixed(1)} s ago`;
  if (tenths < 600) return `${Math.floor(tenths / 10)} s ago`;
  if (tenths < 36_000) return `${Math.floor(tenths / 600)} min ago`;
  if (tenths < 48 * 36_000) return `${Math.floor(tenths / 36_000)} h ago`;
  return `${Math.floor(tenths / (24 * 36_000))} d ago`;
}

/** An RFC 3339 time in UTC as people read it: "2026-01-12 12:00:03.250 UTC". */
export function timeWords(time: string): string {
  return time.replace("T", " ").replace(/Z$/, " UTC");
}

/** The same to the second. */
export function secondWords(time: string): string {
  return timeWords(time.replace(/\.\d+Z$/, "Z"));
}

/** The reason without the status it begins with, where the status stands beside it: "left: SIGTERM" is "SIGTERM". */
export function whyWords(status: Status, reason: string): string {
  return reason.startsWith(status) ? reason.slice(status.length).replace(/^:?\s+/, "") : reason;
}

/** "1 member", "1,024 members". */
export function countWords(count: number, noun: string): string {
  return `${numberWords(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/** With commas at the thousands. */
export function numberWords(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ",");
}
