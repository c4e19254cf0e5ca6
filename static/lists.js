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
 * Members in the order of a map: by the tag that most of them have, then by ID. Those without it come last; where less
 * than half have one in common, all are one group without a name.
 *
 * @template {{ id: string, tags: readonly string[] }} Member
 * @param {readonly Member[]} members
 * @returns {{ name: string, members: Member[] }[]}
 */
export function mapGroups(members) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const { tags } of members) {
    for (const tag of tags) counts.set(keyOf(tag), (counts.get(keyOf(tag)) ?? 0) + 1);
  }
  const [[key, count] = ["", 0]] = [...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));
  const isGrouped = count * 2 >= members.length;
  /** @type {Map<string, Member[]>} */
  const groups = new Map();
  for (const member of members) {
    const tag = isGrouped ? member.tags.find((tag) => keyOf(tag) === key) : undefined;
    const name = tag ?? (isGrouped && count > 0 ? `no ${key}` : "");
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [member]);
    else group.push(member);
  }
  const isOther = (/** @type {string} */ name) => name === `no ${key}` ? 1 : 0;
  return [...groups].sort(([a], [b]) => isOther(a) - isOther(b) || (a < b ? -1 : 1))
    .map(([name, list]) => ({ name, members: list.sort((a, b) => a.id < b.id ? -1 : 1) }));
}

/**
 * @param {string} tag
 * @returns {string}
 */
function keyOf(tag) {
  return tag.slice(0, tag.indexOf("="));
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
