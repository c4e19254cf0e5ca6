/**
 * Flags and environment -> a frozen, validated {@linkcode Config}, or the one line that says what is wrong. (pure)
 */

import { splitCommand, USER_PROCESS_FLAGS, type UserProcessConfig } from "./user_process.ts";
import { programHelp } from "./commands.ts";
import { DEFAULT_CLUSTER } from "../limits.ts";
import {
  type ListenAddress,
  oneOf,
  reachableHost,
  readAdvertise,
  readFile,
  readFolder,
  readHost,
  readId,
  readListenAddress,
  readPort,
  readSeeds,
  readSwitch,
} from "./values.ts";
import { type FlagTable, type FlagValues, readFlags, splitFlags, UsageError } from "./flags.ts";

import { LOG_FORMATS, LOG_LEVELS, type LogFormat, type LogLevel } from "../log.ts";
import { HOOK_FLAGS, type HookConfig } from "./hooks.ts";
import { LABEL_FLAGS, type Labels, labelsOf } from "./labels.ts";
import { PACE_FLAGS, type PaceConfig, paceOf } from "./pace.ts";
import { KEY_VARIABLE, SECURITY_FLAGS, type SecurityConfig, securityOf } from "./security.ts";

/** What a node is started with. */
export interface Config extends SecurityConfig, UserProcessConfig, PaceConfig {
  /** The node's ID. */
  readonly id: string;
  /** Whether `-id` was given; otherwise an ID in the state file replaces the random one. */
  readonly idGiven: boolean;
  /** The address or name to listen on; `undefined`: every IPv4 and IPv6 address. */
  readonly host: string | undefined;
  /** The port to listen on; 0: any free one. */
  readonly port: number;
  /**
   * The host that peers are given, IPv6 without brackets. By default this host's own name, or localhost where that
   * cannot be part of an address; whether the name leads peers here is found out when the node starts.
   */
  readonly advertiseHost: string;
  /** Whether neither `-advertise` nor `-host` gave that host. */
  readonly advertiseDefault: boolean;
  /** The port that peers are given; `undefined`: the one this node listens on. */
  readonly advertisePort: number | undefined;
  /** Addresses of nodes to join, and `srv:` names: normalized, without duplicates. */
  readonly join: readonly string[];
  /** Nodes of a cluster with another name are refused. */
  readonly cluster: string;
  /** The state file; `undefined`: nothing is remembered across restarts. */
  readonly state: string | undefined;
  /** What the node says of itself to all. */
  readonly labels: Labels;
  /** What to do when a member changes. */
  readonly hooks: readonly HookConfig[];
  /** How long a change must last before it is told, in ms. */
  readonly tellAfterMs: number;
  /** Where to answer DNS over UDP and TCP; `undefined`: nowhere. */
  readonly dns: ListenAddress | undefined;
  /** The folder whose files are served at /download; `undefined`: the running binary alone. */
  readonly dist: string | undefined;
  readonly logFormat: LogFormat;
  /** Log lines below this level are left out. */
  readonly logLevel: LogLevel;
}

/** What the command line asks for. A usage message is one line. */
export type ParsedConfig =
  | { readonly kind: "run"; readonly config: Config }
  | { readonly kind: "help"; readonly text: string }
  | { readonly kind: "version" }
  | { readonly kind: "usage"; readonly message: string };

/** What a pure file cannot find out itself. */
export interface ConfigDefaults {
  /** The host's name. */
  readonly hostname: string;
  /** The ID of a node that is started without one: 8 random hex digits. */
  readonly randomId: string;
}

