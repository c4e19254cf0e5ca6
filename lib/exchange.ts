/**
 * What an exchange leads to, received or ended: what is merged, whom to look at, whom to tell, and whether this node
 * may take part at all. All that follows from a message, an answer or a failure is decided here.
 *
 *     received   merge, answer with what the caller lacks
 *     answered   merge; send more (repair.ts) where the rosters still differ
 *     failed     count it; a refusal is evidence of a crash (see suspicion.ts)
 *     hung up    perhaps look at the member
 *
 * @module
 */
import { absorb, type Absorbed, type MessageOrigin } from "./absorb.ts";
import { HEARSAY_MAX_MS } from "./belief.ts";
import type { Call, CallFailure, Calls } from "./calls.ts";
import { Claims } from "./claims.ts";
import { composeAnswer } from "./compose.ts";
import type { Contacts } from "./contacts.ts";
import { notice, type Turn } from "./effects.ts";
import { absorbHello, hearGo, type Hello, parseHello } from "./go_nodes.ts";
import type { Joining } from "./joining.ts";
import { endedAsPlanned } from "./leaving.ts";
import type { Self } from "./options.ts";
import type { Pace } from "./pace.ts";
import { repairAnswer } from "./repair.ts";
import type { Replica } from "./replica.ts";
import { Meeting } from "./meeting.ts";
import type { Rounds } from "./rounds.ts";
import type { Suspicion } from "./suspicion.ts";
import { ageOf, isUp, type Row } from "./table.ts";
import { decodeMessage, type Draft, type Message } from "./wire.ts";

/** A heartbeat older than this many intervals is late: calls to its member failed. */
const LATE_INTERVALS = 2;

/** Ms of a call in which this node did not run: past it, a time-out says nothing of others. */
const RAN_LATE_MS = 250;

export interface ExchangesOptions extends Self {
  readonly pace: Pace;
  readonly replica: Replica;
  readonly contacts: Contacts;
  readonly calls: Calls;
  readonly suspicion: Suspicion;
  readonly joining: Joining;
  readonly rounds: Rounds;
  /** Notes that a host that runs was heard from: an answer, a refusal, or a message (see cut_off.ts). */
  readonly heardHost: () => void;
}

export class Exchanges {
  /** Entries of messages that were left out: they broke a rule, or the table was full. */
  readonly counts = { invalid: 0, full: 0 };
  readonly #options: ExchangesOptions;
  readonly #claims: Claims;
  readonly #meeting: Meeting;

  constructor(options: ExchangesOptions) {
    this.#options = options;
    const { id, address, pace, replica, calls } = options;
    this.#claims = new Claims({ id, address, pace, replica, calls });
    this.#meeting = new Meeting(options);
  }

  /** Takes what a survey of the table found. */
  surveyed(turn: Turn): void {
    this.#claims.surveyed(turn);
  }

