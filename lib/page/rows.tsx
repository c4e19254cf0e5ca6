/** @jsxImportSource npm:hono@4.13.19/jsx */
/**
 * The page's tables as HTML: one row per member (from content.ts), and the history below it. static/rows.js keeps
 * them live.
 */
import type { PageState, RowState } from "./content.ts";
import {
  ageWords,
  changeWords,
  clockWords,
  lastedWords,
  storyWords,
  timeWords,
} from "../../static/words.js";
import { pageUrl, splitName } from "../../static/lists.js";
import { STRIP_SAMPLES } from "../report/strips.ts";
import type { ContactView, StoryView } from "../report/members.ts";
import type { ChangeView } from "../report/stories.ts";

const COLUMNS = 5;

const BLANK_ROW: RowState = {
  id: "",
  address: "",
  status: "unknown",
  lastHeartbeat: null,
  ageMs: null,
  why: "",
  strip: { label: "", spans: [] },
};

/** What all rows are shown with. */
type Shared = Pick<PageState, "scheme" | "suffix">;

export interface TableProps {
  readonly id: string;
  readonly caption: string;
  readonly rows: readonly RowState[];
  readonly state: PageState;
  /** The member whose history is open. */
  readonly story: StoryView | undefined;
}

/**
 * A table of members. The script relies on its classes and on the order of its cells. Each row is laid out by itself
 * (`display: grid` in the style), or every update would lay out all of them; the roles keep it a table for screen
 * readers.
 */
export function MemberTable({ id, caption, rows, state, story }: TableProps) {
  return (
    <table id={id} role="table">
      <caption>{caption}</caption>
      <thead role="rowgroup">
        <tr role="row">
          <th role="columnheader" scope="col">Member</th>
          <th role="columnheader" scope="col">Status</th>
          <th role="columnheader" scope="col">Address</th>
          <th role="columnheader" scope="col">Last heartbeat</th>
          <th role="columnheader" scope="col">Last {state.span}</th>
        </tr>
      </thead>
      <tbody role="rowgroup">
        {rows.map((row) => (
          <>
            <MemberRow row={row} state={state} />
            {story?.id === row.id && <StoryRow story={story} state={state} />}
          </>
        ))}
      </tbody>
    </table>
  );
}

function MemberRow({ row, state: { scheme, suffix } }: { row: RowState; state: Shared }) {
  return (
    <tr role="row" class={row.status}>
      <th role="rowheader" scope="row">
        <a href={storyPath(row.id)} title={row.id}>
          <Name text={row.id} suffix={suffix.id} />
        </a>
      </th>
      <td role="cell">
        <b>{row.status}</b> {row.why !== "" && <span>{row.why}</span>}
      </td>
      <td role="cell">
        <PageLink scheme={scheme} address={row.address} suffix={suffix.address} />
      </td>
      <td role="cell">
        <Age row={row} />
      </td>
      <td role="cell">
        <svg
          viewBox={`0 0 ${STRIP_SAMPLES} 1`}
          preserveAspectRatio="none"
          role="img"
          aria-label={row.strip.label}
        >
          {row.strip.spans.map(({ kind, x, width, title }) => (
            <rect class={kind} x={x} width={width}>{title !== "" && <title>{title}</title>}</rect>
          ))}
        </svg>
      </td>
    </tr>
  );
}

/** An address, leading to the page of the node there. Without an address of the usual form it leads nowhere. */
function PageLink(
  { scheme, address, suffix }: { scheme: string; address: string; suffix: string },
) {
  const url = pageUrl(scheme, address);
  const href = url === "" ? {} : { href: url };
  return (
    <a rel="external" {...href} title={address}>
      <Name text={address} suffix={suffix} />
    </a>
  );
}

function Name({ text, suffix }: { text: string; suffix: string }) {
  const [own, shared] = splitName(text, suffix);
  return <>{own}{shared !== "" && <i>{shared}</i>}</>;
}

function Age({ row }: { row: RowState }) {
  const words = ageWords(row.ageMs);
  if (row.lastHeartbeat === null) return <>{words}</>;
  return <time datetime={row.lastHeartbeat} title={timeWords(row.lastHeartbeat)}>{words}</time>;
}

/** A time, for today without its date. The script writes it by the reader's clock; on hover it is in UTC. */
export function Time({ at, now }: { at: string | null; now: string }) {
  if (at === null) return <time></time>;
  return <time datetime={at} title={timeWords(at)}>{clockWords(at, now)}</time>;
}

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
            <PageLink scheme={state?.scheme ?? ""} address={story?.address ?? ""} suffix="" />
            <span>{storyWords(history, version)}</span>
          </p>
          <ol>
            {history.map((change, i) => (
              <Change key={change.event} change={change} next={history[i + 1]?.at} now={now} />
            )).reverse()}
          </ol>
          <p class="acts">
            <a class="bye" href={byePath(id)} hidden={story?.status === "decommissioned"}>
              Decommission…
            </a>
            <a class="json" href={`members/${encodeURIComponent(id)}`}>As JSON</a>
            <a class="close" href="./">Close</a>
          </p>
        </section>
      </td>
    </tr>
  );
}

const BLANK_CHANGE: ChangeView = {
  id: "",
  address: "",
  from: null,
  to: "unknown",
  at: "",
  reason: "",
  event: 0,
};

interface ChangeProps {
  readonly change: ChangeView;
  /** When the next change came. */
  readonly next: string | undefined;
  readonly now: string;
}

function Change({ change, next, now }: ChangeProps) {
  return (
    <li class={change.to}>
      <Time at={change.at} now={now} />
      <b>{change.to}</b>
      <span class="lasted">{change.at === "" ? "" : lastedWords(change.at, next, now)}</span>
      <span>{changeWords(change)}</span>
    </li>
  );
}

/** An address whose member is not known yet. */
export function Contact({ contact }: { contact: ContactView }) {
  return (
    <li>
      <b>{contact.address}</b>
      <span>{contact.state}</span>
    </li>
  );
}

/** What the script clones for a new member, a history, a line of it, and a contact. */
export function Templates() {
  return (
    <>
      <template id="row-template">
        <MemberRow row={BLANK_ROW} state={{ scheme: "", suffix: { id: "", address: "" } }} />
      </template>
      <template id="story-template">
        <StoryRow />
      </template>
      <template id="change-template">
        <Change change={BLANK_CHANGE} next={undefined} now="" />
      </template>
      <template id="contact-template">
        <Contact contact={{ address: "", trouble: "", state: "" }} />
      </template>
    </>
  );
}

/** The page with a member's history open. */
export function storyPath(id: string): string {
  return `./?id=${encodeURIComponent(id)}#story`;
}

/** The page that asks before it decommissions a member. */
export function byePath(id: string): string {
  return `./?bye=${encodeURIComponent(id)}`;
}
