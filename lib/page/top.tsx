/** @jsxImportSource npm:hono@4.13.19/jsx */
/** The page above the list: whose view it is, the headline, and the counts. static/headline.js keeps it live. */
import type { PageState } from "./content.ts";
import { Time } from "./links.tsx";
import { numberWords } from "../../static/words.js";
import { type Status, STATUSES } from "../table.ts";

export function TopBar({ state, icon }: { state: PageState; icon: string }) {
  const { self } = state;
  return (
    <header>
      <a class="brand" href="./">
        <img src={icon} alt="" width="28" height="28" />
        Gossiper
      </a>
      <p class="self">
        <span>
          as seen by <b id="self-id">{self.id}</b>
        </span>
        <span id="self-address">{self.address}</span>
        {self.cluster !== "" && <span>cluster {self.cluster}</span>}
        <span>version {self.version}</span>
        <span>
          up <span id="self-up">{self.up}</span>
          <span id="self-pace">{self.pace}</span>
        </span>
      </p>
      <button type="button" id="notify" hidden></button>
      <p id="link" role="status" hidden>
        <span></span> <span id="others" hidden></span>
      </p>
    </header>
  );
}

/** What is wrong, across the room; the counts; and more about the trouble. */
export function HeadlineSection({ state }: { state: PageState }) {
  return (
    <section class={`headline ${state.tone}`} id="headline">
      <h1>
        <span id="verdict">{state.verdict}</span>
        <span id="since" hidden={state.since === null}>
          , since <Time at={state.since} now={state.now} />
        </span>
      </h1>
      <ul class="tiles">
        {STATUSES.map((status) => (
          <Tile
            key={status}
            status={status}
            count={state.counts[status]}
          />
        ))}
      </ul>
      <p role="status">
        <span id="latest-at" hidden={state.latestAt === null}>
          <Time at={state.latestAt} now={state.now} />:{" "}
        </span>
        <span id="latest">{state.latest}</span>
      </p>
      <p id="quiet" hidden={state.quiet === ""}>{state.quiet}</p>
    </section>
  );
}

function Tile({ status, count }: { status: Status; count: number }) {
  return (
    <li class={count === 0 ? `${status} none` : status} id={`count-${status}`}>
      <a href={`./?q=${status}`}>
        <b>{numberWords(count)}</b> <span>{status}</span>
      </a>
    </li>
  );
}
