/** Types of `@std/text/closest-string`. */

/** The word most like the given one by edit distance; at least one word must be offered. */
export declare function closestString(
  givenWord: string,
  possibleWords: readonly string[],
  options?: { caseSensitive?: boolean; compareFn?: (a: string, b: string) => number },
): string;
