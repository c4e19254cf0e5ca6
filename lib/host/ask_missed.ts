/**
 * Asking one node what happened in a time in which this one did not run: `GET /missed`, page by page.
 *
 * @module
 */
import { isWithin } from "../json_bounds.ts";
import type { World } from "../net/driver.ts";
import type { PostOutcome } from "../net/transport.ts";
import { type Gap, PAST_CHANGES_MAX, type PastChange } from "../report/past.ts";
import { decodeChange } from "./past_format.ts";

/** Pages of an answer that are taken: all that a past holds. */
const PAGES_MAX = 160;

/** Values in an answer, checked before it is parsed: those of each change, which is a list, and those beside them. */
const CHANGE_VALUES = 8;
const OTHER_VALUES = 32;
const ANSWER_DEPTH = 4;

/** All changes in a gap, as the node at an address tells them; undefined if it cannot tell all of it. */
export async function askMissed(
  post: World["post"],
  address: string,
  gap: Gap,
): Promise<PastChange[] | undefined> {
  const told: PastChange[] = [];
  // No node keeps more: whoever tells more makes it up.
  let left = PAST_CHANGES_MAX;
  let fromMs: number | null = gap.fromMs;
  for (let page = 0; page < PAGES_MAX && fromMs !== null; page++) {
    const path = `/missed?from=${fromMs}&to=${gap.toMs}`;
    const answer = await new Promise<PostOutcome>((resolve) => post(address, path, "", resolve));
    const missed = answer.kind === "answer" && answer.status === 200
      ? readMissed(answer.body, { gap, left })
      : undefined;
    // It cannot tell all: an older program, or it was off as well.
    if (missed === undefined || (missed.next !== null && missed.next <= fromMs)) return undefined;
    for (const change of missed.changes) told.push(change);
    left -= missed.count;
    fromMs = missed.next;
  }
  return told;
}

/** Reads such an answer, of `left` changes at most; undefined where it is wrong, or not complete. */
function readMissed(
  text: string,
  { gap, left }: { gap: Gap; left: number },
): { changes: PastChange[]; count: number; next: number | null } | undefined {
  const bounds = { depth: ANSWER_DEPTH, values: CHANGE_VALUES * left + OTHER_VALUES };
  if (!isWithin(text, bounds)) return undefined;
  let missed: { complete?: unknown; changes?: unknown; next?: unknown } | null;
  try {
    missed = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (missed?.complete !== true || !Array.isArray(missed.changes)) return undefined;
  const count = missed.changes.length;
  if (count > left) return undefined;
  const next = missed.next ?? null;
  if (next !== null && !(typeof next === "number" && next < gap.toMs)) return undefined;
  const changes = missed.changes.map(decodeChange).filter((change) => change !== undefined)
    .filter(({ atMs }) => atMs >= gap.fromMs && atMs < gap.toMs);
  return { changes, count, next };
}
