/**
 * A command line that begins with a command -> a {@linkcode Invocation}, its help, or what is wrong with it. (pure)
 *
 * @module
 */
import { type CommandName, COMMANDS, synopsisOf } from "../config/commands.ts";
import { NODE_FLAGS } from "../config/config.ts";
import { envName, readFlags, splitFlags, UsageError, wordMeant } from "../config/flags.ts";
import { KEY_VARIABLE } from "../config/security.ts";
import { quote } from "../text.ts";
import { commandHelp, DETAILS, flagsOf } from "./details.ts";
import { HELP, OWN_FLAGS, QUERY, TARGET_FLAGS } from "./flags.ts";

/** The node to ask, and how. */
export interface NodeTarget {
  /** The URL that its paths are added to; it ends in a slash. */
  readonly base: string;
  readonly keyFile: string | undefined;
  /** The contents of such a file, from the environment. */
  readonly keyText: string | undefined;
  /** The file of further authorities to trust, in PEM. */
  readonly caFile: string | undefined;
}

/** What a command line asks for. */
export interface Invocation {
  readonly command: Exclude<CommandName, "help">;
  /** The ID, the hook or the shell. */
  readonly operand: string;
  /** Which members; the node selects them. */
  readonly query: URLSearchParams;
  readonly json: boolean;
  readonly watch: boolean;
  readonly yes: boolean;
  /** Decommission an ID that the node does not know, too. */
  readonly unknown: boolean;
  /** End what was asked for before. */
  readonly end: boolean;
  readonly target: NodeTarget;
}

export type ParsedInvocation =
  | { readonly kind: "run"; readonly invocation: Invocation }
  | { readonly kind: "help"; readonly text: string }
  | { readonly kind: "usage"; readonly message: string };

/** Variables that say where to ask and with which key, and in a hook's command when and by which key a change was. */
const CHANGE_VARIABLES: ReadonlySet<string> = new Set([envName("at"), KEY_VARIABLE]);

/** Reads a command line; wrong use is returned, never thrown. */
export function parseInvocation(
  [word = "", ...args]: readonly string[],
  env: (name: string) => string | undefined,
): ParsedInvocation {
  // In a hook's command these variables are the change's, and there is no other way to see that.
  const inHook = env("GOSSIPER_HOOK") !== undefined;
  const variable = (name: string) => inHook && CHANGE_VARIABLES.has(name) ? undefined : env(name);
  try {
    const name = readCommand(word);
    const operands: string[] = [];
    const given = splitFlags(flagsOf(name), args, (arg) => operands.push(arg));
    if (name === "help") return { kind: "help", text: commandHelp(readHelped(operands)) };
    if (readFlags(HELP, given, () => undefined).help) {
      return { kind: "help", text: commandHelp(name) };
    }
    const operand = readOperand(name, operands);
    const { at, "key-file": keyFile, "tls-ca": caFile } = readFlags(TARGET_FLAGS, given, variable);
    const own = readFlags(OWN_FLAGS, given, () => undefined);
    const query = QUERY.flatMap((flag) =>
      given.get(flag)?.flatMap((text) => text.split("\n").map((line) => [flag, line])) ?? []
    );
    if (name === "tag" && query.length === 0) {
      throw new UsageError("Give -set KEY=VALUE or -unset KEY, each repeated for more");
    }
    const keyText = keyFile === undefined ? variable(KEY_VARIABLE) || undefined : undefined;
    const base = /^https?:/.test(at) ? at : `${caFile === undefined ? "http" : "https"}:${at}`;
    const invocation = {
      command: name,
      operand,
      query: new URLSearchParams(query),
      json: own.json ?? false,
      watch: own.watch ?? false,
      yes: own.yes ?? false,
      unknown: own.unknown ?? false,
      end: own.end ?? false,
      target: { base, keyFile, keyText, caFile },
    };
    return { kind: "run", invocation };
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return { kind: "usage", message: error.message };
  }
}

function readCommand(word: string): CommandName {
  if (Object.hasOwn(COMMANDS, word)) return word as CommandName;
  // What other programs have as commands, such as `join` and `version`, are flags here.
  const meant = Object.hasOwn(NODE_FLAGS, word)
    ? `-${word}`
    : wordMeant(word, Object.keys(COMMANDS));
  const list = "Run 'gossiper help' for the list";
  const hint = meant === undefined ? `. ${list}` : `: did you mean '${meant}'? ${list}`;
  throw new UsageError(`Unknown command ${quote(word)}${hint}`);
}

/** The command whose help is asked for, with its own words or without; without any it is that of the program. */
function readHelped([word = "help", ...rest]: readonly string[]): CommandName {
  const name = readCommand(word);
  const fixed = fixedWords(name);
  const stray = rest.find((word, i) => word !== fixed[i]);
  if (stray !== undefined) throw strayWord("help", stray);
  return name;
}

/** The words in small letters that a command has before its operand. */
function fixedWords(name: CommandName): readonly string[] {
  return synopsisOf(name).split(" ").slice(1, -1);
}

function strayWord(name: CommandName, word: string): UsageError {
  return new UsageError(
    `Cannot use the argument ${quote(word)}: give gossiper ${synopsisOf(name)} [flags]`,
  );
}

/** The one word that a command takes besides flags; words in small letters before it are given as they are. */
function readOperand(name: CommandName, words: readonly string[]): string {
  const { read } = DETAILS[name];
  const fixed = fixedWords(name);
  const wrong = fixed.findIndex((word, i) => words[i] !== undefined && words[i] !== word);
  const refused = wrong < 0 ? words[read === undefined ? 0 : fixed.length + 1] : words[wrong];
  if (refused !== undefined) throw strayWord(name, refused);
  if (read === undefined) return "";
  const operand = words[fixed.length];
  if (operand === undefined) throw new UsageError(`Give gossiper ${synopsisOf(name)}`);
  try {
    return read(operand);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new UsageError(`Cannot use ${quote(operand)}: ${error.message}`);
  }
}
