/**
 * The log: one line a change, on stderr, as people know them.
 *
 * @module
 */
import type { Change } from "./watch.ts";

export interface Log {
  change(change: Change): void;
  notice(level: "info" | "warn", text: string): void;
}

/** A log that writes human lines through `write`. */
export function createLog(write: (line: string) => void, now: () => Date): Log {
  const line = (text: string) => write(`${timestamp(now())} ${text}`);
  return {
    change: (change) => line(describeChange(change)),
    notice: (level, text) => line(level === "warn" ? `warning: ${text}` : text),
  };
}

/** A change in a line: `peer is dead: n2 (host:8081), last heard 5.0 s ago: no heartbeat for 5.0 s`. */
export function describeChange({ id, address, to, reason, ageMs }: Change): string {
  const at = address === "" ? "" : ` (${address})`;
  const heard = to === "dead" && ageMs !== null
    ? `, last heard ${(ageMs / 1000).toFixed(1)} s ago`
    : "";
  return `peer is ${to}: ${id}${at}${heard}: ${reason}`;
}

function timestamp(date: Date): string {
  return date.toISOString().replace("T", " ").replace("Z", "");
}
