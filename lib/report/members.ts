/**
 * The table as people and scripts see it: sorted by ID, with derived statuses and written-out times. (pure)
 *
 * @module
 */
import { readAbout, type Said, tagWords } from "../about.ts";
import type { Gossip } from "../gossip.ts";
import type { ContactView } from "./contacts.ts";
import { quietRemark, type QuietView } from "./quiet.ts";
import { remarksOf, remarkWords, spreadWords } from "./remarks.ts";
import { type ChangeView, changeView, type Stories } from "./stories.ts";
import type { Uptimes } from "./past_views.ts";
import type { ToldLog, ToldView } from "./told_log.ts";
import type { MemberDetails } from "./details.ts";
import { ageOf, type Row, type Status } from "../table.ts";
import type { Tombstone } from "../tombstones.ts";
import { ageWords } from "../../static/words.js";

/**
 * A heartbeat this far in the future, in ms, is shown by this node's clock. Heartbeats never go back, so once a clock
 * was years ahead its member's stay there, though the clock was corrected long ago.
 */
const FUTURE_MAX_MS = 24 * 3_600_000;

/** What members are seen by. */
export interface ViewSources {
  readonly gossip: Gossip;
  readonly stories: Stories;
  readonly toldLog: ToldLog;
  /** The time by this node's wall clock. */
  readonly wallMs: number;
}

/** A member as this node sees it. */
export interface MemberView {
  readonly id: string;
  /** `host:port`, or empty when only the ID is known. */
  readonly address: string;
  readonly status: Status;
  /**
   * RFC 3339, by the member's own clock, or by this node's where the member's is far ahead of it; null if never heard
   * from.
   */
  readonly lastHeartbeat: string | null;
  /** Time since that heartbeat was made; null if never heard from. */
  readonly ageMs: number | null;
}

/** An entry of `GET /members`. */
export interface ListedMember extends MemberView {
  /** Why it has its status; null if not known. */
  readonly reason: string | null;
  /** When its status last changed: RFC 3339, by this node's clock; null if not known. */
  readonly since: string | null;
  /** What else to know: that it is slow, flaps or has trouble, or to whom its end is known; null mostly. */
  readonly remark: string | null;
  /** What it says it is: `{"role":"web"}`. */
  readonly tags: Said["tags"];
  /** Ports of other services of its host, by name. */
  readonly ports: Said["ports"];
}

/** `GET /members/NNN`: a member with its recent changes. */
export interface StoryView extends ListedMember {
  readonly uptime: Uptimes;
  /** Changes of status, oldest first. */
  readonly history: readonly ChangeView[];
  /** What hooks were told of it, oldest first. */
  readonly told: readonly ToldView[];
}

/** The node that answers. */
export interface SelfView {
  readonly id: string;
  readonly address: string;
  readonly version: string;
  readonly upMs: number;
  readonly cluster: string;
}

/** The pace of the node that answers, which a large cluster stretches. */
export interface PaceView {
  /** Time between two rounds. */
  readonly intervalMs: number;
  /** A member whose last heartbeat is older is dead. */
  readonly deadAfterMs: number;
}

/** Everything the page shows. */
export interface PageView extends PaceView {
  readonly self: SelfView;
  /** RFC 3339, by this node's clock. */
  readonly now: string;
  /** This node hears nobody. */
  readonly cutOff: boolean;
  /** Whom hooks say nothing of. */
  readonly quiet: readonly QuietView[];
  /** Its size stretched the pace. */
  readonly isStretched: boolean;
  /** When the first sample of each strip began, and this node itself, in ms since the epoch by its clock. */
  readonly fromMs: number;
  readonly startedMs: number;
  /** In any order. */
  readonly members: readonly ListedMember[];
  /** Asked only for the rows that are shown. */
  readonly details: (id: string) => MemberDetails;
  readonly contacts: readonly ContactView[];
  /** Whether nodes serve HTTPS. */
  readonly tls: boolean;
  /** Whether decommissioning takes the cluster's key. */
  readonly keyed: boolean;
}

/** The answer of `GET /members`. */
export interface MembersView extends PaceView {
  /** The node that answers. */
  readonly id: string;
  readonly address: string;
  /** RFC 3339, by this node's clock. */
  readonly now: string;
  /** This node hears nobody, so its statuses tell of its own link rather than of the others. */
  readonly cutOff: boolean;
  /** Whom hooks say nothing of on purpose. */
  readonly quiet: readonly QuietView[];
  readonly members: readonly ListedMember[];
  /** Where a limit was asked for: give it as `after` for the next page; null: this is the last. */
  readonly next?: string | null;
}

/** Which members are asked for. */
export interface MemberQuery {
  /** Any of these; undefined: all. */
  readonly statuses?: ReadonlySet<Status> | undefined;
  /** Each of these tags. */
  readonly tags?: Said["tags"] | undefined;
  /** Only those whose IDs come after it. */
  readonly after?: string | undefined;
  /** The first of them; undefined: all. */
  readonly limit?: number | undefined;
}

