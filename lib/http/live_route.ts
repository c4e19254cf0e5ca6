/**
 * `GET /live`: a list of addresses for other programs, which can wait until the list is another one.
 *
 * @module
 */
import type { Hono } from "./hono.ts";
import { isLabel } from "../about.ts";
import type { Node } from "../host/node.ts";
import { withDeadline } from "../net/deadline.ts";
import { etagOf, liveText } from "../report/live.ts";
import { refuse } from "./body.ts";
import { type CallerContext, type CallerEnv, networkOf } from "./callers.ts";
import { RenderCache } from "./render_cache.ts";
import { WaitingRoom } from "./waiting.ts";
import { readWantedTags } from "./wanted.ts";

/** Longest wait, in ms: proxies give up on an answer after a minute. */
const WAIT_MAX_MS = 55_000;

/** Callers that wait at once: each holds a connection open. Whoever has most of them loses one to the next. */
const WAITERS_MAX = 100;

/** Seconds until a caller without a place should ask again: as good as a wait, and rare enough for a crowd. */
const RETRY_AFTER_S = "1";

/** Adds the route. */
export function addLiveRoute(app: Hono<CallerEnv>, node: Node): void {
  const lists = new RenderCache();
  const waiters = new WaitingRoom(WAITERS_MAX);

  app.get("/live", async (c) => {
    const tags = readWantedTags(c);
    const port = readPortName(c.req.query("port"));
    const known = knownTo(c);
    const key = [port ?? "", ...Object.entries(tags)].join(" ").trim();
    const list = () => {
      const make = () => liveText(node.reports.live(tags), port);
      return lists.get(key, node.reports.version(), make).text;
    };
    const waitMs = readWait(c.req.query("wait"));
    const found = known === undefined || waitMs === 0
      ? list()
      : await waitFor(c, { list, known, waitMs });
    if (found === undefined) {
      // Not 304, after which callers ask again at once: each would take the place of another without end.
      c.header("Retry-After", RETRY_AFTER_S);
      return c.text("Too many wait at /live: ask again in a second, or ask another node\n", 503);
    }
    const etag = etagOf(found);
    c.header("ETag", etag);
    c.header("Cache-Control", "no-cache");
    return etag === known ? c.body(null, 304) : c.text(found);
  });

  /** The list as soon as it is another one than `known`, or after `waitMs`; undefined if the next took the place. */
  async function waitFor(
    c: CallerContext,
    { list, known, waitMs }: { list: () => string; known: string; waitMs: number },
  ): Promise<string | undefined> {
    let found = list();
    if (etagOf(found) !== known) return found;
    let isOver = false;
    let isGivenUp = false;
    const { promise: over, resolve } = Promise.withResolvers<void>();
    const end = () => {
      isOver = true;
      resolve();
    };
    const place = waiters.enter(networkOf(c.env.remote), () => {
      isGivenUp = true;
      end();
    });
    // Without "no-legacy-abort" in deno.json Deno itself would write a warning of this to the log.
    c.req.raw.signal.addEventListener("abort", end);
    const looking = async () => {
      while (!isOver && etagOf(found) === known) {
        await Promise.race([node.reports.told, over]);
        found = list();
      }
    };
    try {
      await c.env.aside(withDeadline(looking(), waitMs, end));
      return isGivenUp && etagOf(found) === known ? undefined : found;
    } finally {
      end();
      place.leave();
    }
  }
}

/** The ETag of the list that the caller has: `since`, with or without its quotes, or `If-None-Match`. */
function knownTo(c: CallerContext): string | undefined {
  const given = c.req.query("since") ?? c.req.header("If-None-Match");
  return given === undefined ? undefined : `"${given.replace(/^W\//, "").replaceAll('"', "")}"`;
}

function readPortName(text: string | undefined): string | undefined {
  if (text === undefined || isLabel(text)) return text;
  return refuse(400, "Give as port= the name of a service, as members have it with -port-of");
}

/** Reads `30s` or `500ms`; 0 where no wait is asked for. */
function readWait(text: string | undefined): number {
  if (text === undefined) return 0;
  const [, amount = "", unit] = /^([0-9]{1,5})(ms|s)$/.exec(text) ?? [];
  if (unit === undefined) refuse(400, "Give as wait= a time of up to 55s, such as 30s");
  return Math.min(Number(amount) * (unit === "s" ? 1_000 : 1), WAIT_MAX_MS);
}
