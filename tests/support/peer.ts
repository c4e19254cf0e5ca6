/**
 * A peer that only tells: it pushes rows of members that need not exist, and listens nowhere.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import type { Report } from "../../lib/table.ts";
import { encodeMessage, WIRE_VERSION } from "../../lib/wire.ts";

/** Flags for a node that keeps what it is told: whoever is live stays so for the length of a test. */
export const PATIENT_FLAGS = "-interval 60s -dead-after 10m";

/** A row as if `id` had beaten `ageMs` ago. */
export function rowOf(id: string, row: Partial<Report> = {}): Report {
  const heartbeat = Math.floor(Date.now() / 100) * 100;
  return { id, address: "", boot: "0123abcd", heartbeat, ageMs: 0, left: "", ...row };
}

/** Tells the node at `address` these rows and tombstones, as peer `teller`. */
export async function tell(
  address: string,
  rows: readonly Report[],
  tombstones: readonly string[] = [],
): Promise<void> {
  const body = encodeMessage({
    roster: "0".repeat(16),
    rows,
    tombstones: tombstones.map((id) => ({ id, by: "teller" })),
  });
  const url = `http://${address}/hello?from=teller&via=127.0.0.1:1`;
  const response = await fetch(url, { method: "POST", body });
  assertEquals([response.status, (await response.json()).v], [200, WIRE_VERSION]);
}
