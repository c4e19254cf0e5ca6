/**
 * The map of a large cluster: a square for each member, at its place by its group and ID, drawn as a few strokes. One link
 * lies on the square that is pointed at, or that arrow keys lead to.
 */
import { byId, cloneOf, setText } from "./dom.js";
import { groupsOf, memberOf, pitchOf, strokesOf } from "./squares.js";

const SVG = "http://www.w3.org/2000/svg";

export class MemberMap {
  #map = byId("map");
  #who = byId("who");
  #link = byId("square");
  /** The cells as they came, and by groups, each with its element. */
  #cells = [];
  #groups = [];
  #pitch = 1;
  #columns = 1;
  /** Whose square the link lies on. */
  #id = "";
  /** Whether the pointer is on a square, too. */
  #isPointed = false;

  constructor() {
    // Also when the map comes into sight.
    new ResizeObserver(() => this.#draw()).observe(this.#map);
    for (const type of ["pointermove", "pointerdown"]) {
      this.#map.addEventListener(type, (event) => this.#point(event));
    }
    this.#map.addEventListener("pointerleave", () => this.#isFocused() || setText(this.#who, ""));
    this.#link.addEventListener("keydown", (event) => this.#move(event));
    this.#link.addEventListener("focus", () => this.#tell());
    this.#link.addEventListener("blur", () => setText(this.#who, ""));
  }

  /**
   * The ID of the member whose square was clicked; undefined if it was something else. The link comes under a pointer at
   * rest only when that is pressed: browsers then call what holds both the target.
   */
  idOf(target) {
    const isSquare = target === this.#link || (this.#isPointed && this.#map.contains(target));
    return isSquare && this.#id !== "" ? this.#id : undefined;
  }

  /** Applies the cells of a `GET /page.json`; they are the same list while nothing changes. */
  update(cells) {
    if (cells === this.#cells) return;
    this.#cells = cells;
    this.#map.hidden = this.#who.hidden = this.#link.hidden = cells.length === 0;
    const before = this.#groups;
    this.#groups = groupsOf(cells);
    const isArranged = before.length === this.#groups.length &&
      before.every(({ name }, i) => name === this.#groups[i].name);
    for (const [i, group] of this.#groups.entries()) {
      group.svg = isArranged ? before[i].svg : document.createElementNS(SVG, "svg");
      group.svg.setAttribute("aria-hidden", "true");
    }
    if (!isArranged) {
      this.#map.firstElementChild.replaceChildren(
        ...this.#groups.flatMap(({ name, svg }) => name === "" ? [svg] : [heading(name), svg]),
      );
    }
    this.#draw();
  }

  #isFocused() {
    return document.activeElement === this.#link;
  }

  #draw() {
    const { clientWidth } = this.#map;
    if (clientWidth === 0 || this.#groups.length === 0) return;
    this.#pitch = pitchOf(this.#cells.length);
    this.#columns = Math.max(1, Math.floor(clientWidth / this.#pitch));
    for (const { svg, cells } of this.#groups) {
      const lines = Math.ceil(cells.length / this.#columns);
      set(svg, "width", this.#columns * this.#pitch);
      set(svg, "height", lines * this.#pitch);
      set(svg, "viewBox", `0 -0.5 ${this.#columns} ${lines}`);
      const strokes = strokesOf(cells, this.#columns);
      for (const path of [...svg.children]) {
        if (!strokes.has(path.getAttribute("class"))) path.remove();
      }
      for (const [status, data] of strokes) {
        const path = svg.querySelector(`.${status}`) ??
          svg.appendChild(document.createElementNS(SVG, "path"));
        set(path, "class", status);
        set(path, "d", data);
      }
    }
    this.#put(this.#placeOf(this.#id) ?? { group: this.#groups[0], at: 0 });
  }

  /** The group that has the square of a member, and its index there; undefined if it has left the map. */
  #placeOf(id) {
    for (const group of this.#groups) {
      const at = group.cells.findIndex((cell) => cell.endsWith(id) && memberOf(cell).id === id);
      if (at >= 0) return { group, at };
    }
    return undefined;
  }

  /** Lays the link on a square. */
  #put({ group, at }) {
    const { id, status } = memberOf(group.cells[at]);
    const name = `${id}: ${status}`;
    const [x, y] = [at % this.#columns, Math.floor(at / this.#columns)];
    const { left, top } = this.#map.getBoundingClientRect();
    const box = group.svg.getBoundingClientRect();
    this.#id = id;
    this.#link.href = `./?id=${encodeURIComponent(id)}#story`;
    this.#link.ariaLabel = this.#link.title = name;
    const { style } = this.#link;
    style.width = style.height = `${this.#pitch}px`;
    style.left = `${box.left - left + this.#map.scrollLeft + x * this.#pitch}px`;
    style.top = `${box.top - top + this.#map.scrollTop + y * this.#pitch}px`;
    if (this.#isFocused()) this.#tell();
  }

  #tell() {
    setText(this.#who, this.#link.title);
  }

  /** A page that scrolls below a pointer at rest moves nothing. */
  #point({ clientX, clientY, movementX, movementY, type }) {
    if (type === "pointermove" && movementX === 0 && movementY === 0) return;
    this.#isPointed = false;
    for (const group of this.#groups) {
      const { left, top, bottom } = group.svg.getBoundingClientRect();
      if (clientY < top || clientY >= bottom) continue;
      const [x, y] = [clientX - left, clientY - top].map((px) => Math.floor(px / this.#pitch));
      const at = y * this.#columns + x;
      if (x < 0 || x >= this.#columns || at >= group.cells.length) continue;
      this.#isPointed = true;
      this.#put({ group, at });
      this.#tell();
    }
  }

  #move(event) {
    const place = this.#placeOf(this.#id);
    if (place === undefined) return;
    const to = this.#stepFrom(place, event.key);
    if (to === undefined) return;
    event.preventDefault();
    this.#put(to);
    this.#link.scrollIntoView({ block: "nearest" });
  }

  /** The place to which a key leads; undefined at the edge, and for other keys. */
  #stepFrom({ group, at }, key) {
    const index = this.#groups.indexOf(group);
    const [before, after] = [this.#groups[index - 1], this.#groups[index + 1]];
    const [columns, x] = [this.#columns, at % this.#columns];
    const last = group.cells.length - 1;
    /** In a line of a group, as far to the right as here, or as it goes. */
    const inLine = (group, from) =>
      group && { group, at: Math.min(from + x, group.cells.length - 1) };
    const lastLine = ({ cells }) => cells.length - 1 - (cells.length - 1) % columns;
    switch (key) {
      case "ArrowLeft":
        return at > 0
          ? { group, at: at - 1 }
          : before && { group: before, at: before.cells.length - 1 };
      case "ArrowRight":
        return at < last ? { group, at: at + 1 } : after && { group: after, at: 0 };
      case "ArrowUp":
        return at >= columns
          ? { group, at: at - columns }
          : before && inLine(before, lastLine(before));
      case "ArrowDown":
        return at < lastLine(group) ? inLine(group, at - x + columns) : inLine(after, 0);
      case "Home":
        return { group: this.#groups[0], at: 0 };
      case "End":
        return { group: this.#groups.at(-1), at: this.#groups.at(-1).cells.length - 1 };
      default:
        return undefined;
    }
  }
}

function set(element, name, value) {
  if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
}

function heading(name) {
  const item = cloneOf("group-template");
  item.append(name);
  return item;
}
