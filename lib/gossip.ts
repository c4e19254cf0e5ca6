/**
 * The core's entries: time passes, a message comes, a call is answered or fails, a user asks. The core has no clock,
 * dice, network or log: time and randomness come in, effects go out as values, so that one seed replays any run.
 *
 *     every interval:  beat, choose partners, push to each, pull its answer
 *     urgent news:     the next round comes at once, 200 ms after the last at the earliest
 *     refused:         look again, charge, others look, three witnesses: dead
 *
 * What an exchange leads to is decided in exchange.ts, when and whom to call in rounds.ts and partners.ts, and each
 * status in verdicts.ts.
 *
 * @module
 */
import type { About } from "./about.ts";
import { assemble, type Parts } from "./assemble.ts";
import type { CallFailure } from "./calls.ts";
import type { Moment } from "./clock.ts";
import type { Contacts } from "./contacts.ts";
import { runRound } from "./run_round.ts";
import { type Effect, must, notice, type Outcome, type Turn } from "./effects.ts";
import type { Forgot } from "./forgotten.ts";
import { HelloText } from "./go_nodes.ts";
import type { Telling } from "./hook.ts";
import type { Decommissioned } from "./leaving.ts";
import { hearers } from "./partners.ts";
import type { GossipOptions } from "./options.ts";
import type { Asked, QuietWish } from "./quiets.ts";
import type { Replica } from "./replica.ts";
import type { Row, Status } from "./table.ts";
import type { Tellings } from "./tellings.ts";
import { isComing, type StatusChange } from "./verdicts.ts";
import { decodeMessage, encodeMessage } from "./wire.ts";

/** The least time between two surveys of the table for verdicts that fall due. */
const VERDICT_GAP_MS = 20;

/** The answer to a push, or in one line why its body is invalid. */
export type Reply =
  | { readonly body: string; readonly effects: readonly Effect[] }
  | { readonly error: string; readonly effects: readonly Effect[] };

export class Gossip {
  readonly replica: Replica;
  readonly contacts: Contacts;
  readonly tellings: Tellings;
  readonly #options: GossipOptions;
  readonly #parts: Parts;
  readonly #helloText = new HelloText();
  /** This node's heartbeat at the end of the last entry. */
  #heartbeat = 0;

  constructor(options: GossipOptions, now: Moment) {
    this.#options = options;
    this.#parts = assemble(options, now);
    const { replica, contacts, tellings, clock } = this.#parts;
    this.replica = replica;
    this.contacts = contacts;
    this.tellings = tellings;
    replica.beat(now, clock.nowMs);
  }

  /** The monotonic time by which `wake` wants to be called next. While stopping it still answers: its clock goes on. */
  get nextWakeMs(): number {
    const { clock, rounds, replica, tellings, leaving } = this.#parts;
    if (leaving.active) return clock.monotonicMs + replica.pace.intervalMs;
    const dueMs = Math.min(replica.verdicts.last.deadlineMs, tellings.nextMs);
    const verdictMs = clock.monotonicMs + Math.max(VERDICT_GAP_MS, dueMs - clock.nowMs + 1);
    return Math.min(rounds.nextMs, verdictMs);
  }

  /** Whether this node has met another, or has none to meet. */
  get joined(): boolean {
    return !this.#parts.joining.active;
  }

  /** The running time of the last entry, to which ages are counted. */
  get nowMs(): number {
    return this.#parts.clock.nowMs;
  }

  /** Ms by which the next round is late; 0 if it is not. */
  lateMs(monotonicMs: number): number {
    return this.#parts.leaving.active ? 0 : Math.max(0, monotonicMs - this.#parts.rounds.nextMs);
  }

  /** Counts for metrics: rounds begun, and entries of messages left out as invalid, or as the table was full. */
  get counts(): { rounds: number; invalid: number; full: number } {
    return { rounds: this.#parts.rounds.count, ...this.#parts.exchanges.counts };
  }

  statusOf(row: Row): Status {
    return this.replica.verdicts.statusOf(row, this.#parts.clock.nowMs);
  }

  /** Whether nobody needs to look for member `id`: it is live, and answers at its address. */
  isPresent(id: string): boolean {
    return this.#parts.calls.isPresent(id, this.#parts.clock.nowMs);
  }

  /** Takes the addresses that the names of `-join` stand for now. */
  resolved(addresses: readonly string[]): void {
    const { address } = this.#options;
    this.contacts.resolved(addresses.filter((found) => found !== address));
    // The first node of a cluster finds only itself.
    if (addresses.includes(address) && this.contacts.allAnswered) this.#parts.joining.finish();
  }

  /** Passes time: gives the verdicts that fell due, and runs the round if it is time. */
  wake(now: Moment): Turn {
    return this.#enter(now, (turn) => {
      this.#survey(turn);
      if (now.monotonicMs >= this.#parts.rounds.nextMs && !this.#parts.leaving.active) {
        runRound(turn, this.#parts, this.#options.random);
      }
    });
  }

  /** Answers the push of `from`, a node of ours. */
  receive(now: Moment, from: string, body: string): Reply {
    const message = decodeMessage(body);
    if ("error" in message) return { error: message.error, effects: [] };
    const draft = this.#ask(now, (turn) => this.#parts.exchanges.received(turn, message, from));
    return { body: encodeMessage(draft.outcome), effects: draft.effects };
  }

  /** Hears a bare `GET /hello?from=&via=`. */
  hear(now: Moment, from: string, via: string): Turn {
    return this.#enter(now, (turn) => this.#parts.exchanges.heard(turn, from, via));
  }

  /** Takes the answer to the exchange with `to`. */
  answered(now: Moment, to: string, body: string): Turn {
    return this.#enter(now, (turn) => this.#parts.exchanges.answered(turn, to, body));
  }

  /** Takes the failure of the exchange with `to`. */
  failed(now: Moment, to: string, failure: CallFailure): Turn {
    return this.#enter(now, (turn) => this.#parts.exchanges.failed(turn, to, failure));
  }

  /** An idle connection to `to` was closed from there. */
  hungUp(now: Moment, to: string): Turn {
    return this.#enter(now, (turn) => {
      if (!this.#parts.leaving.active) this.#parts.exchanges.hungUp(turn, to);
    });
  }

