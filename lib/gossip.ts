/**
 * The node's brain: what to do when time passes, a message comes, a call is answered or fails. It has no clock,
 * dice, network
 * or log of its own: time and randomness come in, effects go out as values, so that one seed replays any run.
 *
 *     every interval:  beat, choose partners, push to each, pull its answer
 *     urgent news:     the next round comes at once, 200 ms after the last at the earliest
 *     refused:         look again, charge, others look, three witnesses: dead
 *
 * @module
 */
import { Calls } from "./calls.ts";
import { type Moment, RunningClock } from "./clock.ts";
import { Contacts } from "./contacts.ts";
import { shuffle } from "./partners.ts";
import {
  type Answer,
  type Decommission,
  type Effect,
  type GossipOptions,
  notice,
  type Turn,
} from "./effects.ts";
import { HelloText, parseHello } from "./go_nodes.ts";
import { Joining } from "./joining.ts";
import { Suspicion } from "./suspicion.ts";
import { Reception } from "./exchange.ts";
import { Replica } from "./replica.ts";
import { Rounds } from "./rounds.ts";
import type { Row, Status } from "./table.ts";
import type { Change, Survey } from "./verdicts.ts";
import { decodeMessage, type Draft, encodeMessage } from "./wire.ts";

/** Members told of a planned stop or a decommission before this node goes: some may be down, and not known to be. */
const FAREWELL_FANOUT = 5;

/** The least time between two looks at the table for verdicts that fall due. */
const VERDICT_GAP_MS = 20;

export type { Effect, GossipOptions };

export class Gossip {
  readonly replica: Replica;
  readonly contacts: Contacts;
  readonly #options: GossipOptions;
  readonly #clock: RunningClock;
  readonly #rounds: Rounds;
  readonly #calls: Calls;
  readonly #suspicion: Suspicion;
  readonly #joining: Joining;
  readonly #reception: Reception;
  readonly #helloText = new HelloText();
  #survey: Survey = { changes: [], live: [], gone: [], deadlineMs: Infinity };
  #stopping = false;

