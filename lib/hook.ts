/**
 * Hooks: what a node's user wants done when a member changes. The core decides what is told, when, and by whom; the
 * host runs the command or the call.
 *
 * @module
 */
import type { Status } from "./table.ts";

/** A hook, as far as the core knows it. Nodes that carry a hook of one name share its work. */
export interface Hook {
  readonly name: string;
  /** The new statuses that are told; a member that was told gone or troubled is told live again in any case. */
  readonly statuses: ReadonlySet<Status>;
  /** Only members with all of these tags. */
  readonly tags: Readonly<Record<string, string>>;
  /** Whether this node tells that it is cut off. */
  readonly cutOff: boolean;
}

/** A change that is told, equal at all nodes but for its times and words. */
export interface ChangeToTell {
  /** Member, boot, status and heartbeat: one change has one key, whoever tells it and however often. */
  readonly key: string;
  readonly id: string;
  readonly address: string;
  /** Its tags, as the member said them last. */
  readonly tags: Readonly<Record<string, string>>;
  readonly from: Status | undefined;
  readonly to: Status | "cut-off";
  readonly reason: string;
  /** Time since the change, in ms. */
  readonly ageMs: number;
}

/** What a host is to tell once: one change, or many at once, oldest first. */
export interface Telling {
  readonly hook: string;
  /** Of one change its key; of many a name of them all. */
  readonly key: string;
  readonly changes: readonly ChangeToTell[];
}
