/**
 * Keeps an open page up to date, without reload or flicker.
 *
 * The server gives everything in words and in order (updates.js); this script writes it into the places that the server
 * rendered. `GET /events` says when to look at once; a look every second or so keeps the ages true, since a heartbeat is
 * not an event. Data from the server is only ever written as text.
 */
import { lostWords, paintContacts, paintFilter, paintHeadline, paintLost } from "./headline.js";
import { byId, setText } from "./dom.js";
import { isFolded, MANY, matcher, PAGE_ASIDE_MAX } from "./lists.js";
import { MemberMap } from "./map.js";
import { News } from "./news.js";
import { Rows } from "./rows.js";
import { Bye, Story } from "./story.js";
import { Tab } from "./tab.js";
import { ask, SIGNED_OUT } from "./updates.js";
import { Wish } from "./wish.js";
import { memberCount, numberWords } from "./words.js";

/** Time between two looks: short enough for ages that tick, longer for what costs its node more. */
const LOOK_MS = 1000;
const LOOK_MS_PER_ROW = 2;
const LOOK_MS_PER_MEMBER = 0.2;

/** The same of a page in the background, which is told of each change besides. */
const HIDDEN_LOOK_MS = 30_000;

/** After a change the page looks again at the latest after this time. */
const CHANGED_LOOK_MS_MAX = 2_000;

class LivePage {
  /** The state that is shown, the filter it was asked for with, and the state that the next answer builds on. */
  #state = null;
  #stateFilter = "";
  #base = null;
  #busy = false;
  #again = false;
  #timer = 0;
  #lookedAt = -Infinity;
  /** When contact was lost: the ages stop there. */
  #lostAt = null;
  /** Whether the node is there then, and asks for its key. */
  #isSignedOut = false;
  #filter = byId("filter");
  #wish = new Wish(() => this.#look());
  #tab = new Tab();
  #map = new MemberMap();
  /** The member whose history is about to open: its row is shown though others like it are not. */
  #wanted = null;
  #rows = new Rows(() => this.#lostAt ?? performance.now());
  #story = new Story(this.#rows, () => this.#setAddress());
  #bye = new Bye(() => this.#lookSoon());

