import type { Row } from "../../lib/table.ts";

/** A row as it is now, which later heartbeats leave alone. */
export function copyOf({ id, address, boot, heartbeat, left, about, heardAtMs }: Row): Row {
  return { id, address, boot, heartbeat, left, about, heardAtMs };
}
