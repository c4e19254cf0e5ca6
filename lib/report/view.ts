/** What a node shows of its table, to people and to scripts: types only, shared by the page and the JSON API. */
import type { Status } from "../table.ts";

export type { Status };

/** One row of `GET /members`. */
export interface MemberView {
  readonly id: string;
  /** `host:port`, or empty when only the ID is known. */
  readonly address: string;
  readonly status: Status;
  /** RFC 3339, by the member's own clock; null: never heard from. */
  readonly lastHeartbeat: string | null;
  /** Time since that heartbeat was made; null: never heard from. */
  readonly ageMs: number | null;
}

/** A change of status as this node saw it; also a `change` event of `GET /events`. */
export interface ChangeView {
  readonly id: string;
  readonly address: string;
  /** Null: the member entered the table. */
  readonly from: Status | null;
  readonly to: Status;
  /** RFC 3339, by this node's clock. */
  readonly at: string;
  /** Why, in words: "no heartbeat for 5.0 s". */
  readonly reason: string;
  /** The event's number in `GET /events`. */
  readonly event: number;
}

/** A member's last minutes as this node saw them. */
export interface StripView {
  /** The time one sample stands for. */
  readonly stepMs: number;
  /** The greatest heartbeat age within each step in ms, oldest first; null: not known then. */
  readonly samples: readonly (number | null)[];
  /** The worst status within each step: one `STATUS_MARK` a sample. */
  readonly statuses: string;
}

/** A member as the page needs it. */
export interface PageMember extends MemberView {
  /** Why it has its status; null: not known. */
  readonly reason: string | null;
  /** When its status last changed: RFC 3339, by this node's clock; null: not known. */
  readonly since: string | null;
  readonly strip: StripView;
}

/** `GET /members/NNN`: a member with its recent changes. */
export interface StoryView extends MemberView {
  readonly reason: string | null;
  readonly since: string | null;
  /** Changes of status, oldest first. */
  readonly history: readonly ChangeView[];
}

/** An address whose member is not known yet. */
export interface ContactView {
  readonly address: string;
  /** In words: "refused 4 times, next try in 8 s". */
  readonly state: string;
}

/** The node that answers. */
export interface SelfView {
  readonly id: string;
  readonly address: string;
  readonly version: string;
  readonly upMs: number;
  /** Named only where it isn't the default. */
  readonly cluster?: string;
}

/** All that the page shows. */
export interface PageView {
  readonly self: SelfView;
  /** RFC 3339, by this node's clock. */
  readonly now: string;
  readonly intervalMs: number;
  readonly deadAfterMs: number;
  /** In any order. */
  readonly members: readonly PageMember[];
  readonly contacts: readonly ContactView[];
  /** Decommissioning needs the cluster's key. */
  readonly keyed: boolean;
}
