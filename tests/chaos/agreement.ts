/**
 * Whether all tables agree, with each other and with the truth. (pure)
 *
 * @module
 */
import type { View } from "./judge.ts";

export interface Facts {
  /** Where each node that runs listens. */
  readonly running: ReadonlyMap<string, string>;
  /** Decommissioned, and known to be by some node that runs. */
  readonly buried: ReadonlySet<string>;
  /** Stopped as planned, and connected when they announced it. */
  readonly left: ReadonlySet<string>;
}

/** How the views of all running nodes, by ID, differ from each other or from the facts, in a line; undefined: they agree. */
export function disagreement(views: ReadonlyMap<string, View>, facts: Facts): string | undefined {
  let first: [id: string, rows: Map<string, string>] | undefined;
  for (const [observer, view] of views) {
    const shown = new Map<string, string>();
    for (const { id, status, address, lastHeartbeat } of view.rows.values()) {
      // The last heartbeat of one that is gone is the same for all, as long as it counts for anything.
      const last = status === "dead" || status === "left" ? ` since ${lastHeartbeat}` : "";
      shown.set(id, status === "decommissioned" ? status : `${status} at ${address}${last}`);
    }
    const wrong = falsehood(shown, facts);
    if (wrong !== undefined) return `${observer} shows ${wrong}`;
    if (first === undefined) {
      first = [observer, shown];
      continue;
    }
    for (const id of new Set([...first[1].keys(), ...shown.keys()])) {
      const [a, b] = [first[1].get(id), shown.get(id)];
      if (a === b) continue;
      return `${first[0]} shows ${id} ${a ?? "not at all"}, ${observer} ${b ?? "not at all"}`;
    }
  }
  return undefined;
}

function falsehood(shown: ReadonlyMap<string, string>, facts: Facts): string | undefined {
  const { running, buried, left } = facts;
  for (const id of buried) {
    if (running.has(id)) return `${id} decommissioned, which runs`;
    if (shown.get(id) !== "decommissioned") {
      return `${id} ${shown.get(id) ?? "not at all"}, which is decommissioned`;
    }
  }
  for (const [id, address] of running) {
    if (shown.get(id) === `live at ${address}`) continue;
    return `${id} ${shown.get(id) ?? "not at all"}, which runs at ${address}`;
  }
  for (const [id, text] of shown) {
    if (running.has(id) || buried.has(id)) continue;
    if (!/^(?:dead|left) /.test(text)) return `${id} ${text}, which does not run`;
    if (left.has(id) && !text.startsWith("left ")) return `${id} ${text}, which left as planned`;
  }
  return undefined;
}
