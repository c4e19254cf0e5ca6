/** Types of the part of `@std/cli/parse-args` that the program uses. */

/** The values by flag; what is no flag stands in `_`. */
export interface Args {
  [flag: string]: unknown;
  _: Array<string | number>;
}

export interface ParseOptions {
  /** Flags that are true or false and take no value from the next argument. */
  boolean?: readonly string[];
  /** Flags whose value stays text; everything positional too with `_`. */
  string?: readonly string[];
  /** Flags that gather every value given, as an array. */
  collect?: readonly string[];
  /** Called for what is not declared; false leaves it out of the result. */
  unknown?: (arg: string, key?: string, value?: unknown) => unknown;
}

export declare function parseArgs(args: readonly string[], options?: ParseOptions): Args;