/** Every flag. A new one takes a row here, a field in {@linkcode Config} and a line in `validate`. */
const FLAGS = {
  "id": {
    metavar: "ID",
    help: "node ID; reuse one to be the same node again (default 8 random hex digits)",
    read: readId,
  },
  "port": {
    metavar: "PORT",
    help: "port to listen on; 0 takes a free one",
    default: "8080",
    read: readPort,
  },
  "host": {
    metavar: "HOST",
    help: "address to listen on (default every IPv4 and IPv6 address)",
    read: readHost,
  },
  "advertise": {
    metavar: "HOST[:PORT]",
    help: "host given to peers (default -host, or this host's name or address)",
    read: readAdvertise,
  },
  "join": {
    metavar: "HOST:PORT,...",
    help: "nodes to join (default none: wait to be joined)",
    default: "",
    read: readSeeds,
  },
  "cluster": {
    metavar: "NAME",
    help: "name of the cluster; nodes with another name are refused",
    default: DEFAULT_CLUSTER,
    read: readId,
  },
  "state": {
    metavar: "FILE",
    help: "remember ID, members and decommissions in FILE (default none)",
    read: readFile,
  },
  ...LABEL_FLAGS,
  "dns": {
    metavar: "HOST:PORT",
    help: "answer DNS there: web.gossip is those with -tag role=web (default none)",
    read: readListenAddress,
  },
  "dist": {
    metavar: "DIR",
    help: "serve the files of DIR at /download (default the running binary)",
    read: readFolder,
  },
  ...PACE_FLAGS,
  ...USER_PROCESS_FLAGS,
  ...HOOK_FLAGS,
  ...SECURITY_FLAGS,
  "log": {
    metavar: "FORMAT",
    help: "log lines on stderr: text for people, json for machines",
    words: LOG_FORMATS,
    default: "text",
    read: oneOf(LOG_FORMATS),
  },
  "log-level": {
    metavar: "LEVEL",
    help: "least urgent lines to log: debug, info, warn or error",
    words: LOG_LEVELS,
    default: "info",
    read: oneOf(LOG_LEVELS),
  },
} as const satisfies FlagTable;

/** Flags for the command line alone: container images set GOSSIPER_VERSION for purposes of their own. */
const REQUESTS = {
  "help": { help: "print this and exit", read: readSwitch },
  "version": { help: "print the version and exit", read: readSwitch },
} as const satisfies FlagTable;

/** All that a command line without a command may say. */
export const NODE_FLAGS: FlagTable = { ...FLAGS, ...REQUESTS };

/** Reads the command line and, for flags not given there, the environment. Wrong use is returned, never thrown. */
export function parseConfig(
  args: readonly string[],
  env: (name: string) => string | undefined,
  defaults: ConfigDefaults,
): ParsedConfig {
  try {
    const { own, command } = splitCommand(args);
    const given = splitFlags(NODE_FLAGS, own);
    const { help, version } = readFlags(REQUESTS, given, () => undefined);
    if (help) return { kind: "help", text: helpText() };
    if (version) return { kind: "version" };
    const keyText = env(KEY_VARIABLE) || undefined;
    const values = readFlags(FLAGS, given, env);
    return { kind: "run", config: validate(values, { ...defaults, keyText, command }) };
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return { kind: "usage", message: error.message };
  }
}

/** The text of `-help`, without a final newline. */
export function helpText(): string {
  return programHelp(NODE_FLAGS);
}

/** The checks that need more than one flag, or a default of the machine. */
function validate(
  values: FlagValues<typeof FLAGS>,
  { hostname, randomId, keyText, command }: ConfigDefaults & Pick<Config, "keyText" | "command">,
): Config {
  const { intervalMs, deadAfterMs, forgetMs, stretchMembers } = paceOf(values);
  // A node that listens on a single address can be reached at that address alone.
  const given = values.advertise?.host ?? reachableHost(values.host ?? "");
  const security = securityOf(values, keyText);
  return Object.freeze({
    id: values.id ?? randomId,
    idGiven: values.id !== undefined,
    host: values.host,
    port: values.port,
    advertiseHost: given ?? reachableHost(hostname) ?? "localhost",
    advertiseDefault: given === undefined,
    advertisePort: values.advertise?.port,
    join: Object.freeze(values.join),
    cluster: values.cluster,
    state: values.state,
    labels: labelsOf(values, values["on-change"].map(({ name }) => name)),
    hooks: Object.freeze(values["on-change"]),
    tellAfterMs: values["tell-after"],
    dns: values.dns,
    dist: values.dist,
    intervalMs,
    deadAfterMs,
    forgetMs,
    stretchMembers,
    keyFile: security.keyFile,
    keyText: security.keyText,
    private: security.private,
    tls: security.tls,
    names: security.names,
    allow: security.allow,
    checks: Object.freeze(values.check),
    command,
    logFormat: values.log,
    logLevel: values["log-level"],
  });
}
