/**
 * The bounds of a JSON text, checked before it is parsed: 8 MiB of `[` and `]`, or of `{},`, are a few seconds and
 * hundreds of megabytes to `JSON.parse`, and a few milliseconds to this. (pure)
 *
 * @module
 */

export interface JsonBounds {
  /** Arrays and objects within each other, at most. */
  readonly depth: number;
  /** Values in all, at most: texts, numbers, arrays and objects; of an object's members each counts once. */
  readonly values: number;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const OPEN_LIST = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** Whether `text` keeps within the bounds, if it is JSON; whether it is JSON is left to the parser. */
export function isWithin(text: string, bounds: JsonBounds): boolean {
  return valuesWithin(text, bounds) !== undefined;
}

/** How many values `text` holds, if it keeps within the bounds. */
export function valuesWithin(text: string, bounds: JsonBounds): number | undefined {
  let depth = 0;
  let values = 1;
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case QUOTE:
        at = endOfText(text, at);
        break;
      case OPEN_LIST:
      case OPEN_OBJECT:
        if (++depth > bounds.depth || ++values > bounds.values) return undefined;
        break;
      case CLOSE_LIST:
      case CLOSE_OBJECT:
        depth--;
        break;
      case COMMA:
        if (++values > bounds.values) return undefined;
    }
  }
  return values;
}

/** The place of the quote that ends the text begun at `start`; past the end if none does. */
function endOfText(text: string, start: number): number {
  for (let at = start + 1;; at++) {
    at = text.indexOf('"', at);
    if (at < 0) return text.length;
    let backslashes = 0;
    while (text.charCodeAt(at - 1 - backslashes) === BACKSLASH) backslashes++;
    if (backslashes % 2 === 0) return at;
  }
}
