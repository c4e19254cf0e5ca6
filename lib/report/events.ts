/**
 * `GET /events`: a snapshot of the table, then each change of status, as server-sent events.
 *
 * A stream is only a position in the numbered changes that {@linkcode Stories} keeps for everyone; nothing is queued
 * per reader, so a slow one costs nothing. A reader that falls behind the changes kept, or takes nothing for two
 * keep-alives, is dropped. It can resume, or start again with a snapshot.
 *
 * @module
 */
import { changeView, type KeptChange, type Stories } from "./stories.ts";

/** Readers at once: a browser tab for each of a large team and some scripts. Each holds a connection open. */
export const STREAMS_MAX = 100;

/** A comment this often shows both sides that the connection works; proxies close idle ones after 30 s or more. */
const KEEP_ALIVE_MS = 15_000;

/** Delay after which a reader whose connection broke should reconnect. */
const RETRY_MS = 2_000;

/** Bytes handed to the network at once: a snapshot of a large table goes out no faster than its reader takes it. */
const PIECE_BYTES = 65_536;

/** Readers that come within this time share one snapshot. */
const SNAPSHOT_FRESH_MS = 500;

const COMMENT = ":\n\n";

const encoder = new TextEncoder();

const NONE = { event: -1, atMs: -Infinity, bytes: new Uint8Array() };

export interface EventStreamsOptions {
  /** Tells the events of this process from those of an earlier process of the same node. */
  readonly boot: string;
  readonly stories: Stories;
  /** The JSON that `GET /members` answers now. */
  readonly snapshot: () => string;
  /** A monotonic clock, in ms. */
  readonly nowMs: () => number;
  readonly keepAliveMs?: number;
}

interface EventStream {
  readonly controller: ReadableStreamDefaultController<Uint8Array>;
  /** The number of the last change sent. */
  event: number;
  /** Bytes to send before any change. */
  rest: Uint8Array;
  /** Whether the reader took anything since the last keep-alive. */
  taking: boolean;
  /** Set while the reader has taken everything and waits. */
  wake: (() => void) | undefined;
  keepAlive: boolean;
}

export class EventStreams {
  readonly #options: EventStreamsOptions;
  readonly #streams = new Set<EventStream>();
  #timer: ReturnType<typeof setInterval> | undefined;
  #closed = false;
  #snapshot = NONE;
  /** The last changes encoded: most streams send the same ones. */
  #chunk = { from: -1, to: -1, bytes: new Uint8Array() };

  constructor(options: EventStreamsOptions) {
    this.#options = options;
  }

  /** Open streams. */
  get size(): number {
    return this.#streams.size;
  }

