/**
 * A node with all that touches the machine: made of its parts, started, and ended.
 *
 * @module
 */
import { formatAddress } from "../address.ts";
import type { Config } from "../config/config.ts";
import { describeListening, idHint, ownNames, warnings } from "../config/exposure.ts";
import { AddressWatch } from "../host/address_watch.ts";
import { Credentials } from "../host/credentials.ts";
import { Node } from "../host/node.ts";
import { thisNetwork } from "../host/own_address.ts";
import { giveMemoryBack } from "../host/spare_memory.ts";
import { readState } from "../host/state_file.ts";
import type { Saved } from "../host/state_format.ts";
import type { Teller } from "../host/teller.ts";
import { createApp } from "../http/app.ts";
import { createGate } from "../http/gate.ts";
import { Server } from "../http/serve.ts";
import { createLog, type Log } from "../log.ts";
import type { OptionalParts } from "./optional_parts.ts";
import denoConfig from "../../deno.json" with { type: "json" };

/** Which names DNS answers, as the log tells. */
const DNS_WORDS =
  "gossip is all that can serve, web.gossip those with -tag role=web or -port-of web";

/** Telling others and finishing open requests may take this long when a node ends: its user waits for 2 s at most. */
const ENDING_MS = 1_800;

const nowMs = () => performance.now();
const wallMs = () => Date.now();

/** Starts a node; it runs until `leave`, until its program ends, or until it learns that it is decommissioned. */
export function start(
  config: Config,
  write: (line: string) => void,
  optional: OptionalParts = {},
): RunningNode {
  const running = new RunningNode(config, write, optional);
  running.start();
  return running;
}

export class RunningNode {
  readonly id: string;
  /** The advertised `host:port`. */
  readonly address: string;
  readonly #config: Config;
  readonly #optional: OptionalParts;
  readonly #log: Log;
  readonly #credentials: Credentials;
  readonly #server: Server;
  readonly #watch: AddressWatch;
  readonly #teller: Teller | undefined;
  readonly #node: Node;
  readonly #ended = Promise.withResolvers<number>();
  #stopTrimming: (() => void) | undefined;

