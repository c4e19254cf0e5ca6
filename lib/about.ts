/**
 * What a member says of itself beside its heartbeats: its tags, the ports of its other services, the check that fails,
 * what troubles it.
 *
 * One small JSON document that travels with the member's row. Only its owner writes it, and makes a heartbeat whenever
 * it does, so the later heartbeat has the later words. Others keep and pass on the text as it came, later programs'
 * fields among it: rosters stay equal where versions mix. Whoever shows it reads what it knows and drops the rest.
 *
 * @module
 */
import { type JsonBounds, valuesWithin } from "./json_bounds.ts";
import { VALUE_BYTES } from "./limits.ts";

/** Bytes of the document: a row with it fits a third of a packet, and a table of 65,536 such rows 33 MB. */
export const ABOUT_BYTES_MAX = 512;

/**
 * What it may hold: what a node of ours says is two deep and has some 70 values; the rest is for later programs. A
 * row that could make a whole body one that is refused must not spread.
 */
export const ABOUT_BOUNDS: JsonBounds = { depth: 5, values: 128 };

/** Bytes of tags and ports: the rest is for the words of a check and of a trouble. */
export const LABELS_BYTES_MAX = 384;

/** Hooks that one node carries; their names have to fit the document as well. */
export const HOOKS_MAX = 8;

/** Characters of a tag's key or a port's name, and of a tag's value: those of a DNS label. */
export const LABEL_LENGTH_MAX = 63;

/** Characters of words that are shown. */
export const WORDS_LENGTH_MAX = 120;

/** What cut words end in: "restart this node, or give peers" would pass for the whole advice. */
const CUT = "...";

const NAME = new RegExp(`^[A-Za-z][A-Za-z0-9_-]{0,${LABEL_LENGTH_MAX - 1}}$`);
const VALUE = new RegExp(`^[\\x21-\\x7e]{1,${LABEL_LENGTH_MAX}}$`);

/** Characters that could forge a line, move a cursor, turn the direction of text, or stand between remarks. */
const UNSHOWN = /[\s\p{C};]+/gu;

/** The document as the table holds it. Equal texts are one document. */
export interface About {
  readonly text: string;
  /** Bytes of the text, as they count in a message: no fewer than its values do. */
  readonly bytes: number;
  /** Why its process is of no use though the node lives: the words of the check that fails; empty if none does. */
  readonly failing: string;
}

/** What a document says. */
export interface Said {
  readonly tags: Readonly<Record<string, string>>;
  /** Ports of other services of the member's host, by name. */
  readonly ports: Readonly<Record<string, number>>;
  readonly failing: string;
  /** It has checks, and one of them did not run yet. */
  readonly unchecked: boolean;
  /** What needs attention though the node lives; empty for nothing. */
  readonly warning: string;
  /** Names of the hooks that its node carries: who carries the same shares their work. */
  readonly hooks: readonly string[];
}

/** Of whoever says nothing. */
export const SAYS_NOTHING: Said = {
  tags: {},
  ports: {},
  failing: "",
  unchecked: false,
  warning: "",
  hooks: [],
};

/** Whether `text` may be a tag's key, or a port's name. */
export function isLabel(text: string): boolean {
  return NAME.test(text);
}

/** Whether `text` may be a tag's value. */
export function isTagValue(text: string): boolean {
  return VALUE.test(text);
}

/** Whether tags, ports and names of hooks leave room for words. */
export function labelsFit(said: Pick<Said, "tags" | "ports"> & Partial<Said>): boolean {
  const { tags, ports, hooks = [] } = said;
  const all = { tags, ports, hooks: isEmpty(hooks) ? undefined : hooks };
  return bytesOf(JSON.stringify(all)) <= LABELS_BYTES_MAX;
}

