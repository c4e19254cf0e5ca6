/**
 * One running node, as the routes and the program see it: the brain, its driver, and what it remembers for people.
 *
 * @module
 */
import { BugLog } from "./bugs.ts";
import type { Said } from "../about.ts";
import { changedTags } from "../config/labels.ts";
import { Driver } from "../net/driver.ts";
import { Gossip } from "../gossip.ts";
import { hex8 } from "../hash.ts";
import type { Telling } from "../hook.ts";
import { ForeignCallers } from "./foreign_callers.ts";
import { History } from "./history.ts";
import { Condition, logStateTrouble } from "./health.ts";
import type { Past } from "../report/past.ts";
import { Reports } from "../report/reports.ts";
import { ToldLog } from "../report/told_log.ts";
import { isSrv, SeedNames } from "../net/seeds.ts";
import { Requests } from "./requests.ts";
import { restore, snapshot } from "./state_format.ts";
import { toldBefore } from "./state_told.ts";
import { StateFile } from "./state_file.ts";
import type { Downloads, NodeOptions } from "./node_options.ts";
import { OwnWords } from "./words.ts";
import { RealWorld } from "./world.ts";

export class Node {
  /** What this node tells people and scripts. */
  readonly reports: Reports;
  /** What users ask of it. */
  readonly requests: Requests;
  readonly #options: NodeOptions;
  readonly #gossip: Gossip;
  readonly #driver: Driver;
  readonly #state: StateFile | undefined;
  readonly #foreign: ForeignCallers;
  readonly #history: History;
  readonly #condition: Condition;
  readonly #bugs: BugLog;
  readonly #names: SeedNames;
  readonly #world: RealWorld;
  readonly #words: OwnWords;
  #leaving = false;

  constructor(options: NodeOptions) {
    this.#options = options;
    const { id, address, join, cluster, hooks, tellAfterMs } = options;
    const { intervalMs, deadAfterMs, forgetMs, stretchMembers } = options;
    const { now, random, log, version, allow, caCerts, saved, signer, state, teller } = options;
    const boot = hex8(Math.floor(random() * 2 ** 32));
    const remembered = (saved?.addresses ?? []).filter((known) => known !== address);
    const seeds = join.filter((seed) => !isSrv(seed));
    const awaitsSeeds = seeds.length < join.length;
    const told = toldBefore(saved?.told ?? [], now().wallMs);
    const brain = { id, address, boot, seeds, awaitsSeeds, remembered, random };
    const given = { intervalMs, deadAfterMs, forgetMs, stretchMembers };
    const gossip = new Gossip({ ...brain, ...given, hooks, tellAfterMs, told }, now());
    if (saved !== undefined) restore(gossip, saved, { id, wallMs: now().wallMs });
    const onHint = (text: string) => log.notice("warn", text);
    const on = { onHint, onHangUp: (to: string) => this.#hungUp(to) };
    const world = new RealWorld({ pace: gossip.replica.pace, now, signer, allow, caCerts, ...on });
    const wallMs = () => now().wallMs;
    const history = new History({ id, state, saved, now, random, log, post: world.post });
    const toldLog = new ToldLog();
    this.#condition = new Condition(gossip, { id, now, unheardMs: () => this.#driver.unheardMs() });
    const reports = new Reports({
      ...{ id, address, boot, cluster, version, now, log, gossip },
      ...{ keyed: signer !== undefined, tls: caCerts !== undefined, traffic: world.traffic },
      ...{ past: history.past, toldLog },
      remember: (change) => history.record(change),
      refresh: () => this.#driver.refresh(),
      cutOffMs: () => this.#condition.cutOffMs(),
    });
    this.#driver = new Driver({
      ...{ gossip, id, address, cluster, world },
      listener: {
        onChange: (change) => {
          reports.changed(change);
          this.#state?.touch();
        },
        onForgotten: (dropped) => {
          reports.forgot(dropped);
          this.#state?.touch();
        },
        onRound: (lateMs) => {
          reports.round(lateMs);
          history.round(gossip.replica.verdicts.last.live, gossip.replica.pace.intervalMs);
          this.say({ warning: this.warning() ?? "" });
        },
        onExchange: (exchange) => reports.exchanged(exchange),
        onTell: (telling) => void this.#tell(telling),
        onTold: (told) => {
          toldLog.record(told, wallMs());
          this.#state?.touch();
        },
        onNotice: (level, text) => log.notice(level, text),
        onBug: (rule) => this.reportBug(`broken rule: ${rule}`),
        onStop: (status, text) => options.onStop(status, text),
      },
    });
    this.#names = new SeedNames({
      join,
      onResolved: (addresses) => gossip.resolved(addresses),
      misses: () => !gossip.joined || gossip.contacts.misses((id) => gossip.isPresent(id)),
      onNotice: (level, text) => log.notice(level, text),
    });
    if (state !== undefined) {
      this.#state = new StateFile({
        path: state,
        snapshot: () => snapshot(gossip, { id, address, cluster, wallMs: wallMs(), random }),
        onTrouble: (text) => logStateTrouble(log, text),
      });
    }
    this.#words = new OwnWords({
      tell: (about) => this.#driver.enter((gossip, now) => gossip.say(now, about)),
      nowMs: () => now().monotonicMs,
    });
    this.requests = new Requests({
      ...{ id, state: this.#state, teller, wallMs },
      enter: (entry) => this.#driver.enter(entry),
      statusOf: (id) => reports.story(id)?.status,
    });
    this.#foreign = new ForeignCallers(cluster, log);
    this.#bugs = new BugLog(log);
    this.#history = history;
    this.#gossip = gossip;
    this.#world = world;
    this.reports = reports;
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
    return this.#history.past;
  }

  /** Starts the rounds. */
  start(): void {
    const { join, log } = this.#options;
    if (join.length > 0) {
      log.notice("info", `joins through ${join.join(", ")}: tries again until somebody answers`);
    }
    void this.#state?.save();
    this.say(this.#options.words);
    this.#names.start();
    this.#driver.start();
  }

  /**
   * Changes this node's tags until it ends; returns them all.
   *
   * @throws {UsageError} where there would be too many.
   */
  retag(change: Parameters<typeof changedTags>[1]): Said["tags"] {
    const tags = changedTags(this.#words.said, change);
    this.say({ tags });
    return tags;
  }

  /** Says something else of itself to all. */
  say(part: Partial<Said>): void {
    this.#words.say(part);
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
    await Promise.all([this.#state?.close(), this.#history.close()]);
  }

  receive(from: string, body: string): { readonly body: string } | { readonly error: string } {
    const answer = this.#driver.enter((gossip, now) => gossip.receive(now, from, body));
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
    const kept = [this.#state?.trouble, this.#history.trouble];
    const troubles = [this.#condition.warning(), ...kept, this.#options.warning()];
    return troubles.filter(Boolean).join("; ") || undefined;
  }

  /** Why this node is not ready, in one line; undefined if it is. */
  unready(): string | undefined {
    if (this.#leaving) return "This node is stopping";
    return this.#condition.unready();
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

  #hungUp(to: string): void {
    if (!this.#leaving) this.#driver.enter((gossip, now) => gossip.hungUp(now, to));
  }

  #idle(): Promise<void> {
    return new Promise((resolve) => this.#driver.whenIdle(resolve));
  }
}
