/**
 * The commands that the first word of a command line may give; without one, a node is started. (pure)
 *
 * Here is what the help of the program says of them; their flags are in lib/cli/, which a node does not load.
 *
 * @module
 */
import { describeFlags, envName, type FlagTable } from "./flags.ts";

/** A command by its help. */
interface Command {
  /** Placeholder of the one word that it takes besides flags. */
  readonly operand?: string;
  /** One line of the help text. */
  readonly help: string;
}

export const COMMANDS = {
  "members": { help: "the table; the exit status says whether all are live" },
  "live": { help: "addresses of the live members, one a line, for other programs" },
  "why": { operand: "ID", help: "one member: its status, since when and why, its last changes" },
  "bye": { operand: "ID", help: "decommission a member, for good" },
  "forget": { operand: "ID", help: "drop a dead or left member from the tables" },
  "quiet": { operand: "ID", help: "keep hooks from telling of a member for a while" },
  "hook": { operand: "test NAME", help: "try a hook of the node, with a change that is made up" },
  "tag": { help: "change what a node is, until it ends: -set role=web -unset zone" },
  "events": { help: "one line per change of status, as it happens" },
  "completions": { operand: "SHELL", help: "a script that completes words in bash, zsh or fish" },
  "help": { operand: "[COMMAND]", help: "print this, or the help of a command, and exit" },
} as const satisfies Readonly<Record<string, Command>>;

export type CommandName = keyof typeof COMMANDS;

/** Its name and operand, as people type them. */
export function synopsisOf(name: CommandName): string {
  const { operand }: Command = COMMANDS[name];
  return operand === undefined ? name : `${name} ${operand}`;
}

/** The help of the whole program, without a final newline; `flags` are those of a node. */
export function programHelp(flags: FlagTable): string {
  return `Usage: gossiper [flags] [-- PROGRAM ARG...]  run one node of a distributed liveness store
       gossiper COMMAND [flags]              ask any of them

${describeFlags(flags)}

-flag value, -flag=value and --flag value are the same. Write a duration as 500ms, 5s, 1m or 72h.
Every flag has an environment variable, such as ${envName("dead-after")}; the flag wins.
A node runs PROGRAM, passes signals on, and tells all how it ends; its exit status is the node's.

Commands, each with a -help of its own:
${describeCommands()}

Example: gossiper -id n2 -port 8081 -join localhost:8080`;
}

/** The commands with their help, aligned, one per line. */
function describeCommands(): string {
  const names = Object.keys(COMMANDS) as CommandName[];
  const width = Math.max(...names.map((name) => synopsisOf(name).length));
  return names.map((name) => `  ${synopsisOf(name).padEnd(width)}  ${COMMANDS[name].help}`)
    .join("\n");
}
