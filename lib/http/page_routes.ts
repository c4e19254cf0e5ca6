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
import { FRESH_MS, RenderCache } from "./render_cache.ts";
import type { CallerEnv } from "./callers.ts";
import type { Node } from "../host/node.ts";
import { renderPage } from "../page/page.tsx";
import type { PageView } from "../report/members.ts";
import { type SpanName, SPANS } from "../report/spans.ts";
import { pageState, pageText } from "../page/content.ts";
import { FILTER_LENGTH_MAX, type Sort, SORTS } from "../page/listing.ts";
import { Updates } from "../page/updates.ts";

/** Characters of an unknown ID that the page repeats, more than any ID has. */
const MISSING_LENGTH_MAX = 80;

/** Adds the routes to `app`. */
export function addPageRoutes(app: Hono<CallerEnv>, node: Node): void {
  const pages = new RenderCache();
  const texts = new RenderCache();
  const states = new RenderCache();
  const updates = new Updates(() => performance.now());
  const viewOf = freshViews(node);

  app.get("/", async (c) => {
    c.header("Cache-Control", "no-store");
    c.header("Vary", "Accept");
    const query = readQuery(c);
    if (query.bye === undefined && query.forget === undefined && !wantsHtml(c)) {
      const { q } = query;
      const make = () => pageText(node.reports.page(), q);
      return c.text(texts.get(keyOf({ q }), node.reports.version(), make).text);
    }
    const { hash } = await loadAssets();
    const path = (name: string) => `static/${hash}/${name}`;
    const assets = { style: path("style.css"), script: path("live.js"), icon: path("favicon.svg") };
    const make = () => renderPage(viewOf(query.span), { assets, ...shownFor(query, node) });
    return c.html(pages.get(keyOf(query), node.reports.version(), make).text);
  });

  app.get("/page.json", (c) => {
    c.header("Cache-Control", "no-store");
    c.header("Content-Type", "application/json");
    const { q, id, sort, span, after, rows } = readQuery(c);
    const base = updates.known(c.req.query("base"));
    const key = keyOf({ q, id, sort, span, after, rows });
    const version = node.reports.version();
    const view = () => pageState(viewOf(span), { filter: q, sort, open: id, after, rows });
    // An update is made for all who have the same, and the state that it leads to for all who look at the same.
    const make = () => updates.write({ base, key, version }, view);
    if (base === undefined) return c.body(states.get(key, version, make).text);
    // Whoever has a state goes on with it where there is no time to tell him more.
    const update = states.find(`${key} ${base}`, version, make, key === "");
    return update === undefined ? c.body(null, 204) : c.body(update.text);
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

/**
 * The table as all pages are made from, for as long as it is fresh: who types a filter asks for another page with each
 * key, and of 10,000 members the table costs more than the page. Held weakly, as it is as large as the table.
 */
function freshViews({ reports }: Node): (span: SpanName | undefined) => PageView {
  let fresh: { view: WeakRef<PageView>; key: string; atMs: number } | undefined;
  return (span) => {
    const [key, atMs] = [`${span} ${reports.version()}`, performance.now()];
    const known = fresh?.key === key && atMs - fresh.atMs < FRESH_MS
      ? fresh.view.deref()
      : undefined;
    if (known !== undefined) return known;
    const view = reports.page(span);
    fresh = { view: new WeakRef(view), key, atMs };
    return view;
  };
}

/**
 * What the page takes: `?q=` filters, `?sort=` sorts, `?span=` is the time of the strips, `?id=` opens a history,
 * `?after=` begins behind a member, `?bye=` and `?forget=` ask; and of its script, `?rows=` as many rows.
 */
interface Query {
  readonly q?: string | undefined;
  readonly id?: string | undefined;
  readonly after?: string | undefined;
  readonly rows?: number | undefined;
  readonly bye?: string | undefined;
  readonly forget?: string | undefined;
  readonly sort?: Sort | undefined;
  readonly span?: SpanName | undefined;
}

function readQuery(c: Context): Query {
  const { q, id, bye, forget, after, rows } = c.req.query();
  if (bye !== undefined && !isId(bye)) return refuse(400, "Give the ID of a member as bye=");
  if (forget !== undefined && !isId(forget)) refuse(400, "Give the ID of a member as forget=");
  const sort = SORTS.find((order) => order === c.req.query("sort"));
  return {
    q: q?.slice(0, FILTER_LENGTH_MAX),
    id: id?.slice(0, MISSING_LENGTH_MAX),
    after: after?.slice(0, MISSING_LENGTH_MAX),
    rows: /^[0-9]{1,4}$/.test(rows ?? "") ? Number(rows) : undefined,
    bye,
    forget,
    sort,
    span: (Object.keys(SPANS) as SpanName[]).find((name) => name === c.req.query("span")),
  };
}

/** Whether a browser asks. Others, curl above all, ask for whatever there is, and show it in a terminal. */
function wantsHtml(c: Context): boolean {
  return (c.req.header("accept") ?? "").toLowerCase().includes("text/html");
}

/** Equal for requests whose answers differ only in time; empty for the plain page. */
function keyOf({ q, id, bye, forget, sort, span, after, rows }: Query): string {
  const parts = [q, id, bye, forget, sort, span, after, rows];
  return parts.every((part) => part === undefined) ? "" : JSON.stringify(parts);
}

function shownFor({ q: filter, id, bye, forget, sort, span, after }: Query, node: Node) {
  const story = id === undefined ? undefined : node.reports.story(id);
  return {
    ...(filter !== undefined && { filter }),
    ...(bye !== undefined && { bye, byeUnknown: node.reports.story(bye) === undefined }),
    ...(forget !== undefined && { forget }),
    ...(sort !== undefined && { sort }),
    ...(after !== undefined && { after }),
    ...(span !== undefined && { span }),
    ...(story !== undefined && { story }),
    ...(id !== undefined && !story && { missing: id }),
  };
}