  constructor(options: GossipOptions, now: Moment) {
    this.#options = options;
    this.replica = new Replica(options);
    this.#clock = new RunningClock(options.intervalMs, now);
    const { address, remembered = [] } = options;
    const seeds = options.seeds.filter((seed) => seed !== address);
    this.contacts = new Contacts(seeds, { remembered, nowMs: now.monotonicMs });
    this.#joining = new Joining(options, [...seeds, ...remembered]);
    this.#calls = new Calls({
      address,
      replica: this.replica,
      takesPart: () => this.joined,
      memberAt: (address) => this.#memberAt(address)?.id,
    });
    this.#suspicion = new Suspicion({ ...options, replica: this.replica });
    this.#rounds = new Rounds(options, now.monotonicMs);
    const parts = { calls: this.#calls, suspicion: this.#suspicion, joining: this.#joining };
    this.#reception = new Reception({ ...options, ...this, ...parts, rounds: this.#rounds });
    this.replica.beat(now, this.#clock.nowMs);
  }

  /** The monotonic time by which `wake` wants to be called next. */
  get nextWakeMs(): number {
    if (this.#stopping) return Infinity;
    const untilVerdictMs = this.#survey.deadlineMs - this.#clock.nowMs + 1;
    const verdictMs = this.#clock.monotonicMs + Math.max(VERDICT_GAP_MS, untilVerdictMs);
    return Math.min(this.#rounds.nextMs, verdictMs);
  }

  /** Whether this node has met another, or has none to meet. */
  get joined(): boolean {
    return !this.#joining.active;
  }

  /** The running time of the last entry, which ages are counted to. */
  get nowMs(): number {
    return this.#clock.nowMs;
  }

  /** Ms by which the next round is late; 0 if it is not. */
  lateMs(monotonicMs: number): number {
    return this.#stopping ? 0 : Math.max(0, monotonicMs - this.#rounds.nextMs);
  }

  /** Counts for metrics, and how late the last round began, in ms. */
  get counts(): { rounds: number; roundLateMs: number; invalid: number; full: number } {
    const { count, lateMs } = this.#rounds;
    return { rounds: count, roundLateMs: lateMs, ...this.#reception.counts };
  }

  statusOf(row: Row): Status {
    return this.replica.verdicts.statusOf(row, this.#clock.nowMs);
  }

  /** Takes the addresses that the names of `-join` stand for now. */
  resolved(addresses: readonly string[]): void {
    const { address } = this.#options;
    this.contacts.resolved(addresses.filter((found) => found !== address));
    // The first node of a cluster finds only itself.
    if (addresses.includes(address) && this.contacts.allAnswered) this.#joining.finish();
  }

  /** Passes time: gives the verdicts that fell due, and runs the round if it is time. */
  wake(now: Moment): Effect[] {
    const turn = this.#turn(now);
    this.#look(turn);
    if (now.monotonicMs >= this.#rounds.nextMs && !this.#stopping) this.#round(turn);
    return turn.effects;
  }

  /** Answers the push of `from`, a node of ours; or says in one line why its body is none. */
  receive(now: Moment, from: string, body: string): Answer | { readonly error: string } {
    const message = decodeMessage(body);
    if ("error" in message) return message;
    const turn = this.#turn(now);
    const { table } = this.replica;
    const { id, boot } = this.#options;
    const answer = (draft: Draft) => {
      draft.id = id;
      return { body: encodeMessage(draft), effects: turn.effects };
    };
    const roster = table.rosterHash;
    if (from === id) return answer({ roster, boot });
    const buried = table.tombstone(from);
    if (buried !== undefined) return answer({ roster, tombstones: [{ id: from, by: buried.by }] });
    this.replica.beat(now, turn.nowMs);
    this.#reception.push(turn, message, from);
    this.#settle(turn);
    return answer(
      message.full
        ? this.replica.fullDraft(turn.nowMs, message)
        : this.replica.draft(turn.nowMs, message),
    );
  }

  /** Hears a bare `GET /hello?from=&via=`: evidence of a Go node or a stranger, never of a node of ours. */
  hear(now: Moment, from: string, via: string): Effect[] {
    const turn = this.#turn(now);
    const row = this.replica.table.get(from);
    const ours = from === this.#options.id || (row !== undefined && row.boot !== "");
    if (!ours && this.replica.hearGo(from, via, turn)) this.#rounds.hurry(now.monotonicMs);
    this.#settle(turn);
    return turn.effects;
  }

  /** Takes the answer to the exchange with `to`. */
  answered(now: Moment, to: string, body: string): Effect[] {
    const turn = this.#turn(now);
    const call = this.#calls.end(turn, to);
    if (call === undefined) return turn.effects;
    const message = body.startsWith("{") ? decodeMessage(body) : parseHello(body);
    if ("error" in message || message.id === undefined) {
      const why = "error" in message ? message.error : "the answer names no ID";
      this.#fail(turn, to, why);
      return turn.effects;
    }
    const { id } = message;
    if (this.#calls.well(to)) notice(turn, "info", `${to} answers again, as ${id}`);
    this.contacts.answered(to, id);
    this.#suspicion.answered(id);
    // Another process has the port, so the member called there cannot.
    if (call.id !== undefined && call.id !== id) this.#reception.refused(turn, call.id);
    if (id === this.#options.id) {
      this.#reception.ownId(turn, to, "boot" in message ? message.boot : undefined);
    } else {
      this.#reception.noTwinAt(turn, to);
      if ("ids" in message) this.#reception.hello(turn, message);
      else this.#reception.answer(turn, message, { id, to, call });
    }
    this.#settle(turn);
    return turn.effects;
  }

  /** Takes the failure of the exchange with `to`; `refused` says that the host is up and the port closed. */
  failed(now: Moment, to: string, failure: { refused: boolean; why: string }): Effect[] {
    const turn = this.#turn(now);
    const call = this.#calls.end(turn, to);
    if (call === undefined) return turn.effects;
    if (call.id !== undefined) this.#rounds.missed();
    if (failure.refused && call.id !== undefined) this.#reception.refused(turn, call.id);
    this.#fail(turn, to, failure.why);
    this.#settle(turn);
    return turn.effects;
  }

  /** An idle connection to `to` was closed from there. */
  hungUp(now: Moment, to: string): Effect[] {
    const turn = this.#turn(now);
    const row = this.#stopping ? undefined : this.#memberAt(to);
    if (row !== undefined && this.#suspicion.atHangUp(row, turn.nowMs)) {
      this.#calls.push(turn, [to]);
    }
    return turn.effects;
  }

  /** Decommissions `id` for good, as a user of this node asked. */
  decommission(now: Moment, id: string): Decommission {
    const turn = this.#turn(now);
    const target = this.replica.table.get(id);
    const merged = this.replica.bury(id, this.#options.id, turn.nowMs);
    if (merged === "changed") {
      if (target !== undefined && id !== this.#options.id) this.#calls.tell(turn, [target.address]);
      this.#rounds.hurry(now.monotonicMs);
      this.#settle(turn);
    }
    const outcome = merged === "changed" ? "done" : merged === "full" ? "full" : "already";
    return { outcome, effects: turn.effects };
  }

  /** Announces a planned stop; the process may end once these calls are done. */
  leave(now: Moment, reason: string): Effect[] {
    const turn = this.#turn(now);
    if (this.#stopping) return turn.effects;
    this.replica.leave(reason, turn.nowMs);
    this.#look(turn);
    this.#farewell(turn);
    return turn.effects;
  }

  /** The text of `GET /hello`. */
  hello(): string {
    return this.#helloText.of(this.#options.id, this.#options.address, this);
  }

  #turn(now: Moment): Turn {
    return { now, nowMs: this.#clock.step(now), effects: [] };
  }

  #round(turn: Turn): void {
    this.replica.beat(turn.now, turn.nowMs);
    const { contacts, isPresent } = this;
    const from = { survey: this.#survey, contacts, isPresent, alone: this.#joining.active };
    this.#calls.push(turn, this.#rounds.begin(turn, from));
  }

  /** Suspicion at every member: some verdicts fall due as time passes. */
  #look(turn: Turn): void {
    this.#survey = this.replica.verdicts.survey(turn.nowMs);
    this.#suspicion.expire(turn.nowMs);
    this.#tell(turn, this.#survey.changes);
  }

  /** Tells what a message or a request changed; ends this node if it finds itself decommissioned. */
  #settle(turn: Turn): void {
    this.#tell(turn, this.replica.verdicts.review(turn.nowMs));
    const { id } = this.#options;
    const tombstone = this.replica.table.tombstone(id);
    if (turn.effects.some((effect) => effect.kind === "stop")) this.#stopping = true;
    if (tombstone === undefined || this.#stopping) return;
    const by = tombstone.by === "" ? "" : ` by request to ${tombstone.by}`;
    const text = `this node, ${id}, is decommissioned${by}: it stops, and its ID stays unusable`;
    this.#farewell(turn);
    turn.effects.push({ kind: "stop", status: 0, text });
  }

  #tell(turn: Turn, changes: Change[]): void {
    for (const change of changes) {
      turn.effects.push({ kind: "change", change });
      if (change.to !== "live" || change.id === this.#options.id) continue;
      // Where it is back or new, others want to know as soon.
      this.#rounds.admit(change.id);
      this.contacts.met(change.address);
      this.#rounds.hurry(turn.now.monotonicMs);
    }
  }

  #farewell(turn: Turn): void {
    this.#stopping = true;
    if (this.#joining.active) return;
    const live = shuffle([...this.#survey.live], this.#options.random);
    this.#calls.tell(turn, live.slice(0, FAREWELL_FANOUT).map((row) => row.address));
  }

  #fail(turn: Turn, to: string, why: string): void {
    const { random } = this.#options;
    const at = { monotonicMs: turn.now.monotonicMs, alone: this.#joining.active, random };
    this.contacts.failed(to, at);
    if (at.alone) this.#rounds.awaitContact(this.contacts, at.monotonicMs);
    this.#reception.noTwinAt(turn, to);
    if (this.#calls.trouble(to)) notice(turn, "warn", `no answer from ${to}: ${why}`);
  }

  #memberAt(address: string): Row | undefined {
    return this.#survey.live.find((row) => row.address === address);
  }

  /** Whether `id` needs no looking for: it lives, and answers at its address. */
  readonly isPresent = (id: string): boolean => {
    if (id === this.#options.id || this.replica.table.tombstone(id) !== undefined) return true;
    const row = this.replica.table.get(id);
    return row && this.statusOf(row) === "live" ? !this.#calls.isTroubled(row.address) : false;
  };
}
