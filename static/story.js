/** The history of one member, open below its row, and the question asked before a member is decommissioned. */
import { byId, cloneOf, place, setPage, setText, setTime } from "./dom.js";
import { isUp } from "./lists.js";
import {
  changeWords,
  isGone,
  lastedWords,
  localWords,
  storyWords,
  toldWords,
  uptimeWords,
} from "./words.js";

/** The statuses of members that run, for a query: see isUp(). */
const RUNNING = "live,failing";

/** An open history so old is loaded again, or its share of time live would stand still beside a time that ticks. */
const COPY_AGE_MAX_MS = 60_000;

/** Characters of a refusal that are shown. */
const ANSWER_LENGTH_MAX = 300;

export class Story {
  #rows;
  #onChange;
  #element = byId("story");
  /** The ID of the member whose history is to open next: of two that are asked for the last one counts. */
  #next = "";
  /** The status and reason for which the history was loaded, and when; null: it was not. */
  #told = "";
  #toldAt = 0;
  /** The last `GET /page.json`, and the time of the newest change. */
  #state = null;
  #newest = null;

  /** `onChange()` is called when a history opens or closes. */
  constructor(rows, onChange) {
    this.#rows = rows;
    this.#onChange = onChange;
    const row = this.#row();
    if (row) row.link.ariaExpanded = "true";
    const now = new Date().toISOString();
    for (const time of this.#element?.querySelectorAll("time") ?? []) {
      setTime(time, time.dateTime, now);
    }
  }

  /** The ID of the member whose history is open; undefined if none is. */
  get id() {
    return this.#element?.querySelector("h3 > span").textContent;
  }

