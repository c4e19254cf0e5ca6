/**
 * What is worth knowing of a member besides its status: its rounds come late, or its status changes often. (pure)
 *
 * @module
 */
import type { Said } from "../about.ts";
import type { Replica } from "../replica.ts";
import { isUp, type Row, type Status } from "../table.ts";
import { FLAPPING_MS, flappingChanges } from "./flapping.ts";
import type { KeptChange } from "./stories.ts";

export interface Remark {
  readonly kind: "not checked yet" | "slow" | "flapping" | "warning" | "quiet";
  readonly text: string;
}

/** Between the remarks of one member; no remark has it in its text. */
const SEPARATOR = "; ";

/** The remarks as one text; null without any. */
export function remarkWords(remarks: readonly Remark[]): string | null {
  return remarks.map(({ text }) => text).join(SEPARATOR) || null;
}

/** The kinds in a text of {@linkcode remarkWords}: each remark begins with its own. */
export function kindsIn(words: string): string[] {
  return words.split(SEPARATOR).map((text) => text.split(":")[0]!);
}

/** What to know about a member with that status and these changes, oldest first; mostly nothing. */
export function remarksOf(
  row: Row,
  from: {
    readonly status: Status;
    /** What it says of itself. */
    readonly said: Said;
    readonly replica: Replica;
    readonly history: readonly KeptChange[];
    readonly wallMs: number;
    /** That hooks say nothing of it, and until when; undefined where they speak of it. */
    readonly quiet?: string | undefined;
  },
): Remark[] {
  const remarks: Remark[] = [];
  const { said } = from;
  if (said.unchecked && from.status === "live") {
    remarks.push({ kind: "not checked yet", text: "not checked yet" });
  }
  const gapMs = from.replica.evidence.slow.gapMs(row);
  if (gapMs > 0 && (isUp(from.status) || from.status === "unresponsive")) {
    remarks.push({
      kind: "slow",
      text: `slow: its rounds come ${(gapMs / 1000).toFixed(1)} s apart`,
    });
  }
  // Of a member that is gone it is no use any more.
  if (said.warning !== "" && isUp(from.status)) {
    remarks.push({ kind: "warning", text: `warning: ${said.warning}` });
  }
  const changes = flappingChanges(from.history, from.wallMs);
  if (changes > 0) {
    const minutes = FLAPPING_MS / 60_000;
    remarks.push({ kind: "flapping", text: `flapping: ${changes} changes in ${minutes} min` });
  }
  if (from.quiet !== undefined) remarks.push({ kind: "quiet", text: from.quiet });
  return remarks;
}

/** How far a decommission got that a user of this node asked for; null where that is not counted. */
export function spreadWords(
  { spread, verdicts }: Replica,
  id: string,
): string | null {
  const progress = spread.progress(id, verdicts.last.live);
  return progress === undefined || progress.of === 0
    ? null
    : `known to ${progress.known} of ${progress.of}`;
}
