/**
 * One running node, as the routes and the program see it: the brain, its driver, and what it remembers for people.
 *
 * @module
 */
import { createBrain } from "./brain.ts";
import { BugLog } from "./bugs.ts";
import { type CoreListener, Driver } from "../net/driver.ts";
import type { Gossip } from "../gossip.ts";
import { hex8 } from "../hash.ts";
import type { Telling } from "../hook.ts";
import { ForeignCallers } from "./foreign_callers.ts";
import { PastKeeper } from "./past_keeper.ts";
import { Condition, logStateTrouble } from "./health.ts";
import type { Past } from "../report/past.ts";
import { Reports } from "../report/reports.ts";
import { ToldLog } from "../report/told_log.ts";
import { SeedNames } from "../net/seeds.ts";
import { Requests } from "./requests.ts";
import { snapshot } from "./state_format.ts";
import { StateFile } from "./state_file.ts";
import type { Downloads, NodeOptions } from "./node_options.ts";
import { OwnWords } from "./words.ts";
import { RealWorld } from "./world.ts";

export class Node {
  /** What this node tells people and scripts. */
  readonly reports: Reports;
  /** What users ask of it. */
  readonly requests: Requests;
  /** What its member says of itself to all. */
  readonly words: OwnWords;
  readonly #options: NodeOptions;
  readonly #gossip: Gossip;
  readonly #driver: Driver;
  readonly #state: StateFile | undefined;
  readonly #foreign: ForeignCallers;
  readonly #keeper: PastKeeper;
  readonly #toldLog = new ToldLog();
  readonly #condition: Condition;
  readonly #bugs: BugLog;
  readonly #names: SeedNames;
  readonly #world: RealWorld;
  #leaving = false;

