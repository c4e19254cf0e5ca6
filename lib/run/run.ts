/**
 * One node of a distributed liveness store. This file parses, wires up, serves and stops: all of a node that touches
 * the machine is on this screen, or called from it.
 *
 * @module
 */
import { formatAddress } from "../address.ts";
import { AddressWatch } from "../host/address_watch.ts";
import { createApp } from "../http/app.ts";
import { createGate } from "../http/gate.ts";
import { type Config, parseConfig } from "../config/config.ts";
import { CredentialsError } from "../host/credential_files.ts";
import { Credentials } from "../host/credentials.ts";
import { describeListening, idHint, ownNames, warnings } from "../config/exposure.ts";
import { createLog } from "../log.ts";
import { settleNames } from "../host/names.ts";
import { Node } from "../host/node.ts";
import {
  LineWriter,
  onHangUp,
  onStopSignal,
  ProgramError,
  surviveErrors,
} from "../host/process.ts";
import { thisNetwork } from "../host/own_address.ts";
import { readState, StateError } from "../host/state_file.ts";
import { giveMemoryBack } from "../host/spare_memory.ts";
import { ListenError } from "../http/listen.ts";
import { Server } from "../http/serve.ts";
import { versionLine } from "../host/version.ts";
import { loadOptionalParts, type OptionalParts } from "./optional_parts.ts";
import denoConfig from "../../deno.json" with { type: "json" };

/** A running node. */
export interface Running {
  readonly id: string;
  /** The advertised `host:port`. */
  readonly address: string;
  /** The port listened on. */
  readonly port: number;
  /** Reads the files of keys and certificates again; resolves when that is done. */
  reload(): Promise<void>;
  /** Announces a planned stop, finishes open requests, and ends. */
  leave(reason: string): Promise<void>;
  /** Counts a mistake in this program, and logs it once an hour. */
  reportBug(error: unknown): void;
  /** The exit status, once the node has ended. */
  readonly ended: Promise<number>;
}

/** Which names DNS answers, as the log tells. */
const DNS_WORDS =
  "gossip is all that can serve, web.gossip those with -tag role=web or -port-of web";

/** Telling others and finishing open requests may take this long when a node ends: its user waits for 2 s at most. */
const ENDING_MS = 1_800;

/** Starts a node; it runs until `leave`, until its program ends, or until it learns that it is decommissioned. */
export function start(
  config: Config,
  write: (line: string) => void,
  { dns, userProcess, trim, makeTeller }: OptionalParts = {},
): Running {
  const { promise: ended, resolve: end } = Promise.withResolvers<number>();
  const { logFormat: format, logLevel: level } = config;
  const log = createLog(write, { now: () => new Date(), format, level });
  const saved = config.state === undefined ? undefined : readState(config.state, config);
  const id = config.idGiven ? config.id : saved?.id ?? config.id;
  const wallMs = () => Date.now();
  const { keyFile, keyText, tls, cluster, host } = config;
  const { intervalMs, deadAfterMs, forgetMs, stretchMembers } = config;
  const credentials = new Credentials({ keyFile, keyText, tls, cluster, log, wallMs });
  const { keys } = credentials;
  const server = new Server(
    {
      host,
      port: config.port,
      tls: credentials.tls,
      onBroken: (line) => log.notice("error", line),
    },
    (request, caller) => app.fetch(request, caller),
  );
  const { port } = server.addr;
  const address = formatAddress(config.advertiseHost, config.advertisePort ?? port);
  const watch = new AddressWatch({
    advertiseHost: config.advertiseHost,
    advertiseDefault: config.advertiseDefault,
    network: thisNetwork,
    onNotice: (level, text) => log.notice(level, text),
  });
  const teller = makeTeller?.({
    ...{ by: id, cluster, wallMs, log, random: Math.random, nowMs: () => performance.now() },
    secret: keys && (() => keys.keyring.hookSecret(cluster)),
    authorities: () => credentials.authorities,
  });
  const node = new Node({
    ...{ id, address, cluster, saved, intervalMs, deadAfterMs, forgetMs, stretchMembers, log },
    join: config.join,
    state: config.state,
    words: {
      ...config.labels,
      unchecked: config.checks.length > 0,
      hooks: config.hooks.map(({ name }) => name),
    },
    ...{ hooks: teller === undefined ? [] : config.hooks, tellAfterMs: config.tellAfterMs, teller },
    dist: config.dist,
    binary: Deno.build.standalone ? { name: binaryName(), path: Deno.execPath() } : undefined,
    signer: keys?.signer,
    allow: config.allow,
    caCerts: credentials.tls && (() => credentials.authorities),
    warning: () => server.trouble ?? credentials.warning ?? watch.trouble,
    version: denoConfig.version,
    now: () => ({ monotonicMs: performance.now(), wallMs: Date.now() }),
    random: Math.random,
    onStop: (status, text) => {
      log.notice(status === 0 ? "info" : "error", text);
      void finish(status, () => Promise.resolve());
    },
  });
  const gate = createGate({
    keys,
    private: config.private,
    names: { own: ownNames(config, Deno.hostname()), given: new Set(config.names) },
    nowMs: () => performance.now(),
    onRefused: (line) => log.notice("warn", line),
  });
  const app = createApp(node, gate);
  async function finish(status: number, tell: () => Promise<void>): Promise<void> {
    // A program has its own time to end, and its member has not left before.
    if (userProcess !== undefined) await userProcess.stop();
    const timer = setTimeout(() => end(status), ENDING_MS);
    try {
      await tell();
      teller?.stop();
      await node.stop();
      credentials.close();
      watch.stop();
      keepMemory?.();
      dns?.close();
      await server.shutdown();
    } finally {
      clearTimeout(timer);
      end(status);
    }
  }
  const scheme = credentials.tls === undefined ? "http" : "https";
  const listener = { scheme, port, address, on: server.on, pid: Deno.pid } as const;
  log.notice("info", `node ${id} ${describeListening(config, listener)}`);
  const hint = idHint(config);
  if (hint !== undefined) log.notice("info", hint);
  for (const line of warnings(config, address)) log.notice("warn", line);
  if (teller !== undefined) log.notice("info", `tells of changes by ${teller.names.join(", ")}`);
  credentials.watch((tls) => server.replace(tls));
  userProcess?.start({
    log,
    authorities: () => credentials.authorities,
    say: (words) => node.say(words),
    onExit: (status, reason) => void finish(status, () => node.leave(reason)),
  });
  node.start();
  watch.start();
  const keepMemory = trim && giveMemoryBack(trim);
  if (dns !== undefined) {
    dns.serve({ live: () => node.reports.live({}), random: Math.random });
    log.notice("info", `answers DNS at ${formatAddress(config.dns!.host, dns.port)}: ${DNS_WORDS}`);
  }
  return {
    id,
    address,
    port,
    reload: () => credentials.reload(),
    ended,
    leave: (reason) => finish(0, () => node.leave(reason)),
    reportBug: (error) => node.reportBug(error),
  };
}

