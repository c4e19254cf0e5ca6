/**
 * What follows from each kind of message, beyond the table: whom to look at, whom to tell, and whether this node may
 * take
 * part at all.
 *
 * @module
 */
import type { Call, Calls } from "./calls.ts";
import { chargeUpTo } from "./charges.ts";
import type { Contacts } from "./contacts.ts";
import { notice, type Turn } from "./effects.ts";
import { absorbHello, type Hello } from "./go_nodes.ts";
import type { Joining } from "./joining.ts";
import type { Suspicion } from "./suspicion.ts";
import type { Replica } from "./replica.ts";
import type { Rounds } from "./rounds.ts";
import type { Report } from "./table.ts";
import type { Message } from "./wire.ts";

export interface ReceptionOptions {
  readonly id: string;
  readonly address: string;
  readonly replica: Replica;
  readonly contacts: Contacts;
  readonly calls: Calls;
  readonly suspicion: Suspicion;
  readonly joining: Joining;
  readonly rounds: Rounds;
}

export class Reception {
  /** Entries of messages that were left out: they broke a rule, or the table was full. */
  readonly counts = { invalid: 0, full: 0 };
  readonly #options: ReceptionOptions;

  constructor(options: ReceptionOptions) {
    this.#options = options;
  }

  /** Takes a push of member `from`. A pull, which has no columns, is no sign that this node takes part. */
  push(turn: Turn, message: Message, from: string): void {
    const { own } = this.#absorb(turn, message, from);
    if (message.columns !== undefined) this.#meet(turn, own);
  }

  /** Takes the answer of member `id` at `to`; where rosters differ still, all rows go there next. */
  answer(turn: Turn, message: Message, from: { id: string; to: string; call: Call }): void {
    const { equal, own } = this.#absorb(turn, message, from.id);
    this.#meet(turn, own);
    // Equal when this node called: what it learned since is news, and gets there as such.
    const wasEqual = message.roster === from.call.roster;
    if (!equal && !wasEqual && !from.call.full) this.#options.calls.pushAll(turn, from.to);
    this.#tellAlias(turn, from);
  }

  /** A member that answers here, but not at the address it gives its peers, as where only it resolves its own name. */
  #tellAlias(turn: Turn, { id, to }: { id: string; to: string }): void {
    const { replica, calls } = this.#options;
    const address = replica.table.get(id)?.address ?? "";
    if (address === to || !calls.isTroubled(address) || !calls.trouble(`alias ${to}`)) return;
    const text = `${id} answers at ${to}, but not at ${address}, the address it gives its peers: ` +
      "start it with -advertise and a name or address that they can reach";
    notice(turn, "warn", text);
  }

  /** Takes a Go node's text. */
  hello(turn: Turn, hello: Hello): void {
    const { replica, contacts, address, rounds } = this.#options;
    const urgent = absorbHello(hello, { replica, contacts, ownAddress: address }, turn);
    if (urgent) rounds.hurry(turn.now.monotonicMs);
    this.#meet(turn, undefined);
  }

  /** This node's ID answered at `to`: it called itself by another name, or there are two nodes of one ID. */
  ownId(turn: Turn, to: string, boot: string | undefined): void {
    const { joining, contacts, calls, id } = this.#options;
    if (!joining.isTwin(boot)) {
      joining.cleared(to);
      // Every seed was this node itself: there is nobody to join.
      if (contacts.allAnswered) joining.finish();
      return;
    }
    const text = `ID '${id}' is in use by the node at ${to}: stop that node, or choose another -id`;
    if (joining.active) turn.effects.push({ kind: "stop", status: 1, text });
    else if (calls.trouble(`twin ${to}`)) notice(turn, "warn", text);
  }

  /** No twin is at `to`: if that was to be known before this node takes part, it does now. */
  noTwinAt(turn: Turn, to: string): void {
    if (this.#options.joining.cleared(to)) this.#options.rounds.now(turn.now.monotonicMs);
  }

  /** Member `id` refused a call, or its address has another process now. */
  refused(turn: Turn, id: string): void {
    const { suspicion, rounds, calls, replica } = this.#options;
    const row = replica.table.get(id);
    if (row === undefined) return;
    const verdict = suspicion.refused(row, turn.nowMs);
    if (verdict === "charged") rounds.hurry(turn.now.monotonicMs);
    if (verdict === "look") calls.push(turn, [row.address]);
  }

  #absorb(turn: Turn, message: Message, via: string): { equal: boolean; own: Report | undefined } {
    const { replica, rounds, calls, suspicion } = this.#options;
    const absorbed = replica.absorb(message, via, turn.nowMs);
    const { own, urgent, equal } = absorbed;
    if (own !== undefined) {
      // Past all that the former life's clock can show by now: charges against it reach that far.
      const heardAtMs = turn.nowMs - own.ageMs;
      replica.jumpPast(chargeUpTo({ heartbeat: own.heartbeat, heardAtMs }, turn.nowMs), turn.nowMs);
    }
    if (urgent) rounds.hurry(turn.now.monotonicMs);
    this.counts.invalid += message.dropped;
    this.counts.full += absorbed.refused;
    const bad = message.dropped + absorbed.refused;
    if (bad === 0) calls.well(via);
    else if (calls.trouble(via)) {
      const text = `${via} sent ${bad} entries that are invalid, or beyond the table's limit`;
      notice(turn, "warn", text);
    }
    const charged = suspicion.atCharged(absorbed.charged, turn.nowMs);
    calls.push(turn, charged.map((row) => row.address));
    return { equal, own };
  }

  /** While joining: another's table was seen, so take part from now on, unless this ID may be live elsewhere. */
  #meet(turn: Turn, own: Report | undefined): void {
    const { joining, calls, rounds } = this.#options;
    if (!joining.active) return;
    const askFirst = joining.meet(own);
    if (askFirst !== undefined) calls.push(turn, [askFirst]);
    else if (!joining.active) rounds.now(turn.now.monotonicMs);
  }
}
