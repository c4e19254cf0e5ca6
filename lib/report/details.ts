/**
 * What the page shows of a member besides the table: what only the rows in sight need. (pure)
 *
 * @module
 */
import type { StripSource, StripView } from "./strips.ts";
import type { ToldLog } from "./told_log.ts";

export interface MemberDetails {
  /** How often hooks were told of it. */
  readonly tellings: number;
  readonly strip: StripView;
  /** The changes of its status in the time of the strip, oldest first. */
  readonly changes: ReturnType<StripSource["changes"]>;
}

/** Gives a member's details by its ID. */
export function detailsFrom(
  strips: StripSource,
  toldLog: ToldLog,
): (id: string) => MemberDetails {
  return (id) => ({
    tellings: toldLog.of(id).length,
    strip: strips.view(id),
    changes: strips.changes(id),
  });
}
