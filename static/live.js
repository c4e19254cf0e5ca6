/**
 * Keeps an open page up to date, without reload or flicker.
 *
 * The server gives everything in words and in order (`GET /page.json`); this script writes it into the places that the
 * server rendered. `GET /events` says when to look at once; a look every second or so keeps the ages true, since a
 * heartbeat is not an event. Data from the server is only ever written as text.
 */
import { paintContacts, paintHeadline, paintLost } from "./headline.js";
import { byId, setText } from "./dom.js";
import { isFolded, matcher } from "./lists.js";
import { MemberMap } from "./map.js";
import { Rows } from "./rows.js";
import { Bye, Story } from "./story.js";
import { Tab } from "./tab.js";
import { memberCount, numberWords, shownWords } from "./words.js";

/** Time between two looks: short enough for ages that tick, longer for a large page, which costs its node more. */
const LOOK_MS = 1000;
const LOOK_MS_PER_ROW = 2;

/** The same of a page in the background, which is told of each change besides. */
const HIDDEN_LOOK_MS = 30_000;

/** After a change the page looks again at the latest after this time. */
const CHANGED_LOOK_MS_MAX = 2_000;

/** An answer that takes longer counts as lost contact; the page tries again. */
const ANSWER_MS_MAX = 4000;

/** A node with too many event streams refuses another: the page retries after this time, and looks meanwhile. */
const EVENTS_RETRY_MS = 15_000;

