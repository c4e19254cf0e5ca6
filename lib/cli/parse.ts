/**
 * A command line that begins with a command -> a {@linkcode Call}, its help, or what is wrong with it. (pure)
 *
 * @module
 */
import { type CommandName, COMMANDS, synopsisOf } from "../config/commands.ts";
import { helpText } from "../config/config.ts";
import {
  describeFlags,
  type FlagTable,
  readFlags,
  splitFlags,
  UsageError,
} from "../config/flags.ts";
import { KEY_VARIABLE } from "../config/security.ts";
import { readId } from "../config/values.ts";
import { closestString } from "../std/text/closest_string.ts";
import { quote } from "../text.ts";
import { SHELLS } from "./completions.ts";
import { HELP, OWN_FLAGS, QUERY, TARGET_FLAGS } from "./flags.ts";

/** The node to ask, and how. */
export interface Target {
  /** The URL that its paths are added to; it ends in a slash. */
  readonly base: string;
  readonly keyFile: string | undefined;
  /** The contents of such a file, from the environment. */
  readonly keyText: string | undefined;
  /** The file of further authorities to trust, in PEM. */
  readonly caFile: string | undefined;
}

/** What a command line asks for. */
export interface Call {
  readonly command: Exclude<CommandName, "help">;
  /** The ID or the shell. */
  readonly operand: string;
  /** Which members; the node selects them. */
  readonly query: URLSearchParams;
  readonly json: boolean;
  readonly watch: boolean;
  readonly yes: boolean;
  /** Decommission an ID that the node does not know, too. */
  readonly unknown: boolean;
  readonly target: Target;
}

export type ParsedCall =
  | { readonly kind: "call"; readonly call: Call }
  | { readonly kind: "help"; readonly text: string }
  | { readonly kind: "usage"; readonly message: string };

/** What a command has beside its row in COMMANDS. */
interface Details {
  readonly flags: readonly (keyof typeof OWN_FLAGS)[];
  /** Whether it asks a node. */
  readonly asks: boolean;
  /** Reads the operand, where it takes one. */
  readonly read?: (text: string) => string;
  /** What its help says below the flags. */
  readonly more: string;
}

const DETAILS: Readonly<Record<CommandName, Details>> = {
  "members": {
    flags: ["status", "tag", "json", "watch"],
    asks: true,
    more:
      `Exit status: 0 all are live, 1 some are not, 2 wrong call, 3 no node answers. Members that left
or are decommissioned ended as planned: they count only where -status asks for them.

  gossiper members -status dead,unresponsive,failing || page_somebody
  gossiper members -tag role=db || page_somebody`,
  },
  "live": {
    flags: ["tag", "port", "watch"],
    asks: true,
    more:
      `Live, and neither failing nor slow; with checks, once they have passed. With -watch each list is
one line, printed whenever it is another one:

  gossiper live -tag role=web -watch | while read -r servers; do render $servers; done

Exit status: 0 there are some, 1 there is nobody, 2 wrong call, 3 no node answers.`,
  },
  "why": {
    flags: [],
    asks: true,
    read: readId,
    more: "Exit status: 0 it is live, 1 it is not, 2 wrong call, 3 no node answers.",
  },
  "bye": {
    flags: ["yes", "unknown"],
    asks: true,
    read: readId,
    more:
      `Its process ends, its ID stays unusable, and nothing undoes this. Asks back on a terminal;
elsewhere it needs -yes, and for an ID that the node does not know -unknown as well.

Exit status: 0 done, 1 not done, 2 wrong call, 3 no node answers.`,
  },
  "forget": {
    flags: [],
    asks: true,
    read: readId,
    more: `It must be dead or left. Its ID stays usable: if it starts again, it is a new member.

Exit status: 0 done, 1 not done, 2 wrong call, 3 no node answers.`,
  },
  "tag": {
    flags: ["set", "unset"],
    asks: true,
    more:
      `The tags of the node that is asked; all know them within a second. A restart goes back to -tag.

Exit status: 0 done, 2 wrong call, 3 no node answers.`,
  },
  "events": {
    flags: [],
    asks: true,
    more:
      `A line has time, ID, status before, status now, address and reason, with one blank between
them; '-' is in the place of an address or status that there is not. When the node is lost it
is called again, and what changed meanwhile is printed then.

Exit status: 2 wrong call, 3 no node answers at the start.

  gossiper events | while read -r at id from to rest; do echo "$id was $from and is $to"; done`,
  },
  "completions": {
    flags: [],
    asks: false,
    read: readShell,
    more: `  bash  eval "$(gossiper completions bash)" in ~/.bashrc
  zsh   eval "$(gossiper completions zsh)" in ~/.zshrc, below compinit
  fish  gossiper completions fish > ~/.config/fish/completions/gossiper.fish`,
  },
  "help": { flags: [], asks: false, more: "" },
};