  /** Decommissions `id` for good, as a user of this node asked. */
  decommission(now: Moment, id: string): Outcome<Decommissioned> {
    return this.#ask(now, (turn) => this.#parts.leaving.decommission(turn, id));
  }

  /** Drops `id`, which is dead or left, from all tables, as a user of this node asked. */
  forget(now: Moment, id: string): Outcome<Forgot> {
    return this.#ask(now, (turn) => this.#parts.leaving.forget(turn, id));
  }

  /** Keeps hooks quiet about members, or no longer, as a user of this node asked. */
  quiet(now: Moment, wish: QuietWish): Outcome<Asked> {
    return this.#ask(now, (turn) => {
      const at = { nowMs: turn.nowMs, wallMs: now.wallMs };
      const asked = this.replica.tidings.quiets.ask(wish, at);
      if (asked === "done") this.#parts.rounds.hurry(now.monotonicMs);
      return asked;
    });
  }

  /** Takes what became of a telling; `result` says it in a word, such as an HTTP status. */
  tellingEnded(now: Moment, telling: Telling, outcome: "done" | "failed", result = ""): Turn {
    return this.#enter(now, (turn) => this.tellings.ended(turn, telling, { outcome, result }));
  }

  /** Announces a planned stop; the process may end once these calls are done. */
  leave(now: Moment, reason: string): Turn {
    return this.#enter(now, (turn) => {
      if (this.#parts.leaving.active) return;
      this.replica.leave(reason, turn.nowMs);
      this.#survey(turn);
      this.#parts.leaving.farewell(turn);
    });
  }

  /** Says something else of this node's member, to all; undefined: nothing. */
  say(now: Moment, about: About | undefined): Turn {
    return this.#enter(now, (turn) => {
      this.replica.say(about, now, turn.nowMs);
      if (this.#parts.leaving.active || this.#parts.joining.active) return;
      this.#parts.calls.push(turn, hearers(this.replica.verdicts.last.live, this.#options.random));
    });
  }

  /** The text of `GET /hello`. */
  hello(): string {
    return this.#helloText.of(this.#options.id, this.#options.address, this);
  }

  #ask<T>(now: Moment, act: (turn: Turn) => T): Outcome<T> {
    let outcome: T;
    const { effects } = this.#enter(now, (turn) => outcome = act(turn));
    return { outcome: outcome!, effects };
  }

  /** Every entry: steps the clock, acts, tells what changed, and asserts what must hold. */
  #enter(now: Moment, act: (turn: Turn) => unknown): Turn {
    const { monotonicMs } = this.#parts.clock;
    const turn: Turn = { now, nowMs: this.#parts.clock.step(now, this.nextWakeMs), effects: [] };
    this.replica.tidings.quiets.lost(this.#parts.clock.lostMs);
    must(turn, now.monotonicMs >= monotonicMs, "the monotonic clock never goes back");
    act(turn);
    const pace = this.replica.pace.look(this.replica.table.size, turn.nowMs);
    if (pace !== undefined) notice(turn, "info", pace);
    this.#tell(turn, this.replica.verdicts.review(turn.nowMs));
    if (!this.#parts.leaving.active) this.tellings.act(turn, this.joined);
    this.#parts.leaving.settle(turn);
    if (turn.effects.some(({ kind }) => kind === "exchange")) {
      this.tellings.cutOff.called(turn.nowMs);
    }
    const heartbeat = this.replica.table.get(this.#options.id)?.heartbeat ?? Infinity;
    must(turn, heartbeat >= this.#heartbeat, "this node's own heartbeat never falls");
    must(turn, this.#parts.calls.isConsistent, "the counts of calls under way agree");
    this.#heartbeat = heartbeat;
    return turn;
  }

  /** Looks at every member: some verdicts fall due as time passes. */
  #survey(turn: Turn): void {
    const { changes } = this.replica.verdicts.survey(turn.nowMs);
    this.#parts.exchanges.surveyed(turn);
    this.#parts.suspicion.expire(turn.nowMs);
    this.#tell(turn, changes);
  }

  #tell(turn: Turn, changes: readonly StatusChange[]): void {
    for (const change of changes) {
      turn.effects.push({ kind: "change", change });
      this.tellings.changed(change, turn.nowMs);
      if (change.id === this.#options.id || !isComing(change)) continue;
      if (change.from !== null && change.from !== change.to) {
        this.replica.tidings.renew(turn.nowMs);
      }
      // A member that is back or new wants to be known everywhere as soon.
      this.#parts.rounds.admit(change.id);
      this.contacts.met(change.address);
      this.#parts.rounds.hurry(turn.now.monotonicMs);
    }
  }
}
