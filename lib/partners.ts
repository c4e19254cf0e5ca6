/**
 * The partners of a round: a few live members, the members gone silent, some of the dead.
 *
 * All come off shuffled decks, so that each is called within one pass and none is left to luck. Members gone silent
 * get a handful of direct calls from the whole cluster, not a stampede; and a node with a suspect calls more live
 * members, as mostly its own news is late and any member may have later news. The dead get one call per round from
 * the whole cluster: without it a partition would never heal, and a node that returns without `-join` would stay
 * alone. So does each Go node: it has no heartbeats to share, but knows of decommissions and addresses.
 *
 * @module
 */
import type { Row } from "./table.ts";

/** Expected direct calls to a suspect per round, from the whole cluster. */
const SUSPECT_CALLS = 3;

/**
 * Live members that a node with a suspect calls beyond its fan-out. At 30 % loss a hundred times fewer live members
 * of 64 look dead than with the direct calls alone, and without loss there are no suspects.
 */
export const SUSPECT_FANOUT = 2;

/** Suspects that one node calls per round: when half the cluster goes silent, the rest of the round still runs. */
const SUSPECTS_MAX = 8;

/**
 * Gone members that one node calls per round: the survivors of a mass failure stay quiet, and yet one of 30 finds
 * within four rounds which members returned.
 */
const GONE_MAX = 8;

/** Go nodes that one node calls per round: they call by themselves, but tell of decommissions only when asked. */
const GO_NODES_MAX = 2;

/**
 * Live members that an urgent round calls: news spreads by a factor of four per step, whatever the cluster's size.
 */
export const URGENT_FANOUT = 3;

/**
 * Members that are told at once what a node says of itself: a failing check is known to most of 64 in one step, and to
 * all of them within a second. It leaves room for the calls of a round.
 */
export const WORDS_FANOUT = 48;

/**
 * Live members that a regular round calls: as few as keep everybody live at 10 % loss (see PROTOCOL.md). One would do
 * for three members, but not where a firewall closes a member's port: its own calls must then reach each of them
 * every interval.
 */
export function fanout(members: number): number {
  return members <= 128 ? 2 : 3;
}

/**
 * Intervals within which nearly all nodes have the heartbeat of one of so many members. Without regard to it each of
 * 50,000 nodes would have four suspects at any time, and call two partners more in every round.
 */
export function spreadIntervals(members: number): number {
  return 1 + Math.log(members) / fanout(members);
}

export interface Choice {
  readonly live: readonly Row[];
  /** Unresponsive members: each is called now and then, to see whether its host still accepts connections. */
  readonly hung: readonly Row[];
  readonly gone: readonly Row[];
  /** Never called, not even for a gone member that had this address before. */
  readonly ownAddress: string;
  /** How many live members to draw from the deck. */
  readonly fanout: number;
  /** The last call to that member timed out, and it was not heard since: it comes after the others. */
  readonly isSilent: (id: string) => boolean;
  /** The member has been silent for a while (see evidence.ts). */
  readonly isSuspect: (row: Row) => boolean;
  /** The chance to call an unresponsive member. */
  readonly lookShare: (row: Row) => number;
  readonly random: () => number;
}

export class Partners {
  readonly #live = new Deck();
  readonly #gone = new Deck();
  readonly #goNodes = new Deck();

  /** Puts a member that became live at a random place of the deck. */
  admit(id: string, random: () => number): void {
    this.#live.admit(id, random);
  }

  /** Chooses this round's addresses; no address twice. */
  choose(choice: Choice): Set<string> {
    const { live, ownAddress } = choice;
    const chosen = new Set<string>();
    // Go nodes call this one anyway, and carry no heartbeats of others: a call to one would be a partner lost.
    const ours = live.filter((row) => row.boot !== "" && row.address !== ownAddress);
    this.#chooseLive(chosen, ours, choice);
    chooseInQuestion(chosen, choice);
    this.#chooseGone(chosen, choice);
    this.#chooseGoNodes(chosen, ours.length, choice);
    return chosen;
  }

