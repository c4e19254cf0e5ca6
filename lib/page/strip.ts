/**
 * The strip: a member's last minutes as a small picture.
 *
 * Each sample is a bar. Its height is the age of the last heartbeat: a healthy member draws a low even line, a stall
 * draws a spike. Its colour is the status: a death is a solid block, which ends when the member returns.
 *
 * @module
 */
import { durationWords } from "../../static/words.js";
import { STATUS_MARK, STRIP_SAMPLES, type StripView } from "../report/strips.ts";

/** The picture's height in its own units; one sample is one unit wide. */
export const STRIP_HEIGHT = 16;

/** A heartbeat older than this share of dead-after is late: from there on nodes call the member itself. */
export const LATE_SHARE = 0.6;

/**
 * The height for ages up to each share of dead-after. There are few steps because the ages of healthy members differ by
 * chance, and should draw an even line. The full height is kept for the dead.
 */
const AGE_HEIGHTS: readonly (readonly [share: number, height: number])[] = [
  [0.4, 3],
  [LATE_SHARE, 5],
  [0.8, 8],
  [Infinity, 11],
];

/** The height for a member that left: a block, but lower than for a dead one. */
const LEFT_HEIGHT = 9;

/** What a bar shows. */
export type StripKind = "dead" | "late" | "left" | "live";

/** A strip, ready to draw. */
export interface Strip {
  /** The same in words: "dead 40 s, live 9 min". */
  readonly label: string;
  /** The SVG path of each kind that occurs. */
  readonly paths: Readonly<Partial<Record<StripKind, string>>>;
}

interface Bar {
  readonly kind: StripKind;
  readonly height: number;
}

/** The order in the label: trouble first. */
const KINDS: readonly StripKind[] = ["dead", "late", "left", "live"];

/** Draws the last `STRIP_SAMPLES` samples, the newest at the right edge. */
export function drawStrip(strip: StripView, deadAfterMs: number): Strip {
  const length = Math.min(strip.samples.length, strip.statuses.length);
  const paths: Partial<Record<StripKind, string>> = {};
  const counts = { dead: 0, late: 0, left: 0, live: 0 };
  let run: Bar | undefined;
  let runWidth = 0;
  for (let i = Math.max(0, length - STRIP_SAMPLES); i <= length; i++) {
    const bar = barOf(strip.statuses.charAt(i), strip.samples[i] ?? null, deadAfterMs);
    if (bar !== undefined) counts[bar.kind]++;
    const same = bar?.kind === run?.kind && bar?.height === run?.height;
    if (!same && run !== undefined) {
      const { kind, height } = run;
      const x = STRIP_SAMPLES - length + i - runWidth;
      paths[kind] = `${paths[kind] ?? ""}M${x} ${STRIP_HEIGHT}v-${height}h${runWidth}v${height}z`;
    }
    run = bar;
    runWidth = same ? runWidth + 1 : 1;
  }
  const label = KINDS.filter((kind) => counts[kind] > 0)
    .map((kind) => `${kind} ${durationWords(counts[kind] * strip.stepMs)}`).join(", ");
  return { label: label === "" ? "no data" : label, paths };
}

function barOf(mark: string, ageMs: number | null, deadAfterMs: number): Bar | undefined {
  if (mark === STATUS_MARK.dead) return { kind: "dead", height: STRIP_HEIGHT };
  if (mark === STATUS_MARK.left) return { kind: "left", height: LEFT_HEIGHT };
  if (mark !== STATUS_MARK.live) return undefined;
  const share = (ageMs ?? 0) / deadAfterMs;
  const [, height] = AGE_HEIGHTS.find(([upTo]) => share <= upTo) ?? [0, STRIP_HEIGHT];
  return { kind: share > LATE_SHARE ? "late" : "live", height };
}