/** The flags of a command. */
export function flagsOf(name: CommandName): FlagTable {
  const { flags, asks } = DETAILS[name];
  const own: FlagTable = Object.fromEntries(flags.map((flag) => [flag, OWN_FLAGS[flag]]));
  return { ...own, ...(asks ? TARGET_FLAGS : {}), ...HELP };
}

/** The text of `gossiper COMMAND -help`, without a final newline. */
export function commandHelp(name: CommandName): string {
  if (name === "help") return helpText();
  const { help } = COMMANDS[name];
  return `Usage: gossiper ${synopsisOf(name)} [flags]

${help[0]!.toUpperCase()}${help.slice(1)}.

${describeFlags(flagsOf(name))}

${DETAILS[name].more}`;
}

/** Reads a command line; wrong use is returned, never thrown. */
export function parseCall(
  [word = "", ...args]: readonly string[],
  env: (name: string) => string | undefined,
): ParsedCall {
  try {
    if (!Object.hasOwn(COMMANDS, word)) throw unknownCommand(word);
    const name = word as CommandName;
    const operands: string[] = [];
    const given = splitFlags(flagsOf(name), args, (arg) => operands.push(arg));
    if (name === "help" || readFlags(HELP, given, () => undefined).help) {
      return { kind: "help", text: commandHelp(name) };
    }
    const operand = readOperand(name, operands);
    const { at, "key-file": keyFile, "tls-ca": caFile } = readFlags(TARGET_FLAGS, given, env);
    const own = readFlags(OWN_FLAGS, given, () => undefined);
    const query = QUERY.flatMap((flag) =>
      given.has(flag) ? given.get(flag)!.split("\n").map((text) => [flag, text]) : []
    );
    const keyText = keyFile === undefined ? env(KEY_VARIABLE) || undefined : undefined;
    const base = /^https?:/.test(at) ? at : `${caFile === undefined ? "http" : "https"}:${at}`;
    const call = {
      command: name,
      operand,
      query: new URLSearchParams(query),
      json: own.json ?? false,
      watch: own.watch ?? false,
      yes: own.yes ?? false,
      unknown: own.unknown ?? false,
      target: { base, keyFile, keyText, caFile },
    };
    return { kind: "call", call };
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return { kind: "usage", message: error.message };
  }
}

function unknownCommand(word: string): UsageError {
  const meant = closestString(word, Object.keys(COMMANDS));
  return new UsageError(
    `Unknown command ${quote(word)}: did you mean '${meant}'? Run 'gossiper help' for the list`,
  );
}

function readOperand(name: CommandName, [operand, stray]: readonly string[]): string {
  const { read } = DETAILS[name];
  const refused = read === undefined ? operand : stray;
  if (refused !== undefined) {
    throw new UsageError(
      `Cannot use the argument ${quote(refused)}: give gossiper ${synopsisOf(name)} [flags]`,
    );
  }
  if (read === undefined) return "";
  if (operand === undefined) throw new UsageError(`Give gossiper ${synopsisOf(name)}`);
  try {
    return read(operand);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new UsageError(`Cannot use ${quote(operand)}: ${error.message}`);
  }
}

function readShell(text: string): string {
  if (SHELLS.includes(text)) return text;
  throw new UsageError(`give one of ${SHELLS.join(", ")}`);
}
