/** @jsxImportSource npm:hono@4.13.19/jsx */
/** A large cluster at one glance: a square for each member, at its place by ID. static/map.js keeps it live. */
import { PAGE_ROWS_MAX } from "./content.ts";
import { storyPath } from "./links.tsx";
import type { MemberView } from "../report/members.ts";

/** The map; only the first square is a stop of the Tab key, and arrows lead on. */
export function MemberMap(
  { members, hidden }: { members: readonly MemberView[]; hidden: boolean },
) {
  const shown = hidden ? [] : members.filter(({ status }) => status !== "decommissioned")
    .sort((a, b) => a.id < b.id ? -1 : 1).slice(0, PAGE_ROWS_MAX);
  return (
    <ul id="map" aria-label="Map of the members, by ID: arrow keys lead on" hidden={hidden}>
      {shown.map(({ id, status }, i) => (
        <Square id={id} status={status} tabindex={i === 0 ? 0 : -1} />
      ))}
    </ul>
  );
}

interface SquareProps extends Pick<MemberView, "id" | "status"> {
  readonly tabindex: number;
}

/** With an empty `id` what the script clones. */
export function Square({ id, status, tabindex }: SquareProps) {
  return (
    <li>
      <a class={status} href={storyPath(id)} title={`${id}: ${status}`} tabindex={tabindex}></a>
    </li>
  );
}
