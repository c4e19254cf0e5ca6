/**
 * The HTTP routes, and nothing else: each reads its input, asks the node, and writes the answer.
 *
 * @module
 */
import { type Context, Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import { isId, normalizeAddress } from "./address.ts";
import { readBody, refuse } from "./http.ts";
import { BODY_BYTES_MAX } from "./limits.ts";
import type { Node } from "./node.ts";

const BYE_USAGE = "Give the ID of the member to decommission for good: /bye?id=NNN";

/** Bytes of a form: an ID and a key. */
const FORM_BYTES_MAX = 4_096;

/** Creates the routes of `node`. */
export function createApp(node: Node): Hono {
  const app = new Hono();

  app.get("/hello", (c) => {
    const from = c.req.query("from");
    if (from !== undefined) node.hear(...readSender(c, from));
    return c.text(node.hello());
  });

  app.post("/hello", async (c) => {
    const [from] = readSender(c, c.req.query("from") ?? "");
    const answer = node.receive(from, await readBody(c.req.raw, BODY_BYTES_MAX));
    if ("error" in answer) refuse(400, `Cannot read this exchange: ${answer.error}`);
    return c.body(answer.body);
  });

  app.on(["GET", "POST"], "/bye", async (c) => {
    const form = c.req.method === "POST" ? await readBody(c.req.raw, FORM_BYTES_MAX) : "";
    const id = c.req.query("id") ?? new URLSearchParams(form).get("id") ?? "";
    if (!isId(id)) refuse(400, BYE_USAGE);
    const { ok, text } = node.bye(id);
    return ok ? c.text(`${text}\n`) : refuse(507, text);
  });

  app.get("/members", async (c) => {
    const { etag, body } = await node.members();
    c.header("ETag", etag);
    if (c.req.header("If-None-Match") === etag) return c.body(null, 304);
    return c.json(body);
  });

  app.get("/members/:id", (c) => {
    const member = node.member(c.req.param("id"));
    return member === undefined
      ? refuse(404, "No member of this ID is in the table")
      : c.json(member);
  });

  app.get("/healthz", (c) => {
    const trouble = node.trouble();
    return trouble === undefined ? c.text("ok\n") : refuse(503, trouble);
  });

  for (const path of ["/hello", "/bye", "/members", "/members/:id", "/healthz"]) {
    const allow = path === "/hello" || path === "/bye" ? "GET, HEAD, POST" : "GET, HEAD";
    app.all(path, (c) => c.text(`Use ${allow}\n`, 405, { Allow: allow }));
  }
  app.notFound((c) => c.text("Not found: see /, /hello, /members, /healthz\n", 404));
  app.onError((error, c) => {
    if (error instanceof HTTPException) return c.text(`${error.message}\n`, error.status);
    node.reportBug(error);
    return c.text("This node made a mistake: its log has the details\n", 500);
  });
  return app;
}

/** Reads who calls: `from` and `via` of the query. */
function readSender(c: Context, from: string): [from: string, via: string] {
  const via = normalizeAddress(c.req.query("via") ?? "");
  if (!isId(from)) refuse(400, "Give your ID as from=: 1 to 64 of A-Z a-z 0-9 . _ : -");
  if (via === undefined) refuse(400, "Give your address as via=host:port");
  return [from, via];
}
