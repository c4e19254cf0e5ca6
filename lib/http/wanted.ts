/**
 * Which members a request asks for: `?status=dead,failing`, `?tag=role=web`, the latter repeated for more, and
 * `?limit=100&after=n3` for a page of them.
 *
 * @module
 */
import { isId } from "../address.ts";
import { readTags } from "../config/labels.ts";
import { UsageError } from "../config/flags.ts";
import { formatDuration, readDuration } from "../config/values.ts";
import { QUIET_USAGE, type QuietRequest } from "../host/requests.ts";
import { isPattern, QUIET_MAX_MS } from "../quiets.ts";
import type { Wanted } from "../report/members.ts";
import { type Status, STATUSES } from "../table.ts";
import { quote } from "../text.ts";
import { refuse } from "./body.ts";
import type { CallerContext } from "./callers.ts";

/** All at once. */
export function readWanted(c: CallerContext): Wanted & { readonly tags: Record<string, string> } {
  const [limit, after] = [c.req.query("limit"), c.req.query("after")];
  if (after !== undefined && !isId(after)) refuse(400, "Give the ID of a member as after=");
  return {
    statuses: readStatuses(c.req.query("status")),
    tags: readWantedTags(c),
    after,
    limit: limit === undefined ? undefined : readLimit(limit),
  };
}

function readLimit(text: string): number {
  const limit = /^[0-9]{1,5}$/.test(text) ? Number(text) : 0;
  return limit > 0 ? limit : refuse(400, "Give a number from 1 to 99999 as limit=");
}

function readStatuses(text: string | undefined): ReadonlySet<Status> | undefined {
  if (text === undefined) return undefined;
  const words = text.split(",");
  const statuses = STATUSES.filter((status) => words.includes(status));
  if (statuses.length !== words.length) {
    refuse(400, `Give one or more of these as status=: ${STATUSES.join(",")}`);
  }
  return new Set(statuses);
}

/** The tags that members must have. */
export function readWantedTags(c: CallerContext): Record<string, string> {
  return tagsOf(c.req.queries("tag") ?? [], "tag");
}

/** A change of this node's tags: `set=role=web&unset=zone`, each repeated for more, in the query or in a form. */
export function readTagChange(
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
export function readQuiet(c: CallerContext, form: URLSearchParams): QuietRequest {
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

function tagsOf(texts: readonly string[], name: string): Record<string, string> {
  try {
    return readTags(texts.join("\n"));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return refuse(400, `Cannot use ${name}=: ${error.message}`);
  }
}
