/**
 * Ticks in the JSON body of an exchange.
 *
 * @module
 */
import { isCount, isHeartbeat } from "./entries.ts";
import { HEARTBEAT_MAX_MS, HEARTBEAT_STEP_MS, INTERVAL_MAX_MS } from "./limits.ts";
import { FACTOR_MAX } from "./pace.ts";
import type { Mutable } from "./table.ts";
import type { Ticks } from "./ticks.ts";

/** The longest unit, in ms: the longest interval, stretched by the greatest factor. */
const UNIT_MAX_MS = INTERVAL_MAX_MS * FACTOR_MAX;

/** What a body says in ticks, and of them. */
export interface TicksPart {
  readonly ticks?: Ticks;
  readonly unitMs?: number;
  readonly readers?: string;
}

/** The parts of the body; of a sender that reads ticks and sends none the unit alone. */
export function ticksText({ ticks, unitMs, readers }: TicksPart): string {
  if (unitMs === undefined) return "";
  let unit = `,"unit":${unitMs}`;
  if (readers !== undefined) unit += `,"readers":"${readers}"`;
  if (ticks === undefined) return unit;
  const { clockMs, of, text, exact } = ticks;
  const name = of === "all" ? "ticks" : "later";
  const more = exact === "" ? "" : `,"exact":"${exact}"`;
  return `${unit},"clock":${clockMs},"${name}":"${text}"${more}`;
}

/** Reads them back; what is out of range is as good as not there. */
export function readTicks(body: Record<string, unknown>): TicksPart {
  const { unit, clock, ticks, later, exact = "", readers } = body;
  if (!isHeartbeat(unit) || unit < HEARTBEAT_STEP_MS || unit > UNIT_MAX_MS) return {};
  const part: Mutable<TicksPart> = { unitMs: unit };
  if (typeof readers === "string") part.readers = readers;
  const text = ticks ?? later;
  if (typeof text === "string" && typeof exact === "string" && isCount(clock, HEARTBEAT_MAX_MS)) {
    const of = text === ticks ? "all" : "some";
    part.ticks = { clockMs: clock, unitMs: unit, of, text, exact };
  }
  return part;
}
