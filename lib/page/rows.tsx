/** @jsxImportSource npm:hono@4.13.19/jsx */
/**
 * The page's tables as HTML: one row per member (from content.ts), and the history below it. static/rows.js keeps
 * them live.
 */
import type { PageState, RowState } from "./content.ts";
import type { Sort } from "./listing.ts";
import { MemberName, PageLink, storyPath } from "./links.tsx";
import { StoryRow } from "./story.tsx";
import { ageWords, timeWords } from "../../static/words.js";
import type { SpanName } from "../report/spans.ts";
import { STRIP_SAMPLES } from "../report/strips.ts";
import type { StoryView } from "../report/members.ts";

/** What all rows are shown with. */
type Shared = Pick<PageState, "scheme" | "suffix">;

/** What the links of headings keep and change. */
interface Orders {
  readonly filter: string;
  readonly sort: Sort | undefined;
  readonly span: SpanName | undefined;
  /** The member whose history is open. */
  readonly open?: string | undefined;
}

export interface TableProps {
  readonly id: string;
  readonly caption: string;
  readonly hidden?: boolean;
  /** What its headings keep and change; a table without it cannot be sorted. */
  readonly orders?: Orders;
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
export function MemberTable(props: TableProps) {
  const { id, caption, hidden = false, orders, rows, state, story } = props;
  return (
    <table id={id} role="table" hidden={hidden}>
      <caption>{caption}</caption>
      <thead role="rowgroup">
        <tr role="row">
          <Heading text="Member" orders={orders} sort="id" />
          <Heading text="Status" orders={orders} sort={undefined} />
          <Heading text="Address" orders={orders} sort="address" />
          <Heading text="Last heartbeat" orders={orders} sort="age" />
          <th role="columnheader" scope="col">
            Last {orders === undefined ? state.span : <Spans orders={orders} usual={state.span} />}
          </th>
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

interface HeadingProps {
  readonly orders: Orders | undefined;
  readonly text: string;
  readonly sort: Sort | undefined;
}

/** The heading of a column, which sorts by it. */
function Heading({ text, orders, sort }: HeadingProps) {
  if (orders === undefined) return <th role="columnheader" scope="col">{text}</th>;
  const sorted = orders.sort === sort ? { "aria-sort": "ascending" } as const : {};
  return (
    <th role="columnheader" scope="col" {...sorted}>
      <a href={pathOf({ ...orders, sort })}>{text}</a>
    </th>
  );
}

/** The times that strips may cover; the usual one first. */
const SPAN_WORDS = { "": "10 min", "1h": "1 h", "24h": "24 h", "30d": "30 d" };

function Spans({ orders, usual }: { orders: Orders; usual: string }) {
  return (
    <span class="spans">
      {Object.entries(SPAN_WORDS).map(([name, words]) => {
        const isShown = name === (orders.span ?? "");
        const span = name === "" ? undefined : name as SpanName;
        return (
          <a
            key={name}
            href={pathOf({ ...orders, span })}
            aria-current={isShown ? "true" : undefined}
          >
            {isShown && name === "" ? usual : words}
          </a>
        );
      })}
    </span>
  );
}

/** The page with the same filter, order, span and history, behind a member. */
export function pathOf(
  { filter, sort, span, after, open }: Orders & { after?: string | undefined },
): string {
  const query = new URLSearchParams();
  if (filter !== "") query.set("q", filter);
  if (sort !== undefined) query.set("sort", sort);
  if (span !== undefined) query.set("span", span);
  if (after !== undefined) query.set("after", after);
  if (open !== undefined) query.set("id", open);
  return query.size === 0 ? "./" : `./?${query}`;
}

export function MemberRow({ row, state: { scheme, suffix } }: { row: RowState; state: Shared }) {
  return (
    <tr role="row" class={row.status}>
      <th role="rowheader" scope="row">
        <a href={storyPath(row.id)} title={row.id}>
          <MemberName text={row.id} suffix={suffix.id} />
        </a>
        <Tags tags={row.tags} />
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

/** What a member says it is; each leads to those that say the same. */
function Tags({ tags }: { tags: readonly string[] }) {
  return (
    <span class="tags">
      {tags.map((tag) => <a key={tag} href={`./?${new URLSearchParams({ q: tag })}`}>{tag}</a>)}
    </span>
  );
}

function Age({ row }: { row: RowState }) {
  const words = ageWords(row.ageMs);
  if (row.lastHeartbeat === null) return <>{words}</>;
  return <time datetime={row.lastHeartbeat} title={timeWords(row.lastHeartbeat)}>{words}</time>;
}
