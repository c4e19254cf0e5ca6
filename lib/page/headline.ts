/**
 * The page's first two lines, its colour and its tab's title: what is wrong, or that nothing is. (pure)
 *
 * @module
 */
import { splitName } from "../../static/lists.js";
import { countWords, memberCount, numberWords, whyWords } from "../../static/words.js";
import type { ListedMember, PageView } from "../report/members.ts";
import { DEFAULT_CLUSTER } from "../limits.ts";
import type { Status } from "../table.ts";
import { inWords } from "../text.ts";

/** Members in trouble that the headline names; of more it tells the number. */
const NAMED_MAX = 3;

/** Characters of their names together, three lines of a phone: longer ones are not named either. */
const NAMED_LENGTH_MAX = 80;

export interface Headline {
  readonly verdict: string;
  /** Since when, which ends the verdict: RFC 3339; null where it does not say. */
  readonly since: string | null;
  readonly tone: "good" | "warn" | "bad";
  /** More about the trouble, or the latest change where all is well; empty before one is known. */
  readonly latest: string;
  /** The time of that, which begins its line; null where it does not say. */
  readonly latestAt: string | null;
  /** The tab's title: the trouble first, as a tab shows few characters. */
  readonly title: string;
}

/** Statuses of members in trouble, the worst first: the headline is about these, the title counts the others too. */
const TROUBLED = ["dead", "unresponsive", "failing"] as const;

/** What the headline tells of a member. */
type Member = Pick<ListedMember, "id" | "status" | "reason" | "since">;
type Counts = Readonly<Record<Status, number>>;
type HeadlineDraft = Omit<Headline, "since" | "latestAt"> & Partial<Headline>;

/** What the page says first; `counts` are of all members. The end that all IDs share, `suffix`, is left out. */
export function headlineOf(view: PageView, counts: Counts, suffix = ""): Headline {
  const all = memberCount(counts);
  const find = (filter: (member: ListedMember) => boolean): Member[] =>
    newestFirst(view.members.filter(filter)).map((member, i) => {
      const { id, status, reason, since } = member;
      return i > NAMED_MAX ? member : { id: splitName(id, suffix)[0], status, reason, since };
    });
  const [worst, ...others] = TROUBLED.filter((status) => counts[status] > 0);
  const also = others.map((status) => `${numberWords(counts[status])} ${status}`);
  const told = tellCutOff(view) ??
    (worst && tellDown(worst, find(({ status }) => status === worst), { all, also })) ??
    tellAlone(view, all) ??
    tellUnheard(find(({ status }) => status === "unknown")) ??
    tellCalm(find(({ since }) => since !== null), counts.left, all);
  const { cluster } = view.self;
  const name = cluster === DEFAULT_CLUSTER ? "" : ` - ${cluster}`;
  return { since: null, latestAt: null, ...told, title: `${told.title}${name} - Gossiper` };
}

/** Dead members, those whose processes hang, or those whose checks fail; `also` counts those in other trouble. */
function tellDown(
  status: typeof TROUBLED[number],
  members: readonly Member[],
  { all, also }: { all: number; also: readonly string[] },
): HeadlineDraft | undefined {
  const count = members.length;
  const [newest, ...others] = members;
  if (newest === undefined) return undefined;
  const { id, since } = newest;
  const are = `${count === 1 ? "is" : "are"} ${status}`;
  const share = `${numberWords(count)} of ${countWords(all, "member")} ${are}`;
  const title = [`${numberWords(count)} ${status}`, ...also].join(", ");
  const why = whyWords(status, newest.reason ?? "");
  const names = namesOf(members);
  const more = also.length === 0 ? "" : `. Also ${also.join(" and ")}`;
  const latest = `${count === 1 ? "" : "The latest: "}${id}${why && `: ${why}`}${more}`;
  const tone = "bad";
  if (names === undefined) return { title, verdict: share, tone, latest };
  // Who found the port closed is for the line below.
  const cause = shortOf(newest);
  const isOfAll = cause !== "" && others.every((other) => shortOf(other) === cause);
  const verdict = `${names} ${are}${isOfAll ? `: ${cause}` : ""}`;
  return {
    title,
    verdict,
    tone,
    latest: `${share}. ${latest}`,
    since: others.length ? null : since,
  };
}

/** A node that hears nobody, and shows all as they were. */
function tellCutOff({ cutOff }: PageView): HeadlineDraft | undefined {
  if (!cutOff) return undefined;
  const verdict = "This node hears nobody";
  const latest = "It is cut off, or all others are down: ask another node as well.";
  return { title: "Cut off", verdict, tone: "bad", latest };
}

/** The commonest mistake of the first day: a -join that leads nowhere. */
function tellAlone({ contacts }: PageView, all: number): HeadlineDraft | undefined {
  const seed = contacts.find(({ trouble }) => trouble !== "");
  if (all !== 1 || seed === undefined) return undefined;
  const verdict = `This node is alone: ${seed.address} ${seed.trouble}`;
  const latest = contacts.length === 1
    ? "Is a node running there, and is -join right? This node tries again every second."
    : `None of the ${numberWords(contacts.length)} addresses that it is to join has answered.`;
  return { title: "Alone", verdict, tone: "warn", latest };
}

/** Members that others know of, and from which nobody has heard. */
function tellUnheard(members: readonly Member[]): HeadlineDraft | undefined {
  const [newest] = members;
  if (newest === undefined) return undefined;
  const whom = namesOf(members) ?? countWords(members.length, "member");
  const verdict = `No heartbeat yet from ${whom}`;
  const title = `${numberWords(members.length)} unknown`;
  const why = whyWords("unknown", newest.reason ?? "");
  return { title, verdict, tone: "warn", latest: `${newest.id}: ${why}`, latestAt: newest.since };
}

function tellCalm(members: readonly Member[], left: number, all: number): HeadlineDraft {
  const verdict = left > 0
    ? "No member is dead"
    : all === 1
    ? "This node is alone"
    : `All ${countWords(all, "member")} are live`;
  const [newest, ...others] = members;
  const told = { title: verdict, verdict, tone: "good" } as const;
  if (newest === undefined) return { ...told, latest: "" };
  const { id, status, since } = newest;
  const why = whyWords(status, newest.reason ?? "");
  const equal = others.filter((other) => other.since === since).length;
  const more = equal === 0 ? "" : ` (and ${countWords(equal, "more change")})`;
  const is = status === "left" ? "left" : `is ${status}`;
  return { ...told, latest: `${id} ${is}${why && `, ${why}`}${more}`, latestAt: since };
}

/** Moves the member that changed last to the front: of several the first by ID. Sorting 65,536 would take 50 ms. */
function newestFirst(members: ListedMember[]): ListedMember[] {
  const isNewer = (a: ListedMember, b: ListedMember) =>
    a.since === b.since ? a.id < b.id : (a.since ?? "") > (b.since ?? "");
  let newest = 0;
  for (let i = 1; i < members.length; i++) if (isNewer(members[i]!, members[newest]!)) newest = i;
  return [...members.splice(newest, 1), ...members];
}

/** Their IDs as people list them, by ID; undefined if there are too many. */
function namesOf(members: readonly Member[]): string | undefined {
  if (members.length > NAMED_MAX) return undefined;
  const names = inWords(members.map(({ id }) => id));
  return names.length > NAMED_LENGTH_MAX ? undefined : names;
}

/** The reason without its witnesses and its numbers: equal for members that died of the same. */
function shortOf({ reason }: Member): string {
  return whyWords("dead", reason ?? "").replace(/(?:, witnessed by|, seen by| for) .*$/, "");
}
