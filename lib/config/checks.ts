/**
 * `-check`: what must hold for the process beside a node, and how often a node looks. (pure)
 *
 * A check is a target and, at the end of its text, options: `tcp:localhost:5432,every=5s,name=db`. Commas before them
 * belong to the target, so that a shell's command may have some.
 *
 * @module
 */
import { type Address, formatAddress, parseAddress } from "../address.ts";
import { quote } from "../text.ts";
import { readEach, refuseMisspelt, UsageError } from "./flags.ts";
import { formatDuration, readDuration } from "./values.ts";

/** What a check looks at. */
export type CheckTarget =
  /** Passes while a GET is answered with 2xx or 3xx. `path` begins with a slash, and has the query. */
  | {
    readonly kind: "http";
    readonly address: Address;
    readonly tls: boolean;
    readonly path: string;
  }
  /** Passes while a connection is accepted. */
  | { readonly kind: "tcp"; readonly address: Address }
  /** Passes while the system's shell, given the command, exits with 0. */
  | { readonly kind: "exec"; readonly command: string }
  /** Passes while the file or folder was changed at most so long ago. */
  | { readonly kind: "file"; readonly path: string; readonly ageMaxMs: number };

export interface Check {
  readonly target: CheckTarget;
  /** What people call it. */
  readonly name: string | undefined;
  /** Time from the start of one run to that of the next, in ms. */
  readonly everyMs: number;
  /** Longest time of a run, in ms. */
  readonly timeoutMs: number;
  /** Runs in a row that must fail before the check fails. */
  readonly fall: number;
  /** Runs in a row that must pass before a failing check passes. */
  readonly rise: number;
}

/** One process has few sides to look at, and each check costs a process or a connection each time. */
export const CHECKS_MAX = 16;

/** More often, looking costs more than it finds. */
const EVERY_MIN_MS = 1_000;
/** Less often, nobody learns in time. */
const EVERY_MAX_MS = 3_600_000;
const TIMEOUT_MIN_MS = 100;
/** A process that needs longer for a word is of no use. */
const TIMEOUT_MAX_MS = 60_000;
/** More runs in a row only delay the verdict. */
const STREAK_MAX = 100;
/** A file that is touched less than once a year tells nothing. */
const FILE_AGE_MAX_MS = 366 * 24 * 3_600_000;

const EVERY_MS = 10_000;
const TIMEOUT_MS = 3_000;
const FALL = 2;
const RISE = 1;

/** Characters of a name, with which words of at most 120 bytes begin. */
const NAME = /^[A-Za-z0-9._-]{1,32}$/;

/** What may follow the target. */
const OPTIONS = ["every", "timeout", "fall", "rise", "name"];

/** An option at the end of a text. */
const OPTION = new RegExp(`^(.*),(${OPTIONS.join("|")})=([^,]*)$`, "s");

/** What looks like one, and is one with a typing error in its name where no comma of the target's own can be. */
const UNKNOWN_OPTION = /,([a-z]+)=[^,]*$/;

const FORMS = "give http://HOST:PORT/PATH, https://..., tcp:HOST:PORT, exec:COMMAND or " +
  "'file:PATH<AGE', and after it ,every=10s,timeout=3s,fall=2,rise=1,name=NAME as you need";

/** `-check`: one check per line. */
export function readChecks(text: string): readonly Check[] {
  const lines = text.split("\n").map((line) => line.trim()).filter((line) => line !== "");
  if (lines.length > CHECKS_MAX) throw new UsageError(`give at most ${CHECKS_MAX}`);
  const checks = readEach(lines, readCheck);
  const names = checks.flatMap(({ name }) => name ?? []);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice === undefined) return checks;
  throw new UsageError(`two are called ${quote(twice)}; give each a name of its own`);
}

/** One check. */
export function readCheck(text: string): Check {
  const options = new Map<string, string>();
  let rest = text;
  for (let found; (found = OPTION.exec(rest)) !== null;) {
    const [, before = "", name = "", value = ""] = found;
    if (options.has(name)) throw new UsageError(`give ${name}= once`);
    options.set(name, value);
    rest = before;
  }
  const target = readTarget(rest);
  const everyMs = readBounded(options, "every", EVERY_MS, [EVERY_MIN_MS, EVERY_MAX_MS]);
  const timeoutMs = readBounded(options, "timeout", Math.min(TIMEOUT_MS, everyMs), [
    TIMEOUT_MIN_MS,
    TIMEOUT_MAX_MS,
  ]);
  if (timeoutMs > everyMs) {
    const [timeout, every] = [timeoutMs, everyMs].map(formatDuration);
    throw new UsageError(`give a timeout of at most every=${every}, not ${timeout}`);
  }
  return Object.freeze({
    target,
    name: readName(options.get("name")),
    everyMs,
    timeoutMs,
    fall: readCount(options, "fall", FALL),
    rise: readCount(options, "rise", RISE),
  });
}

