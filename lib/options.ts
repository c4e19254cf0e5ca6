/**
 * What the core is told at its start: who this node is, how fast it goes, whom it joins and what it remembers.
 *
 * @module
 */
import type { RunningClock } from "./clock.ts";
import type { Hook } from "./hook.ts";
import type { Pace, PaceOptions } from "./pace.ts";
import type { Told } from "./told.ts";

/** Who this node is. */
export interface Self {
  readonly id: string;
  /** This node's advertised `host:port`. */
  readonly address: string;
  /** 8 hex digits drawn when the process started. */
  readonly boot: string;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

export interface GossipOptions extends Self, PaceOptions {
  /** Of more members heartbeats are whole intervals and travel as ticks; by default `FINE_MEMBERS_MAX`. */
  readonly fineMembersMax?: number | undefined;
  /** Addresses to join. */
  readonly seeds: readonly string[];
  /** More of them are being looked up: `resolved` will tell. */
  readonly awaitsSeeds?: boolean;
  /** Addresses of members in a former life: joined as well, and forgotten when they are of no more use. */
  readonly remembered?: readonly string[];
  /** Hooks that this node carries; by default none. Its words name them to the others (see about.ts). */
  readonly hooks?: readonly Hook[];
  /** For how long a change must last before it is told, in ms; 0 by default. */
  readonly tellAfterMs?: number;
  /** What was told in a former life. */
  readonly told?: readonly Told[];
}

/** What this node's copy of the table is told. */
export interface ReplicaOptions extends Self, Pick<GossipOptions, "fineMembersMax"> {
  readonly pace: Pace;
  /** Knows how long this node did not run. */
  readonly clock: Pick<
    RunningClock,
    "monotonicMs" | "sleptMs" | "missedMs" | "uncountedMs" | "isWaking" | "longSleepMs"
  >;
}
