/**
 * What is worth knowing of a member besides its status: its rounds come late, or its status changes often. (pure)
 *
 * @module
 */
import type { Said } from "../about.ts";
import type { Replica } from "../replica.ts";
import { isUp, type Row, type Status } from "../table.ts";
import type { Told } from "./stories.ts";

/** A member flaps that changed more often than this within {@linkcode FLAPPING_MS}. */
const FLAPPING_CHANGES = 4;

/** Until a member has been quiet for as long, in ms, it flaps. */
const FLAPPING_MS = 600_000;

export interface Remark {
  readonly kind: "not checked yet" | "slow" | "flapping" | "warning";
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
  return words.split(SEPARATOR).map((text) => text.split(":", 1)[0]!);
}

/** What to know about a member with that status and these changes, oldest first; mostly nothing. */
export function remarksOf(
  row: Row,
  from: {
    readonly status: Status;
    /** What it says of itself. */
    readonly said: Said;
    readonly replica: Replica;
    readonly history: readonly Told[];
    readonly wallMs: number;
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
  return remarks;
}

/** The most changes within ten minutes, of a member that changed too often and was not quiet since; 0 of others. */
function flappingChanges(history: readonly Told[], nowMs: number): number {
  let most = 0;
  let last = history.length - 1;
  let laterMs = nowMs;
  for (let first = last; first >= 0; first--) {
    const { atMs } = history[first]!;
    if (laterMs - atMs >= FLAPPING_MS) break;
    while (history[last]!.atMs - atMs > FLAPPING_MS) last--;
    most = Math.max(most, last - first + 1);
    laterMs = atMs;
  }
  return most > FLAPPING_CHANGES ? most : 0;
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
