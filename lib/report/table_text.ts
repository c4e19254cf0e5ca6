/**
 * The table as aligned text, for a terminal: `curl -H 'Accept: text/plain' host/members`. (pure)
 *
 * @module
 */
import { ageWords } from "./words.ts";
import type { MemberView } from "./view.ts";

/** Members with the reasons of their statuses, as lines of text under a heading; every line ends in a line feed. */
export function tableText(
  members: readonly MemberView[],
  reasonOf: (id: string) => string,
): string {
  const rows = [["ID", "STATUS", "HEARD", "ADDRESS", "WHY"]];
  for (const { id, status, ageMs, address } of members) {
    rows.push([id, status, ageWords(ageMs), address === "" ? "-" : address, reasonOf(id)]);
  }
  const widths = [0, 0, 0, 0];
  for (const row of rows) {
    for (let i = 0; i < widths.length; i++) widths[i] = Math.max(widths[i]!, row[i]!.length);
  }
  return rows.map((row) => {
    const line = row.map((text, i) => i < widths.length ? text.padEnd(widths[i]!) : text);
    return `${line.join("  ").trimEnd()}\n`;
  }).join("");
}
