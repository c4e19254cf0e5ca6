/**
 * The brain of a node that starts: the core, with what a former life left in the state file.
 *
 * @module
 */
import { Gossip } from "../gossip.ts";
import { isSrv } from "../net/seeds.ts";
import type { NodeOptions } from "./node_options.ts";
import { restore } from "./state_format.ts";
import { toldBefore } from "./state_told.ts";

/** Makes the brain; `boot` is 8 hex digits of this process alone. */
export function createBrain(options: NodeOptions, boot: string): Gossip {
  const { id, address, join, saved, random, hooks, tellAfterMs } = options;
  const { intervalMs, deadAfterMs, forgetMs, stretchMembers } = options;
  const now = options.now();
  const seeds = join.filter((seed) => !isSrv(seed));
  const gossip = new Gossip({
    id,
    address,
    boot,
    random,
    seeds,
    awaitsSeeds: seeds.length < join.length,
    remembered: (saved?.addresses ?? []).filter((known) => known !== address),
    intervalMs,
    deadAfterMs,
    forgetMs,
    stretchMembers,
    hooks,
    tellAfterMs,
    told: toldBefore(saved?.told ?? [], now.wallMs),
  }, now);
  if (saved !== undefined) restore(gossip, saved, { id, wallMs: now.wallMs });
  return gossip;
}