  /** Takes the port. Throws where that, or a file, cannot be had. */
  constructor(config: Config, write: (line: string) => void, optional: OptionalParts) {
    this.#config = config;
    this.#optional = optional;
    const { advertiseHost, advertisePort, advertiseDefault, state, host, port } = config;
    const { logFormat: format, logLevel: level } = config;
    const log = this.#log = createLog(write, { now: () => new Date(), format, level });
    const saved = state === undefined ? undefined : readState(state, config);
    this.id = config.idGiven ? config.id : saved?.id ?? config.id;
    const { keyFile, keyText, tls, cluster } = config;
    this.#credentials = new Credentials({ keyFile, keyText, tls, cluster, log, wallMs });
    const onBroken = (line: string) => log.notice("error", line);
    this.#server = new Server(
      { host, port, tls: this.#credentials.tls, onBroken },
      (request, caller) => app.fetch(request, caller),
    );
    this.address = formatAddress(advertiseHost, advertisePort ?? this.port);
    this.#watch = new AddressWatch({
      advertiseHost,
      advertiseDefault,
      network: thisNetwork,
      onNotice: (level, text) => log.notice(level, text),
    });
    this.#teller = this.#makeTeller();
    this.#node = this.#makeNode(saved);
    const gate = createGate({
      keys: this.#credentials.keys,
      private: config.private,
      names: { own: ownNames(config, Deno.hostname()), given: new Set(config.names) },
      nowMs,
      onRefused: (line) => log.notice("warn", line),
    });
    const app = createApp(this.#node, gate);
  }

  /** The port listened on. */
  get port(): number {
    return this.#server.addr.port;
  }

  /** The exit status, once the node has ended. */
  get ended(): Promise<number> {
    return this.#ended.promise;
  }

  /**
   * Starts the user's process, then the rounds.
   *
   * @throws {ProgramError} if that process cannot be started.
   */
  start(): void {
    this.#introduce();
    const { userProcess, trim, dns } = this.#optional;
    const credentials = this.#credentials;
    const node = this.#node;
    const log = this.#log;
    credentials.watch((tls) => this.#server.replace(tls));
    userProcess?.start({
      log,
      authorities: () => credentials.authorities,
      say: (words) => node.words.say(words),
      onExit: (status, reason) => void this.#finish(status, () => node.leave(reason)),
    });
    node.start();
    this.#watch.start();
    this.#stopTrimming = trim && giveMemoryBack(trim);
    if (dns !== undefined) {
      dns.serve({ live: () => node.reports.live({}), random: Math.random });
      const at = formatAddress(this.#config.dns!.host, dns.port);
      log.notice("info", `answers DNS at ${at}: ${DNS_WORDS}`);
    }
  }

  /** Reads the files of keys and certificates again; resolves when that is done. */
  reload(): Promise<void> {
    return this.#credentials.reload();
  }

  /** Announces a planned stop, finishes open requests, and ends. */
  leave(reason: string): Promise<void> {
    return this.#finish(0, () => this.#node.leave(reason));
  }

  /** Counts a mistake in this program, and logs it once an hour. */
  reportBug(error: unknown): void {
    this.#node.reportBug(error);
  }

  #makeTeller(): Teller | undefined {
    const { keys } = this.#credentials;
    const { cluster } = this.#config;
    return this.#optional.makeTeller?.({
      by: this.id,
      cluster,
      secret: keys && (() => keys.keyring.hookSecret(cluster)),
      authorities: () => this.#credentials.authorities,
      wallMs,
      nowMs,
      random: Math.random,
      log: this.#log,
    });
  }

  #makeNode(saved: Saved | undefined): Node {
    const { checks, hooks, labels, join, cluster, state, dist, allow, tellAfterMs } = this.#config;
    const { intervalMs, deadAfterMs, forgetMs, stretchMembers } = this.#config;
    const credentials = this.#credentials;
    const log = this.#log;
    return new Node({
      id: this.id,
      address: this.address,
      join,
      cluster,
      state,
      words: { ...labels, unchecked: checks.length > 0, hooks: hooks.map(({ name }) => name) },
      saved,
      dist,
      binary: Deno.build.standalone ? { name: binaryName(), path: Deno.execPath() } : undefined,
      signer: credentials.keys?.signer,
      allow,
      caCerts: credentials.tls && (() => credentials.authorities),
      warning: () => this.#server.trouble ?? credentials.warning ?? this.#watch.trouble,
      intervalMs,
      deadAfterMs,
      forgetMs,
      stretchMembers,
      hooks: this.#teller === undefined ? [] : hooks,
      tellAfterMs,
      teller: this.#teller,
      version: denoConfig.version,
      now: () => ({ monotonicMs: nowMs(), wallMs: wallMs() }),
      random: Math.random,
      log,
      onStop: (status, text) => {
        log.notice(status === 0 ? "info" : "error", text);
        void this.#finish(status, () => Promise.resolve());
      },
    });
  }

  /** The first lines of the log: how this node can be reached, and what its user may not expect. */
  #introduce(): void {
    const log = this.#log;
    const config = this.#config;
    const listening = describeListening(config, {
      scheme: this.#credentials.tls === undefined ? "http" : "https",
      port: this.port,
      address: this.address,
      on: this.#server.on,
      pid: Deno.pid,
    });
    log.notice("info", `node ${this.id} ${listening}`);
    const hint = idHint(config);
    if (hint !== undefined) log.notice("info", hint);
    for (const line of warnings(config, this.address)) log.notice("warn", line);
    const hooks = this.#teller?.names;
    if (hooks !== undefined) log.notice("info", `tells of changes by ${hooks.join(", ")}`);
  }

  /** Ends all, after `tell`. */
  async #finish(status: number, tell: () => Promise<void>): Promise<void> {
    const { userProcess, dns } = this.#optional;
    const end = () => this.#ended.resolve(status);
    // A program has its own time to end, and its member has not left before.
    if (userProcess !== undefined) await userProcess.stop();
    const timer = setTimeout(end, ENDING_MS);
    try {
      await tell();
      this.#teller?.stop();
      await this.#node.stop();
      this.#credentials.close();
      this.#watch.stop();
      this.#stopTrimming?.();
      dns?.close();
      await this.#server.shutdown();
    } finally {
      clearTimeout(timer);
      end();
    }
  }
}

/** As `deno task compile` names it. */
function binaryName(): string {
  return `gossiper-${Deno.build.target}${Deno.build.os === "windows" ? ".exe" : ""}`;
}
