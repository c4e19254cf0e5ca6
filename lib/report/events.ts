/**
 * `GET /events`: the changes of status as server-sent events, a snapshot of the table first.
 *
 * A stream is only a place in the numbered changes that {@linkcode Stories} keeps for all: what a reader has not
 * taken yet is
 * never stored for it. So a slow reader costs nothing; one that falls out of the numbers kept, or takes nothing for two
 * keep-alives, is dropped, and resumes or starts anew with a snapshot.
 *
 * @module
 */
import { changeView, type Stories, type Told } from "./stories.ts";

/** Readers at once: a browser tab each for a large team and some scripts, at one open connection each. */
export const STREAMS_MAX = 100;

/** A comment this often tells both sides that the connection stands; proxies close silent ones after 30 s and more. */
export const KEEP_ALIVE_MS = 15_000;

/** A reader whose connection breaks should try again after this time. */
const RETRY_MS = 2_000;

/** Bytes given to the network at once: a snapshot of a large table goes out as fast as its reader takes it. */
const PIECE_BYTES = 65_536;

/** A snapshot is made anew after this time, however many readers ask. */
const SNAPSHOT_FRESH_MS = 500;

const COMMENT = ":\n\n";

const encoder = new TextEncoder();

export interface EventStreamsOptions {
  /** Tells this process' events from those of a former one of the same node. */
  readonly boot: string;
  readonly stories: Stories;
  /** What `GET /members` answers now, as JSON. */
  readonly snapshot: () => string;
  /** In ms of a monotonic clock. */
  readonly nowMs: () => number;
  readonly keepAliveMs?: number;
}

interface Stream {
  readonly controller: ReadableStreamDefaultController<Uint8Array>;
  /** The number of the last change sent. */
  event: number;
  /** What to send before any change. */
  rest: Uint8Array;
  /** The reader took something since the last keep-alive. */
  taking: boolean;
  /** Set while the reader has taken all and waits. */
  wake: (() => void) | undefined;
  keepAlive: boolean;
}

export class EventStreams {
  readonly #options: EventStreamsOptions;
  readonly #streams = new Set<Stream>();
  #timer: ReturnType<typeof setInterval> | undefined;
  #closed = false;
  #snapshot = { event: -1, atMs: -Infinity, bytes: new Uint8Array() };
  /** The last changes sent, which most streams send alike. */
  #chunk = { from: -1, to: -1, bytes: new Uint8Array() };

  constructor(options: EventStreamsOptions) {
    this.#options = options;
  }

  /** Streams that are open. */
  get size(): number {
    return this.#streams.size;
  }

  /** A new stream, from the change after `lastEventId` or from a snapshot on; undefined: there are too many. */
  open(lastEventId: string | undefined): ReadableStream<Uint8Array> | undefined {
    if (this.#streams.size >= STREAMS_MAX || this.#closed) return undefined;
    const resumed = this.#eventOf(lastEventId);
    const snapshot = resumed === undefined ? this.#takeSnapshot() : undefined;
    let stream: Stream;
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

  /** Sends what {@linkcode Stories} recorded since. */
  publish(): void {
    for (const stream of this.#streams) stream.wake?.();
  }

  /** Ends every stream, once its reader has all changes. */
  close(): void {
    this.#closed = true;
    this.publish();
  }

  async #pull(stream: Stream): Promise<void> {
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

  /** The next bytes for a reader; none if it has all, undefined if it fell too far behind. */
  #next(stream: Stream): Uint8Array | undefined {
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

  #encode(from: number, changes: readonly Told[]): Uint8Array {
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
      // Looking at the table may find a change: the number is taken after it.
      const json = snapshot();
      const event = stories.lastEvent;
      const bytes = encoder.encode(retryField() + this.#message("snapshot", event, json));
      this.#snapshot = { event, atMs: now, bytes };
    }
    return this.#snapshot;
  }

  /** JSON has no line feed, and an ID of ours no character to escape, so each stands on a line as it is. */
  #message(event: string, id: number, json: string): string {
    return `event: ${event}\nid: ${this.#options.boot}-${id}\ndata: ${json}\n\n`;
  }

  /** The number in an ID of this process from which a stream can resume. */
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

  /** Ends a stream; where that cuts an event in two, its reader throws the first half away. */
  #end(stream: Stream): void {
    this.#forget(stream);
    stream.controller.close();
  }

  #forget(stream: Stream): void {
    this.#streams.delete(stream);
    stream.wake?.();
    if (this.#streams.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

function retryField(): string {
  return `retry: ${RETRY_MS}\n\n`;
}
