/**
 * Metrics that name members: who is down, what else is to be known of whom, and who says what it is. (pure)
 *
 * Each is there only while it names somebody, and names a bounded number: every node exports as many series.
 *
 * @module
 */
import { STATUSES } from "../table.ts";
import type { ListedMember, MemberView } from "./members.ts";
import { type Family, gauge, tagLabels } from "./prometheus.ts";
import { kindsIn } from "./remarks.ts";

/** Members that `gossiper_member_down` names: after a large outage every node exports as many series. */
export const DOWN_NAMED_MAX = 256;

/** Members whose tags `gossiper_member_info` tells: every node exports as many series. */
const TAGGED_MAX = 1_024;

/** Decommissioned members are gone for good, so nobody needs to be told that they are down. */
const DOWN_STATUSES = STATUSES.filter((status) => status !== "live" && status !== "decommissioned");

/** The families that name anybody. */
export function namedFamilies(members: readonly ListedMember[]): Family[] {
  return [...downFamilies(members), ...remarkFamilies(members), ...infoFamilies(members)];
}

/** Names members that are down, dead ones first; no family while all are up. */
function downFamilies(members: readonly MemberView[]): Family[] {
  const down = DOWN_STATUSES.flatMap((status) => members.filter((each) => each.status === status));
  if (down.length === 0) return [];
  return [gauge(
    "gossiper_member_down",
    `Members that are ${DOWN_STATUSES.join(" or ")}, ${DOWN_NAMED_MAX} at most; always 1.`,
    down.slice(0, DOWN_NAMED_MAX).map(({ id, address, status }) => [{ id, address, status }, 1]),
  )];
}

/** Tells what members say they are; no family where none says anything. Joins with the others by ID. */
function infoFamilies(members: readonly ListedMember[]): Family[] {
  const samples = members.filter(({ tags }) => Object.keys(tags).length > 0).slice(0, TAGGED_MAX)
    .map(({ id, address, tags }): [Record<string, string>, number] => [
      { id, address, ...tagLabels(tags, "tag_") },
      1,
    ]);
  if (samples.length === 0) return [];
  return [
    gauge("gossiper_member_info", `Tags of ${TAGGED_MAX} members at most; always 1.`, samples),
  ];
}

/** Names members with a remark; no family without any. */
function remarkFamilies(members: readonly ListedMember[]): Family[] {
  const samples = members.filter(({ status, remark }) =>
    remark !== null && status !== "decommissioned"
  ).slice(0, DOWN_NAMED_MAX)
    .flatMap(({ id, address, remark }) =>
      kindsIn(remark!).map((kind): [Record<string, string>, number] => [
        { id, address, remark: kind },
        1,
      ])
    );
  if (samples.length === 0) return [];
  const help = "Members that are slow, flap, have a warning, are quiet or were not checked yet, " +
    `${DOWN_NAMED_MAX} at most; always 1.`;
  return [gauge("gossiper_member_remark", help, samples)];
}
