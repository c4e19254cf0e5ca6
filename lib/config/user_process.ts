/**
 * The user's process, beside which a node lives: the checks of `-check`, and the program that follows `--`. (pure)
 *
 * @module
 */
import { type Check, readChecks } from "./checks.ts";
import { type FlagTable, UsageError } from "./flags.ts";

export interface UserProcessConfig {
  /** What must hold for that process, as this node finds out. */
  readonly checks: readonly Check[];
  /** The program to run and live with, and its arguments; `undefined`: none. */
  readonly command: readonly string[] | undefined;
}

export const USER_PROCESS_FLAGS = {
  "check": {
    metavar: "CHECK",
    help: "your process must pass: URL, tcp:HOST:PORT, exec:COMMAND, 'file:PATH<AGE'",
    default: "",
    filled: true,
    repeats: true,
    read: readChecks,
  },
} as const satisfies FlagTable;

/**
 * Parts the node's own arguments from the program and its arguments, at the first bare `--`.
 *
 * @throws {UsageError} if nothing follows it.
 */
export function splitCommand(
  args: readonly string[],
): { readonly own: readonly string[]; readonly command: UserProcessConfig["command"] } {
  const dashes = args.indexOf("--");
  if (dashes < 0) return { own: args, command: undefined };
  const command = Object.freeze(args.slice(dashes + 1));
  if (command[0]) return { own: args.slice(0, dashes), command };
  throw new UsageError("Cannot use -- without a program: give -- PROGRAM ARG...");
}
