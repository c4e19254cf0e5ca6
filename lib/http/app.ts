/**
 * The HTTP routes, and nothing else: each reads its input, asks the node, and writes the answer.
 *
 * @module
 */
import { UsageError } from "../config/flags.ts";
import type { Node } from "../host/node.ts";
import { BODY_BYTES_MAX } from "../limits.ts";
import { STREAMS_MAX } from "../report/events.ts";
import { Answers } from "./answers.ts";
import { bodyOf, refuse } from "./body.ts";
import { type CallerContext, type CallerEnv, networkOf } from "./callers.ts";
import { addChangeRoutes } from "./change_routes.ts";
import { addDownloadRoutes } from "./download_routes.ts";
import type { Gate } from "./gate.ts";
import { checkHeaders, EMPTY } from "./headers.ts";
import { addHistoryRoutes } from "./history_routes.ts";
import { Hono, HTTPException, methodNotAllowed } from "./hono.ts";
import { LastingAnswers } from "./lasting.ts";
import { addLiveRoute } from "./live_route.ts";
import { addMemberRoutes } from "./member_routes.ts";
import { addPageRoutes } from "./page_routes.ts";
import { RenderCache } from "./render_cache.ts";
import { Senders } from "./senders.ts";
import { readWantedTags } from "./wanted.ts";

/** Seconds until a place for a reader of events may be free again, or answers were taken. */
const RETRY_AFTER_S = "15";

/** Answered in any case: by the status alone, if the caller leaves too many answers unread. */
const PROBES: ReadonlySet<string> = new Set(["/healthz", "/readyz"]);

/** Types of answers that are streams with bounds of their own. */
const LASTING: ReadonlySet<string> = new Set(["text/event-stream", "application/octet-stream"]);

const PRIVATE_TROUBLE = "Give the cluster's key to read why: this node is private, and not ready";

/** HEAD would run as GET, and is what link checkers send. */
const BYE_METHODS = "GET, POST";

/** The type lets the server send the text as it is; bytes need no type, but the buffer costs a third more CPU. */
const JSON_ANSWER = { headers: { "content-type": "application/json" } };

/** Creates the routes of `node`, behind its gate. */
export function createApp(node: Node, gate: Gate): Hono<CallerEnv> {
  const app = new Hono<CallerEnv>();
  const senders = new Senders(node);
  const nowMs = () => performance.now();
  const answers = new Answers(nowMs);
  // Apart, so that readers who take nothing keep no member from its answer.
  const exchanges = new Answers(nowMs);

  // The only middleware in front of `/hello`, and only with a key: one costs a fifth of the busiest route.
  if (gate.hello !== undefined) app.use("/hello", gate.hello);

  app.get("/hello", (c) => {
    if (c.req.query("from") !== undefined) {
      gate.exchange(c);
      const { from, via } = senders.read(c);
      node.hear(from, via);
    }
    return answers.isFull(c.env) ? full() : answers.send(c.env, node.hello());
  });

  app.post("/hello", async (c) => {
    gate.exchange(c);
    const { from } = senders.read(c);
    using body = await bodyOf(c, BODY_BYTES_MAX);
    const answer = node.receive(from, body.text);
    if ("error" in answer) refuse(400, `Cannot read this exchange: ${answer.error}`);
    // Who signed the request takes the answer.
    if (c.get("body") !== undefined) return new Response(answer.body, JSON_ANSWER);
    return exchanges.send(c.env, answer.body, JSON_ANSWER);
  });

  const others = createOthers(node, gate);
  app.notFound(async (c) => {
    const isFull = answers.isFull(c.env);
    if (isFull && !PROBES.has(c.req.path)) return full();
    const response = await others.fetch(c.req.raw, c.env);
    const { headers, status } = response;
    if (isFull) return new Response(null, { headers, status });
    const isEmpty = c.req.raw.method === "HEAD" || EMPTY.has(status);
    if (isEmpty || LASTING.has(headers.get("content-type") ?? "")) return response;
    // All of these are texts, which cost nothing until there is room for one: bytes of each would be made before.
    return answers.send(c.env, await response.text(), { headers, status });
  });
  app.onError((error, c) => answerError(error, c, node));
  return app;
}