class LivePage {
  /** The last `GET /page.json`. */
  #state = null;
  #busy = false;
  #again = false;
  #timer = 0;
  #lookedAt = -Infinity;
  /** When contact was lost: the ages stop there. */
  #lostAt = null;
  #filter = byId("filter");
  #sort = new URLSearchParams(location.search).get("sort") ?? "";
  #span = new URLSearchParams(location.search).get("span") ?? "";
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
    this.#listen();
    this.#look();
  }

  #listen() {
    // The page asks for what it shows as soon as it is told, so it needs no snapshot: 2 MB in a large cluster.
    const events = new EventSource("events?from=now");
    for (const type of ["open", "change"]) {
      events.addEventListener(type, () => this.#lookSoon());
    }
    events.addEventListener("error", () => {
      this.#lookSoon();
      if (events.readyState !== EventSource.CLOSED) return;
      setTimeout(() => this.#listen(), EVENTS_RETRY_MS);
    });
  }

  #everyMs() {
    if (document.hidden) return HIDDEN_LOOK_MS;
    return Math.max(LOOK_MS, LOOK_MS_PER_ROW * (this.#state?.rows.length ?? 0));
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
    // The server filters where the page can't hold all rows.
    const query = this.#queryFor(this.#state?.more.rows > 0 ? this.#filter.value : "");
    const state = await fetch(`page.json${query.size === 0 ? "" : `?${query}`}`, {
      signal: AbortSignal.timeout(ANSWER_MS_MAX),
    })
      .then((response) => response.ok ? response.json() : null)
      .catch(() => null);
    this.#busy = false;
    if (state === null) this.#lose();
    else this.#apply(state);
    if (this.#again) return this.#lookSoon();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#look(), this.#everyMs());
  }

  #lose() {
    if (this.#lostAt !== null) return;
    this.#lostAt = performance.now();
    this.#rows.tick();
    document.body.classList.add("lost");
    paintLost(this.#state);
    this.#tab.lose(byId("self-id").textContent);
  }

  #apply(state) {
    // Another version has another page. Load it, unless the question is open.
    const { version } = this.#state?.self ?? state.self;
    if (version !== state.self.version && !this.#bye.open) return location.reload();
    this.#state = state;
    this.#lostAt = null;
    document.body.classList.remove("lost");
    this.#tab.paint(state);
    // Nobody sees the rest. It is written once somebody does.
    if (document.hidden) return;
    paintHeadline(state);
    paintContacts(state);
    this.#rows.take(state);
    this.#showFiltered();
    // Where the server filters, the answer has not all members.
    if (state.more.rows === 0 || this.#filter.value === "") {
      this.#map.update(state.rows, memberCount(state.counts));
    }
  }

  #setFilter() {
    this.#showFiltered();
    this.#setAddress();
    if (this.#state?.more.rows > 0) this.#lookSoon();
  }

  #showFiltered() {
    if (this.#state === null) return;
    const filter = this.#filter.value.trim();
    const { counts, more } = this.#state;
    const statuses = Object.keys(counts);
    const total = memberCount(counts);
    const folded = isFolded(total, filter);
    const matches = matcher(filter, statuses);
    const open = [this.#story.id, this.#wanted];
    const shown = this.#rows.show((row) =>
      matches(row) && (!folded || row.status !== "live" || open.includes(row.id))
    );
    setText(byId("shown"), shownWords(shown.members, total));
    byId("gone-section").hidden = shown.gone === 0;
    byId("more").hidden = more.rows === 0 || folded;
    byId("folded").hidden = !folded || counts.live === 0;
    setText(byId("folded").querySelector("span"), numberWords(counts.live));
    byId("nomatch").hidden = filter === "" || shown.members + shown.gone > 0;
    setText(byId("nomatch").querySelector("span"), filter);
    for (const status of statuses) {
      byId(`count-${status}`).firstElementChild.ariaCurrent = String(filter === status);
    }
    this.#story.settle(this.#state);
  }

  /** What a request for the page says of the filter, the order and the strips. */
  #queryFor(filter) {
    const parts = { q: filter, sort: this.#sort, span: this.#span };
    return new URLSearchParams(Object.entries(parts).filter(([, value]) => value !== ""));
  }

  /** Keeps the address bar leading to what is shown. */
  #setAddress() {
    const query = this.#queryFor(this.#filter.value);
    if (this.#story.id !== undefined) query.set("id", this.#story.id);
    history.replaceState(null, "", query.size === 0 ? "./" : `./?${query}`);
  }

  #filterBy(text) {
    this.#filter.value = text;
    this.#setFilter();
  }

  #sortBy(link) {
    this.#sort = new URL(link.href).searchParams.get("sort") ?? "";
    for (const heading of link.closest("tr").cells) heading.removeAttribute("aria-sort");
    link.parentElement.ariaSort = "ascending";
    this.#setAddress();
    this.#lookSoon();
  }

  /** Opens the history of a member that may have no row yet. */
  async #open(id) {
    this.#wanted = id;
    this.#showFiltered();
    if (this.#rows.get(id) === undefined) this.#filterBy("");
    const row = this.#rows.get(id);
    if (row !== undefined && this.#story.id !== id) await this.#story.toggle(row);
    this.#wanted = null;
    byId("story")?.scrollIntoView({ block: "nearest" });
  }

  #key(event) {
    const { key, target } = event;
    const step = { ArrowDown: 1, ArrowUp: -1 }[key];
    const isInList = target === this.#filter || target.closest("tbody") !== null;
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
    const wanted = this.#map.idOf(link);
    if (tile) {
      const status = tile.id.replace("count-", "");
      this.#filterBy(this.#filter.value.trim() === status ? "" : status);
    } else if (link?.closest("#folded")) this.#filterBy("live");
    else if (link?.matches(".clear")) this.#filterBy("");
    else if (link?.closest(".spans")) return;
    else if (link?.closest("thead")) this.#sortBy(link);
    else if (link?.closest(".tags")) this.#filterBy(link.textContent);
    else if (wanted !== undefined) this.#open(wanted);
    else if (link?.matches(".cancel")) this.#bye.close();
    else if (link?.matches(".bye")) {
      const { self, rows } = this.#state ?? { rows: [] };
      this.#bye.ask(this.#rows.get(this.#story.id), { selfId: self?.id, rows });
    } else if (link?.matches(".close")) this.#story.close();
    else if (link?.rel === "external") return;
    else if (row && (link || getSelection().isCollapsed)) this.#story.toggle(row);
    else return;
    event.preventDefault();
  }
}

new LivePage();
