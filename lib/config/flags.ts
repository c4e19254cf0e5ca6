/**
 * Flags in Go style (`-flag value`, `-flag=value`, the same with two dashes) and their environment variables, read
 * by a table with one row per flag. Names, help and suggestions all follow from the table. (pure)
 */

import { parseArgs } from "../std/cli/parse_args.ts";
import { closestString } from "../std/text/closest_string.ts";
import { levenshteinDistance } from "../std/text/levenshtein_distance.ts";
import { quote } from "../text.ts";

/** One row of the table. */
export interface Flag<Value> {
  /** Placeholder for the value in the help text; a flag without one is a switch. */
  readonly metavar?: string;
  /** One line of the help text. */
  readonly help: string;
  /** It may be given several times: its texts are read together, a line each. */
  readonly repeats?: true;
  /** The words that it takes, one or several: shells complete them. */
  readonly words?: readonly string[];
  /** The text that is read when none is given. With `""`, people may give an empty value as well. */
  readonly default?: string;
  /** It may not be given empty all the same: a script whose variable is not set would lose an alert or a protection. */
  readonly filled?: true;
  /** Turns the text into the value; throws {@linkcode UsageError} with what to give instead, of several for which. */
  readonly read: (text: string) => Value;
}

/** The rows by name. */
export type FlagTable = Readonly<Record<string, Flag<unknown>>>;

/** What was read, by name; `undefined` where nothing was given and the row has no default. */
export type FlagValues<Table extends FlagTable> = {
  readonly [Name in keyof Table]:
    | ReturnType<Table[Name]["read"]>
    | (Table[Name] extends { readonly default: string } ? never : undefined);
};

/** Wrong use: the message is one line of printable ASCII and says what to do. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** Text that looks like a flag, so it is not the value of the flag before it; `-id=-x` still gives such a value. */
const FLAG = /^--?([A-Za-z_][^=]*)(=.*)?$/s;

/** Edit distance up to which an unknown word is taken for a typing error; two swapped characters count as 2. */
const TYPO_DISTANCE_MAX = 2;

/** Characters of a word in which two errors, but for a swap of two, make another word: `leave` is not `live`. */
const SHORT_LENGTH_MAX = 4;

/**
 * The texts given for each flag, by name, not yet read; a switch given alone has the text `true`. `onOperand` gets each
 * argument that belongs to no flag; by default it is refused.
 *
 * @throws {UsageError} for an unknown flag, one given twice or with nothing behind it, and a stray argument.
 */
export function splitFlags(
  table: FlagTable,
  args: readonly string[],
  onOperand: (arg: string) => void = refuseOperand,
): Map<string, readonly string[]> {
  const names = Object.keys(table);
  const { _: afterDashes, ...given } = parseArgs(normalizeArgs(table, args), {
    string: names,
    collect: names,
    unknown: (arg) => {
      onOperand(arg);
      return false;
    },
  });
  for (const arg of afterDashes) onOperand(String(arg));
  const texts = new Map<string, readonly string[]>();
  for (const [name, values] of Object.entries(given as Record<string, string[]>)) {
    if (values.length > 1 && table[name]?.repeats === undefined) {
      throw new UsageError(
        `Cannot use -${name} ${values.length} times: give it once, as ${synopsis(table, name)}`,
      );
    }
    if (values.length > 0) texts.set(name, values);
  }
  return texts;
}

function refuseOperand(arg: string): never {
  throw new UsageError(
    `Cannot use the argument ${quote(arg)}: give only flags; run with -help for the list`,
  );
}

/**
 * The values of all flags: from the given text, else the environment, else the default. An empty environment variable
 * counts as not set.
 *
 * @throws {UsageError} for a value that its flag does not take, an empty one among them.
 */
export function readFlags<Table extends FlagTable>(
  table: Table,
  given: ReadonlyMap<string, readonly string[]>,
  env: (name: string) => string | undefined,
): FlagValues<Table> {
  const values = Object.entries(table).map(([name, flag]) => {
    const typed = given.get(name);
    if (typed !== undefined && isEmpty(flag, typed)) throw withoutValue(table, name);
    if (typed !== undefined) return [name, readText(`-${name}`, flag, typed.join("\n"))];
    const variable = envName(name);
    const text = env(variable);
    if (text) return [name, readText(variable, flag, text)];
    return [name, flag.default === undefined ? undefined : flag.read(flag.default)];
  });
  return Object.fromEntries(values);
}

/** Whether what was typed says less than its flag must; of a flag that repeats and must be filled, each text does. */
function isEmpty(flag: Flag<unknown>, texts: readonly string[]): boolean {
  if (flag.filled) return texts.some((text) => text.trim() === "");
  return flag.default !== "" && texts.join("\n") === "";
}

