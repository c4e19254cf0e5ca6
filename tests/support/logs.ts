import { createLog, type Log } from "../../lib/log.ts";

/** A log for people whose lines are kept; its clock stands still. */
export function keptLog(
  { wallMs = 0 }: { wallMs?: number } = {},
): { readonly log: Log; readonly lines: string[] } {
  const lines: string[] = [];
  const now = () => new Date(wallMs);
  const log = createLog((line) => lines.push(line), { now, format: "text", level: "info" });
  return { log, lines };
}
