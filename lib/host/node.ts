/**
 * One running node, as the routes and the program see it: the brain, its driver, and what it remembers for people.
 *
 * @module
 */
import type { Moment } from "../clock.ts";
import { Driver } from "../net/driver.ts";
import { Gossip } from "../gossip.ts";
import { BODY_BYTES_MAX } from "../limits.ts";
import { describeBug, type Log } from "../log.ts";
import { mayCall, type Network } from "../config/networks.ts";
import { Reports } from "../report/reports.ts";
import { isSrv, SeedNames } from "../net/seeds.ts";
import { restore, type Saved, snapshot } from "./state_format.ts";
import { signedTransport, type Signer } from "../net/signer.ts";
import { StateFile } from "./state_file.ts";
import { createTransport } from "../net/transport.ts";

/**
 * The whole of an exchange must be over in this time, or the partner counts as silent: within an interval, so that
 * the next round
 * finds its address free again. With a longer interval than 1 s it may take longer too: such clusters are large, and
 * an answer that
 * is given up at a busy seed is asked for again, and keeps it busy.
 */
const EXCHANGE_TIMEOUT_MS = 900;
const EXCHANGE_TIMEOUT_MAX_MS = 5_000;
const EXCHANGE_TIMEOUT_SHARE = 0.9;

/** A round this many intervals late means that the process does not get to run. */
const LATE_INTERVALS = 2;

/** Callers of other clusters whose refusal was logged; past it, refusals are logged anew. */
const STRANGERS_MAX = 1_024;

/** Mistakes of this program that a node logs. */
const BUGS_LOGGED_MAX = 100;

/** What a node hands on at `/download`. */
export interface Downloads {
  /** The release folder; undefined for the binary alone. */
  readonly dist: string | undefined;
  /** The running binary; undefined when run from source. */
  readonly binary: { readonly name: string; readonly path: string } | undefined;
  /** This node's advertised address. */
  readonly address: string;
}

export interface NodeOptions {
  readonly id: string;
  /** This node's advertised `host:port`. */
  readonly address: string;
  /** Addresses to join, and `srv:` names. */
  readonly join: readonly string[];
  readonly cluster: string;
  /** The state file; undefined for none. */
  readonly state: string | undefined;
  /** What it held. */
  readonly saved: Saved | undefined;
  /** What this node hands on. */
  readonly dist: string | undefined;
  readonly binary: Downloads["binary"];
  /** Of a cluster with a key. */
  readonly signer: Signer | undefined;
  /** Networks that peers are called in; none: all but those that are no node's. */
  readonly allow: readonly Network[];
  /** Set: call peers by HTTPS, and trust these authorities besides the usual ones. */
  readonly caCerts?: (() => string[]) | undefined;
  readonly intervalMs: number;
  readonly deadAfterMs: number;
  /** The program's. */
  readonly version: string;
  readonly now: () => Moment;
  readonly random: () => number;
  readonly log: Log;
  /** The node has to end, for good. */
  readonly onStop: (status: 0 | 1, text: string) => void;
}

export class Node {
  /** What this node tells people and scripts. */
  readonly reports: Reports;
  readonly #options: NodeOptions;
  readonly #gossip: Gossip;
  readonly #driver: Driver;
  readonly #state: StateFile | undefined;
  readonly #strangers = new Set<string>();
  readonly #names: SeedNames;
  #leaving = false;
  #bugs = 0;

