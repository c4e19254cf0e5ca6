/** @jsxImportSource npm:hono@4.13.19/jsx */
/**
 * The page at `/`: the table as this node sees it, for people.
 *
 * It is complete without JavaScript. Where JavaScript runs, `static/live.js` writes each new `GET /page.json` into the
 * same places, and relies on the IDs and classes here. Everything shown is escaped by hono/jsx; nothing is inline, so
 * the policy below can be strict.
 *
 * @module
 */
import { ByeForm, ForgetForm } from "./bye.tsx";
import { MemberTable, pathOf } from "./rows.tsx";
import { ContactItem, Templates } from "./templates.tsx";
import { HeadlineSection, TopBar } from "./top.tsx";
import { MemberMap } from "./map.tsx";
import { Metas } from "./metas.tsx";
import { type PageState, pageState } from "./content.ts";
import { FILTER_LENGTH_MAX, type Sort } from "./listing.ts";
import { isAllGone, isFolded } from "../../static/lists.js";
import { matchCount, memberCount, numberWords, shownWords } from "../../static/words.js";
import type { SpanName } from "../report/spans.ts";
import type { PageView, StoryView } from "../report/members.ts";

/** The page's `Content-Security-Policy`: its own style, script, icon and requests, and nothing else. */
export const PAGE_POLICY = [
  "default-src 'none'",
  "style-src 'self'",
  "script-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
].join("; ");

/** Without JavaScript the page reloads itself this often: what is typed and where one reads are lost each time. */
const REFRESH_S = 30;

export interface PageOptions {
  /** Paths of the static files, each with the hash of its content. */
  readonly assets: { readonly style: string; readonly script: string; readonly icon: string };
  /** The text in the filter box: `?q=`. */
  readonly filter?: string;
  /** The member whose history is open: `?id=`. */
  readonly story?: StoryView;
  /** The order of the list: `?sort=`. */
  readonly sort?: Sort;
  /** The member behind which the list begins: `?after=`. */
  readonly after?: string;
  /** The time that strips cover: `?span=`. */
  readonly span?: SpanName;
  /** An ID that was asked for and is not in the table. */
  readonly missing?: string;
  /** Ask whether to decommission this member, instead of showing the table: `?bye=`. */
  readonly bye?: string;
  /** Ask whether to forget this member: `?forget=`. */
  readonly forget?: string;
  /** The table does not have the member to decommission. */
  readonly byeUnknown?: boolean;
}

/** The whole page as HTML. */
export function renderPage(view: PageView, options: PageOptions): string {
  const { assets, bye, byeUnknown = false, forget, story } = options;
  const asks = bye !== undefined || forget !== undefined;
  let filter = (options.filter ?? "").slice(0, FILTER_LENGTH_MAX);
  const wish = { sort: options.sort, open: story?.id };
  let state = pageState(view, { ...wish, filter, after: options.after });
  // A history opens below its row, so that row must be on the page.
  if (story !== undefined && ![...state.rows, ...state.gone].some((row) => row.id === story.id)) {
    filter = story.id;
    state = pageState(view, { ...wish, filter });
  }
  const page = (
    <html lang="en">
      <head>
        <Metas />
        {/* With no-referrer, which the other pages have, the form's Origin would be null. */}
        {asks && <meta name="referrer" content="same-origin" />}
        <title>{state.title}</title>
        <link rel="icon" href={iconOf(assets.icon, state.tone)} type="image/svg+xml" />
        <link rel="stylesheet" href={assets.style} />
        {!asks && story === undefined && (
          <noscript>
            <meta http-equiv="refresh" content={String(REFRESH_S)} />
          </noscript>
        )}
        {!asks && <script type="module" src={assets.script}></script>}
      </head>
      <body>
        <TopBar state={state} icon={assets.icon} />
        <main>
          {!asks && <Overview state={state} options={{ ...options, filter }} />}
          {bye !== undefined && (
            <ByeForm
              id={bye}
              selfId={view.self.id}
              members={view.members}
              keyed={view.keyed}
              unknown={byeUnknown}
            />
          )}
          {forget !== undefined && <ForgetForm id={forget} keyed={view.keyed} />}
        </main>
        {!asks && (
          <>
            <Footer />
            <Templates />
            <dialog id="bye" aria-labelledby="bye-title">
              <ByeForm id="" selfId={view.self.id} members={[]} keyed={view.keyed} />
            </dialog>
          </>
        )}
      </body>
    </html>
  );
  return `<!doctype html>${page}`;
}

