/**
 * Clusters of ten thousand nodes and more, as no machine holds a hundred million rows: every node runs, calls and
 * passes on, and all tables hold the same few members, the sample. What happens to these is measured; the others are
 * a crowd that always runs.
 *
 * Whom a node calls is drawn from all. So production's code is changed in three places: what its table takes, whom it
 * draws, and how many live members it counts.
 *
 * @module
 */
import { fanout, Partners, SUSPECT_FANOUT } from "../../lib/partners.ts";
import { Replica } from "../../lib/replica.ts";
import type { Row } from "../../lib/table.ts";
import { Verdicts } from "../../lib/verdicts.ts";
import type { Dice } from "../support/dice.ts";

export interface SampledOptions {
  /** Nodes of the whole cluster: `n0` to its last. */
  readonly nodes: number;
  /** Members that tables hold: `n0` to its last, and those that come later. */
  readonly members: number;
  readonly dice: Dice;
}

/** Where a node of the crowd is, for whoever calls it: it lives. */
type Place = Row;

/** The address of node `i`. */
export function addressOf(i: number): string {
  return `h${i}:1`;
}

/** Lets `run` happen in a cluster of which tables hold a sample. One at a time: it changes production's classes. */
export function sampled<T>(options: SampledOptions, run: () => T): T {
  const { nodes, members, dice } = options;
  // With fewer a node would take its cluster for a small one, and call fewer.
  if (fanout(members) !== fanout(nodes)) throw new Error(`A sample of ${members} is too small`);
  const crowd = new Map<string, Place>();
  for (let i = members; i < nodes; i++) {
    const row = { id: `n${i}`, address: addressOf(i), boot: "crowd", heartbeat: 1, left: "" };
    crowd.set(row.address, { ...row, heardAtMs: 0 });
  }
  const inCrowd = new Set([...crowd.values()].map(({ id }) => id));
  const addresses = [...crowd.keys()];
  const { merge } = Replica.prototype;
  const { choose } = Partners.prototype;
  const { memberAt } = Verdicts.prototype;
  const liveCount = Object.getOwnPropertyDescriptor(Verdicts.prototype, "liveCount")!;

  Replica.prototype.merge = function (report, via, nowMs) {
    return inCrowd.has(report.id) ? "same" : merge.call(this, report, via, nowMs);
  };
  Verdicts.prototype.memberAt = function (address) {
    return crowd.get(address) ?? memberAt.call(this, address);
  };
  Object.defineProperty(Verdicts.prototype, "liveCount", {
    get(this: Verdicts) {
      return liveCount.get!.call(this) + crowd.size;
    },
  });
  Partners.prototype.choose = function (choice) {
    const { live, gone, ownAddress, isSilent, isSuspect, lookShare } = choice;
    const known = live.length / (live.length + crowd.size);
    const chosen = choose.call(this, {
      ...choice,
      fanout: 0,
      // Each is called by the whole cluster a few times, and this node knows that cluster only by its sample.
      isSuspect: (row) => isSuspect(row) && dice.chance(known),
      lookShare: (row) => lookShare(row) * known,
      gone: gone.filter(() => dice.chance(known)),
    });
    let draws = choice.fanout + (live.some(isSuspect) ? SUSPECT_FANOUT : 0);
    for (let tries = 2 * draws; draws > 0 && tries > 0; tries--) {
      const at = dice.whole(0, live.length + addresses.length - 1);
      const row = at < live.length ? live[at]! : crowd.get(addresses[at - live.length]!)!;
      if (row.address === ownAddress || chosen.has(row.address) || isSilent(row.id)) continue;
      chosen.add(row.address);
      draws--;
    }
    return chosen;
  };
  try {
    return run();
  } finally {
    Replica.prototype.merge = merge;
    Partners.prototype.choose = choose;
    Verdicts.prototype.memberAt = memberAt;
    Object.defineProperty(Verdicts.prototype, "liveCount", liveCount);
  }
}
