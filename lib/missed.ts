/**
 * What a carrier that just came tells of those whom it finds in trouble: that of which nobody else can have told.
 * Others told what they saw, but for what a quiet keeps back, and what has not lasted for -tell-after yet: if they all
 * start again meanwhile, nobody is left who saw it change.
 *
 * @module
 */
import type { Seen } from "./naming.ts";
import type { Replica } from "./replica.ts";
import { ageOf, type Row, type Status } from "./table.ts";

/** Age of a row by which a member in trouble is news to a carrier that just came, in ms. */
const FRESH_MS = 3_600_000;

/** Who left was told of at once; who fails beats on, so that its row does not say since when it does. */
const AGELESS: ReadonlySet<Status> = new Set(["left", "failing"]);

export interface Missing {
  readonly replica: Pick<Replica, "tidings" | "former" | "evidence">;
  readonly nowMs: number;
  readonly tellAfterMs: number;
  /** No other live node carries the hook. */
  readonly isAlone: boolean;
}

/** Whether nobody else told of a member's trouble, as far as a carrier that just came can know. */
export function isMissed(seen: Seen, missing: Missing): boolean {
  const { replica: { tidings }, nowMs, isAlone } = missing;
  const { id, row } = seen;
  if (row === undefined || row.heartbeat === 0 || ageOf(row, nowMs) > FRESH_MS) return false;
  return isAlone || tidings.quiets.of(id, nowMs) !== undefined ||
    isYoung(row, seen.status, missing);
}

/** Whether a member is in trouble for less long than what is told must last. */
function isYoung(row: Row, status: Status, { replica, nowMs, tellAfterMs }: Missing): boolean {
  if (AGELESS.has(status)) return false;
  const silentMs = ageOf(row, nowMs) + replica.former.beforeMs(row);
  return silentMs <= replica.evidence.silenceMs(row) + tellAfterMs;
}
