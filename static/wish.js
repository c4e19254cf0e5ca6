/** What the page asks for: which members, in which order and how many rows; and the address that leads to the same. */
import { byId, setText } from "./dom.js";
import { PAGE_ROWS, PAGE_ROWS_MAX } from "./lists.js";
import { numberWords } from "./words.js";

/** The next rows are asked for so far before one has scrolled to them. */
const SCROLL_MARGIN = "800px";

export class Wish {
  #box = byId("filter");
  #more = byId("more");
  #sort;
  #span;
  /** The member behind which the list begins. */
  #after;
  #rows = PAGE_ROWS;
  /** Rows that are there. */
  #shown = 0;
  #onMore;
  #end = new IntersectionObserver((entries) => this.#scrolled(entries.at(-1)), {
    rootMargin: SCROLL_MARGIN,
  });

  /** `onMore()` is called when the end of the list is near. */
  constructor(onMore) {
    this.#onMore = onMore;
    const given = new URLSearchParams(location.search);
    [this.#sort, this.#span, this.#after] = ["sort", "span", "after"].map((name) =>
      given.get(name) ?? ""
    );
  }

  get filter() {
    return this.#box.value.trim();
  }

  set filter(text) {
    this.#box.value = text;
  }

  set sort(name) {
    this.#sort = name;
    this.begin();
  }

  /** Begins with the first rows of another list. */
  begin() {
    this.#after = "";
    this.#rows = PAGE_ROWS;
  }

  /** The query for `GET /page.json`; of a page that has all members the server needs not filter. */
  query({ isMany, open }) {
    const query = this.#query({ q: isMany ? this.filter : "", id: isMany ? open : "" });
    if (this.#rows > PAGE_ROWS) query.set("rows", this.#rows);
    return query;
  }

  /** Keeps the address bar leading to what is shown, and the links to other times leading to the same list. */
  setAddress(open) {
    const parts = { q: this.filter, id: open };
    history.replaceState(null, "", this.#path(parts));
    for (const link of document.querySelectorAll(".spans > a")) {
      const span = new URL(link.href).searchParams.get("span");
      link.href = this.#path({ ...parts, span });
    }
  }

  /** Tells how many rows follow those that are `shown`, the `last` among them, and leads to them. */
  paintMore({ count, shown, last }) {
    this.#shown = shown;
    this.#more.hidden = count === 0;
    // Observed anew it tells again whether it is in sight.
    this.#end.unobserve(this.#more);
    if (count === 0) return;
    this.#end.observe(this.#more);
    this.#more.firstElementChild.href = this.#path({ q: this.filter, after: last });
    setText(this.#more.querySelector("span"), numberWords(count));
  }

  #path(more) {
    const query = this.#query(more);
    return query.size === 0 ? "./" : `./?${query}`;
  }

  #query(more) {
    const parts = { sort: this.#sort, span: this.#span, after: this.#after, ...more };
    return new URLSearchParams(
      ["q", "sort", "span", "after", "id"].filter((name) => parts[name])
        .map((name) => [name, parts[name]]),
    );
  }

  #scrolled({ isIntersecting }) {
    if (!isIntersecting || this.#shown < this.#rows || this.#rows >= PAGE_ROWS_MAX) return;
    this.#rows += PAGE_ROWS;
    this.#onMore();
  }
}