  /**
   * Opens a stream that begins after `lastEventId`; where it cannot resume there, with a snapshot, or `fromNow` on.
   * Undefined if too many are open.
   */
  open(lastEventId: string | undefined, fromNow = false): ReadableStream<Uint8Array> | undefined {
    if (this.#streams.size >= STREAMS_MAX || this.#closed) return undefined;
    const resumed = this.#eventOf(lastEventId) ??
      (fromNow ? this.#options.stories.lastEvent : undefined);
    const snapshot = resumed === undefined ? this.#takeSnapshot() : undefined;
    let stream: EventStream;
    return new ReadableStream<Uint8Array>({
      start: (controller) => {
        stream = {
          controller,
          event: resumed ?? snapshot!.event,
          rest: snapshot?.bytes ?? encoder.encode(retryField()),
          taking: true,
          wake: undefined,
          keepAlive: false,
        };
        this.#streams.add(stream);
        this.#timer ??= setInterval(
          () => this.#keepAlive(),
          this.#options.keepAliveMs ?? KEEP_ALIVE_MS,
        );
      },
      pull: () => this.#pull(stream),
      cancel: () => this.#forget(stream),
    }, { highWaterMark: 0 });
  }

  /** Sends the changes that {@linkcode Stories} recorded since the last call. */
  publish(): void {
    for (const stream of this.#streams) stream.wake?.();
  }

  /** Ends every stream once its reader has all changes. */
  close(): void {
    this.#closed = true;
    this.publish();
  }

  async #pull(stream: EventStream): Promise<void> {
    stream.taking = true;
    for (;;) {
      const bytes = this.#next(stream);
      if (bytes === undefined) return this.#end(stream);
      if (bytes.length > 0) return stream.controller.enqueue(bytes);
      if (this.#closed) return this.#end(stream);
      await new Promise<void>((resolve) => stream.wake = resolve);
      stream.wake = undefined;
      if (!this.#streams.has(stream)) return;
    }
  }

  /** The next bytes for a reader: empty if it has everything, undefined if it fell too far behind. */
  #next(stream: EventStream): Uint8Array | undefined {
    if (stream.rest.length > 0) {
      const piece = stream.rest.subarray(0, PIECE_BYTES);
      stream.rest = stream.rest.subarray(piece.length);
      return piece;
    }
    const changes = this.#options.stories.since(stream.event);
    if (changes === undefined) return undefined;
    const bytes = this.#encode(stream.event, changes);
    stream.event += changes.length;
    const comment = stream.keepAlive && bytes.length === 0;
    stream.keepAlive = false;
    return comment ? encoder.encode(COMMENT) : bytes;
  }

  #encode(from: number, changes: readonly KeptChange[]): Uint8Array {
    const to = from + changes.length;
    if (this.#chunk.from !== from || this.#chunk.to !== to) {
      const text = changes.map((told) =>
        this.#message("change", told.event, JSON.stringify(changeView(told)))
      ).join("");
      this.#chunk = { from, to, bytes: encoder.encode(text) };
    }
    return this.#chunk.bytes;
  }

  #takeSnapshot(): { event: number; bytes: Uint8Array } {
    const { stories, snapshot, nowMs } = this.#options;
    const now = nowMs();
    const stale = this.#snapshot.event !== stories.lastEvent ||
      now - this.#snapshot.atMs > SNAPSHOT_FRESH_MS;
    if (stale) {
      // Reading the table may give a verdict, which is a change: take the number afterwards.
      const json = snapshot();
      const event = stories.lastEvent;
      const bytes = encoder.encode(retryField() + this.#message("snapshot", event, json));
      this.#snapshot = { event, atMs: now, bytes };
    }
    return this.#snapshot;
  }

  /** Neither JSON nor an event's ID can contain a line feed, so neither can end its line. */
  #message(event: string, id: number, json: string): string {
    return `event: ${event}\nid: ${this.#options.boot}-${id}\ndata: ${json}\n\n`;
  }

  /** The number of the event `id`, if this process gave it out and a stream can resume there. */
  #eventOf(id: string | undefined): number | undefined {
    const [, boot, text] = /^([0-9a-f]+)-([0-9]{1,15})$/.exec(id ?? "") ?? [];
    if (boot !== this.#options.boot) return undefined;
    const event = Number(text);
    return this.#options.stories.since(event) === undefined ? undefined : event;
  }

  #keepAlive(): void {
    for (const stream of this.#streams) {
      stream.keepAlive = true;
      if (stream.wake !== undefined) stream.wake();
      else if (!stream.taking) this.#end(stream);
      stream.taking = false;
    }
  }

  /** Ends a stream. If that cuts an event in two, its reader discards the first half. */
  #end(stream: EventStream): void {
    this.#forget(stream);
    stream.controller.close();
  }

  #forget(stream: EventStream): void {
    this.#streams.delete(stream);
    stream.wake?.();
    if (this.#streams.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    // Of a large table it is 2 MB, which nobody takes any more.
    this.#snapshot = NONE;
  }
}

function retryField(): string {
  return `retry: ${RETRY_MS}\n\n`;
}
