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

/** Two dashes before a flag are the same as one: `dash` is the first of two, and the words go on without it. */
function bash(words: Words): string {
  const give = (list: string) =>
    `COMPREPLY=($(compgen -P "$dash" -W "${list}" -- "$word")); return`;
  // A name may have blanks: each line is one. (macOS has bash 3.2, without mapfile.)
  const giveAll = (what: string) =>
    `local IFS=$'\\n'; COMPREPLY=($(compgen ${what} -- "$word")); return`;
  return `_gossiper() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} first= dash= i
  if ((COMP_CWORD > 1)); then first=\${COMP_WORDS[1]}; fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    if [[ \${COMP_WORDS[i]} != -- ]]; then continue; fi
    if ((i + 1 == COMP_CWORD)); then ${giveAll("-c")}; else ${giveAll("-f")}; fi
  done
  before=\${before/#--/-}
  if [[ $word == --* ]]; then dash=-; word=\${word#-}; fi
${cases(words, give, giveAll("-f"))}
}
complete -o filenames -F _gossiper gossiper`;
}

function zsh(words: Words): string {
  const give = (list: string) => `compadd -- ${list}; return`;
  return `_gossiper() {
  local before=\${words[CURRENT-1]} first= program=\${words[(i)--]}
  if ((CURRENT > 2)); then first=\${words[2]}; fi
  if ((program < CURRENT)); then shift $program words; ((CURRENT -= program)); _normal; return; fi
  before=\${before/#--/-}
  if [[ $PREFIX == --* ]]; then IPREFIX+=-; PREFIX=\${PREFIX#-}; fi
${cases(words, give, "_files; return")}
}
compdef _gossiper gossiper`;
}

function fish(all: Words): string {
  const { commands, node } = all;
  const line = (when: string, rest: string) => `complete -c gossiper -n '${when}' ${rest}`;
  const flagLines = (when: string, table: FlagTable) =>
    Object.entries(table).flatMap(([name, { metavar, words }]) => {
      const value = metavar === undefined ? "" : /^(?:FILE|DIR)$/.test(metavar) ? " -rF" : " -x";
      const rest = `${name}${value}${words === undefined ? "" : ` -a '${words.join(" ")}'`}`;
      return [
        line(when, `-o ${rest}`),
        // With two dashes only where they are typed: each flag would be listed twice.
        line(`${when}; and __gossiper_dashes`, `-l ${rest}`),
      ];
    });
  const names = Object.keys(commands);
  return [
    `function __gossiper_first
  set -l words (commandline -opc)
  set -q words[2]; and contains -- $words[2] $argv
end
function __gossiper_dashes
  string match -q -- '--*' (commandline -ct) (commandline -opc)[-1]
end`,
    // No files, but where a flag says otherwise, or a program's words: -f beside its -F is an error.
    "complete -c gossiper -f",
    line("contains -- -- (commandline -opc)", "-F"),
    line(
      "__fish_use_subcommand; and not contains -- -- (commandline -opc)",
      `-a '${names.join(" ")}'`,
    ),
    ...flagLines(`not __gossiper_first ${names.join(" ")}`, node),
    ...names.flatMap((name) => flagLines(`__gossiper_first ${name}`, commands[name]!)),
    ...Object.entries(operandsOf(all)).map(([name, words]) =>
      line(`__gossiper_first ${name}`, `-a '${words.join(" ")}'`)
    ),
  ].join("\n");
}