/** The icon that tells trouble in the tab; `static/tab.js` does the same. */
function iconOf(icon: string, tone: PageState["tone"]): string {
  return tone === "good" ? icon : icon.replace(/\.svg$/, `-${tone}.svg`);
}

interface OverviewProps {
  readonly state: PageState;
  readonly options: PageOptions;
}

function Overview({ state, options }: OverviewProps) {
  const { story, missing, filter = "", sort, span } = options;
  const total = memberCount(state.counts);
  const shown = { members: matchCount(state), gone: state.gone.length + state.more.gone };
  const allGone = isAllGone(filter, shown);
  const isLeftOut = isFolded(total, filter) && state.counts.live > 0;
  return (
    <>
      <HeadlineSection state={state} />
      {missing !== undefined && <p class="note" role="alert">No member named '{missing}'.</p>}
      <form role="search" class="filter" action="./">
        <h2>
          <span id="shown" role="status">
            {allGone
              ? `${numberWords(shown.gone)} decommissioned`
              : shownWords(shown.members, total)}
          </span>
        </h2>
        <label for="filter">Filter</label>
        <input
          id="filter"
          name="q"
          type="search"
          value={options.filter}
          maxlength={FILTER_LENGTH_MAX}
          placeholder="ID, address, status or tag"
          autocomplete="off"
          spellcheck={false}
        />
      </form>
      <MemberMap cells={state.map} />
      <MemberTable
        id="members"
        caption="Members"
        hidden={allGone}
        orders={{ filter, sort, span, open: story?.id }}
        rows={state.rows}
        state={state}
        story={story}
      />
      <p
        class="note"
        id="nomatch"
        hidden={filter === "" || state.rows.length + state.gone.length > 0}
      >
        No member matches '<span>{filter}</span>': <a class="clear" href="./">clear</a>
      </p>
      <p class="note" id="folded" hidden={!isLeftOut}>
        <a href="./?q=live">
          <span>{numberWords(state.counts.live)}</span> live: show
        </a>
      </p>
      <p class="note" id="more" hidden={state.more.rows === 0}>
        <a href={pathOf({ filter, sort, span, after: state.rows.at(-1)?.id })}>
          <span>{numberWords(state.more.rows)}</span> more: next page
        </a>
      </p>
      <p class="note" id="alone" hidden={total !== 1}>
        Start another node with: <code>-join {state.self.address}</code>
      </p>
      <Legend />
      <section id="gone-section" hidden={state.gone.length === 0}>
        <h2>Decommissioned</h2>
        <MemberTable
          id="gone"
          caption="Decommissioned members, by ID"
          rows={state.gone}
          state={state}
          story={story}
        />
        <MoreNote id="gone-more" count={state.more.gone} />
      </section>
      <section id="contacts-section" hidden={state.contacts.length === 0}>
        <h2>Contacts</h2>
        <p class="note">Addresses that have not answered yet.</p>
        <ul id="contacts">
          {state.contacts.map((contact) => <ContactItem key={contact.address} contact={contact} />)}
        </ul>
        <MoreNote id="contacts-more" count={state.more.contacts} />
      </section>
    </>
  );
}

function MoreNote({ id, count }: { id: string; count: number }) {
  return (
    <p class="note" id={id} hidden={count === 0}>
      <a href="members">See the others in /members</a>
    </p>
  );
}

function Legend() {
  return (
    <p class="legend">
      <svg width="0" height="0" aria-hidden="true">
        <pattern id="hatch" width="1" height="1" patternUnits="userSpaceOnUse">
          <path d="M0 1H0.15L1 0H0.85z" />
        </pattern>
      </svg>
      <span class="live">live</span>
      <span class="late">late heartbeat</span>
      <span class="unresponsive">unresponsive</span>
      <span class="failing">failing</span>
      <span class="dead">dead</span>
      <span class="left">left</span>
      <span class="before">before this node started</span>
    </p>
  );
}

function Footer() {
  return (
    <footer>
      For scripts: <a href="members">members</a> <a href="events">events</a>{" "}
      <a href="metrics">metrics</a> <a href="hello">hello</a>
    </footer>
  );
}
