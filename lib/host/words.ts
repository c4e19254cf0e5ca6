/**
 * What a node's own member says of itself: set piece by piece, told when it changed.
 *
 * @module
 */
import { type About, type Said, SAYS_NOTHING, writeAbout } from "../about.ts";
import { changedTags } from "../config/labels.ts";

/** The least time between two changes that travel, in ms: a check that flaps must not flood the cluster. */
const GAP_MS = 500;

export class OwnWords {
  readonly #tell: (about: About | undefined) => void;
  readonly #nowMs: () => number;
  #said: Said = SAYS_NOTHING;
  #told: About | undefined;
  #toldAtMs = -Infinity;

  constructor(options: {
    readonly tell: (about: About | undefined) => void;
    /** A monotonic clock, in ms. */
    readonly nowMs: () => number;
  }) {
    this.#tell = options.tell;
    this.#nowMs = options.nowMs;
  }

  /** Says something else; what comes too soon after the last change is told by the next `flush`. */
  say(part: Partial<Said>): void {
    this.#said = { ...this.#said, ...part };
    this.flush();
  }

  /**
   * Changes its tags until the node ends; returns them all.
   *
   * @throws {UsageError} where there would be too many.
   */
  retag(change: Parameters<typeof changedTags>[1]): Said["tags"] {
    const tags = changedTags(this.#said, change);
    this.say({ tags });
    return tags;
  }

  /** Tells what changed, if it is time. */
  flush(): void {
    const about = writeAbout(this.#said);
    if (about?.text === this.#told?.text || this.#nowMs() - this.#toldAtMs < GAP_MS) return;
    this.#told = about;
    this.#toldAtMs = this.#nowMs();
    this.#tell(about);
  }
}
