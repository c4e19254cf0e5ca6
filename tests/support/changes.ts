import type { ChangeToTell } from "../../lib/hook.ts";

/** A member's death as hooks are to tell it, or `part` of it otherwise. */
export function changeToTell(id: string, part: Partial<ChangeToTell> = {}): ChangeToTell {
  return {
    key: `${id}.k`,
    id,
    address: `${id}:8080`,
    tags: { role: "web" },
    from: "live",
    to: "dead",
    reason: "connection refused",
    ageMs: 2_000,
    ...part,
  };
}
