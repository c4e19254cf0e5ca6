/**
 * Why a member's status changed, in words.
 *
 * @module
 */
import { endOf } from "./ends.ts";
import type { Evidence, Standing } from "./evidence.ts";
import type { Row, Status } from "./table.ts";

/** What a member was shown as before. */
export interface Shown {
  status: Status;
  boot: string;
}

export interface Reasoning {
  /** This node's ID. */
  readonly ownId: string;
  readonly to: Status;
  /** Undefined: the member was not in the table before. */
  readonly shown: Shown | undefined;
  /** Who told of it. */
  readonly via: string;
  readonly evidence: Evidence;
  readonly standing: Standing;
}

/** Why the member of `row` is otherwise now. */
export function reasonOf(row: Row, reasoning: Reasoning): string {
  const { ownId, to, shown, via, evidence, standing } = reasoning;
  if (row.id === ownId && shown === undefined) return "started";
  if (row.left !== "") return endOf(row.left).reason;
  const how = via === row.id ? "directly" : `through ${via}`;
  const isNew = shown === undefined || shown.status === "unknown";
  switch (to) {
    case "unknown":
      return `heard of ${how}, never heard from`;
    case "dead":
      // A member of a former life, which this node itself remembered.
      if (via === ownId && isNew) return "no heartbeat since this node started";
      return evidence.whyDead(row, standing);
    case "failing":
      return row.about?.failing ?? "";
    case "unresponsive":
      return evidence.whyUnresponsive(row);
    default:
      if (isNew) return `heard ${how}`;
      if (shown.status === "failing" && shown.boot === row.boot) return "its checks pass again";
      return shown.boot !== row.boot ? `restarted, heard ${how}` : `heard again ${how}`;
  }
}
