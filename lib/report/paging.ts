/**
 * A large table, page by page. (pure)
 *
 * @module
 */
import { type MemberQuery, type MembersView, memberViews, type ViewSources } from "./members.ts";

/** The pace, the members that are `wanted`, and where they are limited, the ID after which the next page begins. */
export function pageOfMembers(
  from: ViewSources,
  wanted: MemberQuery = {},
): Pick<MembersView, "intervalMs" | "deadAfterMs" | "members" | "next"> {
  const { intervalMs, deadAfterMs } = from.gossip.replica.pace;
  const pace = { intervalMs, deadAfterMs };
  const { limit } = wanted;
  if (limit === undefined) return { ...pace, members: memberViews(from, wanted) };
  // One more tells whether there is more.
  const found = memberViews(from, { ...wanted, limit: limit + 1 });
  const members = found.slice(0, limit);
  return { ...pace, members, next: found.length > limit ? members.at(-1)!.id : null };
}
