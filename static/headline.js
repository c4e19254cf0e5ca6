/** What stands above the list and below it: whose view this is, the headline, the counts, the contacts. */
import { byId, cloneOf, setText, setTime } from "./dom.js";
import { isAllGone, pageUrl } from "./lists.js";
import { localWords, memberCount, numberWords, shownWords } from "./words.js";

/** Writes what a `GET /page.json` says above the list. */
export function paintHeadline(state) {
  byId("link").hidden = false;
  byId("others").hidden = true;
  setText(byId("link").firstElementChild, "Connected");
  const { self, verdict, tone, counts, latest, more } = state;
  setText(byId("self-id"), self.id);
  setText(byId("self-address"), self.address);
  setText(byId("self-up"), self.up);
  setText(byId("self-pace"), self.pace);
  byId("headline").className = `headline ${tone}`;
  setText(byId("verdict"), verdict);
  setText(byId("latest"), latest);
  byId("quiet").hidden = state.quiet === "";
  setText(byId("quiet"), state.quiet);
  paintTime(byId("since"), state.since, state.now);
  paintTime(byId("latest-at"), state.latestAt, state.now);
  for (const [status, count] of Object.entries(counts)) {
    const tile = byId(`count-${status}`);
    tile.classList.toggle("none", count === 0);
    setText(tile.querySelector("b"), numberWords(count));
  }
  byId("alone").hidden = memberCount(counts) !== 1;
  byId("gone-more").hidden = more.gone === 0;
}

function paintTime(element, at, now) {
  element.hidden = at === null;
  if (at !== null) setTime(element.firstElementChild, at, now);
}

/** Writes what the list is filtered by, and how many that keeps; `isAnswered` once the server has looked for others. */
export function paintFilter(filter, { statuses, members, gone, total, isAnswered }) {
  const allGone = isAllGone(filter, { members, gone });
  setText(
    byId("shown"),
    allGone ? `${numberWords(gone)} decommissioned` : shownWords(members, total),
  );
  byId("members").hidden = allGone;
  byId("gone-section").hidden = gone === 0;
  byId("nomatch").hidden = filter === "" || !isAnswered || members + gone > 0;
  setText(byId("nomatch").querySelector("span"), filter);
  for (const status of statuses) {
    byId(`count-${status}`).firstElementChild.ariaCurrent = String(filter === status);
  }
}

export function paintContacts({ contacts, more }) {
  byId("contacts-section").hidden = contacts.length === 0;
  byId("contacts-more").hidden = more.contacts === 0;
  const list = byId("contacts");
  while (list.children.length > contacts.length) list.lastElementChild.remove();
  contacts.forEach(({ address, state }, index) => {
    const item = list.children[index] ?? list.appendChild(cloneOf("contact-template"));
    setText(item.children[0], address);
    setText(item.children[1], state);
  });
}

/** What is wrong while the page is told nothing. */
export function lostWords(isSignedOut) {
  const id = byId("self-id").textContent;
  return isSignedOut ? `${id} asks you to sign in again` : `Lost contact with ${id}`;
}

/** Says that, what comes next, and offers the other nodes of the last `GET /page.json`, which may be null. */
export function paintLost(state, isSignedOut) {
  const shown = state === null ? "" : ` Last update: ${localWords(state.now)}.`;
  const next = isSignedOut ? "Reload this page." : "Retrying.";
  byId("link").hidden = false;
  setText(byId("link").firstElementChild, `${lostWords(isSignedOut)}.${shown} ${next}`);
  const links = (state?.others ?? []).map(({ id, address }) => {
    const link = document.createElement("a");
    link.href = pageUrl(state.scheme, address, `/${location.search}`);
    link.rel = "external";
    link.append(id);
    return link;
  }).filter((link) => link.getAttribute("href") !== "");
  byId("others").hidden = links.length === 0;
  byId("others").replaceChildren("Ask another: ", ...links.flatMap((link) => [link, " "]));
}
