/**
 * The routes by which users change the table: who may is decided by the gate.
 *
 * @module
 */
import { isId } from "../address.ts";
import { isHookName } from "../config/hooks.ts";
import { FORM_BYTES_MAX } from "../limits.ts";
import type { Node } from "../host/node.ts";
import { storyPath } from "../page/links.tsx";
import { accepts } from "../std/http/negotiation.ts";
import { Body, readBody, refuse } from "./body.ts";
import type { CallerContext, CallerEnv } from "./callers.ts";
import type { Gate } from "./gate.ts";
import { redirectTo } from "./headers.ts";
import type { Hono } from "./hono.ts";
import { readQuiet, readTagChange } from "./wanted.ts";

const BYE_USAGE = "Give the ID of the member to decommission for good: /bye?id=NNN";

const FORGET_USAGE = "Give the ID of the dead or left member to forget: /forget?id=NNN";

/** Adds the routes to `app`. */
export function addChangeRoutes(app: Hono<CallerEnv>, node: Node, gate: Gate): void {
  app.use("/bye", gate.bye);
  app.use("/forget", gate.bye);

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
    return c.json(node.retag(readTagChange(c, new URLSearchParams(form.text))));
  });
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

/** The body, which the gate may have read already. */
export function bodyOf(c: CallerContext, bytesMax: number): Body | Promise<Body> {
  if (c.req.method !== "POST") return new Body();
  const text = c.get("body");
  return text === undefined ? readBody(c, { bytesMax }) : new Body(text);
}
