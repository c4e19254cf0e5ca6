/** The rows of the two tables. Each is written only where it differs, and only while it is in view. */
import { byId, cloneOf, place, setName, setPage, setText } from "./dom.js";
import { isUp } from "./lists.js";
import { ageWords, timeWords } from "./words.js";

const SVG = "http://www.w3.org/2000/svg";

/** Rows this far outside the window are written as well, so that scrolling shows no stale ones. */
const MARGIN = "200px";

class Row {
  /** The row of `GET /page.json`, and when it arrived. */
  data = null;
  at = 0;
  inView = false;
  /** The spans of the strip as they are drawn, in JSON. */
  drawn = "";
  /** It is not at its place in the order yet. */
  moved = false;

  constructor(tr) {
    this.tr = tr;
    [this.member, this.state, this.address, this.heard, this.strip] = tr.cells;
    this.link = this.member.firstElementChild;
    this.id = this.link.textContent;
    this.status = tr.className;
  }

  update(data, at) {
    // Of what stays as it was the age goes on from when it came.
    if (this.data === data) return;
    this.data = data;
    this.at = at;
    if (this.status !== data.status) {
      this.status = data.status;
      this.tr.className = `${data.status} changed`;
      this.moved = true;
    }
    setText(this.state.firstElementChild, data.status);
    this.#tag(data.tags);
    const why = this.state.children[1];
    if (data.why === "") why?.remove();
    else setText(why ?? this.state.appendChild(document.createElement("span")), data.why);
  }

  /** Writes the tags, each a link to the members with the same. */
  #tag(tags) {
    const shown = this.member.querySelector(".tags");
    if (shown.textContent === tags.join("")) return;
    const links = tags.map((tag) => {
      const link = document.createElement("a");
      link.href = `./?${new URLSearchParams({ q: tag })}`;
      link.append(tag);
      return link;
    });
    shown.replaceChildren(...links);
  }

  paint(moment) {
    const { address, lastHeartbeat, strip } = this.data;
    setName(this.link, this.id, moment.suffix.id);
    const page = this.address.firstElementChild;
    setName(page, address, moment.suffix.address);
    setPage(page, moment.scheme, address);
    let time = this.heard.firstElementChild;
    if (lastHeartbeat !== null && time === null) {
      time = document.createElement("time");
      this.heard.replaceChildren(time);
    }
    if (lastHeartbeat !== null && time.dateTime !== lastHeartbeat) {
      time.dateTime = lastHeartbeat;
      time.title = timeWords(lastHeartbeat);
    }
    this.paintAge(moment);
    const svg = this.strip.firstElementChild;
    if (svg.getAttribute("aria-label") !== strip.label) svg.setAttribute("aria-label", strip.label);
    const drawn = JSON.stringify(strip.spans);
    if (this.drawn === drawn) return;
    this.drawn = drawn;
    svg.replaceChildren(...strip.spans.map(drawSpan));
  }

  /** Ages tick between two looks. Only a slow member that is live may be older than dead-after. */
  paintAge({ now, deadAfterMs, held }) {
    const { ageMs, status } = this.data;
    const element = this.heard.firstElementChild ?? this.heard;
    if (held.includes(element.firstChild)) return;
    const age = ageMs === null ? null : ageMs + now - this.at;
    setText(
      element,
      ageWords(isUp(status) ? Math.min(age, Math.max(ageMs, deadAfterMs)) : age),
    );
  }
}

function drawSpan({ kind, x, width, title }) {
  const rect = document.createElementNS(SVG, "rect");
  rect.setAttribute("class", kind);
  rect.setAttribute("x", x);
  rect.setAttribute("width", width);
  if (title !== "") rect.append(document.createElementNS(SVG, "title"));
  rect.firstChild?.append(title);
  return rect;
}

export class Rows {
  #byId = new Map();
  #byTr = new WeakMap();
  #now;
  #at = 0;
  #state = {
    rows: [],
    gone: [],
    scheme: "",
    deadAfterMs: Infinity,
    suffix: { id: "", address: "" },
  };
  #view = new IntersectionObserver((entries) => {
    const moment = this.#moment();
    for (const { target, isIntersecting } of entries) {
      const row = this.#byTr.get(target);
      row.inView = isIntersecting;
      if (isIntersecting && row.data !== null) row.paint(moment);
    }
  }, { rootMargin: MARGIN });

  /** Adopts the rows that the server rendered; `now()` is the time that ages are shown for. */
  constructor(now) {
    this.#now = now;
    for (const tr of document.querySelectorAll("tbody > tr:not(.story)")) this.#adopt(tr);
  }

  get(id) {
    return this.#byId.get(id);
  }

  of(tr) {
    return this.#byTr.get(tr);
  }

  /** Takes a `GET /page.json`, which came now; `show` writes it. */
  take(state) {
    this.#state = state;
    this.#at = this.#now();
  }

  /** Adds, removes, writes and moves rows, so that those are there whose data pass; counts them. */
  show(passes) {
    const moment = this.#moment();
    const absent = new Set(this.#byId.keys());
    const [members, gone] = [this.#state.rows, this.#state.gone].map((list) =>
      list.filter(passes).map((data) => {
        absent.delete(data.id);
        const row = this.#byId.get(data.id) ?? this.#create(data);
        row.update(data, this.#at);
        if (row.inView) row.paint(moment);
        return row;
      })
    );
    for (const id of absent) this.#remove(id);
    this.#order(byId("members").tBodies[0], members);
    this.#order(byId("gone").tBodies[0], gone);
    return { members: members.length, gone: gone.length };
  }

  /** The link of the next row above or below the one that holds `node`; the first below nothing. */
  neighbour(node, step) {
    const links = [...document.querySelectorAll("tbody > tr:not(.story) > th > a")];
    const at = links.indexOf(node?.closest("tr")?.querySelector("th > a"));
    return links[at + step];
  }

  /** Updates the ages of the rows in view. */
  tick() {
    const moment = this.#moment();
    for (const row of this.#byId.values()) {
      if (row.inView && row.data !== null) row.paintAge(moment);
    }
  }

  /** What painting needs, read once: asking for the selection between two writes would lay out the page each time. */
  #moment() {
    const { anchorNode, focusNode } = getSelection();
    return { ...this.#state, now: this.#now(), held: [anchorNode, focusNode] };
  }

  #adopt(tr) {
    const row = new Row(tr);
    this.#byId.set(row.id, row);
    this.#byTr.set(tr, row);
    this.#view.observe(tr);
    return row;
  }

  #create({ id, status, strip }) {
    const tr = cloneOf("row-template");
    const link = tr.cells[0].firstElementChild;
    setText(link, id);
    link.href = `./?id=${encodeURIComponent(id)}#story`;
    tr.className = status;
    tr.querySelector("svg").setAttribute("aria-label", strip.label);
    const row = this.#adopt(tr);
    row.moved = true;
    return row;
  }

  #remove(id) {
    const { tr } = this.#byId.get(id);
    this.#byId.delete(id);
    this.#view.unobserve(tr);
    tr.remove();
  }

  /** Moves only the rows that changed place. A row that holds a selection waits. */
  #order(body, rows) {
    const selection = getSelection();
    let next = body.firstElementChild;
    for (const row of rows) {
      // Skipped: an open history, or a row that belongs elsewhere.
      while (next !== null && (this.#byTr.get(next)?.moved ?? true)) next = next.nextElementSibling;
      if (row.tr === next) {
        next = next.nextElementSibling;
      } else if (selection.isCollapsed || !selection.containsNode(row.tr, true)) {
        place(body, row.tr, next);
        row.moved = false;
      }
    }
  }
}