  /** Merges the push of member `from` and returns the answer. */
  received(turn: Turn, message: Message, from: string): Draft {
    const { id, boot, replica } = this.#options;
    const { table } = replica;
    // To its own ID a node names its boot: the caller sees whether it called itself, or has a twin.
    if (from === id) return { id, boot, roster: table.rosterHash };
    const buried = table.tombstone(from);
    if (buried !== undefined) {
      return { id, roster: table.rosterHash, tombstones: [{ id: from, by: buried.by }] };
    }
    this.#options.heardHost();
    this.#options.rounds.heard(from);
    replica.beat(turn.now, turn.nowMs);
    const read = this.#merge(turn, message, { via: from, isAnswer: false });
    // A pull, which has no columns, is no sign that this node takes part.
    if (message.columns !== undefined || message.ticks !== undefined) {
      this.#meeting.met(turn, read.own);
    }
    const answer = message.full || message.buckets
      ? repairAnswer(replica, turn.nowMs, { theirs: message, start: this.#options.random() })
      : composeAnswer(replica, turn.nowMs, { theirs: message, read });
    return Object.assign(answer, { id });
  }

  /** Takes a bare `GET /hello?from=&via=`: evidence of a Go node or a stranger, never of a node of ours. */
  heard(turn: Turn, from: string, via: string): void {
    const { id, replica, rounds, pace: { intervalMs } } = this.#options;
    const row = replica.table.get(from);
    const isOurs = from === id || (row !== undefined && row.boot !== "");
    const said = { id: from, address: via, intervalMs };
    if (!isOurs && hearGo(replica, said, turn)) rounds.hurry(turn.now.monotonicMs);
  }

  /** Takes the answer to the call to `to`; one that cannot be read is a failed call. */
  answered(turn: Turn, to: string, body: string): void {
    const { id: ownId, calls } = this.#options;
    const call = calls.end(turn, to);
    if (call === undefined) return;
    this.#options.heardHost();
    const message = body.startsWith("{") ? decodeMessage(body) : parseHello(body);
    if ("error" in message || message.id === undefined) {
      const why = "error" in message ? message.error : "the answer names no ID";
      return this.#failed(turn, to, { call, refused: false, why });
    }
    const { id } = message;
    this.#noteAnswer(turn, to, id);
    if (id === ownId) {
      return this.#meeting.ownIdAt(turn, to, "boot" in message ? message.boot : undefined);
    }
    this.#meeting.noTwinAt(turn, to);
    if ("ids" in message) return this.#goNodeAnswered(turn, message);
    const isAnswer = this.#speaksFor(turn, id, to, message.rows);
    const { equal, own } = this.#merge(turn, message, { via: id, isAnswer, call });
    if (this.#options.joining.active && call.asks === "all") {
      calls.pull(turn, message, this.#options.random);
    }
    this.#meeting.met(turn, own);
    if (message.unread) calls.push(turn, [to]);
    // Equal when this node called: what it learned since is news, and gets there as such.
    const wasEqual = message.roster === call.roster;
    if (!wasEqual) calls.repair(turn, to, { call, theirs: message, equal });
    if (!equal && wasEqual && this.#isLate(turn, id)) calls.push(turn, [to]);
    this.#claims.answered(id, to);
  }

  /** Tells whoever waits for it that `id` answered at `to`, whatever it says. */
  #noteAnswer(turn: Turn, to: string, id: string): void {
    const { id: ownId, calls, contacts, suspicion, rounds } = this.#options;
    if (calls.well(to)) notice(turn, "info", `${to} answers again, as ${id}`);
    if (id !== ownId) contacts.answered(to, id);
    suspicion.answered(id);
    rounds.heard(id);
    calls.strangers.answered(id);
    for (const row of this.#claims.replaced(turn, to, id)) this.#refused(turn, row);
  }

  /** Whether what answers at `to` is believed as that member: any process can answer under the ID of another. */
  #speaksFor(turn: Turn, id: string, to: string, rows: Message["rows"]): boolean {
    const { table, verdicts } = this.#options.replica;
    const row = table.get(id);
    if (row === undefined || row.address === to) return true;
    if (!isUp(verdicts.statusOf(row, turn.nowMs))) return true;
    // Started anew elsewhere: a claim that the member itself can jump past, should it be a lie.
    const own = rows?.find((said) => said.id === id && said.address === to);
    return own !== undefined && own.boot !== row.boot && own.heartbeat <= HEARSAY_MAX_MS;
  }

  /** Whether a member's heartbeat is late. An answer that cannot be read, as news came, is asked for again. */
  #isLate(turn: Turn, id: string): boolean {
    const row = this.#options.replica.table.get(id);
    const lateMs = LATE_INTERVALS * this.#options.pace.longestIntervalMs;
    return row !== undefined && ageOf(row, turn.nowMs) > lateMs;
  }

  /** Takes the failure of the call to `to`. */
  failed(turn: Turn, to: string, failure: CallFailure): void {
    const call = this.#options.calls.end(turn, to);
    if (failure.refused) this.#options.heardHost();
    if (call !== undefined) this.#failed(turn, to, { call, ...failure });
  }

  /** An idle connection to `to` was closed from there: its process may have died. */
  hungUp(turn: Turn, to: string): void {
    const { calls, replica, suspicion } = this.#options;
    const row = replica.verdicts.memberAt(to);
    if (row !== undefined && suspicion.atHangUp(row, turn.nowMs)) calls.push(turn, [to]);
  }

  #failed(turn: Turn, to: string, failure: CallFailure & { readonly call: Call }): void {
    const { random, replica, contacts, calls, joining, rounds } = this.#options;
    const { call, refused, why } = failure;
    if (failure.accepted) this.#accepted(turn, to);
    const ranLate = replica.clock.uncountedMs > call.uncountedMs + RAN_LATE_MS;
    if (call.id !== undefined && (refused || !ranLate)) {
      rounds.missed(call.id, { refused, nowMs: turn.nowMs });
      calls.strangers.failed(call.id);
    }
    if (refused && call.id !== undefined) {
      for (const row of this.#claims.refused(to)) this.#refused(turn, row);
    }
    const at = { monotonicMs: turn.now.monotonicMs, alone: joining.active, random };
    contacts.failed(to, at);
    if (call.asks === "piece") this.#meeting.met(turn, undefined);
    if (at.alone) rounds.awaitContact(contacts, at.monotonicMs);
    this.#meeting.noTwinAt(turn, to);
    const text = `no answer from ${to}: ${why}${this.#claims.failed(turn, to)}`;
    if (!endedAsPlanned(replica, call.id, to) && calls.trouble(to, why)) notice(turn, "warn", text);
  }

  /** A host accepted a connection and nobody answered: the process there may hang. */
  #accepted(turn: Turn, to: string): void {
    const { replica, rounds } = this.#options;
    const row = replica.verdicts.anyAt(to);
    if (row === undefined) return;
    if (replica.testimony.accepted(row, turn.nowMs)) rounds.hurry(turn.now.monotonicMs);
  }

  /** A member refused a call, or another process has its port: look again, or charge it. */
  #refused(turn: Turn, row: Row): void {
    const { suspicion, rounds, calls } = this.#options;
    const verdict = suspicion.refused(row, turn.nowMs);
    if (verdict === "charged") rounds.hurry(turn.now.monotonicMs);
    if (verdict === "look") calls.push(turn, [row.address]);
  }

