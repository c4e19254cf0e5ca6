/**
 * Scripts that let a shell complete commands and flags, written from the tables that the program reads them by. (pure)
 *
 * Every word in those tables is plain ASCII without blanks and quotes, so none needs escaping.
 *
 * @module
 */
import type { FlagTable } from "../config/flags.ts";

/** What there is to complete. */
export interface Words {
  /** Flags by command. */
  readonly commands: Readonly<Record<string, FlagTable>>;
  /** Flags of a command line without a command. */
  readonly node: FlagTable;
}

const SCRIPTS: Readonly<Record<string, (words: Words) => string>> = { bash, zsh, fish };

export const SHELLS: readonly string[] = Object.keys(SCRIPTS);

/** The script for one of SHELLS, without a final newline. */
export function completionScript(shell: string, words: Words): string {
  return SCRIPTS[shell]!(words);
}

/** The word after a flag: one of a few, a file or folder, or something that only people know. */
function valuesOf(tables: readonly FlagTable[]) {
  const words = new Map<string, string>();
  const files = new Set<string>();
  const others = new Set<string>();
  for (const [name, flag] of tables.flatMap((table) => Object.entries(table))) {
    if (flag.words !== undefined) words.set(`-${name}`, flag.words.join(" "));
    else if (/^(?:FILE|DIR)$/.test(flag.metavar ?? "")) files.add(`-${name}`);
    else if (flag.metavar !== undefined) others.add(`-${name}`);
  }
  return { words, files: [...files], others: [...others] };
}

function flagsIn(table: FlagTable): string {
  return Object.keys(table).map((name) => `-${name}`).join(" ");
}

/** The words that a command takes besides flags, where they are not for people to know. */
function operandsOf({ commands }: Words): Readonly<Record<string, readonly string[]>> {
  return { completions: SHELLS, hook: ["test"], help: Object.keys(commands) };
}

/** The cases that bash and zsh share; `give` and `giveFiles` are what the shell does with a list and with files. */
function cases(all: Words, give: (list: string) => string, giveFiles: string) {
  const { commands, node } = all;
  const operands = operandsOf(all);
  const wordsAfter = (name: string) =>
    [...operands[name] ?? [], flagsIn(commands[name]!)].join(" ");
  const { words, files, others } = valuesOf([...Object.values(commands), node]);
  const names = Object.keys(commands);
  return `  case $before in
${Array.from(words, ([flag, list]) => `    ${flag}) ${give(list)} ;;`).join("\n")}
    ${files.join("|")}) ${giveFiles} ;;
    ${others.join("|")}) return ;;
  esac
  case $first in
${names.map((name) => `    ${name}) ${give(wordsAfter(name))} ;;`).join("\n")}
    -*) ${give(flagsIn(node))} ;;
  esac
  ${give([...names, flagsIn(node)].join(" "))}`;
}

function bash(words: Words): string {
  const give = (list: string) => `COMPREPLY=($(compgen -W "${list}" -- "$word")); return`;
  // A name may have blanks: each line is one. (macOS has bash 3.2, without mapfile.)
  const giveFiles = `local IFS=$'\\n'; COMPREPLY=($(compgen -f -- "$word")); return`;
  return `_gossiper() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} first=
  if ((COMP_CWORD > 1)); then first=\${COMP_WORDS[1]}; fi
${cases(words, give, giveFiles)}
}
complete -o filenames -F _gossiper gossiper`;
}

function zsh(words: Words): string {
  const give = (list: string) => `compadd -- ${list}; return`;
  return `_gossiper() {
  local before=\${words[CURRENT-1]} first=
  if ((CURRENT > 2)); then first=\${words[2]}; fi
${cases(words, give, "_files; return")}
}
compdef _gossiper gossiper`;
}

function fish(all: Words): string {
  const { commands, node } = all;
  const line = (when: string, rest: string) => `complete -c gossiper -n '${when}' ${rest}`;
  const flagLines = (when: string, table: FlagTable) =>
    Object.entries(table).map(([name, { metavar, words }]) => {
      const value = metavar === undefined ? "" : /^(?:FILE|DIR)$/.test(metavar) ? " -rF" : " -x";
      return line(
        when,
        `-o ${name}${value}${words === undefined ? "" : ` -a '${words.join(" ")}'`}`,
      );
    });
  const names = Object.keys(commands);
  return [
    // No files, but where a flag says otherwise: -f beside its -F is an error.
    "complete -c gossiper -f",
    line("__fish_use_subcommand", `-a '${names.join(" ")}'`),
    ...flagLines(`not __fish_seen_subcommand_from ${names.join(" ")}`, node),
    ...names.flatMap((name) => flagLines(`__fish_seen_subcommand_from ${name}`, commands[name]!)),
    ...Object.entries(operandsOf(all)).map(([name, words]) =>
      line(`__fish_seen_subcommand_from ${name}`, `-a '${words.join(" ")}'`)
    ),
  ].join("\n");
}