/** All routes but `/hello`. */
function createOthers(node: Node, gate: Gate): Hono<CallerEnv> {
  const app = new Hono<CallerEnv>();

  app.use(checkHeaders);
  app.use(methodNotAllowed({ app, onMethodNotAllowed: answerWrongMethod }));
  app.use(gate.read);
  addChangeRoutes(app, node, gate);

  addMemberRoutes(app, node);

  const targets = new RenderCache();
  app.get("/sd", (c) => {
    c.header("Content-Type", "application/json");
    const tags = readWantedTags(c);
    const make = () => JSON.stringify(node.reports.targets(tags));
    return c.body(targets.get(Object.entries(tags).join(" "), node.reports.version(), make).text);
  });

  addLiveRoute(app, node);
  addHistoryRoutes(app, node, gate);

  const readers = new LastingAnswers(STREAMS_MAX);
  app.get("/events", (c) => {
    c.header("Content-Type", "text/event-stream");
    // A proxy that compresses would hold events back until a block is full.
    c.header("Cache-Control", "no-store, no-transform");
    // nginx holds an answer back until a buffer is full, unless the answer says otherwise.
    c.header("X-Accel-Buffering", "no");
    if (c.req.method === "HEAD") return c.body(null);
    const fromNow = c.req.query("from") === "now";
    const answer = readers.enter(networkOf(c.env.remote));
    const events = answer && node.reports.events(c.req.header("Last-Event-ID"), fromNow);
    if (events !== undefined) return c.body(gate.whileReader(c, answer!.hold(events)));
    if (answer === undefined) node.reports.refused("streams");
    else answer.leave();
    c.header("Retry-After", RETRY_AFTER_S);
    return c.text("Too many readers of /events: try again in 15 s, or ask another node\n", 503);
  });

  app.get("/metrics", async (c) => {
    c.header("Content-Type", "text/plain; version=0.0.4; charset=utf-8");
    return c.body(await node.reports.metrics());
  });

  const answerProbe = async (c: CallerContext, trouble: string | undefined, warning?: string) => {
    c.header("Cache-Control", "no-store");
    // Reasons name files and -join addresses, which a private node keeps from callers without the key.
    const told = await gate.mayRead(c);
    if (trouble !== undefined) return refuse(503, told ? trouble : PRIVATE_TROUBLE);
    return c.text(warning !== undefined && told ? `ok\nwarning: ${warning}\n` : "ok\n");
  };
  // A warning leaves the node healthy, as a restart would not help.
  app.get("/healthz", (c) => answerProbe(c, node.trouble(), node.warning()));
  app.get("/readyz", (c) => answerProbe(c, node.unready()));

  addPageRoutes(app, node);
  addDownloadRoutes(app, node.downloads);

  app.all("/hello", (c) => answerWrongMethod(c, ["GET", "HEAD", "POST"]));
  app.notFound((c) => c.text("Not found: see /, /hello, /members, /events, /metrics\n", 404));
  app.onError((error, c) => answerError(error, c, node));
  return app;
}

function answerError(error: Error, c: CallerContext, node: Node): Response {
  if (error instanceof HTTPException) {
    if (error.status === 413) node.reports.refused("body");
    if (error.status === 405) c.header("Allow", BYE_METHODS);
    return c.text(`${error.message}\n`, error.status);
  }
  if (error instanceof UsageError) return c.text(`${error.message}\n`, 400);
  node.reportBug(error);
  return c.text("A bug in gossiper: see this node's log, and please report it\n", 500);
}

/** Without a body, which the caller would not take. */
function full(): Response {
  return new Response(null, { status: 503, headers: { "Retry-After": RETRY_AFTER_S } });
}

function answerWrongMethod(c: CallerContext, methods: string[]): Response {
  const allow = methods.join(", ");
  return c.text(`Use ${allow}\n`, 405, { Allow: allow });
}