  #goNodeAnswered(turn: Turn, hello: Hello): void {
    const { replica, contacts, address, rounds, pace: { intervalMs } } = this.#options;
    const into = { replica, contacts, ownAddress: address, intervalMs };
    if (absorbHello(hello, into, turn)) rounds.hurry(turn.now.monotonicMs);
    this.#meeting.met(turn, undefined);
  }

  /** Joins a message into the table, and acts on what it says of this node and of others. */
  #merge(turn: Turn, message: Message, from: Omit<MessageOrigin, "nowMs">): Absorbed {
    const { replica, rounds, calls, suspicion, joining, pace } = this.#options;
    const { via } = from;
    const absorbed = absorb(replica, message, { ...from, nowMs: turn.nowMs });
    const { size } = replica.table;
    pace.hear(message.unitMs, { size, nowMs: turn.nowMs, isJoining: joining.active });
    // A sender may be made up: what is kept of senders ends with their rows.
    const isMember = replica.table.get(via) !== undefined;
    if (isMember) replica.forms.heard(via, message, { read: absorbed, nowMs: turn.nowMs });
    const { urgent, equal, refused } = absorbed;
    if (urgent) rounds.hurry(turn.now.monotonicMs);
    if (equal && isMember) replica.spread.shares(via);
    this.counts.invalid += message.dropped;
    this.counts.full += refused;
    const bad = message.dropped + refused;
    // Not the ID alone: that may read like an address, whose trouble is another.
    const key = `entries ${via}`;
    const text = `${via} sent ${bad} entries that are invalid or exceed the table's limit`;
    if (bad === 0) calls.well(key);
    else if (calls.trouble(key)) notice(turn, "warn", text);
    const charged = suspicion.atCharged(absorbed.charged, turn.nowMs);
    calls.push(turn, charged.map((row) => row.address));
    calls.push(turn, suspicion.atDoubted(absorbed.doubted, turn.nowMs));
    return absorbed;
  }
}
