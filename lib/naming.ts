/**
 * Which change is which: how one is named, so that its name is equal at all nodes, and whether what a member is now was
 * told before.
 *
 * @module
 */
import type { Row, Status } from "./table.ts";
import { type ChangeName, type KeptTold, stepAfter } from "./told.ts";

/** Who was told of one of these is told when the member is live again. */
export const TROUBLES: ReadonlySet<Status> = new Set(["dead", "unresponsive", "failing", "left"]);

/** A member that is one of these, and did not say that it ends, makes no heartbeat; the worst last. */
const SILENCES: readonly Status[] = ["unresponsive", "dead"];

/** A member as this node sees it. */
export interface Seen {
  /** Its row, as it was last in the table. */
  readonly row: Row | undefined;
  readonly id: string;
  readonly status: Status;
  readonly from: Status | undefined;
  readonly reason: string;
  readonly atMs: number;
}

/** The name of what a member is now, where `told` was told of it last. */
export function nameOf(seen: Seen, told: KeptTold | undefined): ChangeName {
  const { id, status: to, row } = seen;
  // Once for each ID: who decommissions may not know its row.
  if (to === "decommissioned") return { id, boot: "", to, heartbeat: 0, step: 0 };
  const boot = row?.boot ?? "";
  if (isSilent(seen)) return { id, boot, to, heartbeat: row!.heartbeat, step: 0 };
  const isBack = to === "live" && told !== undefined && TROUBLES.has(told.to);
  return {
    id,
    boot: isBack ? told.boot : boot,
    to,
    ...stepAfter(told ?? { heartbeat: 0, step: 0 }),
  };
}

/** Whether what was told is later than what this node knows: it will hear the rest. */
export function isOutdated(seen: Seen, told: KeptTold): boolean {
  const { status, row } = seen;
  if (told.to === "decommissioned") return true;
  if (row === undefined || told.step === 0) return false;
  // Forgotten meanwhile, it may have come back with an earlier clock.
  if (isSilent(seen)) return row.heartbeat <= told.heartbeat && row.boot === told.boot;
  return isEnd(seen) && status !== told.to && row.boot === told.boot &&
    row.heardAtMs <= told.toldAtMs;
}

/** Whether a trouble is another one than that which was told. */
export function isOtherTrouble(seen: Seen, told: KeptTold): boolean {
  const { status, row } = seen;
  if (isSilent(seen) && SILENCES.includes(told.to)) {
    // No heartbeat was made since: it is the same silence, which may have become worse.
    const isSame = row!.heartbeat <= told.heartbeat || row!.heardAtMs <= told.toldAtMs;
    return !isSame || SILENCES.indexOf(status) > SILENCES.indexOf(told.to);
  }
  return status !== told.to || (isEnd(seen) && row?.boot !== told.boot);
}

function isSilent({ status, row }: Seen): boolean {
  return SILENCES.includes(status) && row?.left === "";
}

/** Whether a member said that it ends. While it stops its heartbeats run on, so its boot names that. */
function isEnd({ row }: Seen): boolean {
  return row !== undefined && row.left !== "";
}
