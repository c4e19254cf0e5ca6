/**
 * What users ask of a node: to decommission or forget a member, to keep hooks quiet or try one, to change its own tags.
 * Who may is decided by the gate.
 *
 * @module
 */
import { isId } from "../address.ts";
import { UsageError } from "../config/flags.ts";
import { isHookName } from "../config/hooks.ts";
import { formatDuration, readDuration } from "../config/values.ts";
import { FORM_BYTES_MAX } from "../limits.ts";
import type { Node } from "../host/node.ts";
import { QUIET_USAGE, type QuietRequest } from "../host/requests.ts";
import { storyPath } from "../page/links.tsx";
import { renderRefusal } from "../page/refusal.tsx";
import { isPattern, QUIET_MAX_MS } from "../quiets.ts";
import { accepts } from "../std/http/negotiation.ts";
import { quote } from "../text.ts";
import { loadAssets } from "./assets.ts";
import { bodyOf, refuse } from "./body.ts";
import type { CallerContext, CallerEnv } from "./callers.ts";
import type { Gate } from "./gate.ts";
import { redirectTo } from "./headers.ts";
import type { Hono } from "./hono.ts";
import { tagsOf } from "./wanted.ts";

const BYE_USAGE = "Give the ID of the member to decommission for good: /bye?id=NNN";

const FORGET_USAGE = "Give the ID of the dead or left member to forget: /forget?id=NNN";

/** Adds the routes to `app`. */
export function addChangeRoutes(app: Hono<CallerEnv>, node: Node, gate: Gate): void {
  app.use("/bye", showRefusal, gate.bye);
  app.use("/forget", showRefusal, gate.bye);

  app.on(["GET", "POST"], "/bye", async (c) => {
    const { id, field } = await readRequest(c, BYE_USAGE);
    // The page's form has this field for a member that is live.
    if ((field("confirm") ?? id) !== id) refuse(400, `Type the ID of the member, ${id}`);
    const { status, text } = await node.requests.bye(id, { unknown: field("unknown") === "yes" });
    if (status !== 200) return refuse(status, text);
    // A browser goes back to the page, unless this node has just decommissioned itself.
    return fromPage(c) && id !== node.id
      ? c.redirect(redirectTo(storyPath(id)), 303)
      : c.text(`${text}\n`);
  });

  app.on(["GET", "POST"], "/forget", async (c) => {
    const { id } = await readRequest(c, FORGET_USAGE);
    const { status, text } = await node.requests.forget(id);
    if (status !== 200) return refuse(status, text);
    return fromPage(c) ? c.redirect(redirectTo("./"), 303) : c.text(`${text}\n`);
  });

  app.post("/quiet", gate.bye, async (c) => {
    using form = await bodyOf(c, FORM_BYTES_MAX);
    const { status, text } = node.requests.quiet(readQuiet(c, new URLSearchParams(form.text)));
    return status === 200 ? c.text(`${text}\n`) : refuse(status, text);
  });

  app.post("/hook-test", gate.bye, async (c) => {
    using form = await bodyOf(c, FORM_BYTES_MAX);
    const name = c.req.query("name") ?? new URLSearchParams(form.text).get("name") ?? "";
    if (!isHookName(name)) refuse(400, "Give the name of a hook: /hook-test?name=pager");
    const { status, text } = await node.requests.testHook(name);
    return status === 200 ? c.text(`${text}\n`) : refuse(status, text);
  });

  app.post("/tag", gate.bye, async (c) => {
    using form = await bodyOf(c, FORM_BYTES_MAX);
    return c.json(node.words.retag(readTagChange(c, new URLSearchParams(form.text))));
  });
}

/** Shows a refusal to a form as a page, with a way back: the browser has left the one it was sent from. */
async function showRefusal(c: CallerContext, next: () => Promise<void>): Promise<void> {
  await next();
  if (c.res.status < 400 || !fromPage(c)) return;
  const { hash } = await loadAssets();
  const html = renderRefusal((await c.res.text()).trim(), `static/${hash}/style.css`);
  const page = new Response(html, c.res);
  page.headers.set("Content-Type", "text/html; charset=UTF-8");
  c.res = undefined;
  c.res = page;
}

/** The fields of a change that a user asks for, in the query or in a form, and the ID among them. */
async function readRequest(c: CallerContext, usage: string) {
  using form = await bodyOf(c, FORM_BYTES_MAX);
  const fields = new URLSearchParams(form.text);
  const field = (name: string) => c.req.query(name) ?? fields.get(name) ?? undefined;
  const id = field("id") ?? "";
  return isId(id) ? { id, field } : refuse(400, usage);
}

/** Whether the form of a browser asks, which wants a page. */
function fromPage(c: CallerContext): boolean {
  return c.req.method === "POST" &&
    accepts(c.req.raw, "text/plain", "text/html") === "text/html";
}

/** A change of this node's tags: `set=role=web&unset=zone`, each repeated for more, in the query or in a form. */
function readTagChange(
  c: CallerContext,
  form: URLSearchParams,
): { set: Record<string, string>; unset: string[] } {
  const texts = (name: string) => [...c.req.queries(name) ?? [], ...form.getAll(name)];
  const set = tagsOf(texts("set"), "set");
  const unset = texts("unset");
  if (Object.keys(set).length + unset.length > 0) return { set, unset };
  return refuse(
    400,
    "Give the tags to change: set=KEY=VALUE, or unset=KEY, each repeated for more",
  );
}

/** Whom hooks are to say nothing of, in the query or in a form: `id=web*&for=2h&why=deploy`. */
function readQuiet(c: CallerContext, form: URLSearchParams): QuietRequest {
  const field = (name: string) => c.req.query(name) ?? form.get(name) ?? "";
  const [pattern, time] = [field("id"), field("for")];
  if (!isPattern(pattern) || time === "") refuse(400, QUIET_USAGE);
  try {
    return { pattern, forMs: readQuietTime(time), why: field("why") };
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return refuse(400, `Cannot use for=${quote(time)}: ${error.message}`);
  }
}

function readQuietTime(text: string): number {
  const ms = text === "0" ? 0 : readDuration(text);
  if (ms <= QUIET_MAX_MS) return ms;
  throw new UsageError(`give a duration of at most ${formatDuration(QUIET_MAX_MS)}, a week`);
}
