/**
 * Which members a request asks for: `?status=dead,failing`, `?tag=role=web`, the latter repeated for more, and
 * `?limit=100&after=n3` for a page of them.
 *
 * @module
 */
import { isId } from "../address.ts";
import { readTags } from "../config/labels.ts";
import { UsageError } from "../config/flags.ts";
import type { MemberQuery } from "../report/members.ts";
import { type Status, STATUSES } from "../table.ts";
import { refuse } from "./body.ts";
import type { CallerContext } from "./callers.ts";

/** The whole filter of a request. */
export function readWanted(
  c: CallerContext,
): MemberQuery & { readonly tags: Record<string, string> } {
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

/** Tags out of `texts`, such as `role=web`, that the query's field `name` gave. */
export function tagsOf(texts: readonly string[], name: string): Record<string, string> {
  // A script's variable that is empty must not make the list one of everybody.
  if (texts.some((text) => text.trim() === "")) {
    refuse(400, `Cannot use ${name}=: give NAME=VALUE, such as role=web`);
  }
  try {
    return readTags(texts.join("\n"));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return refuse(400, `Cannot use ${name}=: ${error.message}`);
  }
}