function withoutValue(table: FlagTable, name: string): UsageError {
  return new UsageError(`Cannot use -${name} without a value: give ${synopsis(table, name)}`);
}

/** The environment variable of a flag: `dead-after` has `GOSSIPER_DEAD_AFTER`. */
export function envName(name: string): string {
  return `GOSSIPER_${name.replaceAll("-", "_").toUpperCase()}`;
}

/** The flags with their help and defaults, aligned, one per line. */
export function describeFlags(table: FlagTable): string {
  const names = Object.keys(table);
  const width = Math.max(...names.map((name) => synopsis(table, name).length));
  return names.map((name) => {
    const { help, default: byDefault } = table[name] as Flag<unknown>;
    const suffix = byDefault ? ` (default ${byDefault})` : "";
    return `  ${synopsis(table, name).padEnd(width)}  ${help}${suffix}`;
  }).join("\n");
}

/**
 * Rewrites every flag as `--name=value`, and refuses unknown flags. `parseArgs` alone reads `-port 8080` as the flags
 * p, o, r and t, `--no-port=1` as port, and a missing value as an empty one.
 */
function normalizeArgs(table: FlagTable, args: readonly string[]): string[] {
  const normal: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? "";
    // What follows is no flag, whatever it looks like.
    if (arg === "--") return [...normal, ...args.slice(i)];
    const [, typed, value] = FLAG.exec(arg) ?? [];
    const name = typed === "h" ? "help" : typed;
    if (name === undefined) {
      normal.push(arg);
    } else if (!Object.hasOwn(table, name)) {
      throw new UsageError(`Unknown flag ${quote(`-${name}`)}: ${hint(table, name)}`);
    } else if (value !== undefined || table[name]?.metavar === undefined) {
      normal.push(`--${name}${value ?? "=true"}`);
    } else {
      const next = args[++i];
      if (next === undefined || FLAG.test(next)) {
        throw withoutValue(table, name);
      }
      normal.push(`--${name}=${next}`);
    }
  }
  return normal;
}

function readText<Value>(source: string, flag: Flag<Value>, text: string): Value {
  try {
    return flag.read(text);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    // Of several texts `read` says which one is wrong; a single one may end its line, as in a manifest.
    const typed = flag.repeats ? text.trim() : text;
    const given = flag.repeats && typed.includes("\n") ? source : `${source} ${quote(typed)}`;
    throw new UsageError(`Cannot use ${given}: ${error.message}`);
  }
}

/** Reads each of the texts that a flag which repeats was given; of several an error names its own. */
export function readEach<Value>(
  texts: readonly string[],
  read: (text: string) => Value,
): Value[] {
  if (texts.length === 1) return [read(texts[0]!)];
  return texts.map((text) => {
    try {
      return read(text);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      throw new UsageError(`of ${quote(text)}: ${error.message}`);
    }
  });
}

function hint(table: FlagTable, unknown: string): string {
  const meant = wordMeant(unknown, Object.keys(table));
  return meant === undefined ? "run with -help for the list" : `did you mean '-${meant}'?`;
}

/** The one of `words` that begins as the given one, or is it with typing errors; undefined where none is alike. */
export function wordMeant(typed: string, words: readonly string[]): string | undefined {
  const begun = words.find((word) => word.startsWith(typed));
  if (begun !== undefined) return begun;
  const closest = closestString(typed, words);
  const lower = typed.toLowerCase();
  const distance = levenshteinDistance(lower, closest);
  const isShort = closest.length <= SHORT_LENGTH_MAX && !hasSameLetters(lower, closest);
  const distanceMax = isShort ? 1 : TYPO_DISTANCE_MAX;
  return distance <= distanceMax && distance < typed.length ? closest : undefined;
}

function hasSameLetters(a: string, b: string): boolean {
  return [...a].sort().join("") === [...b].sort().join("");
}

/**
 * Refuses what looks like an option behind a command, and is a known one's name with typing errors: one or, where it
 * begins as a name of five characters and more does, two. Anything else is the command's own.
 */
export function refuseMisspelt(option: string | undefined, known: readonly string[]): void {
  const meant = known.find((name) => {
    if (option === undefined) return false;
    const distance = levenshteinDistance(option, name);
    const isLong = name.length > SHORT_LENGTH_MAX && name[0] === option[0];
    return distance > 0 && distance <= (isLong ? TYPO_DISTANCE_MAX : 1);
  });
  if (meant === undefined) return;
  throw new UsageError(
    `${quote(option!)} is no option: did you mean ${meant}? In a command write "${option}"=`,
  );
}

function synopsis(table: FlagTable, name: string): string {
  const metavar = table[name]?.metavar;
  return metavar === undefined ? `-${name}` : `-${name} ${metavar}`;
}