  /** Those of which something was heard lately; the silent ones only where these are too few. */
  #chooseLive(chosen: Set<string>, ours: readonly Row[], choice: Choice): void {
    const { random, isSilent, isSuspect } = choice;
    const fanout = choice.fanout + (ours.some(isSuspect) ? SUSPECT_FANOUT : 0);
    const heard = ours.filter((row) => !isSilent(row.id));
    const drawn = this.#live.draw(heard, fanout, random);
    for (const { address } of drawn) chosen.add(address);
    if (drawn.length === fanout || heard.length === ours.length) return;
    const silent = shuffle(ours.filter((row) => isSilent(row.id)), random);
    for (const { address } of silent.slice(0, fanout - drawn.length)) chosen.add(address);
  }

  #chooseGone(chosen: Set<string>, { live, gone, ownAddress, random }: Choice): void {
    // Another process answers at a live member's address now, so a gone one cannot.
    const isTaken = (address: string) =>
      address === ownAddress || live.some((row) => row.address === address);
    const calls = shareOf(gone, { callers: live.length + 1, max: GONE_MAX, random });
    for (const { address } of this.#gone.draw(gone, calls, random)) {
      if (!isTaken(address)) chosen.add(address);
    }
  }

  #chooseGoNodes(chosen: Set<string>, ours: number, { live, random }: Choice): void {
    const goNodes = live.filter((row) => row.boot === "");
    const calls = shareOf(goNodes, { callers: ours + 1, max: GO_NODES_MAX, random });
    for (const { address } of this.#goNodes.draw(goNodes, calls, random)) chosen.add(address);
  }
}

/** Suspects, and unresponsive members: each by a chance, as the whole cluster chooses among the same few. */
function chooseInQuestion(chosen: Set<string>, choice: Choice): void {
  const { live, hung, random, isSuspect, lookShare } = choice;
  const suspectShare = SUSPECT_CALLS / Math.max(1, live.length);
  let count = 0;
  for (const row of live) {
    if (count >= SUSPECTS_MAX) return;
    if (!isSuspect(row) || random() >= suspectShare) continue;
    chosen.add(row.address);
    count++;
  }
  for (const row of hung) {
    if (count >= SUSPECTS_MAX) return;
    if (random() >= lookShare(row)) continue;
    chosen.add(row.address);
    count++;
  }
}

/**
 * One caller's calls per round, at most `max`, so that all `callers` together are expected to call each of `rows`
 * once.
 */
function shareOf(
  rows: readonly Row[],
  { callers, max, random }: { callers: number; max: number; random: () => number },
): number {
  const expected = rows.length / callers;
  return Math.min(max, Math.floor(expected) + (random() < expected % 1 ? 1 : 0));
}

export class Deck {
  #ids: string[] = [];
  /** Who was put in since the last pass began. */
  readonly #admitted = new Set<string>();

  /**
   * Puts a newcomer at a random place, so that it need not wait for the next pass. Once in a pass: who starts again and
   * again must not keep the others from their turn.
   */
  admit(id: string, random: () => number): void {
    if (this.#admitted.has(id)) return;
    this.#admitted.add(id);
    const at = Math.floor(random() * (this.#ids.length + 1));
    this.#ids.splice(at, 0, id);
  }

  /** Draws the next `count` of `rows`, or all if there are fewer. */
  draw<T extends { readonly id: string }>(
    rows: readonly T[],
    count: number,
    random: () => number,
  ): T[] {
    const drawn = new Set<T>();
    let refilled = false;
    while (drawn.size < Math.min(count, rows.length)) {
      const id = this.#ids.pop();
      if (id === undefined) {
        // A second refill would only bring up rows that are drawn already.
        if (refilled) break;
        refilled = true;
        this.#admitted.clear();
        this.#ids = shuffle(rows.map((row) => row.id), random);
        continue;
      }
      // Searching for the few drawn costs less than a map of all.
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

/** Addresses of members that hear at once what this node says of itself, drawn from the `live` ones. */
export function hearers(live: readonly Row[], random: () => number): string[] {
  return shuffle([...live], random).slice(0, WORDS_FANOUT).map((row) => row.address);
}
