/**
 * The routes that browsers use: the page, what its script asks for, and the static files.
 *
 * @module
 */
import { ifNoneMatch } from "@std/http/etag";
import type { Context, Hono } from "hono";
import { isId } from "./address.ts";
import { type Assets, loadAssets } from "./assets.ts";
import { refuse } from "./http.ts";
import type { Node } from "./node.ts";
import { renderPage } from "./page.tsx";
import { pageState } from "./page_state.ts";

/** As much of an ID that is none is repeated on the page. */
const MISSING_LENGTH_MAX = 80;

/** Adds the routes to `app`. */
export function addPageRoutes(app: Hono, node: Node): void {
  let assets: Promise<Assets> | undefined;
  // Read at the first request: many a node's page is never looked at.
  const getAssets = () => assets ??= loadAssets();

  app.get("/", async (c) => {
    const { path } = await getAssets();
    c.header("Cache-Control", "no-store");
    return c.html(renderPage(node.reports.page(), {
      assets: { style: path("style.css"), script: path("live.js"), icon: path("favicon.svg") },
      ...readQuery(c, node),
    }));
  });

  app.get("/page.json", (c) => {
    c.header("Cache-Control", "no-store");
    return c.json(pageState(node.reports.page(), c.req.query("q")));
  });

  app.get("/static/:hash/:name", async (c) => {
    const { hash, files } = await getAssets();
    const asset = files.get(c.req.param("name"));
    if (asset === undefined) return refuse(404, "No such file: see the source of /");
    const etag = `"${hash}"`;
    c.header("ETag", etag);
    // Another hash is asked for by a page of another version: it may have this one's file, but not keep it.
    const lasting = c.req.param("hash") === hash;
    c.header("Cache-Control", lasting ? "public, max-age=31536000, immutable" : "no-cache");
    if (!ifNoneMatch(c.req.header("If-None-Match") ?? null, etag)) return c.body(null, 304);
    c.header("Content-Type", asset.type);
    return c.body(asset.body);
  });
}

/** What the page is asked to show: `?q=` filters, `?id=` opens a story, `?bye=` asks before decommissioning. */
function readQuery(c: Context, node: Node) {
  const { q: filter, id, bye } = c.req.query();
  if (bye !== undefined && !isId(bye)) return refuse(400, "Give the ID of a member as bye=");
  const story = id === undefined ? undefined : node.reports.story(id);
  return {
    ...(filter !== undefined && { filter }),
    ...(bye !== undefined && { bye }),
    ...(story !== undefined && { story }),
    ...(id !== undefined && !story && { missing: id.slice(0, MISSING_LENGTH_MAX) }),
  };
}
