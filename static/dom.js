/** Reading and writing the page. Data from the server is only ever written as text. */
import { pageUrl, splitName } from "./lists.js";
import { localWords, timeWords } from "./words.js";

export function byId(id) {
  return document.getElementById(id);
}

export function cloneOf(templateId) {
  return byId(templateId).content.firstElementChild.cloneNode(true);
}

/** Reuses the text node and writes only a difference, so that a selection across it survives. */
export function setText(element, text) {
  const node = element.firstChild;
  if (node === null) element.append(text);
  else if (node.data !== text) node.data = text;
}

/** Writes a time by the reader's clock; its title is in UTC. */
export function setTime(element, at, now) {
  if (element.dateTime !== at) element.dateTime = at;
  if (element.title !== timeWords(at)) element.title = timeWords(at);
  setText(element, localWords(at, now));
}

/** Writes a name, its shared end dimmed; where it is cut off, the title has it whole. */
export function setName(element, name, suffix) {
  const [own, shared] = splitName(name, suffix);
  if (element.textContent === name && (element.children[0]?.textContent ?? "") === shared) return;
  element.title = name;
  element.replaceChildren(own);
  if (shared === "") return;
  element.append(document.createElement("i"));
  element.lastChild.append(shared);
}

/** Makes a link lead to the page of the node at an address, or nowhere. */
export function setPage(link, scheme, address) {
  const url = pageUrl(scheme, address);
  if (url === "") link.removeAttribute("href");
  else if (link.getAttribute("href") !== url) link.href = url;
}

/** Puts an element before another and keeps the focus within it. */
export function place(parent, element, before) {
  const focused = element.contains(document.activeElement) ? document.activeElement : null;
  if (element.isConnected && parent.moveBefore) parent.moveBefore(element, before);
  else parent.insertBefore(element, before);
  if (focused !== document.activeElement) focused?.focus({ preventScroll: true });
}