  /** Follows its row after an update, and reloads when the member's status or reason changed or the copy is old. */
  settle(state) {
    this.#state = state;
    const row = this.#row();
    if (this.#element === null) return;
    if (row === undefined) return this.close();
    if (row.tr.nextElementSibling !== this.#element) {
      place(row.tr.parentNode, this.#element, row.tr.nextElementSibling);
    }
    // A selection would be lost.
    const isOld = performance.now() - this.#toldAt > COPY_AGE_MAX_MS && getSelection().isCollapsed;
    if (this.#told !== tellable(row) || isOld) this.#tell(row);
    else if (this.#newest !== null && state !== null) {
      const lasted = this.#element.querySelector(".lasted");
      setText(lasted, lastedWords(this.#newest, undefined, state.now));
    }
  }

  toggle(row) {
    if (this.id === row.id) return this.close();
    return this.#tell(row);
  }

  close() {
    if (this.#element === null) return;
    const row = this.#row();
    const focused = this.contains(document.activeElement);
    this.#element.remove();
    this.#element = null;
    if (row) row.link.ariaExpanded = "false";
    if (focused) row?.link.focus();
    this.#onChange();
  }

  /** Whether a node belongs to the open history, or to the row above it. */
  contains(node) {
    return this.#element !== null &&
      (this.#element.contains(node) || (this.#row()?.tr.contains(node) ?? false));
  }

  #row() {
    return this.#element === null ? undefined : this.#rows.get(this.id);
  }

  async #tell(row) {
    this.#told = tellable(row);
    this.#toldAt = performance.now();
    const wasOpen = this.id === row.id;
    if (!wasOpen) this.#next = row.id;
    const path = `members/${encodeURIComponent(row.id)}`;
    const story = await fetch(path).then((response) => response.ok ? response.json() : null)
      .catch(() => null);
    // Closed meanwhile it stays closed.
    if ((wasOpen ? this.id : this.#next) !== row.id) return;
    // The next update asks again; what is open stays as it is.
    if (story === null) this.#told = null;
    if (story === null && wasOpen) return;
    if (this.id !== row.id) {
      this.close();
      this.#element = cloneOf("story-template");
      row.tr.after(this.#element);
      row.link.ariaExpanded = "true";
    }
    const section = this.#element.cells[0].firstElementChild;
    section.ariaLabel = `History of ${row.id}`;
    setText(section.querySelector("h3 > span"), row.id);
    section.querySelector(".json").href = path;
    if (story === null) return this.#showNone(section);
    const { id, version } = this.#state?.self ?? {};
    const [page, sum, uptime] = section.querySelector(".sum").children;
    setText(page, story.address);
    setPage(page, this.#state?.scheme, story.address);
    setText(sum, storyWords(story.history, id === row.id ? version : ""));
    setText(uptime, uptimeWords(story.uptime));
    section.querySelector(".bye").hidden = story.status === "decommissioned";
    const forget = section.querySelector(".forget");
    forget.hidden = !isGone(story.status);
    forget.href = `./?forget=${encodeURIComponent(row.id)}`;
    const { history } = story;
    const now = this.#state?.now ?? new Date().toISOString();
    const items = history.map((change, i) => changeItem(change, history[i + 1]?.at, now));
    section.querySelector("ol").replaceChildren(...items.reverse());
    const told = story.told.map((each) => {
      const item = document.createElement("li");
      item.append(toldWords(each, localWords(each.at, now)));
      return item;
    });
    section.querySelector(".told").replaceChildren(...told.reverse());
    this.#newest = history.at(-1)?.at ?? null;
    this.#onChange();
  }

  #showNone(section) {
    setText(
      section.querySelector(".sum").children[1],
      "No answer about its history. Trying again.",
    );
    for (const link of section.querySelectorAll(".bye, .forget")) link.hidden = true;
    this.#newest = null;
    this.#onChange();
  }
}

function tellable({ data }) {
  return data === null ? "" : `${data.status} ${data.tellings} ${data.why}`;
}

function changeItem(change, next, now) {
  const { at, to } = change;
  const item = cloneOf("change-template");
  item.className = to;
  const [time, status, lasted, why] = item.children;
  setTime(time, at, now);
  setText(status, to);
  setText(lasted, lastedWords(at, next, now));
  setText(why, changeWords(change));
  return item;
}

export class Bye {
  #dialog = byId("bye");
  #onDone;

  /** `onDone()` is called after a member was decommissioned. */
  constructor(onDone) {
    this.#onDone = onDone;
    this.#dialog.addEventListener("submit", (event) => this.#send(event));
    // Does not keep the key.
    this.#dialog.addEventListener("close", () => this.#dialog.querySelector("form").reset());
  }

  get open() {
    return this.#dialog.open;
  }

  /** Asks about one member; `selfId` is the node that serves the page. For one that runs it asks for its ID. */
  ask({ id, status, data }, selfId) {
    const confirm = byId("bye-confirm");
    confirm.disabled = confirm.parentElement.hidden = !isUp(status);
    // A browser that can't escape it lets any text pass: the node compares it as well.
    confirm.pattern = RegExp.escape?.(id) ?? ".*";
    confirm.title = `The ID is ${id}`;
    for (const element of this.#dialog.querySelectorAll(".bye-id")) setText(element, id);
    this.#dialog.querySelector("[name=id]").value = id;
    this.#dialog.querySelector(".bye-self").hidden = id !== selfId;
    setText(this.#dialog.querySelector(".bye-answer"), "");
    this.#dialog.querySelector(".bye-only").hidden = true;
    this.#dialog.showModal();
    this.#tellOnly(id, data?.tags ?? []);
  }

  /** Tells which tags no other member that runs has: the page itself may not list all. */
  async #tellOnly(id, tags) {
    const taken = await Promise.all(tags.map(async (tag) => {
      const query = new URLSearchParams({ status: RUNNING, tag, limit: "2" });
      const { members } = await fetch(`members?${query}`).then((answer) => answer.json());
      return members.some((member) => member.id !== id);
    })).catch(() => null);
    const only = taken === null ? [] : tags.filter((_, i) => !taken[i]);
    if (this.#dialog.querySelector("[name=id]").value !== id) return;
    const note = this.#dialog.querySelector(".bye-only");
    note.hidden = only.length === 0;
    setText(note.querySelector("b"), only.join(", "));
  }

  close() {
    this.#dialog.close();
  }

  async #send(event) {
    event.preventDefault();
    const { submitter, target } = event;
    const answer = this.#dialog.querySelector(".bye-answer");
    submitter.disabled = true;
    const body = new URLSearchParams(new FormData(target));
    const [ok, text] = await fetch("bye", {
      method: "POST",
      body,
      headers: { accept: "text/plain" },
    })
      .then(async (response) => [response.ok, await response.text()])
      .catch(() => [false, "The node did not answer."]);
    submitter.disabled = false;
    setText(answer, ok ? "" : text.slice(0, ANSWER_LENGTH_MAX));
    if (ok) {
      this.close();
      // The link that asked, which has the focus again, is about to be hidden.
      byId("story")?.querySelector("section").focus({ preventScroll: true });
    }
    this.#onDone();
  }
}
