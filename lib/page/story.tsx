/** @jsxImportSource npm:hono@4.13.19/jsx */
/** A member's history, open below its row. static/story.js keeps it live. */
import type { PageState } from "./content.ts";
import { byePath, forgetPath, PageLink, Time } from "./links.tsx";
import {
  changeWords,
  clockWords,
  isGone,
  lastedWords,
  storyWords,
  toldWords,
  uptimeWords,
} from "../../static/words.js";
import type { ToldView } from "../report/told_log.ts";
import type { StoryView } from "../report/members.ts";
import type { ChangeView } from "../report/stories.ts";

/** Of the table in which it opens. */
const COLUMNS = 5;

/** A member's history; without a story, the template that the script fills in. */
export function StoryRow({ story, state }: { story?: StoryView; state?: PageState }) {
  const id = story?.id ?? "";
  const history = story?.history ?? [];
  const now = state?.now ?? "";
  // A link to a history leads to it, also without a script and without `#story`.
  const opened = story === undefined ? {} : { autofocus: true };
  const version = state?.self.id === id ? state.self.version : "";
  return (
    <tr role="row" class="story" id="story">
      <td role="cell" colspan={COLUMNS}>
        <section aria-label={`History of ${id}`} tabindex={-1} {...opened}>
          <h3>
            History of <span>{id}</span>
          </h3>
          <p class="sum">
            <PageLink scheme={state?.scheme ?? ""} address={story?.address ?? ""} suffix="" />{" "}
            <span>{storyWords(history, version)}</span>{" "}
            <span>{story === undefined ? "" : uptimeWords(story.uptime)}</span>
          </p>
          {/* A long history scrolls, also by keys. */}
          <ol tabindex={0}>
            {history.map((change, i) => (
              <ChangeItem key={change.event} change={change} next={history[i + 1]?.at} now={now} />
            )).reverse()}
          </ol>
          <ul class="told">
            {(story?.told ?? []).map((told) => <ToldItem key={told.at} told={told} now={now} />)
              .reverse()}
          </ul>
          <p class="acts">
            <a class="bye" href={byePath(id)} hidden={story?.status === "decommissioned"}>
              Decommission…
            </a>
            <a class="forget" href={forgetPath(id)} hidden={!isGone(story?.status)}>Forget…</a>
            <a class="json" href={`members/${encodeURIComponent(id)}`}>As JSON</a>
            <a class="close" href="./">Close</a>
          </p>
        </section>
      </td>
    </tr>
  );
}

/** That a hook was told of it; without its time what the script fills in. */
function ToldItem({ told, now }: { told: ToldView; now: string }) {
  return <li>{toldWords(told, clockWords(told.at, now))}</li>;
}

export const BLANK_CHANGE: ChangeView = {
  id: "",
  address: "",
  from: null,
  to: "unknown",
  at: "",
  reason: "",
  tags: {},
  event: 0,
};

interface ChangeProps {
  readonly change: ChangeView;
  /** When the next change came. */
  readonly next: string | undefined;
  readonly now: string;
}

export function ChangeItem({ change, next, now }: ChangeProps) {
  return (
    <li class={change.to}>
      <Time at={change.at} now={now} />
      <b>{change.to}</b>
      <span class="lasted">{change.at === "" ? "" : lastedWords(change.at, next, now)}</span>
      <span>{changeWords(change)}</span>
    </li>
  );
}
