/**
 * The node's brain: what to do when time passes, a message comes, a call is answered or fails. It has no clock, dice, network
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
import { formatHello, type Hello, parseHello } from "./hello.ts";
import { fanout, Partners, shuffle, URGENT_FANOUT } from "./partners.ts";
import { Replica } from "./replica.ts";
import type { Report, Row, Status } from "./table.ts";
import type { Change, Survey } from "./watch.ts";
import { decodeMessage, type Draft, encodeMessage, type Message } from "./wire.ts";

/** The least time between two rounds, however urgent the news. */
const URGENT_GAP_MS = 200;

/** A round comes up to this share of an interval early or late, so that nodes do not keep in step. */
const JITTER_SHARE = 0.1;

/** A second refusal within this many intervals of the first is evidence; one alone may be a restart's. */
const REFUSED_AGAIN_INTERVALS = 2;

/** Members told of a planned stop or a decommission before this node goes: some may be down, and not known to be. */
const FAREWELL_FANOUT = 5;

/** The least time between two looks at the table for verdicts that fall due. */
const VERDICT_GAP_MS = 20;

export type Effect =
  /** POST `body` to `/hello` at `to`, then call `answered` or `failed`. */
  | { readonly kind: "exchange"; readonly to: string; readonly body: string }
  | { readonly kind: "change"; readonly change: Change }
  /** One line for the log. */
  | { readonly kind: "notice"; readonly level: "info" | "warn"; readonly text: string }
  /** End the process with `status`, once the calls under way are done. */
  | { readonly kind: "stop"; readonly status: 0 | 1; readonly text: string };

export interface GossipOptions {
  readonly id: string;
  /** This node's advertised `host:port`. */
  readonly address: string;
  /** 8 hex digits drawn when the process started. */
  readonly boot: string;
  /** Addresses to join. */
  readonly seeds: readonly string[];
  readonly intervalMs: number;
  readonly deadAfterMs: number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

/** One entry into the brain: its time, and the effects it gathers. */
interface Turn {
  readonly now: Moment;
  /** The running time. */
  readonly nowMs: number;
  readonly effects: Effect[];
}

export class Gossip {
  readonly replica: Replica;
  readonly #options: GossipOptions;
  readonly #clock: RunningClock;
  readonly #partners = new Partners();
  readonly #contacts: Contacts;
  readonly #calls = new Calls();
  readonly #refusedAtMs = new Map<string, number>();
  #survey: Survey = { changes: [], live: [], gone: [], deadlineMs: Infinity };
  #joining: boolean;
  #twinAddress: string | undefined;
  #stopping = false;
  #lastRoundMs = -Infinity;
  #nextRoundMs: number;
  #hello: { version: string; text: string } | undefined;

