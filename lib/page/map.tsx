/** @jsxImportSource npm:hono@4.13.19/jsx */
/**
 * A large cluster at one glance: a square for each member, at its place by ID, and by the tag that most members have.
 * static/map.js keeps it live.
 */
import { PAGE_ROWS_MAX } from "./content.ts";
import { storyPath } from "./links.tsx";
import { tagWords } from "../about.ts";
import type { ListedMember } from "../report/members.ts";
import type { Status } from "../table.ts";
import { mapGroups } from "../../static/lists.js";

/** The map; only the first square is a stop of the Tab key, and arrows lead on. */
export function MemberMap(
  { members, hidden }: { members: readonly ListedMember[]; hidden: boolean },
) {
  const shown = hidden ? [] : members.filter(({ status }) => status !== "decommissioned")
    .slice(0, PAGE_ROWS_MAX).map(({ id, status, tags }) => ({ id, status, tags: tagWords(tags) }));
  const groups = mapGroups(shown);
  const first = groups[0]?.members[0]?.id;
  return (
    <ul id="map" aria-label="Map of the members: arrow keys lead on" hidden={hidden}>
      {groups.map(({ name, members }) => (
        <>
          {name !== "" && <Group name={name} />}
          {members.map(({ id, status }) => (
            <Square key={id} id={id} status={status} tabindex={id === first ? 0 : -1} />
          ))}
        </>
      ))}
    </ul>
  );
}

/** The name of the members that follow; empty: what the script clones. */
export function Group({ name }: { name: string }) {
  return <li class="group">{name}</li>;
}

interface SquareProps {
  readonly id: string;
  readonly status: Status;
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
