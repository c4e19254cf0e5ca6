/**
 * Clusters of ten thousand nodes and more, as no machine holds a hundred million rows: every node runs, calls and
 * passes on, and all tables hold the same few members, the sample. What happens to these is measured; the others are
 * a crowd that always runs.
 *
 * Whom a node calls is drawn from all. So production's classes are changed in seven places: what a table takes, when a
 * round comes, who is drawn, who is at an address, who reads ticks, who ever answered, and how many members a node
 * counts.
 *
 * @module
 */
import { Forms } from "../../lib/forms.ts";
import { Partners, SUSPECT_FANOUT } from "../../lib/partners.ts";
import { Replica } from "../../lib/replica.ts";
import { Rounds } from "../../lib/rounds.ts";
import { Strangers } from "../../lib/strangers.ts";
import { type Mutable, type Row, Table } from "../../lib/table.ts";
import { FRAME_LENGTH } from "../../lib/entropy.ts";
import { CHECK_LENGTH, CHECKED } from "../../lib/ticks.ts";
import { Verdicts } from "../../lib/verdicts.ts";
import type { Message } from "../../lib/wire.ts";
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
  const crowd = Array.from({ length: nodes - members }, (_, i): Row => {
    const [id, address] = [`n${members + i}`, addressOf(members + i)];
    return { id, address, boot: "crowd", heartbeat: 1, left: "", heardAtMs: 0 };
  });
  const crowdAt = new Map(crowd.map((row) => [row.address, row]));
  const inCrowd = new Set(crowd.map(({ id }) => id));
  const { merge, beat, stepInMs } = Replica.prototype;
  const { choose } = Partners.prototype;
  const { memberAt } = Verdicts.prototype;
  const { reads, heard } = Forms.prototype;
  const { begin } = Rounds.prototype;
  const { answered, failed, has } = Strangers.prototype;
  const size = Object.getOwnPropertyDescriptor(Table.prototype, "size")!;
  const liveCount = Object.getOwnPropertyDescriptor(Verdicts.prototype, "liveCount")!;

  Replica.prototype.merge = function (report, via, nowMs) {
    return inCrowd.has(report.id) ? "same" : merge.call(this, report, via, nowMs);
  };
  // One of the crowd has no row of its own, and yet a round comes not before its next tick.
  const clocksMs = new WeakMap<Replica, number>();
  Replica.prototype.beat = function (now, nowMs) {
    beat.call(this, now, nowMs);
    clocksMs.set(this, this.pulse.heartbeat + this.pulse.ageMs - nowMs);
  };
  Replica.prototype.stepInMs = function (nowMs) {
    const { unitMs } = this;
    if (unitMs === undefined || !inCrowd.has(this.id)) return stepInMs.call(this, nowMs);
    return unitMs - (clocksMs.get(this)! + nowMs) % unitMs;
  };
  // Nobody is heard for the first time, so that who reads ticks would be news.
  Forms.prototype.reads = function (id) {
    return inCrowd.has(id!) || reads.call(this, id);
  };
  Forms.prototype.heard = function (id, message, at) {
    const said: Mutable<Message> = { ...message };
    if (inCrowd.has(id)) {
      delete said.unitMs;
      delete said.columns;
    }
    heard.call(this, id, said, at);
  };
  Verdicts.prototype.memberAt = function (address) {
    return crowdAt.get(address) ?? memberAt.call(this, address);
  };
  // One of the crowd that answers is no news, and fills no memory; nor does a message lost on its way there count.
  Strangers.prototype.answered = function (id) {
    if (!inCrowd.has(id)) answered.call(this, id);
  };
  Strangers.prototype.failed = function (id) {
    if (!inCrowd.has(id)) failed.call(this, id);
  };
  Strangers.prototype.has = function (id) {
    return !inCrowd.has(id) && has.call(this, id);
  };
  const withCrowd = (count: PropertyDescriptor): PropertyDescriptor => ({
    configurable: true,
    get() {
      return count.get!.call(this) + crowd.length;
    },
  });
  Object.defineProperty(Table.prototype, "size", withCrowd(size));
  Object.defineProperty(Verdicts.prototype, "liveCount", withCrowd(liveCount));
  // How many a round calls depends on how many there are, of whom it sees but the length.
  const samples = new WeakMap<readonly Row[], readonly Row[]>();
  Rounds.prototype.begin = function (turn, from) {
    const live = new Proxy(from.live, {
      get: (rows, name) => name === "length" ? rows.length + crowd.length : Reflect.get(rows, name),
    });
    samples.set(live, from.live);
    return begin.call(this, turn, { ...from, live });
  };
  Partners.prototype.choose = function (choice) {
    const { gone, ownAddress, isSilent, isSuspect, lookShare } = choice;
    const live = samples.get(choice.live)!;
    const known = live.length / (live.length + crowd.length);
    const chosen = choose.call(this, {
      ...choice,
      live,
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
    Object.assign(Replica.prototype, { merge, beat, stepInMs });
    Object.assign(Forms.prototype, { reads, heard });
    Object.assign(Strangers.prototype, { answered, failed, has });
    Rounds.prototype.begin = begin;
    Partners.prototype.choose = choose;
    Verdicts.prototype.memberAt = memberAt;
    Object.defineProperty(Table.prototype, "size", size);
    Object.defineProperty(Verdicts.prototype, "liveCount", liveCount);
  }
}

/** Bytes of a body if it told of all `nodes` what it tells of a sample: each of its parts about members, so much longer. */
export function wholeSize(
  body: string,
  { nodes, members }: { nodes: number; members: number },
): number {
  const share = nodes / members - 1;
  const checks = (count: number) => CHECK_LENGTH * Math.ceil(count / CHECKED);
  let bytes = body.length;
  for (const [, name, text] of body.matchAll(/"(ticks|later|exact|readers)":"([^"]*)"/g)) {
    const isTicks = name === "ticks" || name === "later";
    bytes += share * (text!.length - (isTicks ? FRAME_LENGTH + checks(members) : 0));
    if (isTicks) bytes += checks(nodes) - checks(members);
  }
  return bytes;
}
