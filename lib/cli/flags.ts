/**
 * The flags of commands. (pure)
 *
 * @module
 */
import { isLabel, WORDS_LENGTH_MAX } from "../about.ts";
import { envName, type FlagTable, UsageError } from "../config/flags.ts";
import { readTags } from "../config/labels.ts";
import { KEY_VARIABLE } from "../config/security.ts";
import { readDuration, readFile, readSwitch } from "../config/values.ts";
import { STATUSES } from "../table.ts";
import { readAt } from "./at.ts";

/** Flags of all commands that ask a node; each has an environment variable. */
export const TARGET_FLAGS = {
  "at": {
    metavar: "NODE",
    help: `node to ask: host:port, or a URL (or ${envName("at")})`,
    default: "localhost:8080",
    read: readAt,
  },
  "key-file": {
    metavar: "FILE",
    help: `keys, one per line: the first is shown to the node (or ${KEY_VARIABLE})`,
    read: readFile,
  },
  "tls-ca": {
    metavar: "FILE",
    help: "also trust certificates of these authorities, in PEM; host:port speaks HTTPS",
    read: readFile,
  },
} as const satisfies FlagTable;

/** Flags of single commands. An environment must not say -yes. */
export const OWN_FLAGS = {
  "status": {
    metavar: "STATUS,...",
    help: "only members in these, such as dead,unresponsive,failing",
    words: STATUSES,
    read: readStatuses,
  },
  "tag": {
    metavar: "KEY=VALUE",
    help: "only members with this tag; repeat it for more",
    repeats: true,
    read: readTags,
  },
  "port": {
    metavar: "NAME",
    help: "the port of the service that members have with -port-of, and only of those",
    read: readLabel,
  },
  "set": {
    metavar: "KEY=VALUE",
    help: "add this tag, or change it; repeat it for more",
    repeats: true,
    read: readTags,
  },
  "unset": {
    metavar: "KEY",
    help: "take this tag away; repeat it for more",
    repeats: true,
    read: readLabels,
  },
  "for": {
    metavar: "DURATION",
    help: "how long, such as 2h; at most a week, 168h",
    read: readDuration,
  },
  "why": {
    metavar: "TEXT",
    help: "what everybody reads beside it, such as deploy",
    read: readWhy,
  },
  "end": { help: "let hooks speak again", read: readSwitch },
  "json": { help: "print what the node answers as JSON, in one line", read: readSwitch },
  "watch": { help: "print again whenever something changes, until Ctrl-C", read: readSwitch },
  "yes": { help: "do not ask back", read: readSwitch },
  "unknown": { help: "with -yes, take an ID that the node does not know, too", read: readSwitch },
} as const satisfies FlagTable;

/** Flags that the node gets as query parameters of the same name. */
export const QUERY: readonly (keyof typeof OWN_FLAGS)[] = [
  ...["status", "tag", "port", "set", "unset", "for", "why"] as const,
];

export const HELP = { "help": { help: "print this and exit", read: readSwitch } } as const;

function readStatuses(text: string): readonly string[] {
  const words = text.split(",");
  if (words.every((word) => (STATUSES as readonly string[]).includes(word))) return words;
  throw new UsageError(`give one or more of ${STATUSES.join(",")}`);
}

function readLabel(text: string): string {
  if (isLabel(text)) return text;
  throw new UsageError("give a name of letters, digits, - and _, a letter first");
}

function readWhy(text: string): string {
  if (text.length <= WORDS_LENGTH_MAX) return text;
  throw new UsageError(`give at most ${WORDS_LENGTH_MAX} characters`);
}

function readLabels(text: string): readonly string[] {
  return text.split("\n").map(readLabel);
}
