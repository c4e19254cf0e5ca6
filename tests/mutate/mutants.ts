/**
 * Small changes of meaning, made by rule over a source: comparisons, logic, arithmetic, constants, negations, dropped calls.
 *
 * The rules work on the text with comments, strings and patterns blanked, so that no mutant changes words alone. A parser
 * was tried in thought: it would know types, and cost every run of the tests 20 MB of packages for a tenth more mutants.
 *
 * @module
 */

/** One changed place. */
export interface Mutant {
  readonly file: string;
  readonly line: number;
  readonly rule: string;
  readonly start: number;
  readonly end: number;
  readonly from: string;
  readonly to: string;
}

interface Rule {
  readonly name: string;
  readonly pattern: RegExp;
  /** What to put in the place of a match; undefined: nothing can be changed there. */
  readonly change: (match: RegExpExecArray) => string | undefined;
}

const SWAPS: Readonly<Record<string, readonly [name: string, to: string]>> = {
  "<": ["comparison", "<="],
  "<=": ["comparison", "<"],
  ">": ["comparison", ">="],
  ">=": ["comparison", ">"],
  "===": ["comparison", "!=="],
  "!==": ["comparison", "==="],
  "&&": ["logic", "||"],
  "||": ["logic", "&&"],
  "+": ["arithmetic", "-"],
  "-": ["arithmetic", "+"],
  "*": ["arithmetic", "/"],
  "/": ["arithmetic", "*"],
};

const RULES: readonly Rule[] = [
  {
    // An order of what differs, or of what may come in any order, is the same with `<` and `<=`.
    name: "operator",
    pattern: /(?<= )(?:[<>]=?(?! \S+ \? -1 : 1)|[=!]==|&&|\|\||[-+*/])(?= )/g,
    change: ([operator]) => SWAPS[operator]?.[1],
  },
  {
    // Literals of types have no effect, and neither have the digits of a name. A size or a time of a hundred or more is a
    // round number that somebody chose: one more of it is the same bound, and its tests take it by its name.
    name: "constant",
    pattern: /(?<=(?:= |\(|, |[-+*<>=] ))[0-9][0-9_]*(?:\.[0-9]+)?(?=[;,) ])/g,
    change: ([number]) => {
      const value = Number(number.replaceAll("_", ""));
      return value < 100 ? String(value + 1) : undefined;
    },
  },
  { name: "negation", pattern: /(?<=[( ])!(?=[a-z(#])/g, change: () => "" },
  { name: "condition", pattern: /(?<=\b(?:if|while) )\((?=[^()]*\) )/g, change: () => "(!!0 && " },
  {
    name: "truth",
    pattern: /\b(?:return |= )(true|false)(?=;)/g,
    change: ([text]) =>
      text.endsWith("true") ? text.replace("true", "false") : text.replace("false", "true"),
  },
  {
    name: "dropped call",
    pattern: /^ {4,}(?:void |await )?(?:this\.)?[#\w]+(?:\.[#\w]+)*(?:\?\.)?\([^\n]*\);$/gm,
    change: ([line]) => /^\s*(?:super|throw)\b/.test(line) ? undefined : ";",
  },
];

/** Every mutant of a source, in the order of its lines. */
export function mutantsOf(file: string, source: string): Mutant[] {
  const code = blank(source);
  const found: Mutant[] = [];
  for (const { name, pattern, change } of RULES) {
    for (const match of code.matchAll(pattern)) {
      const to = change(match);
      const start = match.index;
      const end = start + match[0].length;
      const from = source.slice(start, end);
      // An import or a declaration of types is not code that runs.
      const line = source.slice(0, start).split("\n").length;
      if (to === undefined || isType(source.split("\n")[line - 1]!)) continue;
      found.push({ file, line, rule: ruleOf(name, from), start, end, from, to });
    }
  }
  return found.sort((a, b) => a.start - b.start);
}

/** The source with the mutant in it. */
export function apply(source: string, { start, end, to }: Mutant): string {
  return source.slice(0, start) + to + source.slice(end);
}

/** One line that tells a mutant from all others. */
export function describe({ file, line, rule, from, to }: Mutant): string {
  return `${file}:${line} ${rule}: ${from.trim()} -> ${to.trim() || "(nothing)"}`;
}

function ruleOf(name: string, from: string): string {
  return name === "operator" ? SWAPS[from]![0] : name;
}

function isType(line: string): boolean {
  return /^\s*(?:import|export type|type|interface|export interface|readonly \w+\??:|\|)/.test(
    line,
  );
}

/** Blanks comments, strings and patterns, and keeps every other character at its place. */
function blank(source: string): string {
  const token =
    /\/\*[\s\S]*?\*\/|\/\/[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`|(?<=[(=,:[!] ?)\/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n])+\/[a-z]*/g;
  return source.replace(token, (text) => text.replace(/[^\n]/g, "_"));
}
