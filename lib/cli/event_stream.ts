/**
 * Server-sent events out of a stream of text. (pure)
 *
 * @module
 */
import { UnreadableError } from "./read.ts";

/** An event that has data. */
export interface StreamEvent {
  readonly type: string;
  readonly data: string;
}

export class EventReader {
  /** The ID of the last event, with which a stream can be resumed. */
  lastId = "";
  readonly #lengthMax: number;
  /** Pieces of a line whose end has not come yet: a snapshot comes in thousands. */
  #line: string[] = [];
  #length = 0;
  #type = "";
  #id = "";
  #data: string[] = [];

  /** `lengthMax` is the most characters that one event may have. */
  constructor(lengthMax: number) {
    this.#lengthMax = lengthMax;
  }

  /** Begins anew, as after a lost connection: half an event is no event. */
  reset(): void {
    this.#line = [];
    this.#forget();
  }

  /**
   * The events that end in this piece of the stream.
   *
   * @throws {UnreadableError} where an event is too long.
   */
  read(text: string): StreamEvent[] {
    const events: StreamEvent[] = [];
    let from = 0;
    for (let end; (end = text.indexOf("\n", from)) >= 0; from = end + 1) {
      this.#hold(text.slice(from, end));
      const line = this.#line.join("").replace(/\r$/, "");
      this.#line = [];
      const event = this.#readLine(line);
      if (event !== undefined) events.push(event);
    }
    this.#hold(text.slice(from));
    return events;
  }

  #hold(piece: string): void {
    this.#length += piece.length;
    if (this.#length > this.#lengthMax) {
      throw new UnreadableError(`an event of more than ${this.#lengthMax} characters`);
    }
    if (piece !== "") this.#line.push(piece);
  }

  #readLine(line: string): StreamEvent | undefined {
    const [, field = "", value = ""] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
    if (line === "") return this.#dispatch();
    if (field === "event") this.#type = value;
    else if (field === "id") this.#id = value;
    else if (field === "data") this.#data.push(value);
    // A comment, or a field without a meaning here.
    else this.#length -= line.length;
    return undefined;
  }

  #dispatch(): StreamEvent | undefined {
    if (this.#id !== "") this.lastId = this.#id;
    const event = { type: this.#type || "message", data: this.#data.join("\n") };
    const isEmpty = this.#data.length === 0;
    this.#forget();
    return isEmpty ? undefined : event;
  }

  #forget(): void {
    this.#length = 0;
    this.#type = "";
    this.#id = "";
    this.#data = [];
  }
}