/** All members, including decommissioned ones, sorted by ID, or those that are `wanted`. */
export function memberViews(from: ViewSources, wanted: MemberQuery = {}): ListedMember[] {
  const { statuses, tags = {}, after = "", limit = Infinity } = wanted;
  const asked = Object.entries(tags);
  const { gossip } = from;
  const { table } = gossip.replica;
  const views: ListedMember[] = [];
  const timeOf = timesOnce();
  for (const row of table.roster()) {
    if (views.length >= limit) break;
    if (row.id <= after) continue;
    const status = gossip.statusOf(row);
    if (!(statuses?.has(status) ?? true)) continue;
    const member = view(from, row, status, timeOf);
    if (asked.every(([key, value]) => member.tags[key] === value)) views.push(member);
  }
  if (
    asked.length > 0 || table.tombstoneCount === 0 || !(statuses?.has("decommissioned") ?? true)
  ) return views;
  for (const tombstone of table.tombstones()) {
    if (tombstone.id > after) {
      views.push(view(from, tombstone, "decommissioned", timeOf));
    }
  }
  return views.sort((a, b) => a.id < b.id ? -1 : 1).slice(0, limit);
}

/** The member of that ID with its recent changes; undefined if the table has none. */
export function storyView(from: ViewSources, id: string, uptime: Uptimes): StoryView | undefined {
  const { gossip, stories, toldLog } = from;
  const { table } = gossip.replica;
  const known = table.get(id);
  const tombstone = table.tombstone(id);
  if (known === undefined && tombstone === undefined) return undefined;
  const member = known === undefined
    ? view(from, tombstone!, "decommissioned", timeAt)
    : view(from, known, gossip.statusOf(known), timeAt);
  return { ...member, uptime, history: stories.history(id).map(changeView), told: toldLog.of(id) };
}

function view(
  from: ViewSources,
  known: Row | Tombstone,
  status: Status,
  timeOf: (ms: number) => string,
): ListedMember {
  const { gossip, stories, wallMs } = from;
  const heard = known.heartbeat > 0;
  const history = stories.history(known.id);
  const told = history.at(-1);
  const said = readAbout("about" in known ? known.about : undefined);
  const { replica } = gossip;
  const ageMs = ageOf(known, gossip.nowMs) + replica.former.beforeMs(known);
  const heardMs = Math.floor(wallMs - ageMs);
  const heartbeat = known.heartbeat > heardMs + FUTURE_MAX_MS ? heardMs : known.heartbeat;
  const remark = (row: Row) => {
    const quiet = quietRemark(gossip, row.id, wallMs);
    return remarkWords(remarksOf(row, { status, said, replica, history, wallMs, quiet }));
  };
  return {
    id: known.id,
    address: known.address,
    status,
    lastHeartbeat: heard ? timeOf(heartbeat) : null,
    ageMs: heard ? Math.round(ageMs) : null,
    reason: status === "failing" ? said.failing : told?.reason ?? null,
    since: told === undefined ? null : timeOf(told.atMs),
    remark: "boot" in known ? remark(known) : spreadWords(replica, known.id),
    tags: said.tags,
    ports: said.ports,
  };
}

function timeAt(ms: number): string {
  return new Date(ms).toISOString();
}

/** {@linkcode timeAt} for many members: most of it would be spent on the few times at which they all beat. */
function timesOnce(): (ms: number) => string {
  const times = new Map<number, string>();
  return (ms) => {
    let time = times.get(ms);
    if (time === undefined) times.set(ms, time = timeAt(ms));
    return time;
  };
}

/** Members as lines of text under a heading. Every line ends in a line feed. */
export function tableText(members: readonly ListedMember[]): string {
  const isTagged = members.some(({ tags }) => Object.keys(tags).length > 0);
  const heading = ["ID", "STATUS", "HEARD", "ADDRESS", ...(isTagged ? ["TAGS"] : []), "WHY"];
  const rows = [heading];
  for (const { id, status, ageMs, address, tags, reason, remark } of members) {
    const row = [id, status, ageWords(ageMs), address || "-"];
    if (isTagged) row.push(tagWords(tags).join(" ") || "-");
    rows.push([...row, [remark, reason].filter(Boolean).join("; ")]);
  }
  const widths = heading.slice(0, -1).fill("").map(() => 0);
  for (const row of rows) {
    for (let i = 0; i < widths.length; i++) widths[i] = Math.max(widths[i]!, row[i]!.length);
  }
  return rows.map((row) => {
    const line = row.map((text, i) => i < widths.length ? text.padEnd(widths[i]!) : text);
    return `${line.join("  ").trimEnd()}\n`;
  }).join("");
}