/** As `deno task compile` names it. */
function binaryName(): string {
  return `gossiper-${Deno.build.target}${Deno.build.os === "windows" ? ".exe" : ""}`;
}

/** Runs a node as its flags say; resolves to its exit status. */
export async function main(args: string[]): Promise<number> {
  // First: until then the system ends the process at a signal, or loses it where the process is a container's first.
  const asked = Promise.withResolvers<string>();
  let running: Running | undefined;
  let optional: OptionalParts = {};
  const forgetStop = onStopSignal(asked.resolve);
  onHangUp({
    stop: () => optional.userProcess?.hungUp() || asked.resolve("SIGHUP"),
    reload: () => {
      void running?.reload();
      optional.userProcess?.pass("SIGHUP");
    },
  });
  const parsed = parseConfig(args, (name) => Deno.env.get(name), {
    hostname: Deno.hostname(),
    randomId: crypto.randomUUID().slice(0, 8),
  });
  switch (parsed.kind) {
    case "help":
      console.log(parsed.text);
      return 0;
    case "version":
      console.log(
        versionLine(denoConfig.version, { deno: Deno.version.deno, target: Deno.build.target }),
      );
      return 0;
    case "usage":
      console.error(`gossiper: ${parsed.message}`);
      return 2;
  }
  const settled = await Promise.race([settleNames(parsed.config), asked.promise]);
  // Asked to stop while names were looked up.
  if (typeof settled === "string") return 0;
  if (settled.kind === "usage") {
    console.error(`gossiper: ${settled.message}`);
    return 2;
  }
  const { logFormat: format, logLevel: level } = settled.config;
  const stderr = new LineWriter({
    write: (bytes) => Deno.stderr.write(bytes),
    onLost: (lines) => log.notice("warn", `${lines} lines of this log are lost`),
  });
  const write = (line: string) => stderr.write(line);
  const log = createLog(write, { now: () => new Date(), format, level });
  if (settled.warning !== undefined) log.notice("warn", settled.warning);
  try {
    optional = await loadOptionalParts(settled.config, log);
    running = start(settled.config, write, optional);
    if (optional.userProcess?.takesSignals()) forgetStop();
  } catch (error) {
    const expected = [ListenError, StateError, CredentialsError, ProgramError];
    if (!(error instanceof Error && expected.some((kind) => error instanceof kind))) throw error;
    await stderr.flush();
    console.error(`gossiper: ${error.message}`);
    return error instanceof StateError || error instanceof ProgramError ? error.status : 1;
  }
  surviveErrors(running.reportBug);
  void asked.promise.then(running.leave);
  const status = await running.ended;
  await stderr.flush();
  return status;
}
