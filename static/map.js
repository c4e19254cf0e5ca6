/** The map of a large cluster: a square for each member, at its place by ID. Arrows move between the squares. */
import { byId, cloneOf } from "./dom.js";
import { MANY } from "./lists.js";

export class MemberMap {
  #list = byId("map");
  /** The links by their members' IDs, in order. */
  #squares = new Map();

  constructor() {
    for (const square of this.#list.querySelectorAll("a")) this.#squares.set(idOf(square), square);
    this.#list.addEventListener("keydown", (event) => this.#move(event));
    this.#list.addEventListener("focusin", ({ target }) => this.#stopAt(target));
  }

  /** The ID of the member whose square a link is; undefined if it is another link. */
  idOf(link) {
    return this.#list.contains(link) ? idOf(link) : undefined;
  }

  /** Applies the rows of a `GET /page.json` that has all of them. */
  update(rows, count) {
    this.#list.hidden = count < MANY;
    if (count < MANY) return;
    const statuses = new Map(rows.map(({ id, status }) => [id, status]));
    for (const [id, square] of this.#squares) {
      if (!statuses.has(id)) square.parentElement.remove();
    }
    const isSame = statuses.size === this.#squares.size &&
      rows.every(({ id }) => this.#squares.has(id));
    if (!isSame) this.#arrange([...statuses.keys()].sort());
    for (const [id, square] of this.#squares) {
      const status = statuses.get(id);
      if (square.className === status) continue;
      square.className = status;
      square.title = `${id}: ${status}`;
    }
  }

  #arrange(ids) {
    this.#squares = new Map(ids.map((id) => [id, this.#squares.get(id) ?? create(id)]));
    let next = this.#list.firstElementChild;
    for (const { parentElement: item } of this.#squares.values()) {
      if (item === next) next = next.nextElementSibling;
      else this.#list.insertBefore(item, next);
    }
    if (this.#list.querySelector("[tabindex='0']") === null) this.#stopAt(this.#first());
  }

  #first() {
    return this.#list.querySelector("a");
  }

  /** Leaves one stop for the Tab key. */
  #stopAt(square) {
    if (square === null) return;
    for (const other of this.#list.querySelectorAll("[tabindex='0']")) other.tabIndex = -1;
    square.tabIndex = 0;
  }

  #move(event) {
    const squares = [...this.#squares.values()];
    const at = squares.indexOf(event.target);
    const top = squares[0]?.offsetTop;
    const below = squares.findIndex(({ offsetTop }) => offsetTop !== top);
    const width = below < 0 ? squares.length : below;
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -width, ArrowDown: width };
    const to = { Home: 0, End: squares.length - 1 }[event.key] ?? at + (steps[event.key] ?? NaN);
    if (at < 0 || squares[to] === undefined) return;
    event.preventDefault();
    squares[to].focus();
  }
}

function idOf(square) {
  return new URL(square.href).searchParams.get("id");
}

function create(id) {
  const item = cloneOf("square-template");
  const square = item.firstElementChild;
  square.href = `./?id=${encodeURIComponent(id)}#story`;
  return square;
}
