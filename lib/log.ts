/**
 * The log: one line per change, for people or for machines. (pure)
 *
 * Every line is printable ASCII and of bounded length, whatever a peer sent: nothing from the network can forge a
 * second line or move a terminal's cursor.
 *
 * @module
 */
import { escapeText } from "./text.ts";
import type { StatusChange } from "./verdicts.ts";

/** Lines for people, or one JSON object per line. */
export const LOG_FORMATS = ["text", "json"] as const;

export type LogFormat = typeof LOG_FORMATS[number];

/** From the least to the most urgent. */
export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;

export type LogLevel = typeof LOG_LEVELS[number];

export interface Log {
  /** Logs a change of a member's status; `own` if the member is this node. */
  change(change: StatusChange, own: boolean): void;
  notice(level: LogLevel, text: string): void;
}

export interface LogOptions {
  readonly now: () => Date;
  readonly format: LogFormat;
  /** Lines below this level are left out. */
  readonly level: LogLevel;
}

/** Characters of a message: a stack trace in one line fits. */
const MESSAGE_LENGTH_MAX = 4_000;

const PREFIX: Readonly<Record<LogLevel, string>> = {
  debug: "debug: ",
  info: "",
  warn: "warning: ",
  error: "error: ",
};

interface LogEntry {
  readonly level: LogLevel;
  readonly event: "change" | "notice";
  readonly message: string;
}

/** A log that writes lines through `write`. */
export function createLog(write: (line: string) => void, options: LogOptions): Log {
  const { now, format, level: least } = options;
  function put(entry: LogEntry, details: object, prefix: string): void {
    if (LOG_LEVELS.indexOf(entry.level) < LOG_LEVELS.indexOf(least)) return;
    const message = entry.message.length > MESSAGE_LENGTH_MAX
      ? `${entry.message.slice(0, MESSAGE_LENGTH_MAX)}...`
      : entry.message;
    const time = now().toISOString();
    const line = format === "json"
      ? JSON.stringify({ time, ...entry, message, ...details })
      : `${time.replace("T", " ").replace("Z", "")} ${prefix}${message}`;
    write(escapeText(line));
  }
  return {
    change(change, own) {
      const { id, address, from, to, reason, ageMs } = change;
      const level = to === "dead" ? "warn" : "info";
      const message = describeChange(change, own);
      const rounded = ageMs === null ? null : Math.round(ageMs);
      const details = { id, address, from, to, reason, ageMs: rounded };
      put({ level, event: "change", message }, details, "");
    },
    notice: (level, text) => put({ level, event: "notice", message: text }, {}, PREFIX[level]),
  };
}

/** A change in a line: `peer is dead: n2 (host:8081), last heard 5.0 s ago: no heartbeat for 5.0 s`. */
function describeChange({ id, address, to, reason, ageMs }: StatusChange, own: boolean): string {
  const at = address === "" ? "" : ` (${address})`;
  const heard = to === "dead" && ageMs !== null
    ? `, last heard ${(ageMs / 1000).toFixed(1)} s ago`
    : "";
  const who = own ? "this node" : "peer";
  // `left` says so already.
  const why = to === "left" ? reason.replace(/^left: /, "") : reason;
  return `${who} ${to === "left" ? "has" : "is"} ${to}: ${id}${at}${heard}: ${why}`;
}

/** An error that only a mistake in this program can cause, in one line with its stack. */
export function describeBug(error: unknown): string {
  const text = error instanceof Error ? error.stack ?? error.message : String(error);
  return `BUG: ${text.replaceAll(/\s*\n\s*/g, " ")}`;
}

/** Where in the program such an error was made, without its message, which may be a stranger's choice. */
export function bugPlace(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { stack = "", message } = error;
  const frames = stack.slice(stack.indexOf(message) + message.length);
  return /^\s+at .*$/m.exec(frames)?.[0].trim() ?? error.name;
}
