/**
 * The map of a large cluster: a square for each member, at its place by its group and ID. Arrows move between the
 * squares.
 */
import { byId, cloneOf } from "./dom.js";
import { MANY, mapGroups } from "./lists.js";

export class MemberMap {
  #list = byId("map");
  /** The links by their members' IDs, in order. */
  #squares = new Map();
  /** The names of the groups and the IDs, as they are arranged. */
  #order;

  constructor() {
    for (const square of this.#list.querySelectorAll("a")) this.#squares.set(idOf(square), square);
    const items = [...this.#list.children];
    this.#order = items.map(({ firstElementChild: square, textContent: name }) =>
      square === null ? name : idOf(square)
    ).join();
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
    const groups = mapGroups(rows);
    const order = groups.flatMap(({ name, members }) => [name, ...members.map(({ id }) => id)])
      .filter(Boolean).join();
    if (order !== this.#order) this.#arrange(groups);
    this.#order = order;
    for (const { id, status } of rows) {
      const square = this.#squares.get(id);
      if (square.className === status) continue;
      square.className = status;
      square.title = `${id}: ${status}`;
    }
  }

  #arrange(groups) {
    const before = this.#squares;
    this.#squares = new Map();
    const items = groups.flatMap(({ name, members }) => {
      const squares = members.map(({ id }) => {
        const square = before.get(id) ?? create(id);
        this.#squares.set(id, square);
        return square.parentElement;
      });
      return name === "" ? squares : [heading(name), ...squares];
    });
    const focused = this.#list.contains(document.activeElement) ? document.activeElement : null;
    this.#list.replaceChildren(...items);
    // Whoever moves through the map stays where he is.
    focused?.focus();
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
    const to = {
      ArrowLeft: squares[at - 1],
      ArrowRight: squares[at + 1],
      ArrowUp: below(squares.slice(0, at).reverse(), event.target),
      ArrowDown: below(squares.slice(at + 1), event.target),
      Home: squares[0],
      End: squares.at(-1),
    }[event.key];
    if (at < 0 || to === undefined) return;
    event.preventDefault();
    to.focus();
  }
}

/** The square of the next line that is nearest to being above or below one; undefined where there is no such line. */
function below(squares, { offsetTop, offsetLeft }) {
  const first = squares.find((square) => square.offsetTop !== offsetTop);
  const line = squares.filter((square) => square.offsetTop === first?.offsetTop);
  const away = (square) => Math.abs(square.offsetLeft - offsetLeft);
  return line.toSorted((a, b) => away(a) - away(b))[0];
}

function heading(name) {
  const item = cloneOf("group-template");
  item.append(name);
  return item;
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