/** How words about a check begin: its name, or what it looks at. */
export function labelOf({ name, target }: Check): string {
  if (name !== undefined) return name;
  switch (target.kind) {
    case "http":
    case "tcp": {
      const kind = target.kind === "http" && target.tls ? "https" : target.kind;
      return `${kind} ${formatAddress(target.address.host, target.address.port)}`;
    }
    case "exec":
      return "exec";
    case "file":
      return `file ${target.path}`;
  }
}

function readTarget(text: string): CheckTarget {
  const [, scheme, rest = ""] = /^([a-z]+):(.*)$/s.exec(text) ?? [];
  const [, option] = UNKNOWN_OPTION.exec(text) ?? [];
  if (scheme === "exec" && rest.trim() !== "" && !rest.includes("\0")) {
    refuseMisspelt(option, OPTIONS);
    return { kind: "exec", command: rest };
  }
  if (option !== undefined && scheme !== "exec") {
    throw new UsageError(`${quote(option)} is no option; give every, timeout, fall, rise or name`);
  }
  switch (scheme) {
    case "http":
    case "https":
      return readUrl(text);
    case "tcp": {
      const address = parseAddress(rest);
      if (address !== undefined) return { kind: "tcp", address };
      throw new UsageError("give tcp:HOST:PORT, such as tcp:localhost:5432 or tcp:[::1]:5432");
    }
    case "file":
      return readFileTarget(rest);
    default:
      throw new UsageError(FORMS);
  }
}

function readUrl(text: string): CheckTarget {
  const url = URL.canParse(text) && /^https?:\/\//.test(text) ? new URL(text) : undefined;
  const tls = url?.protocol === "https:";
  const address = url && parseAddress(`${url.hostname}:${url.port || (tls ? 443 : 80)}`);
  if (url === undefined || address === undefined) {
    throw new UsageError("give a URL such as http://localhost:3000/health");
  }
  if (url.username !== "" || url.password !== "") {
    throw new UsageError("give a URL without user and password: others read the command line");
  }
  return { kind: "http", address, tls, path: `${url.pathname}${url.search}` };
}

function readFileTarget(text: string): CheckTarget {
  const [, path = "", age = ""] = /^(.*)<([^<]*)$/s.exec(text) ?? [];
  if (path === "" || path.includes("\0")) {
    throw new UsageError("give 'file:PATH<AGE' in quotes, such as 'file:/run/web.beat<5m'");
  }
  const ageMaxMs = readDuration(age);
  if (ageMaxMs > 0 && ageMaxMs <= FILE_AGE_MAX_MS) return { kind: "file", path, ageMaxMs };
  throw new UsageError(`give an age of at most ${formatDuration(FILE_AGE_MAX_MS)}`);
}

function readName(text: string | undefined): string | undefined {
  if (text === undefined || NAME.test(text)) return text;
  throw new UsageError("give a name of 1 to 32 of the characters A-Z a-z 0-9 . _ -");
}

function readBounded(
  options: ReadonlyMap<string, string>,
  name: string,
  byDefault: number,
  [leastMs, mostMs]: readonly [number, number],
): number {
  const text = options.get(name);
  if (text === undefined) return byDefault;
  const ms = readDuration(text);
  if (ms >= leastMs && ms <= mostMs) return ms;
  throw new UsageError(
    `give ${name}= a duration from ${formatDuration(leastMs)} to ${formatDuration(mostMs)}`,
  );
}

function readCount(options: ReadonlyMap<string, string>, name: string, byDefault: number): number {
  const text = options.get(name);
  if (text === undefined) return byDefault;
  if (/^[0-9]{1,3}$/.test(text) && Number(text) >= 1 && Number(text) <= STREAK_MAX) {
    return Number(text);
  }
  throw new UsageError(`give ${name}= a number from 1 to ${STREAK_MAX}`);
}