  constructor(options: NodeOptions) {
    this.#options = options;
    const { now, random, log } = options;
    const boot = Math.floor(random() * 2 ** 32).toString(16).padStart(8, "0");
    const { id, state: path, saved } = options;
    const remembered = (saved?.addresses ?? []).filter((known) => known !== options.address);
    const seeds = options.join.filter((seed) => !isSrv(seed));
    const awaitsSeeds = seeds.length < options.join.length;
    const brain = { ...options, boot, seeds, awaitsSeeds, remembered };
    const gossip = this.#gossip = new Gossip(brain, now());
    if (saved !== undefined) restore(gossip, saved, id);
    const onTrouble = (text: string | undefined) => {
      if (text === undefined) log.notice("info", "the state file can be written again");
      else log.notice("error", `${text}; this node runs on, and tries again`);
    };
    this.#names = new SeedNames({
      join: options.join,
      onResolved: (addresses) => gossip.resolved(addresses),
      misses: () => !gossip.joined || gossip.contacts.misses(gossip.isPresent),
      onNotice: (level, text) => log.notice(level, text),
    });
    if (path !== undefined) {
      this.#state = new StateFile({ path, snapshot: () => snapshot(gossip, options), onTrouble });
    }
    const { signer, allow, caCerts } = options;
    const plain = createTransport({
      timeoutMs: timeoutOf(options.intervalMs),
      bodyBytesMax: BODY_BYTES_MAX,
      onHangUp: (address) => this.#driver.hungUp(address),
      mayCall: (ip) => mayCall(ip, allow),
      ...(caCerts !== undefined && { caCerts }),
    });
    const transport = signer === undefined ? plain : signedTransport(plain, signer);
    const refresh = () => this.#driver.refresh();
    const reports = this.reports = new Reports({ ...options, boot, gossip, transport, refresh });
    this.#driver = new Driver({
      ...options,
      gossip,
      transport,
      onChange: (change) => {
        reports.changed(change);
        this.#state?.touch();
      },
      onRound: (lateMs) => reports.round(lateMs),
      onExchange: (exchange) => reports.exchanged(exchange),
      onNotice: (level, text) => log.notice(level, text),
    });
  }

  get downloads(): Downloads {
    return this.#options;
  }

  get id(): string {
    return this.#options.id;
  }

  /** Starts the rounds. */
  start(): void {
    const { join, log } = this.#options;
    if (join.length > 0) {
      log.notice("info", `joins through ${join.join(", ")}: tries again until somebody answers`);
    }
    void this.#state?.save();
    this.#names.start();
    this.#driver.start();
  }

  /** Announces a planned stop, and resolves when others were told, or could not be. */
  async leave(reason: string): Promise<void> {
    this.#leaving = true;
    this.#driver.leave(reason);
    await this.#driver.settled();
  }

  /** Ends the rounds at once, once calls under way are done. */
  async stop(): Promise<void> {
    this.#leaving = true;
    await this.#driver.settled();
    this.#driver.stop();
    this.#names.stop();
    this.reports.close();
    await this.#state?.close();
  }

  receive(from: string, body: string): { readonly body: string } | { readonly error: string } {
    const answer = this.#driver.receive(from, body);
    this.reports.served(body.length, "body" in answer ? answer.body.length : 0);
    return answer;
  }

  /** Why a caller is refused: it is of another cluster than this node. Undefined if it is not; logged once for each. */
  stranger(caller: { from: string; via: string; cluster: string }): string | undefined {
    const { cluster: own, log } = this.#options;
    const { from, via, cluster } = caller;
    if (cluster === own) return undefined;
    const who = `${from} ${via}`;
    if (!this.#strangers.has(who)) {
      if (this.#strangers.size >= STRANGERS_MAX) this.#strangers.clear();
      this.#strangers.add(who);
      const text = `refused ${from} (${via}): it is of cluster '${cluster}', this node of '${own}'`;
      log.notice("warn", text);
    }
    return `This node is of cluster '${own}', not '${cluster}': see -cluster`;
  }

  hear(from: string, via: string): void {
    this.#driver.hear(from, via);
  }

  hello(): string {
    return this.#gossip.hello();
  }

  /** Decommissions `id`; says in one line what was done, once it is in the state file, where there is one. */
  async bye(id: string): Promise<{ readonly ok: boolean; readonly text: string }> {
    const known = this.#gossip.replica.table.get(id) !== undefined;
    const done = this.#driver.decommission(id);
    if (done !== "full" && !(await this.#state?.save() ?? true)) {
      const text =
        `${id} is decommissioned here, and others are told, but it is not safe on disk: `;
      return { ok: false, text: `${text}${this.#state?.trouble}; ask again, or ask another node` };
    }
    switch (done) {
      case "already":
        return { ok: true, text: `${id} was decommissioned before` };
      case "full":
        return { ok: false, text: `Cannot decommission ${id}: the table of tombstones is full` };
      case "done":
        return {
          ok: true,
          text: `${id} is decommissioned for good` +
            (known ? "" : ", though it was not known here"),
        };
    }
  }

  /** Why this node is not healthy, in one line; undefined if it is. */
  trouble(): string | undefined {
    const { now, intervalMs } = this.#options;
    const lateMs = this.#gossip.lateMs(now().monotonicMs);
    if (lateMs <= LATE_INTERVALS * intervalMs) return undefined;
    const late = `${(lateMs / 1000).toFixed(1)} s`;
    return `The next round is ${late} late: the process does not get to run`;
  }

  /** What does not keep this node from its work, but needs somebody to look after it. */
  warning(): string | undefined {
    return this.#state?.trouble;
  }

  /** Why this node is not ready, in one line; undefined if it is. */
  unready(): string | undefined {
    if (this.#leaving) return "This node is stopping";
    if (this.#gossip.joined) return this.trouble();
    const waiting = Array.from(this.#gossip.contacts.unanswered(), ({ address }) => address);
    return `This node has met none of those that it is to join: ${waiting.join(", ")}`;
  }

  /** Logs an error that only a mistake in this program can cause. */
  reportBug(error: unknown): void {
    // Whoever found a way to make one can make a million: the first few tell all.
    if (this.#bugs++ < BUGS_LOGGED_MAX) this.#options.log.notice("error", describeBug(error));
  }
}

function timeoutOf(intervalMs: number): number {
  const timeoutMs = Math.min(EXCHANGE_TIMEOUT_SHARE * intervalMs, EXCHANGE_TIMEOUT_MAX_MS);
  return Math.max(timeoutMs, EXCHANGE_TIMEOUT_MS);
}
