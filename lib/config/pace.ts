/**
 * How fast a node finds out, and when it forgets: the flags, and what they must be to each other. (pure)
 *
 * @module
 */
import { numberWords } from "../../static/words.js";
import { FORGET_DEAD_AFTERS_MIN, STRETCH_MEMBERS } from "../pace.ts";
import { type FlagTable, type FlagValues, UsageError } from "./flags.ts";
import { formatDuration, readDeadAfter, readForget, readInterval } from "./values.ts";

export interface PaceConfig {
  /** Time between two rounds. */
  readonly intervalMs: number;
  /** A member whose last heartbeat is older is dead. */
  readonly deadAfterMs: number;
  /** A member that is silent or left for longer is forgotten; Infinity: none is. */
  readonly forgetMs: number;
  /** Of more members the pace is stretched (lib/pace.ts): never where a user gave it, as that is a promise. */
  readonly stretchMembers: number;
}

/** One lost exchange or a late round must not make a live member look dead. */
const DEAD_AFTER_INTERVALS_MIN = 3;

/** What holds where nobody gave it, up to `STRETCH_MEMBERS`. */
const INTERVAL_MS = 1_000;
const DEAD_AFTER_MS = 5_000;

export const PACE_FLAGS = {
  "interval": {
    metavar: "DURATION",
    help: `time between two rounds of gossip (default ${formatDuration(INTERVAL_MS)}, ` +
      `longer past ${numberWords(STRETCH_MEMBERS)} nodes)`,
    read: readInterval,
  },
  "dead-after": {
    metavar: "DURATION",
    help: "silence after which a member is dead; the same on all nodes " +
      `(default ${formatDuration(DEAD_AFTER_MS)})`,
    read: readDeadAfter,
  },
  "forget": {
    metavar: "DURATION",
    help: "drop members silent or left for so long; 0 keeps them",
    default: "72h",
    read: readForget,
  },
} as const satisfies FlagTable;

/**
 * The pace that flags give.
 *
 * @throws {UsageError} where they do not fit each other.
 */
export function paceOf(values: FlagValues<typeof PACE_FLAGS>): PaceConfig {
  const { interval, "dead-after": deadAfter, forget: forgetMs } = values;
  const intervalMs = interval ?? INTERVAL_MS;
  const deadAfterMs = deadAfter ?? DEAD_AFTER_MS;
  const deadAfterMinMs = DEAD_AFTER_INTERVALS_MIN * intervalMs;
  if (deadAfterMs < deadAfterMinMs) {
    const [given, interval, least] = [deadAfterMs, intervalMs, deadAfterMinMs].map(formatDuration);
    throw new UsageError(
      `Cannot use -dead-after ${given} with -interval ${interval}: ` +
        `give at least ${DEAD_AFTER_INTERVALS_MIN} intervals, -dead-after ${least}`,
    );
  }
  const forgetMinMs = FORGET_DEAD_AFTERS_MIN * deadAfterMs;
  if (forgetMs < forgetMinMs) {
    const [given, deadAfter, least] = [forgetMs, deadAfterMs, forgetMinMs].map(formatDuration);
    throw new UsageError(
      `Cannot use -forget ${given} with -dead-after ${deadAfter}: ` +
        `give at least ${FORGET_DEAD_AFTERS_MIN} times that, -forget ${least}, or 0 to forget nobody`,
    );
  }
  const isGiven = interval !== undefined || deadAfter !== undefined;
  return {
    intervalMs,
    deadAfterMs,
    forgetMs,
    stretchMembers: isGiven ? Infinity : STRETCH_MEMBERS,
  };
}
