/** The question before a member is decommissioned: a page of its own, or a dialog where the script runs. */
import { storyPath } from "./rows.tsx";

export interface ByeProps {
  readonly id: string;
  /** The ID of the node that shows the page. */
  readonly selfId: string;
  readonly keyed: boolean;
}

/** The form; with an empty `id` it is the dialog's, which `static/live.js` fills. */
export function ByeForm({ id, selfId, keyed }: ByeProps) {
  const title = (
    <>
      Decommission <span class="bye-id">{id}</span> for good?
    </>
  );
  return (
    <form method="post" action="/bye" class="bye-form">
      {id === "" ? <h2 id="bye-title">{title}</h2> : <h1>{title}</h1>}
      <p>
        Every node will mark <span class="bye-id">{id}</span>{" "}
        decommissioned. If its process runs, it exits. This can't be undone: the ID can never take
        part again.
      </p>
      {(id === "" || id === selfId) && (
        <p class="bye-self" hidden={id === ""}>
          It is the node that shows you this page: the page will lose it.
        </p>
      )}
      <input type="hidden" name="id" value={id} />
      {keyed && (
        <p class="field">
          <label for="bye-key">The cluster's key</label>
          <input id="bye-key" name="key" type="password" autocomplete="off" required />
        </p>
      )}
      <p class="bye-answer" role="alert"></p>
      <p class="acts">
        <a class="button cancel" href={id === "" ? "/" : storyPath(id)}>Keep it</a>
        <button type="submit" class="danger">Decommission for good</button>
      </p>
    </form>
  );
}
