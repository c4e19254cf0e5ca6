/**
 * Flags and environment -> a frozen, validated {@linkcode Config}, or the one line that says what is wrong. (pure)
 */

import { DEFAULT_CLUSTER } from "../limits.ts";
import {
  formatDuration,
  oneOf,
  reachableHost,
  readAdvertise,
  readDeadAfter,
  readFile,
  readFolder,
  readHost,
  readId,
  readInterval,
  readPort,
  readSeeds,
  readSwitch,
} from "./values.ts";
import {
  describeFlags,
  envName,
  type FlagTable,
  type FlagValues,
  readFlags,
  splitFlags,
  UsageError,
} from "./flags.ts";

import { LOG_FORMATS, LOG_LEVELS, type LogFormat, type LogLevel } from "../log.ts";
import { quote } from "../text.ts";
import { KEY_VARIABLE, SECURITY_FLAGS, type SecurityConfig, securityOf } from "./security.ts";

/** What a node is started with. */
export interface Config extends SecurityConfig {
  /** The node's ID; the one in the state file comes before it, unless it was given. */
  readonly id: string;
  readonly idGiven: boolean;
  /** The address or name to bind; `undefined` for every IPv4 and IPv6 address. */
  readonly host: string | undefined;
  /** The port to listen on; 0 takes a free one. */
  readonly port: number;
  /** The host that peers are given, IPv6 without brackets; by default this host's own name. */
  readonly advertiseHost: string;
  readonly advertiseDefault: boolean;
  /** The port that peers are given; `undefined` for the one that is listened on. */
  readonly advertisePort: number | undefined;
  /** Addresses of nodes to join, and `srv:` names, each in its one spelling, none twice. */
  readonly join: readonly string[];
  /** Nodes of another cluster's name are refused. */
  readonly cluster: string;
  /** The file that remembers across restarts; `undefined` for none. */
  readonly state: string | undefined;
  /** The folder whose files this node hands on. */
  readonly dist: string | undefined;
  /** Time between two rounds. */
  readonly intervalMs: number;
  /** A member whose heartbeat is older is dead. */
  readonly deadAfterMs: number;
  readonly logFormat: LogFormat;
  /** Log lines below it are left out. */
  readonly logLevel: LogLevel;
}

/** What the command line asks for. A usage message is one line. */
export type ParsedConfig =
  | { readonly kind: "run"; readonly config: Config }
  | { readonly kind: "help"; readonly text: string }
  | { readonly kind: "version" }
  | { readonly kind: "usage"; readonly message: string };

/** What the machine knows and a pure file can't. */
export interface ConfigDefaults {
  /** The host's name. */
  readonly hostname: string;
  /** The ID of a node that is given none: 8 random hex digits. */
  readonly randomId: string;
}

/** One lost exchange or a late round must not make a live member look dead. */
export const DEAD_AFTER_INTERVALS_MIN = 3;

/** Every flag. A new one is a row here, a field in {@linkcode Config} and a line in `validate`. */
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
    help: "public name given to peers (default -host, or this host's name)",
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
    help: "name of the cluster; nodes of another name are refused",
    default: DEFAULT_CLUSTER,
    read: readId,
  },
  "state": {
    metavar: "FILE",
    help: "remember ID, addresses and decommissions in FILE (default none)",
    read: readFile,
  },
  "dist": {
    metavar: "DIR",
    help: "hand on the files of DIR at /download (default the running binary)",
    read: readFolder,
  },
  "interval": {
    metavar: "DURATION",
    help: "time between two rounds of gossip",
    default: "1s",
    read: readInterval,
  },
  "dead-after": {
    metavar: "DURATION",
    help: "silence after which a member is dead; the same on all nodes",
    default: "5s",
    read: readDeadAfter,
  },
  ...SECURITY_FLAGS,
  "log": {
    metavar: "FORMAT",
    help: "log lines on stderr: text for people, json for machines",
    default: "text",
    read: oneOf(LOG_FORMATS),
  },
  "log-level": {
    metavar: "LEVEL",
    help: "least urgent lines to log: debug, info, warn or error",
    default: "info",
    read: oneOf(LOG_LEVELS),
  },
} as const satisfies FlagTable;

/** Flags that only make sense when typed: container images set GOSSIPER_VERSION for purposes of their own. */
const REQUESTS = {
  "help": { help: "print this and exit", read: readSwitch },
  "version": { help: "print the version and exit", read: readSwitch },
} as const satisfies FlagTable;

/** Reads the command line and, for flags not given there, the environment. Never throws for what people type. */
export function parseConfig(
  args: readonly string[],
  env: (name: string) => string | undefined,
  defaults: ConfigDefaults,
): ParsedConfig {
  try {
    const given = splitFlags({ ...FLAGS, ...REQUESTS }, args);
    const { help, version } = readFlags(REQUESTS, given, () => undefined);
    if (help) return { kind: "help", text: helpText() };
    if (version) return { kind: "version" };
    return {
      kind: "run",
      config: validate(readFlags(FLAGS, given, env), defaults, env(KEY_VARIABLE) || undefined),
    };
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return { kind: "usage", message: error.message };
  }
}

/** The text of `-help`, without a final newline. */
export function helpText(): string {
  return `Usage: gossiper [flags]

Runs one node of a distributed liveness store: start one, join it from others, ask any of them.

${describeFlags({ ...FLAGS, ...REQUESTS })}

-flag value, -flag=value and --flag value are the same. A duration is written 500ms, 5s or 1m.
Every flag has an environment variable, such as ${envName("dead-after")}; the flag wins.

Examples:
  gossiper -id n1
  gossiper -id n2 -port 8081 -join localhost:8080`;
}

/** The checks that need more than one flag, or what the machine knows. */
function validate(
  values: FlagValues<typeof FLAGS>,
  defaults: ConfigDefaults,
  keyText: string | undefined,
): Config {
  const { interval: intervalMs, "dead-after": deadAfterMs } = values;
  const deadAfterMinMs = DEAD_AFTER_INTERVALS_MIN * intervalMs;
  if (deadAfterMs < deadAfterMinMs) {
    const [given, interval, least] = [deadAfterMs, intervalMs, deadAfterMinMs].map(formatDuration);
    throw new UsageError(
      `Cannot use -dead-after ${given} with -interval ${interval}: ` +
        `give at least ${DEAD_AFTER_INTERVALS_MIN} intervals, -dead-after ${least}`,
    );
  }
  // A node that listens on one address only can't be reached by another name.
  const given = values.advertise?.host ?? reachableHost(values.host ?? "");
  const advertiseHost = given ?? reachableHost(defaults.hostname);
  if (advertiseHost === undefined) {
    throw new UsageError(
      `Cannot give peers the name of this host, ${quote(defaults.hostname)}: ` +
        "give one that they can reach with -advertise HOST",
    );
  }
  return Object.freeze({
    id: values.id ?? defaults.randomId,
    idGiven: values.id !== undefined,
    host: values.host,
    port: values.port,
    advertiseHost,
    advertiseDefault: given === undefined,
    advertisePort: values.advertise?.port,
    join: Object.freeze(values.join),
    cluster: values.cluster,
    state: values.state,
    dist: values.dist,
    intervalMs,
    deadAfterMs,
    ...securityOf(values, keyText),
    logFormat: values.log,
    logLevel: values["log-level"],
  });
}
