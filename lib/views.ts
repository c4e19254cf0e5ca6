/**
 * The table as people and scripts see it: statuses derived, times written out, sorted by ID.
 *
 * @module
 */
import type { Gossip } from "./gossip.ts";
import { ageOf } from "./table.ts";
import type { MemberView } from "./view.ts";

/** All members, decommissioned ones included, sorted by ID. */
export function memberViews(gossip: Gossip): MemberView[] {
  const { table } = gossip.replica;
  const views: MemberView[] = [];
  for (const row of table.roster()) views.push(view(gossip, row.id)!);
  for (const tombstone of table.tombstones()) views.push(view(gossip, tombstone.id)!);
  return views.sort((a, b) => a.id < b.id ? -1 : 1);
}

/** One member, or undefined where the table has none of that ID. */
export function memberView(gossip: Gossip, id: string): MemberView | undefined {
  return view(gossip, id);
}

function view(gossip: Gossip, id: string): MemberView | undefined {
  const { table } = gossip.replica;
  const row = table.get(id);
  const known = row ?? table.tombstone(id);
  if (known === undefined) return undefined;
  const heard = known.heartbeat > 0;
  return {
    id,
    address: known.address,
    status: row === undefined ? "decommissioned" : gossip.statusOf(row),
    lastHeartbeat: heard ? new Date(known.heartbeat).toISOString() : null,
    ageMs: heard ? Math.round(ageOf(known, gossip.nowMs)) : null,
  };
}
