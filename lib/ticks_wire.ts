/**
 * Ticks in the JSON body of an exchange.
 *
 * @module
 */
import { isHeartbeat } from "./entries.ts";
import { HEARTBEAT_STEP_MS } from "./limits.ts";
import type { Ticks } from "./ticks.ts";

/** The longest unit, in ms: the longest interval. */
const UNIT_MAX_MS = 3_600_000;

/** What a body says in ticks, and of them. */
export interface TicksPart {
  readonly ticks?: Ticks;
  readonly unitMs?: number;
}

/** The parts of the body; of a sender that reads ticks and sends none the unit alone. */
export function ticksText({ ticks, unitMs }: TicksPart): string {
  if (unitMs === undefined) return "";
  const unit = `,"unit":${unitMs}`;
  if (ticks === undefined) return unit;
  const { clockMs, of, text, exact } = ticks;
  const name = of === "all" ? "ticks" : "later";
  const more = exact === "" ? "" : `,"exact":"${exact}"`;
  return `${unit},"clock":${clockMs},"${name}":"${text}"${more}`;
}

/** Reads them back; what is out of range is as good as not there. */
export function readTicks(body: Record<string, unknown>): TicksPart {
  const { unit, clock, ticks, later, exact = "" } = body;
  if (!isHeartbeat(unit) || unit < HEARTBEAT_STEP_MS || unit > UNIT_MAX_MS) return {};
  const text = ticks ?? later;
  if (typeof text !== "string" || typeof exact !== "string" || !isHeartbeat(clock)) {
    return { unitMs: unit };
  }
  const of = text === ticks ? "all" : "some";
  return { unitMs: unit, ticks: { clockMs: clock, unitMs: unit, of, text, exact } };
}
