/**
 * Tidings as they travel in a body.
 *
 *     told    hook, member, boot, status, heartbeat, step, by, age in ms, changes in the message, result
 *     tries   hook, number, by, state, failures, age in ms
 *     quiets  pattern, ms left, why, by, stamp, ms for which it is kept
 *
 * @module
 */
import { isLabel, wordsOf } from "./about.ts";
import {
  BOOT,
  isCount,
  isHeartbeat,
  isIdText,
  isSpan,
  isText,
  listText,
  readList,
} from "./entries.ts";
import { AGE_MAX_MS, HEARTBEAT_MAX_MS, MEMBERS_MAX } from "./limits.ts";
import { isPattern, type Quiet, QUIET_KEPT_MAX_MS, QUIET_MAX_MS, QUIETS_MAX } from "./quiets.ts";
import { STATUSES } from "./table.ts";
import type { TidingsPart } from "./tidings.ts";
import { RESULT_LENGTH_MAX, STEP_MAX, type Told, TOLD_TOLD_MAX } from "./told.ts";
import { TRIES_MAX, type Try, TRY_NUMBER_MAX, TRY_STATES } from "./tries.ts";

/** Values that tidings at their longest hold, each list and comma counted. */
export const TIDINGS_VALUES_MAX = TOLD_TOLD_MAX * 11 + TRIES_MAX * 7 + QUIETS_MAX * 7;

/** Words of a result: printable, no quotes. */
const RESULT = new RegExp(`^[A-Za-z0-9 ._:-]{0,${RESULT_LENGTH_MAX}}$`);

/** A result in the characters that travel. */
export function resultOf(words: string): string {
  return words.replace(/[^A-Za-z0-9 ._:-]+/g, " ").trim().slice(0, RESULT_LENGTH_MAX);
}

/** The fields of a body that hold tidings. */
export function tidingsText({ told, tries, quiets }: TidingsPart): string {
  return listText("told", told?.map(toldEntry)) +
    listText(
      "tries",
      tries?.map((t) => [t.hook, t.number, t.by, t.state, t.failures, Math.floor(t.ageMs)]),
    ) +
    listText(
      "quiets",
      quiets?.map(quietEntry),
    );
}

function quietEntry({ pattern, leftMs, why, by, stamp, keptMs }: Quiet): unknown[] {
  const entry = [pattern, Math.floor(leftMs), why, by, stamp];
  return keptMs === undefined ? entry : [...entry, Math.floor(keptMs)];
}

/** One told change as an entry of a list. */
export function toldEntry(told: Told): unknown[] {
  const { hook, id, boot, to, heartbeat, step, by, ageMs, together, result } = told;
  return [hook, id, boot, to, heartbeat, step, by, Math.floor(ageMs), together, result];
}

/** Reads the tidings of a body, and counts the entries that broke a rule. */
export function readTidings(
  body: Record<string, unknown>,
): { readonly part: TidingsPart | undefined; readonly dropped: number } {
  const told = readList(body.told, readTold, TOLD_TOLD_MAX);
  const tries = readList(body.tries, readTry, TRIES_MAX);
  const quiets = readList(body.quiets, readQuiet, QUIETS_MAX);
  const part = told === undefined && tries === undefined && quiets === undefined ? undefined : {
    ...told && { told: told.entries },
    ...tries && { tries: tries.entries },
    ...quiets && { quiets: quiets.entries },
  };
  return {
    part,
    dropped: (told?.dropped ?? 0) + (tries?.dropped ?? 0) + (quiets?.dropped ?? 0),
  };
}

/** Reads an entry of a list as a told change; undefined for anything else. */
export function readTold(entry: unknown[]): Told | undefined {
  const [hook, id, boot, to, heartbeat, step, by, ageMs, together, result] = entry;
  if (typeof hook !== "string" || !isLabel(hook) || !isIdText(id) || !isIdText(by)) {
    return undefined;
  }
  const status = STATUSES.find((known) => known === to);
  if (status === undefined || !isText(boot, BOOT) || !isHeartbeat(heartbeat)) return undefined;
  if (!isCount(step, STEP_MAX) || !isCount(together, MEMBERS_MAX) || !isSpan(ageMs)) {
    return undefined;
  }
  if (!isText(result, RESULT)) return undefined;
  return {
    hook,
    id,
    boot,
    to: status,
    heartbeat,
    step,
    by,
    together,
    result,
    ageMs: Math.min(ageMs, AGE_MAX_MS),
  };
}

function readTry([hook, number, by, state, failures, ageMs]: unknown[]): Try | undefined {
  if (typeof hook !== "string" || !isLabel(hook) || !isIdText(by)) return undefined;
  const known = TRY_STATES.find((each) => each === state);
  if (known === undefined || !isCount(number, TRY_NUMBER_MAX) || !isSpan(ageMs)) return undefined;
  if (!isCount(failures, TRY_NUMBER_MAX)) return undefined;
  return { hook, number, by, state: known, failures, ageMs: Math.min(ageMs, AGE_MAX_MS) };
}

function readQuiet([pattern, leftMs, why, by, stamp, keptMs]: unknown[]): Quiet | undefined {
  if (typeof pattern !== "string" || !isPattern(pattern) || !isIdText(by)) return undefined;
  if (!isSpan(leftMs) || !isCount(stamp, HEARTBEAT_MAX_MS) || typeof why !== "string") {
    return undefined;
  }
  const quiet = { pattern, leftMs: Math.min(leftMs, QUIET_MAX_MS), why: wordsOf(why), by, stamp };
  if (keptMs === undefined) return quiet;
  return isSpan(keptMs) ? { ...quiet, keptMs: Math.min(keptMs, QUIET_KEPT_MAX_MS) } : undefined;
}
