/**
 * The commands, each with its flags, what it takes besides, and its help. (pure)
 *
 * @module
 */
import { type CommandName, COMMANDS, synopsisOf } from "../config/commands.ts";
import { helpText } from "../config/config.ts";
import { describeFlags, type FlagTable, UsageError } from "../config/flags.ts";
import { isHookName } from "../config/hooks.ts";
import { readId } from "../config/values.ts";
import { SHELLS } from "./completions.ts";
import { HELP, OWN_FLAGS, TARGET_FLAGS } from "./flags.ts";

/** What a command has beside its row in COMMANDS. */
export interface Details {
  readonly flags: readonly (keyof typeof OWN_FLAGS)[];
  /** Whether it asks a node. */
  readonly asks: boolean;
  /** Reads the operand, where it takes one. */
  readonly read?: (text: string) => string;
  /** What its help says below the flags. */
  readonly more: string;
}

export const DETAILS: Readonly<Record<CommandName, Details>> = {
  "members": {
    flags: ["status", "tag", "json", "watch"],
    asks: true,
    more:
      `Exit status: 0 all are live, 1 some are not, or nobody has the tags, 2 wrong call, 3 no node
answers. Members that left or are decommissioned ended as planned: they count only where -status
asks for them.

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
  "quiet": {
    flags: ["for", "why", "end"],
    asks: true,
    read: readPattern,
    more: `ID may have a * for any characters, in quotes: 'web*'. No hook of any node tells of these
members until the time is over; tables, pages and decommissions are as always.

  gossiper quiet 'web*' --for 2h --why deploy
  gossiper quiet 'web*' --end

Exit status: 0 done, 1 not done, 2 wrong call, 3 no node answers.`,
  },
  "hook": {
    flags: [],
    asks: true,
    read: readHookName,
    more:
      `The node that is asked runs its hook of that name (-on-change ...,name=NAME) with a change of a
member that is made up and marked as a test: "test":true, and GOSSIPER_TEST=1.

Exit status: 0 it took it, 1 it did not, 2 wrong call, 3 no node answers.`,
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

/** An ID in which any `*` stands for any characters. */
function readPattern(text: string): string {
  readId(text.replaceAll("*", "x"));
  return text;
}

function readHookName(text: string): string {
  if (isHookName(text)) return text;
  throw new UsageError("give the name of a hook, such as pager");
}

function readShell(text: string): string {
  if (SHELLS.includes(text)) return text;
  throw new UsageError(`give one of ${SHELLS.join(", ")}`);
}
