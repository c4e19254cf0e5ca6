// @ts-check
/**
 * The squares of a map: how large they are, and how those of one status are drawn at once.
 *
 * Squares of one status beside each other are one stroke of a path, which the style cuts into dashes: a map of 10,000 is
 * seven elements, and some kilobytes. The server draws a map with this file and the browser draws it anew with this file,
 * as with words.js.
 *
 * @module
 */

/** Begins the cell of a map that names those that follow; the others begin with the mark of a status. */
export const CELL_HEADING = "#";

/** The statuses by their marks. */
export const STATUS_OF_MARK = {
  "?": "unknown",
  "+": "live",
  "-": "left",
  "f": "failing",
  "!": "unresponsive",
  "x": "dead",
};

/** Pixels from one square to the next, as many as there is room for: still a target for the pointer, and no larger than text. */
const PITCH_MIN = 5;
const PITCH_MAX = 16;

/** Room for a map: what a desktop shows above the list. */
const ROOM_PX = 1_120 * 240;

/**
 * Pixels from one square to the next on a map of so many.
 *
 * @param {number} count
 * @returns {number}
 */
export function pitchOf(count) {
  const pitch = Math.floor(Math.sqrt(ROOM_PX / Math.max(count, 1)));
  return Math.min(Math.max(pitch, PITCH_MIN), PITCH_MAX);
}

/**
 * The cells of a map by their groups; where it has no headings, all are in one without a name.
 *
 * @param {readonly string[]} cells
 * @returns {{ name: string, cells: string[] }[]}
 */
export function groupsOf(cells) {
  /** @type {{ name: string, cells: string[] }[]} */
  const groups = [];
  for (const cell of cells) {
    if (cell.startsWith(CELL_HEADING)) groups.push({ name: cell.slice(1), cells: [] });
    else if (groups.length === 0) groups.push({ name: "", cells: [cell] });
    else groups[groups.length - 1]?.cells.push(cell);
  }
  return groups;
}

/**
 * What a cell tells of its member; another mark than those above is no status that is known.
 *
 * @param {string} cell
 * @returns {{ id: string, status: string }}
 */
export function memberOf(cell) {
  const mark = cell.charAt(0);
  const known = Object.entries(STATUS_OF_MARK).find(([each]) => each === mark);
  return { id: cell.slice(1), status: known?.[1] ?? "unknown" };
}

/**
 * For each status the data of a path through its squares: lines of so many columns, each square one unit wide and high,
 * around a line's middle.
 *
 * @param {readonly string[]} cells
 * @param {number} columns
 * @returns {Map<string, string>}
 */
export function strokesOf(cells, columns) {
  /** @type {Map<string, string>} */
  const strokes = new Map();
  for (let i = 0; i < cells.length;) {
    const mark = cells[i]?.charAt(0);
    const lineEnd = Math.min(cells.length, i - i % columns + columns);
    let end = i + 1;
    while (end < lineEnd && cells[end]?.charAt(0) === mark) end++;
    const { status } = memberOf(cells[i] ?? "");
    const stroke = `M${i % columns} ${Math.floor(i / columns)}h${end - i}`;
    strokes.set(status, (strokes.get(status) ?? "") + stroke);
    i = end;
  }
  return strokes;
}