  constructor(options: GossipOptions, now: Moment) {
    this.#options = options;
    this.replica = new Replica(options);
    this.#clock = new RunningClock(options.intervalMs, now.monotonicMs);
    const seeds = options.seeds.filter((seed) => seed !== options.address);
    this.#contacts = new Contacts(seeds);
    this.#joining = seeds.length > 0;
    this.#nextRoundMs = now.monotonicMs;
    this.replica.beat(now, this.#clock.nowMs);
  }

  /** The monotonic time by which `wake` wants to be called next. */
  get nextWakeMs(): number {
    if (this.#stopping) return Infinity;
    const untilVerdictMs = this.#survey.deadlineMs - this.#clock.nowMs + 1;
    const verdictMs = this.#clock.monotonicMs + Math.max(VERDICT_GAP_MS, untilVerdictMs);
    return Math.min(this.#nextRoundMs, verdictMs);
  }

  /** Whether this node has met another, or has none to meet. */
  get joined(): boolean {
    return !this.#joining;
  }

  /** The running time of the last entry, which ages are counted to. */
  get nowMs(): number {
    return this.#clock.nowMs;
  }

  /** Ms by which the next round is late; 0 if it is not. */
  lateMs(monotonicMs: number): number {
    return this.#stopping ? 0 : Math.max(0, monotonicMs - this.#nextRoundMs);
  }

  statusOf(row: Row): Status {
    return this.replica.watch.statusOf(row, this.#clock.nowMs);
  }

  /** The contacts that have not answered yet. */
  contacts(): Iterable<{ address: string; failures: number }> {
    return this.#contacts.unanswered();
  }

  /** Passes time: gives the verdicts that fell due, and runs the round if it is time. */
  wake(now: Moment): Effect[] {
    const turn = this.#turn(now);
    this.#look(turn);
    if (now.monotonicMs >= this.#nextRoundMs && !this.#stopping) this.#round(turn);
    return turn.effects;
  }

  /** Answers the push of `from`, a node of ours; or says in one line why its body is none. */
  receive(now: Moment, from: string, body: string): { body: string; effects: Effect[] } | {
    error: string;
  } {
    const message = decodeMessage(body);
    if ("error" in message) return message;
    const turn = this.#turn(now);
    const { table } = this.replica;
    const answer = (draft: Partial<Draft>) => {
      const hashes = { roster: table.rosterHash, tombs: table.tombsHash };
      return {
        body: encodeMessage({ id: this.#options.id, ...hashes, ...draft }),
        effects: turn.effects,
      };
    };
    if (from === this.#options.id) return answer({ boot: this.#options.boot });
    const buried = table.tombstone(from);
    if (buried !== undefined) return answer({ tombstones: [{ id: from, by: buried.by }] });
    this.replica.beat(now, turn.nowMs);
    const { own } = this.#take(turn, message, from);
    if (this.#joining && message.columns !== undefined) this.#meet(turn, own);
    this.#settle(turn);
    return answer(
      message.full ? this.replica.fullDraft(turn.nowMs, message) : this.replica.draft(turn.nowMs),
    );
  }

  /** Hears a bare `GET /hello?from=&via=`: evidence of a Go node or a stranger, never of a node of ours. */
  hear(now: Moment, from: string, via: string): Effect[] {
    const turn = this.#turn(now);
    const row = this.replica.table.get(from);
    if (row === undefined || row.boot === "") this.#hearGo(turn, from, via);
    this.#settle(turn);
    return turn.effects;
  }

  /** Takes the answer to the exchange with `to`. */
  answered(now: Moment, to: string, body: string): Effect[] {
    const turn = this.#turn(now);
    const call = this.#calls.end(to);
    if (call === undefined) return turn.effects;
    const message = body.startsWith("{") ? decodeMessage(body) : parseHello(body);
    if ("error" in message || message.id === undefined) {
      const why = "error" in message ? message.error : "the answer names no ID";
      this.#fail(turn, to, why);
      return turn.effects;
    }
    const { id } = message;
    if (this.#calls.well(to)) this.#notice(turn, "info", `${to} answers again, as ${id}`);
    this.#contacts.answered(to, id);
    this.#refusedAtMs.delete(id);
    // Another process has the port, so the member called there cannot.
    if (call.id !== undefined && call.id !== id) this.#refused(turn, call.id);
    if (id === this.#options.id) {
      this.#metOwnId(turn, to, "boot" in message ? message.boot : undefined);
    } else if ("ids" in message) {
      this.#hearHello(turn, message);
      this.#joining = false;
    } else {
      this.#takeAnswer(turn, message, { id, to, full: call.full });
    }
    this.#settle(turn);
    return turn.effects;
  }

  /** Takes the failure of the exchange with `to`; `refused` says that the host is up and the port closed. */
  failed(now: Moment, to: string, failure: { refused: boolean; why: string }): Effect[] {
    const turn = this.#turn(now);
    const call = this.#calls.end(to);
    if (call === undefined) return turn.effects;
    if (failure.refused && call.id !== undefined) this.#refused(turn, call.id);
    this.#fail(turn, to, failure.why);
    this.#settle(turn);
    return turn.effects;
  }

  /** Decommissions `id` for good, as a user of this node asked. */
  decommission(
    now: Moment,
    id: string,
  ): { outcome: "done" | "already" | "full"; effects: Effect[] } {
    const turn = this.#turn(now);
    const target = this.replica.table.get(id);
    const merged = this.replica.bury(id, this.#options.id, turn.nowMs);
    if (merged === "changed") {
      if (target !== undefined && id !== this.#options.id) this.#call(turn, [target.address]);
      this.#hurry(turn);
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

  /** The text of `GET /hello`, built again only when the roster or the contacts changed. */
  hello(): string {
    const { table } = this.replica;
    const version = `${table.version} ${this.#contacts.version}`;
    if (this.#hello?.version !== version) {
      const { id, address } = this.#options;
      const addresses = new Set([address]);
      for (const row of table.roster()) if (row.address !== "") addresses.add(row.address);
      for (const contact of this.#contacts.unanswered()) addresses.add(contact.address);
      const ids = table.roster().map((row) => row.id);
      const tombstones = [...table.tombstones()].map((tombstone) => tombstone.id);
      this.#hello = {
        version,
        text: formatHello({ id, ids, tombstones, addresses: [...addresses] }),
      };
    }
    return this.#hello.text;
  }

  #turn(now: Moment): Turn {
    return { now, nowMs: this.#clock.step(now.monotonicMs), effects: [] };
  }

  #round(turn: Turn): void {
    const { intervalMs, deadAfterMs, random, address } = this.#options;
    const { live, gone } = this.#survey;
    const { monotonicMs } = turn.now;
    const early = monotonicMs - this.#lastRoundMs < intervalMs * (1 - JITTER_SHARE);
    const regular = fanout(live.length + 1);
    this.replica.beat(turn.now, turn.nowMs);
    const chosen = this.#partners.choose({
      live,
      gone,
      ownAddress: address,
      fanout: early ? Math.max(regular, URGENT_FANOUT) : regular,
      nowMs: turn.nowMs,
      deadAfterMs,
      random,
    });
    const isPresent = (id: string) => this.#isPresent(id);
    this.#call(turn, [...chosen, ...this.#contacts.due(monotonicMs, isPresent)]);
    this.#lastRoundMs = monotonicMs;
    this.#nextRoundMs = monotonicMs + intervalMs * (1 + JITTER_SHARE * (2 * random() - 1));
  }

  /** Pushes to each address; while joining only pulls, so as to disturb neither a twin nor a tombstone. */
  #call(turn: Turn, addresses: string[]): void {
    const { replica } = this;
    const pull = {
      roster: replica.table.rosterHash,
      tombs: replica.table.tombsHash,
      rows: [],
      full: true,
    };
    const body = encodeMessage(this.#joining ? pull : replica.draft(turn.nowMs));
    for (const to of addresses) this.#exchange(turn, to, { body, full: this.#joining });
  }

  #exchange(turn: Turn, to: string, { body, full }: { body: string; full: boolean }): void {
    if (to === "" || to === this.#options.address) return;
    const id = this.#survey.live.find((row) => row.address === to)?.id;
    if (this.#calls.start(to, { id, full })) turn.effects.push({ kind: "exchange", to, body });
  }

  #hurry(turn: Turn): void {
    const soonestMs = Math.max(turn.now.monotonicMs, this.#lastRoundMs + URGENT_GAP_MS);
    this.#nextRoundMs = Math.min(this.#nextRoundMs, soonestMs);
  }

  /** Looks at every member: some verdicts fall due as time passes. */
  #look(turn: Turn): void {
    this.#survey = this.replica.watch.survey(turn.nowMs);
    for (const [id, atMs] of this.#refusedAtMs) {
      if (turn.nowMs - atMs > REFUSED_AGAIN_INTERVALS * this.#options.intervalMs) {
        this.#refusedAtMs.delete(id);
      }
    }
    this.#tell(turn, this.#survey.changes);
  }

  /** Tells what a message or a request changed; ends this node if it finds itself decommissioned. */
  #settle(turn: Turn): void {
    this.#tell(turn, this.replica.watch.review(turn.nowMs));
    const { id } = this.#options;
    const tombstone = this.replica.table.tombstone(id);
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
      this.#partners.admit(change.id, this.#options.random);
      this.#hurry(turn);
    }
  }

  #farewell(turn: Turn): void {
    this.#stopping = true;
    if (this.#joining) return;
    const live = shuffle([...this.#survey.live], this.#options.random);
    this.#call(turn, live.slice(0, FAREWELL_FANOUT).map((row) => row.address));
  }

  /** Joins a message into the table, and looks at those whom its sender charges. */
  #take(turn: Turn, message: Message, via: string): { equal: boolean; own: Report | undefined } {
    const { replica } = this;
    const absorbed = replica.absorb(message, via, turn.nowMs);
    const { own, urgent, equal } = absorbed;
    if (own !== undefined) replica.jumpPast(own.heartbeat, turn.nowMs);
    if (urgent) this.#hurry(turn);
    const bad = message.dropped + absorbed.refused;
    if (bad === 0) this.#calls.well(via);
    else if (this.#calls.trouble(via)) {
      this.#notice(
        turn,
        "warn",
        `${via} sent ${bad} entries that are invalid, or beyond the table's limit`,
      );
    }
    const needed = replica.watch.witnessesNeeded();
    for (const row of absorbed.charged) {
      const witnesses = replica.charges.witnesses(row);
      const enough = witnesses.length >= needed || witnesses.includes(this.#options.id);
      if (!enough && this.statusOf(row) === "live") this.#call(turn, [row.address]);
    }
    return { equal, own };
  }

  #takeAnswer(turn: Turn, message: Message, from: { id: string; to: string; full: boolean }): void {
    const { equal, own } = this.#take(turn, message, from.id);
    if (this.#joining) {
      this.#meet(turn, own);
    } else if (!equal && !from.full) {
      const draft = { ...this.replica.fullDraft(turn.nowMs, undefined), full: true };
      this.#exchange(turn, from.to, { body: encodeMessage(draft), full: true });
    }
  }

  /** The first table this node sees: it takes part from now on, unless its ID may be live elsewhere. */
  #meet(turn: Turn, own: Report | undefined): void {
    const { address, deadAfterMs } = this.#options;
    const elsewhere = own !== undefined && own.boot !== "" && own.left === "" &&
      own.address !== "" &&
      own.address !== address && own.ageMs <= deadAfterMs;
    if (elsewhere && this.#twinAddress === undefined) {
      this.#twinAddress = own.address;
      this.#call(turn, [own.address]);
      return;
    }
    if (this.#twinAddress !== undefined) return;
    this.#join(turn);
  }

  #join(turn: Turn): void {
    this.#twinAddress = undefined;
    this.#joining = false;
    this.#nextRoundMs = turn.now.monotonicMs;
  }

  /** This node's ID answered: it called itself by another name, or there are two nodes of one ID. */
  #metOwnId(turn: Turn, to: string, boot: string | undefined): void {
    const { id } = this.#options;
    if (boot === undefined || boot === this.#options.boot) {
      const alone = [...this.#contacts.unanswered()].length === 0;
      if (to === this.#twinAddress || alone) this.#join(turn);
      return;
    }
    const text = `ID '${id}' is in use by the node at ${to}: stop that node, or choose another -id`;
    if (this.#joining) {
      this.#stopping = true;
      turn.effects.push({ kind: "stop", status: 1, text });
    } else if (this.#calls.trouble(`twin ${to}`)) {
      this.#notice(turn, "warn", text);
    }
  }

  #hearGo(turn: Turn, id: string, address: string): void {
    if (id === this.#options.id) return;
    if (this.replica.hearGo(id, address, turn)) this.#hurry(turn);
  }

  /** Takes a Go node's text: it is alive, and knows of these. */
  #hearHello(turn: Turn, hello: Hello & { readonly dropped: number }): void {
    const { replica } = this;
    const [address = ""] = hello.addresses;
    if (address !== "") this.#hearGo(turn, hello.id, address);
    for (const id of hello.tombstones) {
      if (replica.bury(id, "", turn.nowMs) === "changed") this.#hurry(turn);
    }
    for (const id of hello.ids) replica.hearOf(id, hello.id, turn.nowMs);
    const known = new Set(replica.table.roster().map((row) => row.address));
    for (const address of hello.addresses) {
      if (!known.has(address) && address !== this.#options.address) this.#contacts.add(address);
    }
  }

  /** A live member's port is closed: look again, and when that fails too, charge it. */
  #refused(turn: Turn, id: string): void {
    const { replica } = this;
    const row = replica.table.get(id);
    // A Go node's heartbeats are others' stamps, which charges cannot be held against.
    if (row === undefined || row.boot === "" || this.statusOf(row) !== "live") return;
    if (replica.charges.distrusts(id, turn.nowMs)) return;
    const before = this.#refusedAtMs.get(id);
    this.#refusedAtMs.set(id, turn.nowMs);
    if (before === undefined) this.#call(turn, [row.address]);
    else if (replica.charge(row, turn.nowMs)) this.#hurry(turn);
  }

  #fail(turn: Turn, to: string, why: string): void {
    const { random } = this.#options;
    const at = { monotonicMs: turn.now.monotonicMs, alone: this.#joining, random };
    this.#contacts.failed(to, at);
    if (to === this.#twinAddress) this.#join(turn);
    if (this.#calls.trouble(to)) this.#notice(turn, "warn", `no answer from ${to}: ${why}`);
  }

  #isPresent(id: string): boolean {
    if (id === this.#options.id || this.replica.table.tombstone(id) !== undefined) return true;
    const row = this.replica.table.get(id);
    return row !== undefined && this.statusOf(row) === "live";
  }

  #notice(turn: Turn, level: "info" | "warn", text: string): void {
    turn.effects.push({ kind: "notice", level, text });
  }
}
