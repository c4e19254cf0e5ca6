/**
 * The routes that list the members: all of them or some, as they are now or were at a time, and one with its story.
 *
 * @module
 */
import { isId } from "../address.ts";
import type { Node } from "../host/node.ts";
import { ifNoneMatch } from "../std/http/etag.ts";
import { accepts } from "../std/http/negotiation.ts";
import { refuse } from "./body.ts";
import type { CallerContext, CallerEnv } from "./callers.ts";
import { readTime } from "./history_routes.ts";
import type { Hono } from "./hono.ts";
import { RenderCache } from "./render_cache.ts";
import { readWanted } from "./wanted.ts";

/** Adds `/members` and `/members/ID` to `app`. */
export function addMemberRoutes(app: Hono<CallerEnv>, node: Node): void {
  const members = new RenderCache();
  const pasts = new RenderCache();

  const answerStory = (c: CallerContext, id: string) => {
    const story = node.reports.story(id);
    return story === undefined
      ? refuse(404, `No member ${isId(id) ? `named '${id}'` : "can have such an ID"}: see /members`)
      : c.json(story);
  };

  app.get("/members", (c) => {
    // Clients take the IDs `.` and `..` out of a path, however they are escaped, but not out of a query.
    const id = c.req.query("id");
    if (id !== undefined) return answerStory(c, id);
    const atMs = readTime(c, "at");
    if (atMs !== undefined) {
      const make = () => JSON.stringify(node.reports.membersAt(atMs));
      c.header("Content-Type", "application/json");
      // One version: what was is seldom told otherwise later, and half a second old does then.
      return c.body(pasts.get(`${atMs}`, "", make).text);
    }
    const wanted = readWanted(c);
    const asText = accepts(c.req.raw, "application/json", "text/plain") === "text/plain";
    // Weak: heartbeats and ages change all the time, and do not count.
    const etagOf = (version: string) => `W/"${version}${asText ? "-text" : ""}"`;
    const version = node.reports.version();
    c.header("ETag", etagOf(version));
    c.header("Vary", "Accept");
    c.header("Cache-Control", "no-cache");
    const known = c.req.header("If-None-Match") ?? null;
    if (!ifNoneMatch(known, etagOf(version))) return c.body(null, 304);
    const form = asText ? "text" : "";
    const { statuses = [], tags, after, limit } = wanted;
    const page = [after && `after=${after}`, limit && `limit=${limit}`].filter(Boolean);
    const key = [form, ...statuses, ...Object.entries(tags), ...page].join(" ").trim();
    const make = () =>
      asText ? node.reports.membersText(wanted) : JSON.stringify(node.reports.members(wanted));
    const made = members.get(key, version, make);
    // Under load it may be a text that was kept, of an older version.
    c.header("ETag", etagOf(made.version));
    c.header("Content-Type", asText ? "text/plain; charset=UTF-8" : "application/json");
    return c.body(made.text);
  });

  app.get("/members/:id", (c) => answerStory(c, c.req.param("id")));
}
