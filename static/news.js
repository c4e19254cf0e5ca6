/**
 * Tells a page of each change at once, by its node's stream of events.
 *
 * A stream holds a connection, and by HTTP/1.1 browsers open six to a host, for all their pages of it: a seventh page
 * would wait for good. So of all pages of a node in a browser the one that began or was shown last has a stream, and tells
 * the others. Where it ends without a word, they look as often as ever.
 */

/** A node with too many event streams refuses another: the page retries after this time, and looks meanwhile. */
const EVENTS_RETRY_MS = 15_000;

/** What pages tell each other, besides when their streams began. */
const CHANGED = "changed";
const ENDED = "ended";

export class News {
  #onNews;
  /** Null while another page has one, which began later than this one's did. */
  #stream = null;
  #beganAt = 0;
  /** When the last stream began of which it has heard. */
  #lastAt = 0;
  #pages = pagesOf(new URL("events", document.baseURI).pathname);

  /** `onNews()` is called for each change that the node tells of, and when contact is lost or found. */
  constructor(onNews) {
    this.#onNews = onNews;
    this.#pages?.addEventListener("message", ({ data }) => this.#hear(data));
    document.addEventListener("visibilitychange", () => document.hidden || this.#listen());
    addEventListener("pagehide", () => this.#stream === null || this.#tell(ENDED));
    this.#listen();
  }

  #listen() {
    if (this.#stream !== null) return;
    // The page asks for what it shows as soon as it is told, so it needs no snapshot: 2 MB in a large cluster.
    const stream = this.#stream = new EventSource("events?from=now");
    for (const type of ["open", "change", "error"]) {
      stream.addEventListener(type, () => {
        this.#onNews();
        this.#tell(CHANGED);
      });
    }
    stream.addEventListener("error", () => {
      if (stream.readyState !== EventSource.CLOSED) return;
      setTimeout(() => {
        if (this.#stream !== stream) return;
        this.#stream = null;
        this.#listen();
      }, EVENTS_RETRY_MS);
    });
    // Later than all others, also of the same millisecond, and where the clock was set back.
    this.#beganAt = Math.max(Date.now(), this.#lastAt) + Math.random();
    this.#tell(this.#beganAt);
  }

  #hear(told) {
    if (told > this.#lastAt) this.#lastAt = told;
    if (told === ENDED) this.#listen();
    else if (this.#stream === null) this.#onNews();
    else if (told > this.#beganAt) {
      this.#stream.close();
      this.#stream = null;
    }
  }

  #tell(what) {
    this.#pages?.postMessage(what);
  }
}

/** The other pages of this node in the browser: behind a proxy a host may have several nodes. */
function pagesOf(name) {
  try {
    return new BroadcastChannel(name);
  } catch {
    // Where the browser keeps nothing for pages, each has its own.
    return null;
  }
}
