/**
 * Clusters of ten thousand nodes and more, as no machine holds a hundred million rows: every node runs, calls and
 * passes on, and all tables hold the same few members, the sample. What happens to these is measured; the others are
 * a crowd that always runs.
 *
 * Whom a node calls is drawn from all. So production's classes are changed in four places: what a table takes, who is
 * drawn, who is at an address, and how many live members a node counts.
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

/** The address of node `i`. */
export function addressOf(i: number): string {
  return `h${i}:1`;
}

/** Lets `run` happen in a cluster of which tables hold a sample. One at a time: it changes production's classes. */
export function sampled<T>(options: SampledOptions, run: () => T): T {
  const { nodes, members, dice } = options;
  // With fewer a node would take its cluster for a small one, and call fewer.
  if (fanout(members) !== fanout(nodes)) throw new Error(`A sample of ${members} is too small`);
  const crowd = Array.from({ length: nodes - members }, (_, i): Row => {
    const [id, address] = [`n${members + i}`, addressOf(members + i)];
    return { id, address, boot: "crowd", heartbeat: 1, left: "", heardAtMs: 0 };
  });
  const crowdAt = new Map(crowd.map((row) => [row.address, row]));
  const inCrowd = new Set(crowd.map(({ id }) => id));
  const { merge } = Replica.prototype;
  const { choose } = Partners.prototype;
  const { memberAt } = Verdicts.prototype;
  const liveCount = Object.getOwnPropertyDescriptor(Verdicts.prototype, "liveCount")!;

  Replica.prototype.merge = function (report, via, nowMs) {
    return inCrowd.has(report.id) ? "same" : merge.call(this, report, via, nowMs);
  };
  Verdicts.prototype.memberAt = function (address) {
    return crowdAt.get(address) ?? memberAt.call(this, address);
  };
  Object.defineProperty(Verdicts.prototype, "liveCount", {
    get(this: Verdicts) {
      return liveCount.get!.call(this) + crowd.length;
    },
  });
  Partners.prototype.choose = function (choice) {
    const { live, gone, ownAddress, isSilent, isSuspect, lookShare } = choice;
    const known = live.length / (live.length + crowd.length);
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
      const at = dice.whole(0, live.length + crowd.length - 1);
      const row = live[at] ?? crowd[at - live.length]!;
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
