/**
 * Whether a node does its work, and is ready for it: what `/healthz` and `/readyz` tell.
 *
 * @module
 */
import type { Gossip } from "../gossip.ts";

/** A round that is this many intervals late means that the process does not get to run. */
const LATE_INTERVALS = 2;

/** Addresses that one line names. */
const NAMED_MAX = 5;

/** Why the node is not healthy, in one line; undefined if it is. */
export function troubleOf(
  gossip: Gossip,
  at: { readonly monotonicMs: number; readonly intervalMs: number },
): string | undefined {
  const lateMs = gossip.lateMs(at.monotonicMs);
  if (lateMs <= LATE_INTERVALS * at.intervalMs) return undefined;
  const late = `${(lateMs / 1000).toFixed(1)} s`;
  return `The next round is ${late} late: the process does not get to run`;
}

/** Which addresses this node still has to reach, in one line, while it has met no other node. */
export function waitingFor(gossip: Gossip): string {
  const addresses = Array.from(gossip.contacts.unanswered(), ({ address }) => address);
  const named = addresses.slice(0, NAMED_MAX).join(", ");
  const more = addresses.length > NAMED_MAX ? ` and ${addresses.length - NAMED_MAX} more` : "";
  return `This node has reached none of its -join addresses: ${named}${more}`;
}
