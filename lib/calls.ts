/**
 * The calls under way, at most one to an address, and what the log should hear of them: an address is named when it
 * starts to fail and when it answers again, not every round; so is a peer that sends rubbish.
 *
 * @module
 */

/** Calls under way at once; a round that finds no room leaves the rest to the next. */
const IN_FLIGHT_MAX = 64;

/** Addresses and peers whose trouble is remembered; past it, trouble is logged anew. */
const TROUBLED_MAX = 4_096;

export interface Call {
  /** The member called, if the address was taken from a member's row. */
  readonly id: string | undefined;
  /** The call sent all this node has, so that its answer settles any difference. */
  readonly full: boolean;
}

export class Calls {
  readonly #underWay = new Map<string, Call>();
  readonly #troubled = new Set<string>();

  /** Starts a call; false if one to that address is under way, or too many are. */
  start(to: string, call: Call): boolean {
    if (this.#underWay.has(to) || this.#underWay.size >= IN_FLIGHT_MAX) return false;
    this.#underWay.set(to, call);
    return true;
  }

  /** Ends the call to `to` and returns it. */
  end(to: string): Call | undefined {
    const call = this.#underWay.get(to);
    this.#underWay.delete(to);
    return call;
  }

  /** Notes trouble with an address or peer; true if it is new. */
  trouble(who: string): boolean {
    if (this.#troubled.has(who)) return false;
    if (this.#troubled.size >= TROUBLED_MAX) this.#troubled.clear();
    this.#troubled.add(who);
    return true;
  }

  /** Notes that all is well; true if it was not before. */
  well(who: string): boolean {
    return this.#troubled.delete(who);
  }
}