  constructor() {
    document.addEventListener("click", (event) => this.#click(event));
    document.addEventListener("animationend", ({ target }) => target.classList.remove("changed"));
    document.addEventListener("keydown", (event) => this.#key(event));
    this.#filter.addEventListener("input", () => this.#setFilter());
    this.#filter.form.addEventListener("submit", (event) => event.preventDefault());
    document.addEventListener("visibilitychange", () => this.#look());
    setInterval(() => document.hidden || this.#rows.tick(), 1000);
    new News(() => this.#lookSoon());
    this.#look();
  }

  #everyMs() {
    if (document.hidden) return HIDDEN_LOOK_MS;
    if (this.#state === null) return LOOK_MS;
    const { rows, counts } = this.#state;
    const costs = [LOOK_MS_PER_ROW * rows.length, LOOK_MS_PER_MEMBER * memberCount(counts)];
    return Math.max(LOOK_MS, ...costs);
  }

  /** Looks at once; in a storm of changes after a quarter of the usual time. */
  #lookSoon() {
    clearTimeout(this.#timer);
    const pauseMs = Math.min(this.#everyMs() / 4, CHANGED_LOOK_MS_MAX);
    const waitMs = this.#lookedAt + pauseMs - performance.now();
    // Browsers are late with the timers of a page in the background, by up to a minute.
    if (waitMs <= 0) this.#look();
    else this.#timer = setTimeout(() => this.#look(), waitMs);
  }

  async #look() {
    this.#again = this.#busy;
    if (this.#busy) return;
    this.#busy = true;
    this.#lookedAt = performance.now();
    const [query, { filter }] = [this.#query(), this.#wish];
    const isBrief = document.hidden;
    const answer = await ask(query, this.#base);
    const isSignedOut = answer === SIGNED_OUT;
    const state = isSignedOut ? null : answer;
    this.#busy = false;
    if (state !== undefined) this.#base = state;
    if (state === null) this.#lose(isSignedOut);
    else if (state !== undefined) this.#apply(state, filter, isBrief);
    if (state && String(this.#query()) !== String(query)) return this.#look();
    if (this.#again) return this.#lookSoon();
    clearTimeout(this.#timer);
    const pauseMs = state === undefined ? LOOK_MS : this.#everyMs();
    this.#timer = setTimeout(() => this.#look(), pauseMs);
  }

  /** Whether the server filters, as the page does not have all members. */
  #isMany() {
    const { counts } = this.#state ?? {};
    return !counts || memberCount(counts) >= MANY || counts.decommissioned > PAGE_ASIDE_MAX;
  }

  /** What to ask for. A page in the background needs no rows. */
  #query() {
    if (document.hidden) return new URLSearchParams({ rows: "0" });
    return this.#wish.query({ isMany: this.#isMany(), open: this.#wanted ?? this.#story.id });
  }

  #lose(isSignedOut) {
    if (this.#lostAt !== null && this.#isSignedOut === isSignedOut) return;
    this.#lostAt ??= performance.now();
    this.#isSignedOut = isSignedOut;
    this.#rows.tick();
    document.body.classList.add("lost");
    paintLost(this.#state, isSignedOut);
    this.#tab.lose(lostWords(isSignedOut));
  }

  #apply(state, filter, isBrief) {
    // Another version has another page. Load it, unless the question is open.
    const { version } = this.#state?.self ?? state.self;
    if (version !== state.self.version && !this.#bye.open) return location.reload();
    this.#lostAt = null;
    document.body.classList.remove("lost");
    this.#tab.paint(state);
    // Nobody sees the rest. It is written once somebody does.
    if (isBrief) return;
    if (document.hidden) return this.#base = null;
    this.#state = state;
    this.#stateFilter = filter;
    paintHeadline(state);
    paintContacts(state);
    this.#rows.take(state);
    this.#showFiltered();
    this.#map.update(state.map);
    if (this.#wanted !== null) this.#openWanted();
  }

  #setFilter() {
    this.#wish.begin();
    this.#showFiltered();
    this.#setAddress();
    if (this.#isMany()) this.#look();
  }

  #showFiltered() {
    if (this.#state === null) return;
    const { filter } = this.#wish;
    const { counts, more, before, rows } = this.#state;
    const statuses = Object.keys(counts);
    const total = memberCount(counts);
    const folded = isFolded(total, filter);
    const matches = matcher(filter, statuses);
    const open = [this.#story.id, this.#wanted];
    const shown = this.#rows.show((row) =>
      matches(row) && (!folded || row.status !== "live" || open.includes(row.id))
    );
    // Until the server has answered to another filter, it is told of what is here already.
    const isAnswered = !this.#isMany() || this.#stateFilter === filter;
    const members = shown.members + (isAnswered ? before + more.rows : 0);
    const gone = shown.gone + (isAnswered ? more.gone : 0);
    const count = isAnswered ? more.rows : 0;
    this.#wish.paintMore({ count, shown: rows.length, last: rows.at(-1)?.id });
    byId("folded").hidden = !folded || counts.live === 0;
    setText(byId("folded").querySelector("span"), numberWords(counts.live));
    paintFilter(filter, { statuses, members, gone, total, isAnswered });
    this.#story.settle(this.#state);
  }

  #setAddress() {
    this.#wish.setAddress(this.#story.id);
  }

  #filterBy(text) {
    this.#wish.filter = text;
    this.#setFilter();
  }

  #sortBy(link) {
    this.#wish.sort = new URL(link.href).searchParams.get("sort") ?? "";
    for (const heading of link.closest("tr").cells) heading.removeAttribute("aria-sort");
    link.parentElement.ariaSort = "ascending";
    this.#setAddress();
    this.#look();
  }

  /** Opens the history of a member that may have no row yet. */
  #open(id) {
    this.#wanted = id;
    this.#showFiltered();
    if (this.#openWanted()) return;
    this.#filterBy("");
    this.#openWanted() || this.#look();
  }

  /** Whether the row of the member is there. */
  #openWanted() {
    const row = this.#rows.get(this.#wanted);
    if (row === undefined) return false;
    const opened = this.#story.id === row.id ? undefined : this.#story.toggle(row);
    Promise.resolve(opened).then(() => {
      this.#wanted = null;
      byId("story")?.scrollIntoView({ block: "nearest" });
    });
    return true;
  }

  #key(event) {
    const { key, target } = event;
    const step = { ArrowDown: 1, ArrowUp: -1 }[key];
    // In a history they scroll.
    const isInList = target === this.#filter || target.closest("tbody > tr:not(.story)") !== null;
    if (key === "Escape" && this.#story.contains(target)) this.#story.close();
    else if (key === "/" && !this.#bye.open && !target.matches("input")) this.#filter.focus();
    else if (step !== undefined && isInList) {
      (this.#rows.neighbour(target, step) ?? (step < 0 ? this.#filter : null))?.focus();
    } else return;
    event.preventDefault();
  }

  #click(event) {
    if (event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const link = event.target.closest("a");
    const tile = link?.closest(".tiles > li");
    const row = this.#rows.of(event.target.closest("tr"));
    const wanted = this.#map.idOf(event.target);
    if (tile) {
      const status = tile.id.replace("count-", "");
      this.#filterBy(this.#wish.filter === status ? "" : status);
    } else if (link?.closest("#folded")) this.#filterBy("live");
    else if (link?.matches(".clear")) this.#filterBy("");
    else if (link?.closest(".spans")) return;
    else if (link?.closest("thead")) this.#sortBy(link);
    else if (link?.closest(".tags")) this.#filterBy(link.textContent);
    else if (wanted !== undefined) this.#open(wanted);
    else if (link?.matches(".cancel")) this.#bye.close();
    else if (link?.matches(".bye")) {
      this.#bye.ask(this.#rows.get(this.#story.id), this.#state?.self.id);
    } else if (link?.matches(".close")) this.#story.close();
    else if (link?.rel === "external") return;
    else if (row && (link || getSelection().isCollapsed)) this.#story.toggle(row);
    else return;
    event.preventDefault();
  }
}

new LivePage();
