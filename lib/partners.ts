/**
 * Whom to talk to this round: a few live members, the members gone silent, some of the dead.
 *
 * All come off shuffled decks, so that each is called within one walk of it, and none is left to luck. Members gone
 * silent get a handful of direct calls from the whole cluster, not a stampede. And who knows of one asks more
 * members, at random: mostly it is its own news that is late, and anybody has later. The dead get one call a round
 * from the whole cluster: without it a partition would never heal, and a node that returns without `-join` stay
 * alone. So does each Go node, which has no heartbeats to share, but knows of decommissions and of addresses.
 *
 * @module
 */
import { ageOf, type Row } from "./table.ts";

/** A heartbeat older than this share of dead-after makes its member a suspect: there is time left to look. */
const SUSPECT_SHARE = 0.6;

/** Direct calls a suspect gets each round from the whole cluster, as expected. */
const SUSPECT_CALLS = 3;

/**
 * Live members a node with a suspect calls beyond its fan-out. At 30 % loss these make a hundred times fewer live
 * members of 64 look dead than the direct calls alone, and where messages arrive there are no suspects to make them
 * for.
 */
const SUSPECT_FANOUT = 2;

/** Suspects one node calls in a round: when half the cluster goes silent, the rest of the round still runs. */
const SUSPECTS_MAX = 8;

/**
 * Gone members one node calls in a round: the survivors of a mass failure stay quiet, and yet one of 30 finds in four
 * rounds who came back.
 */
const GONE_MAX = 8;

/**
 * Go nodes one node calls in a round: they call for themselves, but whom they decommission they only tell when asked.
 */
const GO_NODES_MAX = 2;

/** Live members an urgent round goes to: news spreads by a factor of four a step, whatever the cluster's size. */
export const URGENT_FANOUT = 3;

/**
 * Live members a regular round goes to: so few as still let nobody be shown dead at 10 % loss (see PROTOCOL.md). One
 * would do for three members, but not for a member whose port a firewall closes: there its own calls must reach each
 * of them every interval.
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
  readonly #live = new Deck();
  readonly #gone = new Deck();
  readonly #goNodes = new Deck();

  /** Puts a member that became live at a random place of the walk. */
  admit(id: string, random: () => number): void {
    this.#live.admit(id, random);
  }

  /** Chooses this round's addresses; no address twice. */
  choose(choice: Choice): Set<string> {
    const { live, gone, ownAddress, random, nowMs, deadAfterMs } = choice;
    const chosen = new Set<string>();
    const isSuspect = (row: Row) => ageOf(row, nowMs) > SUSPECT_SHARE * deadAfterMs;
    // Go nodes call this one for ever, and carry no heartbeats of others: calls to them would be partners lost.
    const ours = live.filter((row) => row.boot !== "");
    const goNodes = live.filter((row) => row.boot === "");
    const fanout = choice.fanout + (ours.some(isSuspect) ? SUSPECT_FANOUT : 0);
    for (const { address } of this.#live.draw(ours, fanout, random)) chosen.add(address);

    const suspectShare = SUSPECT_CALLS / Math.max(1, live.length);
    let suspects = 0;
    for (const row of live) {
      if (suspects >= SUSPECTS_MAX) break;
      if (!isSuspect(row) || random() >= suspectShare) continue;
      chosen.add(row.address);
      suspects++;
    }

    // Another process answers at a live member's address now, so a gone one cannot.
    const isTaken = (address: string) =>
      address === ownAddress || live.some((row) => row.address === address);
    const goneCalls = shareOf(gone, { callers: live.length + 1, max: GONE_MAX, random });
    for (const { address } of this.#gone.draw(gone, goneCalls, random)) {
      if (!isTaken(address)) chosen.add(address);
    }
    const goCalls = shareOf(goNodes, { callers: ours.length + 1, max: GO_NODES_MAX, random });
    for (const { address } of this.#goNodes.draw(goNodes, goCalls, random)) chosen.add(address);
    return chosen;
  }
}

/** One caller's calls a round, so that all `callers` together call each of `rows` once, as expected; `max` at most. */
function shareOf(
  rows: readonly Row[],
  { callers, max, random }: { callers: number; max: number; random: () => number },
): number {
  const expected = rows.length / callers;
  return Math.min(max, Math.floor(expected) + (random() < expected % 1 ? 1 : 0));
}

export class Deck {
  #ids: string[] = [];

  /** Puts a newcomer at a random place of the walk, so that it need not wait for the next one. */
  admit(id: string, random: () => number): void {
    const at = Math.floor(random() * (this.#ids.length + 1));
    this.#ids.splice(at, 0, id);
  }

  /** The next `count` of `rows`, or all if there are not so many. */
  draw<T extends { readonly id: string }>(
    rows: readonly T[],
    count: number,
    random: () => number,
  ): T[] {
    if (count <= 0) return [];
    const drawn = new Set<T>();
    let refilled = false;
    while (drawn.size < Math.min(count, rows.length)) {
      const id = this.#ids.pop();
      if (id === undefined) {
        // A second refill would only bring up those drawn already.
        if (refilled) break;
        refilled = true;
        this.#ids = shuffle(rows.map((row) => row.id), random);
        continue;
      }
      // A search for each of the few drawn costs less than a map of all.
      const row = rows.find((row) => row.id === id);
      if (row !== undefined) drawn.add(row);
    }
    return [...drawn];
  }
}

/** Shuffles `list` in place (Fisher and Yates) and returns it. */
export function shuffle<T>(list: T[], random: () => number): T[] {
  for (let i = list.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [list[i], list[j]] = [list[j]!, list[i]!];
  }
  return list;
}
