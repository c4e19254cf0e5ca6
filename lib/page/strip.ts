/**
 * The strip: a member's last minutes as a bar. Its colour is the status, and a death is higher than life; where this
 * node did not run yet the ground is hatched. (pure)
 *
 * @module
 */
import { durationWords, whyWords } from "../../static/words.js";
import { SUSPECT_SHARE } from "../evidence.ts";
import { STATUS_MARK, STRIP_SAMPLES, type StripView } from "../report/strips.ts";
import type { KeptChange } from "../report/stories.ts";

const DAY_MS = 24 * 3_600_000;

/** What a span shows: a status, a live member whose heartbeats were late, or the time before this node started. */
export type StripKind = "before" | "dead" | "unresponsive" | "failing" | "late" | "left" | "live";

/** Samples of one kind beside each other, each one unit wide. */
export interface Span {
  readonly kind: StripKind;
  readonly x: number;
  readonly width: number;
  /** When and why; empty where that is what nobody asks: for a member that was live all the time. */
  readonly title: string;
}

/** A strip, ready to draw. */
export interface Strip {
  /** The same in words: "dead 40 s, live 9 min". */
  readonly label: string;
  readonly spans: readonly Span[];
}

/** What is known besides the samples. */
export interface StripFrame {
  /** When the first sample began, in ms since the epoch. */
  readonly fromMs: number;
  /** When this node started. */
  readonly startedMs: number;
  readonly deadAfterMs: number;
  /** The changes of the member's status, oldest first. */
  readonly changes: readonly Pick<KeptChange, "atMs" | "to" | "reason">[];
}

/** The order in the label: trouble first. */
const KINDS: readonly StripKind[] = ["dead", "unresponsive", "failing", "late", "left", "live"];

/** Draws the last `STRIP_SAMPLES` samples, the newest at the right edge. */
export function drawStrip(strip: StripView, frame: StripFrame): Strip {
  const { stepMs } = strip;
  const runs: { kind: StripKind; x: number; width: number; ageMs: number }[] = [];
  const skipped = Math.min(strip.samples.length, strip.statuses.length) - STRIP_SAMPLES;
  for (let x = 0; x < STRIP_SAMPLES; x++) {
    const ageMs = strip.samples[skipped + x] ?? 0;
    const isBefore = frame.fromMs + (x + 1) * stepMs <= frame.startedMs;
    const kind = kindOf(strip.statuses.charAt(skipped + x), ageMs / frame.deadAfterMs) ??
      (isBefore ? "before" : undefined);
    const run = runs.at(-1);
    if (kind === undefined) continue;
    if (run?.kind === kind && run.x + run.width === x) {
      run.width++;
      run.ageMs = Math.max(run.ageMs, ageMs);
    } else runs.push({ kind, x, width: 1, ageMs });
  }
  const spans = runs.map((run) => {
    const { kind, x, width } = run;
    return { kind, x, width, title: titleOf(run, strip.stepMs, frame) };
  });
  const label = KINDS.map((kind) => {
    const samples = runs.reduce((sum, run) => run.kind === kind ? sum + run.width : sum, 0);
    return samples === 0 ? "" : `${kind} ${durationWords(samples * stepMs)}`;
  }).filter(Boolean).join(", ");
  return { label: label || "no data", spans };
}

function kindOf(mark: string, share: number): StripKind | undefined {
  if (mark === STATUS_MARK.dead) return "dead";
  if (mark === STATUS_MARK.unresponsive) return "unresponsive";
  if (mark === STATUS_MARK.failing) return "failing";
  if (mark === STATUS_MARK.left) return "left";
  // Late is when nodes begin to call the member itself.
  if (mark === STATUS_MARK.live) return share > SUSPECT_SHARE ? "late" : "live";
  return undefined;
}

function titleOf(
  run: { kind: StripKind; x: number; width: number; ageMs: number },
  stepMs: number,
  { fromMs, changes }: StripFrame,
): string {
  const { kind, x, width } = run;
  if (kind === "before") return "before this node started";
  const isAll = width === STRIP_SAMPLES;
  if (isAll && kind === "live") return "";
  const endMs = fromMs + (x + width) * stepMs;
  const change = changes.findLast(({ to, atMs }) => to === kind && atMs < endMs);
  const why = kind === "late"
    ? `the oldest heartbeat was ${(run.ageMs / 1000).toFixed(1)} s old`
    : whyWords(kind, change?.reason ?? "");
  // The change itself is known to the millisecond, the sample only to its step.
  const startMs = Math.max(fromMs + x * stepMs, change?.atMs ?? 0);
  // Of a strip of days the date belongs to it.
  const digits = stepMs * STRIP_SAMPLES >= DAY_MS ? 0 : 11;
  const [from, to] = [startMs, endMs].map((ms) =>
    new Date(ms).toISOString().slice(digits, 19).replace("T", " ")
  );
  const isNow = x + width === STRIP_SAMPLES;
  const when = isAll
    ? "all the time"
    : isNow
    ? `since ${from} UTC`
    : x === 0
    ? `until ${to} UTC`
    : `${from} to ${to} UTC`;
  return `${kind} ${when}${why && `: ${why}`}`;
}
