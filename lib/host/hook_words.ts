/**
 * What hooks are told, in words: the message that a URL gets and a command reads, and a command's variables. (pure)
 *
 * @module
 */
import { countWords, numberWords, whyWords } from "../../static/words.js";
import type { ChangeToTell, Telling } from "../hook.ts";
import type { Status } from "../table.ts";

/** Members that a sentence names; of more it tells the number. */
const NAMED_MAX = 8;

/** Members whose IDs and addresses are in variables: the system bounds their length. The message has all. */
export const LISTED_MAX = 100;

/** Characters that a variable cannot hold, or that could forge a line. */
const UNSHOWN = /[\p{C}\p{Zl}\p{Zp}]+/gu;

/** A change as hooks get it. */
export interface HookMessageChange extends Omit<ChangeToTell, "from" | "ageMs"> {
  readonly from: Status | null;
  /** When it was: RFC 3339, by the clock of the node that tells. */
  readonly at: string;
}

/** What a URL gets, and a command has on its standard input, as JSON. */
export interface HookMessage {
  /** One sentence; chats show it. */
  readonly text: string;
  readonly hook: string;
  /** Equal whoever tells it, and however often. */
  readonly key: string;
  /** The node that tells. */
  readonly by: string;
  readonly cluster: string;
  /** Somebody tries the hook: nothing has changed. */
  readonly test?: true;
  /** Oldest first. */
  readonly changes: readonly HookMessageChange[];
}

/** What came of a run: `words` say how it ended, in one line, and `lines` what a command printed last. */
export interface HookRun {
  readonly done: boolean;
  readonly words: string;
  readonly lines: readonly string[];
}

/** Who tells, and when. */
export interface HookSender {
  readonly by: string;
  readonly cluster: string;
  /** Members that there are. */
  readonly members: number;
  /** The time by this node's wall clock. */
  readonly wallMs: number;
}

/** The message for a telling. */
export function messageOf(
  { hook, key, changes }: Telling,
  { by, cluster, members, wallMs }: HookSender,
  test = false,
): HookMessage {
  const sentence = sentenceOf(changes, members);
  return {
    text: test ? `test: ${sentence}` : sentence,
    hook,
    key,
    by,
    cluster,
    ...(test && { test }),
    changes: changes.map(({ from, ageMs, ...change }) => {
      return { ...change, from: from ?? null, at: new Date(wallMs - ageMs).toISOString() };
    }),
  };
}

/** Changes in a sentence: "n5 is dead: connection refused", "40 of 64 members are dead: n1, n2 and 38 more". */
export function sentenceOf(changes: readonly ChangeToTell[], members: number): string {
  const groups = new Map<ChangeToTell["to"], ChangeToTell[]>();
  for (const change of changes) {
    const group = groups.get(change.to) ?? [];
    group.push(change);
    groups.set(change.to, group);
  }
  return Array.from(groups, ([to, group]) => groupWords(to, group, members)).join("; ");
}

function groupWords(
  to: ChangeToTell["to"],
  group: readonly ChangeToTell[],
  members: number,
): string {
  const [first] = group;
  if (group.length === 1) return changeWords(first!);
  const ids = group.map(({ id }) => id);
  const named = ids.length > NAMED_MAX
    ? `${ids.slice(0, NAMED_MAX).join(", ")} and ${numberWords(ids.length - NAMED_MAX)} more`
    : `${ids.slice(0, -1).join(", ")} and ${ids.at(-1)}`;
  // A former member counts no more.
  const all = countWords(Math.max(members, ids.length), "member");
  return `${numberWords(ids.length)} of ${all} ${to === "left" ? "have" : "are"} ${to}: ${named}`;
}

function changeWords({ id, to, reason }: ChangeToTell): string {
  const why = whyWords(to, reason).replace(UNSHOWN, " ").trim();
  const is = to === "left" ? `${id} left` : `${id} is ${to}`;
  return why === "" ? is : `${is}: ${why}`;
}

/**
 * The variables of a command. Of one change they are its own; of several the lists are in one order, with blanks
 * between, and the others are the oldest one's.
 */
export function variablesOf(message: HookMessage): Record<string, string> {
  const { text, hook, key, changes, test } = message;
  const listed = changes.slice(0, LISTED_MAX);
  const [oldest] = listed;
  const list = (of: (change: HookMessageChange) => string | null) =>
    listed.map((change) => of(change) || "-").join(" ");
  const variables: Record<string, string> = {
    HOOK: hook,
    KEY: key,
    TEXT: text,
    COUNT: String(changes.length),
    ID: list(({ id }) => id),
    ADDRESS: list(({ address }) => address),
    FROM: list(({ from }) => from),
    TO: list(({ to }) => to),
    REASON: oldest?.reason ?? "",
    AT: oldest?.at ?? "",
    ...(test && { TEST: "1" }),
  };
  for (const [name, value] of Object.entries(oldest?.tags ?? {})) {
    const isShared = listed.every(({ tags }) => tags[name] === value);
    if (isShared) variables[`TAG_${name.replaceAll("-", "_")}`] = value;
  }
  return Object.fromEntries(
    Object.entries(variables).map(([name, value]) => [
      `GOSSIPER_${name}`,
      value.replace(UNSHOWN, " "),
    ]),
  );
}

/** A change that never was, of a member that cannot be: its address is kept free for documentation (RFC 5737). */
export function madeUp(hook: string, key: string, tags: ChangeToTell["tags"]): Telling {
  const change: ChangeToTell = {
    key,
    id: "gossiper-test",
    address: "192.0.2.1:8080",
    tags,
    from: "live",
    to: "dead",
    reason: "somebody tries this hook",
    ageMs: 0,
  };
  return { hook, key, changes: [change] };
}
