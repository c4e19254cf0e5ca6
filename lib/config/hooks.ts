/**
 * `-on-change`: what is to be done when a member changes, and `-tell-after`. (pure)
 *
 * A hook is a command or a URL and, at the end of its text, options: `notify.sh,status=dead,failing,name=pager`. Commas
 * before them belong to the command or URL.
 *
 * @module
 */
import { HOOKS_MAX, isLabel } from "../about.ts";
import { hashOf, hex8 } from "../hash.ts";
import type { Hook } from "../hook.ts";
import { quote } from "../text.ts";
import { type Status, STATUSES } from "../table.ts";
import { refuseBlockedPort } from "./blocked_ports.ts";
import { type FlagTable, readEach, refuseMisspelt, UsageError } from "./flags.ts";
import { readTags } from "./labels.ts";
import { formatDuration, readDuration } from "./values.ts";

/** What a hook does. */
export type Action =
  /** Runs by the system's shell. */
  | { readonly kind: "command"; readonly command: string }
  /** Gets a POST. */
  | { readonly kind: "url"; readonly url: string };

export interface HookConfig extends Hook {
  readonly action: Action;
}

/** A longer wait is a matter for whoever is told. */
const TELL_AFTER_MAX_MS = 3_600_000;

/** Characters of a command or a URL: more than any webhook has, and what belongs into a script is not for a flag. */
export const ACTION_LENGTH_MAX = 2_048;

/** Characters of a name. */
const NAME_LENGTH_MAX = 32;

/** What `status=` takes; `unknown` is no end of anything. */
const TOLD: readonly Status[] = STATUSES.filter((status) => status !== "unknown");
const CUT_OFF = "cut-off";

/** What is told unless somebody asks for something else: trouble. */
const TROUBLE: readonly Status[] = ["dead", "unresponsive", "failing"];

/** An option at the end of a text. A list of statuses has commas of its own. */
const OPTION = /^(.*),(?:(tag|name)=([^,]*)|(status)=([a-z-]*(?:,[a-z-]*)*))$/s;

/** Their names. */
const OPTIONS = ["tag", "name", "status"];

/** What looks like one: at the end of a URL it has a typing error in its name. */
const UNKNOWN_OPTION = /,([a-z]+)=[^,]*$/;

/** The same with a list of statuses. */
const UNKNOWN_LIST = /,([a-z]+)=[a-z-]*(?:,[a-z-]*)*$/;

export const HOOK_FLAGS = {
  "on-change": {
    metavar: "COMMAND|URL",
    help: "one of the living runs or POSTs it for each change; repeat it for more",
    default: "",
    filled: true,
    repeats: true,
    read: readHooks,
  },
  "tell-after": {
    metavar: "DURATION",
    help: "tell only of what lasts so long",
    default: "0",
    read: readTellAfter,
  },
} as const satisfies FlagTable;

/** `-on-change`: one hook per line. */
export function readHooks(text: string): readonly HookConfig[] {
  const lines = text.split("\n").map((line) => line.trim()).filter((line) => line !== "");
  if (lines.length > HOOKS_MAX) throw new UsageError(`give at most ${HOOKS_MAX}`);
  const hooks = readEach(lines, readHook);
  const names = hooks.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice === undefined) return hooks;
  throw new UsageError(`two are called ${quote(twice)}; give each a name= of its own`);
}

export function isHookName(text: string): boolean {
  return isLabel(text) && text.length <= NAME_LENGTH_MAX;
}

/** One hook. */
export function readHook(text: string): HookConfig {
  const options = new Map<string, string>();
  const tags: string[] = [];
  let rest = text;
  for (let found; (found = OPTION.exec(rest)) !== null;) {
    const [, before = "", single = "status", value = "", , statuses = ""] = found;
    if (single === "tag") tags.unshift(value);
    else if (options.has(single)) throw new UsageError(`give ${single}= once`);
    else options.set(single, single === "status" ? statuses : value);
    rest = before;
  }
  const action = readAction(rest);
  const given = options.get("name");
  if (given !== undefined && !isHookName(given)) {
    throw new UsageError(
      `give a name of a letter and at most ${NAME_LENGTH_MAX - 1} letters, digits, - and _`,
    );
  }
  const words = readStatuses(options.get("status"));
  return Object.freeze({
    name: given ?? nameOf(action),
    action,
    statuses: new Set(words.filter((word) => word !== CUT_OFF)),
    tags: readHookTags(tags),
    cutOff: words.includes(CUT_OFF),
  });
}

function readAction(text: string): Action {
  if (text === "" || text.includes("\0") || text.length > ACTION_LENGTH_MAX) {
    throw new UsageError(
      `give a command or an http(s) URL of at most ${ACTION_LENGTH_MAX} characters, and after it ` +
        ",status=dead,failing ,tag=role=web ,name=pager as you need",
    );
  }
  const [, option] = UNKNOWN_OPTION.exec(text) ?? [];
  if (!/^https?:/i.test(text)) {
    refuseMisspelt(option ?? UNKNOWN_LIST.exec(text)?.[1], OPTIONS);
    return { kind: "command", command: text };
  }
  if (option !== undefined) {
    throw new UsageError(`${quote(option)} is no option; give status, tag or name`);
  }
  const url = /\s/.test(text) ? null : URL.parse(text);
  if (url === null || url.hostname === "") {
    throw new UsageError("give a URL such as https://hooks.example/gossiper");
  }
  if (url.username !== "" || url.password !== "") {
    throw new UsageError("give a URL without user and password: run curl as a command instead");
  }
  refuseBlockedPort(url.port);
  url.hash = "";
  return { kind: "url", url: url.href };
}

function readStatuses(text: string | undefined): readonly (Status | typeof CUT_OFF)[] {
  if (text === undefined) return TROUBLE;
  const all = [...TOLD, CUT_OFF] as const;
  const words = text.split(",");
  const known = all.filter((word) => words.includes(word));
  if (words.every((word) => (all as readonly string[]).includes(word))) return known;
  throw new UsageError(`give as status= one or more of ${all.join(",")}`);
}

function readHookTags(tags: readonly string[]): Record<string, string> {
  try {
    return readTags(tags.join("\n"));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new UsageError(`of tag=: ${error.message}`);
  }
}

/**
 * The name of a hook that was given none: equal on all nodes that have the same hook, and no other one's, as nodes take
 * over from each other what has one name.
 */
function nameOf(action: Action): string {
  const text = action.kind === "url" ? action.url : action.command;
  const known = action.kind === "url"
    ? new URL(action.url).hostname
    : /^\s*(\S*)/.exec(text)![1]!.replace(/.*[\\/](?=.)/s, "");
  const mark = hex8(hashOf(text));
  const words = known.match(/[A-Za-z0-9]+/g)?.join("-") ?? "";
  const word = /^[A-Za-z]/.test(words) ? words : `hook-${words}`;
  return `${word.slice(0, NAME_LENGTH_MAX - 9).replace(/-$/, "")}-${mark}`;
}

/** `-tell-after`, in ms. */
function readTellAfter(text: string): number {
  if (text === "0") return 0;
  const ms = readDuration(text);
  if (ms <= TELL_AFTER_MAX_MS) return ms;
  throw new UsageError(`give a duration of at most ${formatDuration(TELL_AFTER_MAX_MS)}`);
}
