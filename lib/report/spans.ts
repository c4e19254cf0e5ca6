/**
 * The strips of an hour, a day or a month, drawn from the past; those of the last minutes are in strips.ts. (pure)
 *
 * @module
 */
import type { Status } from "../table.ts";
import type { Became, Past } from "./past.ts";
import { STATUS_MARK, STRIP_SAMPLES, type StripSource } from "./strips.ts";

const HOUR_MS = 3_600_000;

/** Spans of a strip besides the usual minutes, by the name in `?span=`. */
export const SPANS = { "1h": HOUR_MS, "24h": 24 * HOUR_MS, "30d": 30 * 24 * HOUR_MS } as const;

export type SpanName = keyof typeof SPANS;

/** Changes that one strip tells, the latest: of a member that changes oftener nobody reads them all. */
const CHANGES_MAX = 5_000;

/** Of several statuses within a step the last in this order is kept, as in strips.ts. */
const RANKS = Object.keys(STATUS_MARK) as Status[];

/** Nothing was seen. */
const UNSEEN = 0;

/** The strips of a span that ends now. */
export function stripsOf(past: Past, span: SpanName, wallMs: number): StripSource {
  const stepMs = SPANS[span] / STRIP_SAMPLES;
  const fromMs = wallMs - SPANS[span];
  const changes = (id: string) => {
    const found = [];
    let page = past.page({ fromMs, toMs: wallMs + 1, id });
    found.push(...page.changes);
    while (page.nextMs !== undefined) {
      page = past.page({ fromMs: page.nextMs, toMs: wallMs + 1, id });
      found.push(...page.changes);
    }
    return found;
  };
  return {
    fromMs,
    view(id) {
      const ranks = new Array<number>(STRIP_SAMPLES).fill(UNSEEN);
      const paint = (to: Became | undefined, beginMs: number, endMs: number) => {
        if (to === undefined || to === "forgotten") return;
        const rank = RANKS.indexOf(to);
        const last = Math.min(STRIP_SAMPLES - 1, Math.ceil((endMs - fromMs) / stepMs) - 1);
        for (let i = Math.max(0, Math.floor((beginMs - fromMs) / stepMs)); i <= last; i++) {
          ranks[i] = Math.max(ranks[i]!, rank);
        }
      };
      const found = changes(id);
      paint(past.became(id, fromMs - 1), fromMs, found[0]?.atMs ?? wallMs);
      found.forEach(({ to, atMs }, i) => paint(to, atMs, found[i + 1]?.atMs ?? wallMs + 1));
      for (const gap of past.gaps) {
        // A step that lies in a gap as a whole: what came before it says nothing of it.
        const first = Math.max(0, Math.ceil((gap.fromMs - fromMs) / stepMs));
        const end = Math.min(STRIP_SAMPLES, Math.floor((gap.toMs - fromMs) / stepMs));
        for (let i = first; i < end; i++) ranks[i] = UNSEEN;
      }
      const statuses = ranks.map((rank) => STATUS_MARK[RANKS[rank]!]).join("");
      return { stepMs, samples: new Array<null>(STRIP_SAMPLES).fill(null), statuses };
    },
    changes: (id) =>
      changes(id).slice(-CHANGES_MAX).flatMap(({ atMs, to, reason }) =>
        to === "forgotten" ? [] : [{ atMs, to, reason }]
      ),
  };
}
