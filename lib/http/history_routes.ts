/**
 * The routes that tell of the past.
 *
 * @module
 */
import { isId } from "../address.ts";
import { HEARTBEAT_MAX_MS } from "../limits.ts";
import { encodeChange } from "../host/past_format.ts";
import type { Node } from "../host/node.ts";
import { historyView, missedOf } from "../report/past_views.ts";
import { refuse } from "./body.ts";
import type { CallerContext, CallerEnv } from "./callers.ts";
import type { Gate } from "./gate.ts";
import type { Hono } from "./hono.ts";

/** RFC 3339, down to nanoseconds, also without a time of day, or ms since the epoch. */
const TIME =
  /^(?:[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T[0-9:]{5,8}(?:\.[0-9]{1,9})?(?:Z|[+-][0-9]{2}:[0-9]{2}))?|[0-9]{1,15})$/;

/** Adds the routes to `app`. */
export function addHistoryRoutes(app: Hono<CallerEnv>, node: Node, gate: Gate): void {
  app.get("/history", (c) => {
    const id = c.req.query("id");
    if (id !== undefined && !isId(id)) refuse(400, "Give the ID of a member as id=");
    c.header("Cache-Control", "no-store");
    const fromMs = readTime(c, "from") ?? 0;
    const toMs = readTime(c, "to") ?? HEARTBEAT_MAX_MS;
    return c.json(historyView(node.past, { fromMs, toMs, id }, node.id));
  });

  // Between nodes: one that was off asks what happened.
  app.post("/missed", gate.peer, (c) => {
    const { complete, changes, nextMs } = missedOf(node.past, {
      fromMs: readTime(c, "from") ?? 0,
      toMs: readTime(c, "to") ?? HEARTBEAT_MAX_MS,
    });
    return c.json({ complete, changes: changes.map(encodeChange), next: nextMs ?? null });
  });
}

/** A time in the query, in ms since the epoch. */
export function readTime(c: CallerContext, name: string): number | undefined {
  // Small letters and a blank for the T are RFC 3339 too, as `date` prints it. A plus sign is a blank in a query.
  const text = c.req.query(name)?.toUpperCase().replace(/^([0-9-]{10}) /, "$1T").replace(" ", "+");
  if (text === undefined) return undefined;
  const ms = TIME.test(text) ? /^[0-9]+$/.test(text) ? Number(text) : msOf(text) : NaN;
  if (ms >= 0 && ms <= HEARTBEAT_MAX_MS) return ms;
  return refuse(400, `Give a time such as 2026-01-12T12:00:00Z as ${name}=`);
}

/** NaN for a date that no calendar has: of 30 February `Date` makes a day in March. */
function msOf(text: string): number {
  const date = text.slice(0, "YYYY-MM-DD".length);
  const dateMs = Date.parse(date);
  const isDate = !Number.isNaN(dateMs) && new Date(dateMs).toISOString().startsWith(date);
  return isDate ? Date.parse(text) : NaN;
}
