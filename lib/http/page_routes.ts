/**
 * The routes that browsers use: the page, what its script asks for, and the static files.
 *
 * @module
 */
import { ifNoneMatch } from "../std/http/etag.ts";
import type { Context, Hono } from "./hono.ts";
import { isId } from "../address.ts";
import { assetType, loadAssets } from "./assets.ts";
import { refuse } from "./body.ts";
import { Latest } from "./latest.ts";
import type { CallerEnv } from "./callers.ts";
import type { Node } from "../host/node.ts";
import { renderPage } from "../page/page.tsx";
import { pageState } from "../page/content.ts";

/** Characters of an unknown ID that the page repeats. */
const MISSING_LENGTH_MAX = 80;

/** Adds the routes to `app`. */
export function addPageRoutes(app: Hono<CallerEnv>, node: Node): void {
  const pages = new Latest();
  const states = new Latest();

  app.get("/", async (c) => {
    const { hash } = await loadAssets();
    const path = (name: string) => `static/${hash}/${name}`;
    const assets = { style: path("style.css"), script: path("live.js"), icon: path("favicon.svg") };
    c.header("Cache-Control", "no-store");
    const make = () => renderPage(node.reports.page(), { assets, ...readQuery(c, node) });
    return c.html(pages.text(keyOf(c, node), make));
  });

  app.get("/page.json", (c) => {
    c.header("Cache-Control", "no-store");
    c.header("Content-Type", "application/json");
    const make = () => JSON.stringify(pageState(node.reports.page(), c.req.query("q")));
    return c.body(states.text(keyOf(c, node), make));
  });

  app.get("/static/:hash/:name", async (c) => {
    const { hash, files } = await loadAssets();
    const name = c.req.param("name");
    const type = assetType(name);
    if (type === undefined || !Object.hasOwn(files, name)) {
      return refuse(404, "No such file: the source of / names those there are");
    }
    const etag = `"${hash}"`;
    c.header("ETag", etag);
    // A page of another version asks with another hash. It gets this version's file, but must not keep it.
    const lasting = c.req.param("hash") === hash;
    c.header("Cache-Control", lasting ? "public, max-age=31536000, immutable" : "no-cache");
    if (!ifNoneMatch(c.req.header("If-None-Match") ?? null, etag)) return c.body(null, 304);
    c.header("Content-Type", type);
    return c.body(files[name]!);
  });
}

/** Equal for requests whose answers differ only in ages. */
function keyOf(c: Context, node: Node): string {
  return `${node.reports.version()} ${c.req.url}`;
}

/** Reads what to show: `?q=` filters, `?id=` opens a history, `?bye=` asks before decommissioning. */
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
