/** What is seen of a page in the background: its tab's title and icon, and notifications for who asked for them. */
import { byId, setText } from "./dom.js";

/** Where the browser remembers that notifications are wanted. */
const WANTED = "notify";

export class Tab {
  #icon = document.querySelector("link[rel=icon]");
  #button = byId("notify");
  /** The last trouble that was told, or the end of one; null before the first answer. */
  #told = null;

  constructor() {
    // Browsers notify for no page that came over plain HTTP from another host.
    if (!("Notification" in globalThis) || !isSecureContext) return;
    this.#button.addEventListener("click", () => this.#toggle());
    this.#paintButton();
  }

  /** Writes what a `GET /page.json` says. */
  paint({ title, tone, verdict, latest }) {
    this.#write(title, tone);
    // The verdict is of the worst trouble, the title counts all.
    const told = tone === "bad" ? `${title}: ${verdict}` : "";
    if (this.#told !== null && this.#told !== told) this.#notify(verdict, latest);
    this.#told = told;
  }

  /** Says why nothing is told any more. */
  lose(text) {
    this.#write(`${text} - Gossiper`, "lost");
    if (this.#told !== null) this.#notify(text, "");
    this.#told = text;
  }

  #write(title, tone) {
    if (document.title !== title) document.title = title;
    const href = this.#icon.getAttribute("href");
    const wanted = href.replace(/(?:-[a-z]+)?\.svg$/, tone === "good" ? ".svg" : `-${tone}.svg`);
    if (href !== wanted) this.#icon.setAttribute("href", wanted);
  }

  async #toggle() {
    const wanted = !isWanted();
    if (wanted && await Notification.requestPermission() !== "granted") return this.#paintButton();
    remember(wanted);
    this.#paintButton();
  }

  #paintButton() {
    this.#button.hidden = Notification.permission === "denied";
    setText(this.#button, isWanted() ? "Stop notifying me" : "Notify me");
  }

  /** For who does not look at the page already. */
  #notify(title, body) {
    if (!isWanted() || (!document.hidden && document.hasFocus())) return;
    try {
      // One after another in the same place: of many changes the last one counts. Each is heard all the same.
      const place = { tag: location.host, renotify: true };
      new Notification(title, { body, icon: this.#icon.href, ...place });
    } catch {
      // On phones only a service worker may notify.
      this.#button.hidden = true;
    }
  }
}

function isWanted() {
  try {
    return Notification.permission === "granted" && localStorage.getItem(WANTED) === "yes";
  } catch {
    return false;
  }
}

/** Where the browser keeps nothing for pages, notifications stay off. */
function remember(wanted) {
  try {
    localStorage.setItem(WANTED, wanted ? "yes" : "no");
  } catch {
    // As told above.
  }
}
