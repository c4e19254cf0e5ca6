// @ts-check
/**
 * Lists of members: which ones a filter keeps, how their names are shown, where their own pages are.
 *
 * The server renders the page with this file and the browser updates it with this file, as with words.js.
 *
 * @module
 */

/** Members from which on a page has a map, and its list leaves out the live ones. */
export const MANY = 100;

/** Rows on the page at first, and those that are added each time one scrolls to its end: a few screens. */
export const PAGE_ROWS = 250;

/** Rows on the page: as many as a browser lays out at once. Another page has those that follow. */
export const PAGE_ROWS_MAX = 2_000;

/** Decommissioned members, and contacts, on the page: their number only grows, and `GET /members` lists all. */
export const PAGE_ASIDE_MAX = 200;

/** The one spelling of an address, as lib/address.ts makes it: a name, an IPv4 or an IPv6 address, and a port. */
const ADDRESS = /^(?:[a-z0-9_.-]+|\[[0-9a-f:.]+\]):[0-9]{1,5}$/;

/**
 * Tells which members match every word of a filter. A word that is a status means that status; any other is looked for in
 * the ID, the address and the tags. One with `=` in it means a whole tag.
 *
 * @param {string} filter
 * @param {readonly string[]} statuses All statuses there are.
 * @returns {(member: { id: string, address: string, status: string, tags: readonly string[] }) => boolean}
 */
export function matcher(filter, statuses) {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  return ({ id, address, status, tags }) =>
    words.every((word) => {
      if (statuses.includes(word)) return status === word;
      if ([id, address].some((text) => text.toLowerCase().includes(word))) return true;
      const isWhole = word.includes("=");
      return tags.some((tag) => {
        const text = tag.toLowerCase();
        return isWhole ? text === word : text.includes(word);
      });
    });
}

/**
 * Whether a member with that status runs, whatever of it fails.
 *
 * @param {string} status
 * @returns {boolean}
 */
export function isUp(status) {
  return status === "live" || status === "failing";
}

/**
 * Whether the list leaves out the live members: there are many, and nobody asks for some of them.
 *
 * @param {number} count
 * @param {string} filter
 * @returns {boolean}
 */
export function isFolded(count, filter) {
  return count >= MANY && filter.trim() === "";
}

/**
 * Whether a filter keeps decommissioned members only, which have a table of their own: the list has nothing to show.
 *
 * @param {string} filter
 * @param {{ members: number, gone: number }} shown
 * @returns {boolean}
 */
export function isAllGone(filter, { members, gone }) {
  return filter.trim() !== "" && members === 0 && gone > 0;
}

/**
 * A name in two: what tells it from others, and the end that it shares with them.
 *
 * @param {string} name
 * @param {string} suffix
 * @returns {[string, string]}
 */
export function splitName(name, suffix) {
  return name.length > suffix.length && name.endsWith(suffix)
    ? [name.slice(0, name.length - suffix.length), suffix]
    : [name, ""];
}

/**
 * The page of the node at an address. Addresses come from the network: a text of another form has no page, and the answer is empty.
 *
 * @param {string} scheme "http" or "https"
 * @param {string} address
 * @param {string} [path]
 * @returns {string}
 */
export function pageUrl(scheme, address, path = "/") {
  return ADDRESS.test(address)
    ? `${scheme === "https" ? "https" : "http"}://${address}${path}`
    : "";
}

/**
 * The tags of a member that no other member that runs has: what would be missing without it.
 *
 * @param {string} id
 * @param {readonly { id: string, status: string, tags: readonly string[] }[]} members
 * @returns {string[]}
 */
export function onlyTags(id, members) {
  const others = members.filter((member) => member.id !== id && isUp(member.status));
  const taken = new Set(others.flatMap(({ tags }) => tags));
  return members.filter((member) => member.id === id).flatMap(({ tags }) => tags)
    .filter((tag) => !taken.has(tag));
}
