/**
 * Whom to talk to this round: a few live members, the members gone silent, some of the dead.
 *
 * Live members come off a shuffled deck, so that each is called within one walk of it, and none is left to luck.
 * Members gone silent get a handful of direct calls from the whole cluster, not a stampede. And who knows of one asks more
 * members, at random: mostly it is its own news that is late, and anybody has later. The dead get one call a round
 * from the whole cluster: without it a partition would never heal, and a node that returns without `-join` stay alone. So does
 * each Go node, which has no heartbeats to share, but knows of decommissions and of addresses.
 *
 * @module
 */
import { ageOf, type Row } from "./table.ts";

/** A heartbeat older than this share of dead-after makes its member a suspect: there is time left to look. */
const SUSPECT_SHARE = 0.6;

/** Direct calls a suspect gets each round from the whole cluster, as expected. */
const SUSPECT_CALLS = 3;

/**
 * Live members a node with a suspect calls beyond its fan-out. At 30 % loss these make a hundred times fewer live members of 64
 * look dead than the direct calls alone, and where messages arrive there are no suspects to make them for.
 */
const SUSPECT_FANOUT = 2;

/** Suspects one node calls in a round: when half the cluster goes silent, the rest of the round still runs. */
const SUSPECTS_MAX = 8;

/** Gone members one node calls in a round, so that a cluster of mostly dead members stays quiet. */
const GONE_MAX = 2;

/** Go nodes one node calls in a round: they call for themselves, but whom they decommission they only tell when asked. */
const GO_NODES_MAX = 2;

/** Live members an urgent round goes to: news spreads by a factor of four a step, whatever the cluster's size. */
export const URGENT_FANOUT = 3;

/**
 * Live members a regular round goes to: so few as still let nobody be shown dead at 10 % loss (see PROTOCOL.md). One would do for
 * three members, but not for a member whose port a firewall closes: there its own calls must reach each of them every interval.
 */
export function fanout(members: number): number {
  return members <= 128 ? 2 : 3;
}

export interface Choice {
  readonly live: readonly Row[];
  readonly gone: readonly Row[];
  /** Never called: a gone member of this very address left it to this node. */
  readonly ownAddress: string;
  /** Live members to draw from the deck. */
  readonly fanout: number;
  readonly nowMs: number;
  readonly deadAfterMs: number;
  readonly random: () => number;
}

export class Partners {
  #deck: string[] = [];

  /** Puts a member that became live at a random place of the walk, so that it need not wait for the next one. */
  admit(id: string, random: () => number): void {
    const at = Math.floor(random() * (this.#deck.length + 1));
    this.#deck.splice(at, 0, id);
  }

  /** Chooses this round's addresses; no address twice. */
  choose(choice: Choice): Set<string> {
    const { live, gone, ownAddress, random, nowMs, deadAfterMs } = choice;
    const chosen = new Set<string>();
    const isSuspect = (row: Row) => ageOf(row, nowMs) > SUSPECT_SHARE * deadAfterMs;
    const more = live.some((row) => row.boot !== "" && isSuspect(row)) ? SUSPECT_FANOUT : 0;
    for (const row of this.#draw(choice, choice.fanout + more)) chosen.add(row.address);

    const suspectShare = SUSPECT_CALLS / Math.max(1, live.length);
    let suspects = 0;
    for (const row of live) {
      if (suspects >= SUSPECTS_MAX) break;
      if (!isSuspect(row) || random() >= suspectShare) continue;
      chosen.add(row.address);
      suspects++;
    }

    // Another process answers at a live member's address now, so a gone one cannot.
    const taken = new Set(live.map((row) => row.address)).add(ownAddress);
    const callers = live.length + 1;
    for (const { address } of sample(gone, { callers, max: GONE_MAX, random })) {
      if (!taken.has(address)) chosen.add(address);
    }
    const goNodes = live.filter((row) => row.boot === "");
    const ours = callers - goNodes.length;
    for (const { address } of sample(goNodes, { callers: ours, max: GO_NODES_MAX, random })) {
      chosen.add(address);
    }
    return chosen;
  }

  #draw({ live, random }: Choice, fanout: number): Row[] {
    // Go nodes call this one for ever, and carry no heartbeats of others: calls to them would be partners lost.
    const rows = new Map<string, Row>();
    for (const row of live) if (row.boot !== "") rows.set(row.id, row);
    const drawn = new Set<Row>();
    let refilled = false;
    while (drawn.size < Math.min(fanout, rows.size)) {
      const id = this.#deck.pop();
      if (id === undefined) {
        // A second refill would only bring up those drawn already.
        if (refilled) break;
        refilled = true;
        this.#deck = shuffle([...rows.keys()], random);
        continue;
      }
      const row = rows.get(id);
      if (row !== undefined) drawn.add(row);
    }
    return [...drawn];
  }
}

/** Draws from `rows`, so that each is drawn once a round, as expected, by all `callers` together; some twice, `max` at most. */
function sample(
  rows: readonly Row[],
  { callers, max, random }: { callers: number; max: number; random: () => number },
): Row[] {
  const expected = rows.length / callers;
  const calls = Math.min(max, Math.floor(expected) + (random() < expected % 1 ? 1 : 0));
  return Array.from({ length: calls }, () => rows[Math.floor(random() * rows.length)]!);
}

/** Shuffles `list` in place (Fisher and Yates) and returns it. */
export function shuffle<T>(list: T[], random: () => number): T[] {
  for (let i = list.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [list[i], list[j]] = [list[j]!, list[i]!];
  }
  return list;
}
