/**
 * Who carries a hook: live members say so in their words.
 *
 * @module
 */
import { readAbout } from "./about.ts";
import type { Replica } from "./replica.ts";
import { isUp, type Row } from "./table.ts";

/** The live nodes that carry a hook; this node, which asks, is one of them. */
export function carriersOf(hook: string, replica: Replica, nowMs: number): string[] {
  const { id, verdicts } = replica;
  const others = verdicts.last.live.filter((row) =>
    // The last survey may be an interval old.
    carries(row, hook) && isUp(verdicts.statusOf(row, nowMs))
  );
  return [id, ...others.map((row) => row.id)];
}

function carries({ about }: Row, hook: string): boolean {
  // Most say nothing of hooks, and a text is searched faster than read.
  if (about === undefined || !about.text.includes('"hooks"')) return false;
  return readAbout(about).hooks.includes(hook);
}