/** Writes a document; undefined where nothing is said. Words are cut so that all fits. */
export function writeAbout(said: Said): About | undefined {
  const { unchecked, tags, ports, hooks } = said;
  let failing = wordsOf(said.failing);
  let warning = wordsOf(said.warning);
  for (;;) {
    const text = JSON.stringify({
      failing: failing || undefined,
      warning: warning || undefined,
      unchecked: unchecked || undefined,
      tags: isEmpty(tags) ? undefined : tags,
      ports: isEmpty(ports) ? undefined : ports,
      hooks: isEmpty(hooks) ? undefined : hooks,
    });
    if (text === "{}") return undefined;
    const about = documentOf(text, failing);
    if (about !== undefined) return about;
    if (warning !== "") warning = shorter(warning);
    else failing = shorter(failing);
  }
}

/** Takes a document from the wire: any JSON object that keeps within the bounds; undefined for anything else. */
export function takeAbout(value: unknown): About | undefined {
  if (!isRecord(value)) return undefined;
  return documentOf(JSON.stringify(value), wordsOf(value.failing));
}

/** A text as a document; undefined if it breaks the bounds. */
function documentOf(text: string, failing: string): About | undefined {
  if (text.length > ABOUT_BYTES_MAX) return undefined;
  const bytes = bytesOf(text);
  const values = valuesWithin(text, ABOUT_BOUNDS);
  if (bytes > ABOUT_BYTES_MAX || values === undefined) return undefined;
  return { text, bytes: Math.max(bytes, VALUE_BYTES * values), failing };
}

/** Reads a document: what breaks a rule is left out. */
export function readAbout(about: About | undefined): Said {
  if (about === undefined) return SAYS_NOTHING;
  const value = JSON.parse(about.text) as Record<string, unknown>;
  return {
    tags: tagsIn(value.tags),
    ports: portsIn(value.ports),
    failing: about.failing,
    unchecked: value.unchecked === true,
    warning: wordsOf(value.warning),
    hooks: hooksIn(value.hooks),
  };
}

/** The tags in a value that may be anything. */
export function tagsIn(value: unknown): Record<string, string> {
  return entries(value, (tag) => typeof tag === "string" && isTagValue(tag));
}

/** The ports in a value that may be anything. */
export function portsIn(value: unknown): Record<string, number> {
  return entries(value, isPort);
}

/** The names of hooks in a value that may be anything. */
function hooksIn(value: unknown): string[] {
  if (!Array.isArray(value)) return [];
  const names = value.slice(0, HOOKS_MAX).filter((name) =>
    typeof name === "string" && isLabel(name)
  );
  return [...new Set<string>(names)];
}

/** A record with its entries in the order of their names. */
export function byName<T>(entries: Iterable<readonly [string, T]>): Record<string, T> {
  return Object.fromEntries([...entries].sort(([a], [b]) => a < b ? -1 : 1));
}

/** Tags as people write them: "role=web". */
export function tagWords(tags: Said["tags"]): string[] {
  return Object.entries(tags).map(([key, value]) => `${key}=${value}`);
}

function isPort(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value > 0 && value < 65_536;
}

/** Hostile words as one short line, which says by dots that it is cut; empty for anything else. */
export function wordsOf(value: unknown): string {
  if (typeof value !== "string") return "";
  const words = value.replace(UNSHOWN, " ").trim();
  if (words.length <= WORDS_LENGTH_MAX) return words.toWellFormed();
  return `${words.slice(0, WORDS_LENGTH_MAX - CUT.length).toWellFormed()}${CUT}`;
}

/** The entries of a record whose names and values keep the rules, by name. */
function entries<T>(value: unknown, keeps: (entry: unknown) => boolean): Record<string, T> {
  if (!isRecord(value)) return {};
  const kept = Object.entries(value).filter(([name, entry]) => isLabel(name) && keeps(entry));
  return byName(kept) as Record<string, T>;
}

function shorter(words: string): string {
  return words.slice(0, -8);
}

function isEmpty(record: object): boolean {
  return Object.keys(record).length === 0;
}

function bytesOf(text: string): number {
  return new TextEncoder().encode(text).length;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
