/**
 * How members go: the decommission that a user asks for, and a node's own last moments, in which it tells some others
 * that it stops as planned or found itself decommissioned.
 *
 * @module
 */
import type { Calls } from "./calls.ts";
import { endOf } from "./ends.ts";
import type { Contacts } from "./contacts.ts";
import type { Turn } from "./effects.ts";
import type { Forgot } from "./forgotten.ts";
import type { Joining } from "./joining.ts";
import { shuffle, WORDS_FANOUT } from "./partners.ts";
import type { Replica } from "./replica.ts";
import type { Rounds } from "./rounds.ts";
import { isUp, type Row } from "./table.ts";

/**
 * Members that are to know before this node goes: some may crash before they pass it on. Only those count that do not
 * stop too: when a whole cluster but one node is stopped at once, each of the others must find that one.
 */
const FAREWELL_FANOUT = 5;

/** What became of a request to decommission a member. */
export type Decommissioned = "done" | "already" | "full";

export interface LeavingOptions {
  readonly id: string;
  readonly random: () => number;
  readonly replica: Replica;
  readonly contacts: Contacts;
  readonly calls: Calls;
  readonly joining: Joining;
  readonly rounds: Rounds;
}

export class Leaving {
  readonly #options: LeavingOptions;
  /** Addresses told of the stop. */
  readonly #told = new Set<string>();
  #active = false;

  constructor(options: LeavingOptions) {
    this.#options = options;
  }

  /** This node runs no further rounds. */
  get active(): boolean {
    return this.#active;
  }

  /** Decommissions `id` for good, as a user of this node asked, and tells its process first. */
  decommission(turn: Turn, id: string): Decommissioned {
    const { id: ownId, replica, calls, rounds } = this.#options;
    const target = replica.table.get(id);
    const merged = replica.bury(id, ownId, turn.nowMs);
    if (merged !== "changed") return merged === "full" ? "full" : "already";
    replica.spread.begin(id, turn.nowMs);
    if (target !== undefined && id !== ownId) calls.tell(turn, [target.address]);
    rounds.hurry(turn.now.monotonicMs);
    return "done";
  }

  /** Drops a member that is dead or left from all tables, as a user of this node asked. */
  forget(turn: Turn, id: string): Forgot {
    const { replica, rounds } = this.#options;
    const forgot = replica.forgotten.ask(id, turn.nowMs);
    if (forgot === "done") rounds.hurry(turn.now.monotonicMs);
    return forgot;
  }

  /** Tells that this node stops. */
  farewell(turn: Turn): void {
    this.#active = true;
    this.#tellMore(turn);
  }

  /**
   * Tells which members were forgotten. Ends this node if it finds itself decommissioned, once; while it stops, tells
   * others in the place of some.
   */
  settle(turn: Turn): void {
    const { id, replica } = this.#options;
    for (const dropped of replica.forgotten.dropped.splice(0)) {
      turn.effects.push({ kind: "forgotten", dropped });
    }
    if (turn.effects.some((effect) => effect.kind === "stop")) this.#active = true;
    if (this.#active) return this.#tellMore(turn);
    const tombstone = replica.table.tombstone(id);
    if (tombstone === undefined) return;
    const by = tombstone.by === "" ? "" : ` by request to ${tombstone.by}`;
    const text = `this node, ${id}, is decommissioned${by}: it stops, and its ID stays unusable`;
    this.farewell(turn);
    turn.effects.push({ kind: "stop", status: 0, text });
  }

  /**
   * Tells the stop to so many members that enough know it that neither stop as well nor fail to answer. The answers
   * name others that stop, so each wave of calls finds the survivors with less luck than the one before; the driver
   * bounds the time.
   */
  #tellMore(turn: Turn): void {
    const { id, replica, contacts, calls, joining, random } = this.#options;
    if (joining.active) return;
    const { nowMs } = turn;
    const others: string[] = [];
    for (const row of replica.table.roster()) {
      if (row.id === id || !isUp(replica.verdicts.statusOf(row, nowMs))) continue;
      const detour = calls.isPresent(row.id, nowMs) ? undefined : contacts.addressOf(row.id);
      const address = detour ?? row.address;
      if (address !== "") others.push(address);
    }
    const known = others.filter((to) => this.#told.has(to) && !calls.isTroubled(to)).length;
    // A death wakes people: it is told as widely as a check that fails.
    const isDeath = endOf(replica.table.get(id)?.left ?? "").status === "dead";
    const fanout = isDeath ? WORDS_FANOUT : FAREWELL_FANOUT;
    if (known >= fanout) return;
    const untold = shuffle(others.filter((to) => !this.#told.has(to)), random);
    const next = untold.slice(0, fanout - known);
    for (const to of next) this.#told.add(to);
    calls.tell(turn, next);
  }
}

/** Whether who was called ended as planned: that nobody answers there is no trouble. */
export function endedAsPlanned(replica: Replica, id: string | undefined, to: string): boolean {
  const { table, verdicts } = replica;
  const hasLeft = (row?: Row) => !!row?.left && endOf(row.left).status === "left";
  if (id === undefined) {
    return verdicts.last.gone.some((row) => row.address === to && hasLeft(row));
  }
  return table.tombstone(id) !== undefined || hasLeft(table.get(id));
}
