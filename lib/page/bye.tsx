/** @jsxImportSource npm:hono@4.13.19/jsx */
/**
 * The questions asked before a member is decommissioned, on a page of its own or in a dialog where the script runs, and
 * before one is forgotten.
 */
import { tagWords } from "../about.ts";
import { storyPath } from "./links.tsx";
import type { ListedMember } from "../report/members.ts";
import { isUp } from "../table.ts";
import { onlyTags } from "../../static/lists.js";

export interface ByeProps {
  readonly id: string;
  /** The ID of the node that serves the page. */
  readonly selfId: string;
  readonly members: readonly ListedMember[];
  /** The cluster has a key, which decommissioning needs. */
  readonly keyed: boolean;
  /** The table does not have this member. */
  readonly unknown?: boolean;
}

/** The form. With an empty `id` it is the form of the dialog, which `static/story.js` fills in. */
export function ByeForm({ id, selfId, members, keyed, unknown = false }: ByeProps) {
  // One must type the ID of a member that runs, so that no slip ends a process that works.
  const runs = members.some((member) => member.id === id && isUp(member.status));
  const only = onlyTags(
    id,
    members.map(({ id, status, tags }) => ({ id, status, tags: tagWords(tags) })),
  );
  const title = (
    <>
      Decommission <span class="bye-id">{id}</span> for good?
    </>
  );
  return (
    <form method="post" action="bye" class="bye-form">
      {id === "" ? <h2 id="bye-title">{title}</h2> : <h1>{title}</h1>}
      <p>
        Every node will mark <span class="bye-id">{id}</span>{" "}
        as decommissioned. If its process is running, it exits. This can't be undone: the ID can
        never join again.
      </p>
      <p class="bye-only" hidden={only.length === 0}>
        No other member that runs is <b>{only.join(", ")}</b>.
      </p>
      {(id === "" || id === selfId) && (
        <p class="bye-self" hidden={id === ""}>
          This page is served by that node and will lose contact with it.
        </p>
      )}
      {unknown && (
        <>
          <p role="alert">No member is named {id}. Check the spelling.</p>
          <input type="hidden" name="unknown" value="yes" />
        </>
      )}
      <input type="hidden" name="id" value={id} />
      <p class="field" hidden={!runs}>
        <label for="bye-confirm">
          It is running. To confirm, type its ID, <span class="bye-id">{id}</span>
        </label>
        <input
          id="bye-confirm"
          name="confirm"
          autocomplete="off"
          spellcheck={false}
          pattern={RegExp.escape(id)}
          // Browsers say it of a text that does not match.
          title={id === "" ? undefined : `The ID is ${id}`}
          disabled={!runs}
          required
        />
      </p>
      {keyed && <KeyField />}
      <p class="bye-answer" role="alert"></p>
      <p class="acts">
        <a class="button cancel" href={id === "" ? "./" : storyPath(id)}>Cancel</a>
        <button type="submit" class="danger">Decommission for good</button>
      </p>
    </form>
  );
}

function KeyField() {
  return (
    <p class="field">
      <label for="bye-key">Cluster key</label>
      <input id="bye-key" name="key" type="password" autocomplete="off" required />
    </p>
  );
}

/** The form on the page that asks before it forgets a member. */
export function ForgetForm({ id, keyed }: Pick<ByeProps, "id" | "keyed">) {
  return (
    <form method="post" action="forget" class="bye-form">
      <h1>
        Forget <span class="bye-id">{id}</span>?
      </h1>
      <p>
        Every node will drop it from its table, if it is dead or left. Its ID stays usable: if it
        starts again, it is a new member.
      </p>
      <input type="hidden" name="id" value={id} />
      {keyed && <KeyField />}
      <p class="acts">
        <a class="button cancel" href={storyPath(id)}>Cancel</a>
        <button type="submit" class="danger">Forget</button>
      </p>
    </form>
  );
}