  constructor(options: NodeOptions) {
    this.#options = options;
    const { id, address, join, cluster, state, saved, teller } = options;
    const { now, random, log, signer, allow, caCerts } = options;
    const wallMs = () => now().wallMs;
    const boot = hex8(Math.floor(random() * 2 ** 32));
    const gossip = this.#gossip = createBrain(options, boot);
    this.#world = new RealWorld({
      pace: gossip.replica.pace,
      now,
      signer,
      allow,
      caCerts,
      onHangUp: (to) => {
        if (!this.#leaving) this.#driver.enter((gossip, now) => gossip.hungUp(now, to));
      },
      onHint: (text) => log.notice("warn", text),
    });
    this.#keeper = new PastKeeper({ id, state, saved, now, random, log, post: this.#world.post });
    const unheardMs = () => this.#driver.unheardMs();
    this.#condition = new Condition(gossip, { id, address, now, log, unheardMs });
    this.reports = this.#createReports(boot);
    const [world, listener] = [this.#world, this.#createListener()];
    this.#driver = new Driver({ gossip, id, address, cluster, world, listener });
    this.#names = new SeedNames({
      join,
      onResolved: (addresses) => gossip.resolved(addresses),
      misses: () => !gossip.joined || gossip.contacts.misses((id) => gossip.isPresent(id)),
      onNotice: (level, text) => log.notice(level, text),
    });
    this.#state = state === undefined ? undefined : new StateFile({
      path: state,
      snapshot: () => snapshot(gossip, { id, address, cluster, wallMs: wallMs(), random }),
      onTrouble: (text) => logStateTrouble(log, text),
    });
    this.words = new OwnWords({
      tell: (about) => this.#driver.enter((gossip, now) => gossip.say(now, about)),
      nowMs: () => now().monotonicMs,
    });
    this.requests = new Requests({
      id,
      state: this.#state,
      teller,
      wallMs,
      enter: (entry) => this.#driver.enter(entry),
      statusOf: (id) => this.reports.story(id)?.status,
    });
    this.#foreign = new ForeignCallers(cluster, log);
    this.#bugs = new BugLog(log);
  }

  #createReports(boot: string): Reports {
    const { id, address, cluster, version, now, log, signer, caCerts } = this.#options;
    return new Reports({
      id,
      address,
      boot,
      cluster,
      version,
      keyed: signer !== undefined,
      tls: caCerts !== undefined,
      now,
      log,
      gossip: this.#gossip,
      traffic: this.#world.traffic,
      past: this.#keeper.past,
      toldLog: this.#toldLog,
      remember: (change) => this.#keeper.record(change),
      refresh: () => this.#driver.refresh(),
      cutOffMs: () => this.#condition.cutOffMs(),
    });
  }

  /** What follows from what the core does. */
  #createListener(): CoreListener {
    const { reports } = this;
    const { log, now, onStop } = this.#options;
    return {
      onChange: (change) => {
        reports.changed(change);
        this.#state?.touch();
      },
      onForgotten: (dropped) => {
        reports.forgot(dropped);
        this.#state?.touch();
      },
      onRound: (lateMs) => {
        const { pace, verdicts } = this.#gossip.replica;
        reports.round(lateMs);
        this.#keeper.round(verdicts.last.live, pace.intervalMs);
        this.#condition.round();
        this.words.say({ warning: this.warning() ?? "" });
      },
      onExchange: (exchange) => reports.exchanged(exchange),
      onTell: (telling) => void this.#tell(telling),
      onTold: (told) => {
        this.#toldLog.record(told, now().wallMs);
        this.#state?.touch();
      },
      onNotice: (level, text) => log.notice(level, text),
      onBug: (rule) => this.reportBug(`broken rule: ${rule}`),
      onStop,
    };
  }

  get downloads(): Downloads {
    const { dist, binary, address } = this.#options;
    return { dist, binary, address };
  }

  get id(): string {
    return this.#options.id;
  }

  /** What this node saw. */
  get past(): Past {
    return this.#keeper.past;
  }

  /** Starts the rounds. */
  start(): void {
    const { join, log } = this.#options;
    if (join.length > 0) {
      log.notice("info", `joins through ${join.join(", ")}: tries again until somebody answers`);
    }
    void this.#state?.save();
    this.words.say(this.#options.words);
    this.#names.start();
    this.#driver.start();
  }

  /** Announces a planned stop, and resolves when others were told, or could not be. */
  async leave(reason: string): Promise<void> {
    this.#leaving = true;
    this.#driver.enter((gossip, now) => gossip.leave(now, reason));
    await this.#idle();
  }

  /** Ends the rounds at once, once calls under way are done. */
  async stop(): Promise<void> {
    this.#leaving = true;
    await this.#idle();
    this.#driver.stop();
    this.#world.close();
    this.#names.stop();
    this.reports.close();
    await Promise.all([this.#state?.close(), this.#keeper.close()]);
  }

  /** Takes a push, and answers it; or says in one line why its body is invalid. */
  receive(from: string, body: string): { readonly body: string } | { readonly error: string } {
    const answer = this.#driver.enter((gossip, now) => gossip.receive(now, from, body));
    if ("body" in answer) this.#condition.called(from);
    this.reports.served(body.length, "body" in answer ? answer.body.length : 0);
    return answer;
  }

  /** Why a caller is refused: it belongs to another cluster; undefined if it does not. */
  whyForeign(caller: { from: string; via: string; cluster: string }): string | undefined {
    return this.#foreign.refusal(caller, this.#options.now().monotonicMs);
  }

  hear(from: string, via: string): void {
    this.#driver.enter((gossip, now) => gossip.hear(now, from, via));
  }

  hello(): string {
    return this.#gossip.hello();
  }

  /** Why this node is not healthy, in one line; undefined if it is. */
  trouble(): string | undefined {
    return this.#condition.trouble();
  }

  /** What does not keep this node from its work, but needs somebody to look after it. */
  warning(): string | undefined {
    const kept = [this.#state?.trouble, this.#keeper.trouble];
    const troubles = [this.#condition.warning(), ...kept, this.#options.warning()];
    return troubles.filter(Boolean).join("; ") || undefined;
  }

  /** Why this node is not ready, in one line; undefined if it is. */
  unready(): string | undefined {
    return this.#leaving ? "This node is stopping" : this.#condition.unready();
  }

  /** Counts a mistake in this program, and logs it once an hour. */
  reportBug(error: unknown): void {
    this.reports.bug();
    this.#bugs.note(error, this.#options.now().monotonicMs);
  }

  /** Runs a hook, and tells the core what came of it. */
  async #tell(telling: Telling): Promise<void> {
    const members = this.#gossip.replica.table.roster().length;
    const { done, words } = await this.#options.teller!.tell(telling, members);
    const outcome = done ? "done" : "failed";
    this.#driver.enter((gossip, now) => gossip.tellingEnded(now, telling, outcome, words));
  }

  #idle(): Promise<void> {
    return new Promise((resolve) => this.#driver.whenIdle(resolve));
  }
}
