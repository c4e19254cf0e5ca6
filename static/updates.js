// @ts-check
/** Asks for what is new: `GET /page.json` tells a page only what it does not have yet, see lib/page/updates.ts. */
import { isUp } from "./lists.js";

/** An answer that takes longer counts as lost contact; the page tries again. */
const ANSWER_MS_MAX = 4000;

/** A node that has no time so often, one time after the other, does not tell what is. */
const REFUSALS_MAX = 3;
let refusals = 0;

/** The answer of a private node whose key is not the one that the browser has: its reader must sign in anew. */
export const SIGNED_OUT = "signed out";

/** The clock by which ages grow may stand still while a machine sleeps: so far ahead of it the time of day has gone. */
const SLEEP_MS_MIN = 5_000;
let aheadMs = Infinity;

/**
 * The state of the page now; `before` is the one it has, which may be null. Null: there is no answer. Undefined: the node
 * has no time now. It may be SIGNED_OUT, too.
 *
 * @param {URLSearchParams} query
 * @param {any} before
 * @returns {Promise<any>}
 */
export async function ask(query, before) {
  const wanted = new URLSearchParams(query);
  const nowAheadMs = Date.now() - performance.now();
  // Of what stays as it was no age is told: after a sleep they are all told anew.
  if (nowAheadMs - aheadMs > SLEEP_MS_MIN) before = null;
  if (before !== null) wanted.set("base", before.token);
  try {
    const response = await fetch(`page.json${wanted.size === 0 ? "" : `?${wanted}`}`, {
      signal: AbortSignal.timeout(ANSWER_MS_MAX),
    });
    if (response.status === 204 || response.status === 503) {
      return ++refusals > REFUSALS_MAX ? null : undefined;
    }
    refusals = 0;
    if (response.status === 401) return SIGNED_OUT;
    if (!response.ok) return null;
    const state = complete(await response.json(), before);
    aheadMs = nowAheadMs;
    return state;
  } catch {
    return null;
  }
}

/**
 * The state that an answer tells, from the state `before` whose token it names. What stays as it was is the same object.
 *
 * @param {any} answer
 * @param {any} before
 * @returns {any}
 */
export function complete(answer, before) {
  if (answer.base === undefined) return answer;
  const { heard, base: _, ...state } = answer;
  const now = Date.parse(state.now);
  let next = 0;
  /** @param {any} row */
  const hear = (row) => {
    if (!isUp(row.status) || row.lastHeartbeat === null) return row;
    const [ageMs, beforeMs] = heard[next++];
    return { ...row, ageMs, lastHeartbeat: new Date(now - beforeMs).toISOString() };
  };
  return {
    ...state,
    rows: join(answer.rows, before.rows, hear),
    gone: join(answer.gone, before.gone),
    map: join(answer.map, before.map),
  };
}

/**
 * A list from its parts, each an entry or so many of the list before.
 *
 * @param {readonly any[]} parts
 * @param {readonly any[]} before
 * @param {(entry: any) => any} [adapt] Applied to entries of the list before.
 * @returns {readonly any[]}
 */
function join(parts, before, adapt) {
  const isSame = parts.length === 1 && Array.isArray(parts[0]) && parts[0][1] === before.length;
  if (adapt === undefined && (isSame || parts.length + before.length === 0)) return before;
  return parts.flatMap((part) => {
    if (!Array.isArray(part)) return [part];
    const kept = before.slice(part[0], part[0] + part[1]);
    return adapt === undefined ? kept : kept.map(adapt);
  });
}
