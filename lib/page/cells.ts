/**
 * The cells of the map: each member at its place by the tag that most members have, then by ID. (pure)
 *
 * A cell is one short text, so that a map is sent and compared by them: the mark of the member's status, then its ID,
 * as "+n1". A cell that begins with `CELL_HEADING` names the members that follow.
 *
 * @module
 */
import type { ListedMember } from "../report/members.ts";
import { STATUS_MARK } from "../report/strips.ts";
import { CELL_HEADING } from "../../static/squares.js";

/** Groups of a map: each takes a line of its own, so a tag with more values arranges nothing. */
export const MAP_GROUPS_MAX = 50;

/** All cells. Those without the tag come last; where less than half have one in common, there is one group, unnamed. */
export function mapCells(members: readonly ListedMember[]): string[] {
  const shown = members.filter(({ status }) => status !== "decommissioned");
  const key = commonKey(shown);
  const groups = new Map<string | undefined, ListedMember[]>();
  for (const member of shown) {
    const name = key === undefined ? undefined : member.tags[key];
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [member]);
    else group.push(member);
  }
  const named = [...groups].sort(([a], [b]) =>
    a === undefined ? 1 : b === undefined ? -1 : a < b ? -1 : 1
  );
  return named.flatMap(([name, group]) => {
    const cells = group.sort((a, b) => a.id < b.id ? -1 : 1)
      .map(({ id, status }) => STATUS_MARK[status] + id);
    if (key === undefined) return cells;
    return [`${CELL_HEADING}${name === undefined ? `no ${key}` : `${key}=${name}`}`, ...cells];
  });
}

/** The key of the tag that most have, the first by name of several: undefined if less than half have it. */
function commonKey(members: readonly ListedMember[]): string | undefined {
  const keys = new Map<string, { count: number; values: Set<string> }>();
  for (const { tags } of members) {
    for (const [key, value] of Object.entries(tags)) {
      let known = keys.get(key);
      if (known === undefined) keys.set(key, known = { count: 0, values: new Set() });
      known.count++;
      if (known.values.size <= MAP_GROUPS_MAX) known.values.add(value);
    }
  }
  const [most] = [...keys].filter(([, { values }]) => values.size <= MAP_GROUPS_MAX)
    .sort(([a, x], [b, y]) => y.count - x.count || (a < b ? -1 : 1));
  return most !== undefined && most[1].count * 2 >= members.length ? most[0] : undefined;
}
