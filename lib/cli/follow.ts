/**
 * `/events` of a node, followed for as long as somebody wants them, across lost connections.
 *
 * @module
 */
import { pause, withDeadline } from "../net/deadline.ts";
import { errorText } from "../text.ts";
import { ANSWER_BYTES_MAX, CallError, type Client, EXIT } from "./client.ts";
import { EventReader, type StreamEvent } from "./event_stream.ts";

/** A stream that is silent for longer is lost: a node sends a comment every 15 s. */
const SILENT_MS = 40_000;

/** The wait before the first attempt to come back; it doubles with each that fails, up to the second. */
const WAIT_MIN_MS = 500;
const WAIT_MAX_MS = 10_000;

/** A stream that lasted this long worked: the next wait is the shortest again. */
const LASTING_MS = 10_000;

/** What following tells: it has begun, or begun again; an event; or the stream is lost, and will be looked for. */
export type StreamUpdate =
  | { readonly kind: "open" }
  | { readonly kind: "event"; readonly event: StreamEvent }
  | { readonly kind: "lost"; readonly why: string };

export interface FollowOptions {
  /** Ends it, also while nothing comes. */
  readonly signal: AbortSignal;
  readonly silentMs?: number;
  readonly waitMinMs?: number;
}

/**
 * Follows until its reader stops, or `signal` is aborted. A node that cannot be reached at the start, or refuses, ends
 * it.
 *
 * @throws {CallError}
 */
export async function* follow(
  client: Client,
  { signal, silentMs = SILENT_MS, waitMinMs = WAIT_MIN_MS }: FollowOptions,
): AsyncGenerator<StreamUpdate> {
  const events = new EventReader(ANSWER_BYTES_MAX);
  let begun = false;
  let waitMs = waitMinMs;
  while (!signal.aborted) {
    const sinceMs = performance.now();
    let why = "the stream ended";
    const abort = new AbortController();
    const end = () => abort.abort();
    signal.addEventListener("abort", end);
    try {
      const stream = await client.stream(events.lastId, abort);
      begun = true;
      yield { kind: "open" };
      for await (const text of pieces(stream, silentMs)) {
        for (const event of events.read(text)) yield { kind: "event", event };
      }
    } catch (error) {
      if (error instanceof CallError && (!begun || error.status === EXIT.wrong)) throw error;
      if (!(error instanceof CallError || error instanceof LostError)) throw error;
      why = error.message;
    } finally {
      signal.removeEventListener("abort", end);
      end();
    }
    events.reset();
    if (performance.now() - sinceMs >= LASTING_MS) waitMs = waitMinMs;
    yield { kind: "lost", why };
    // Readers that lost a node together come back apart.
    await pause(waitMs * (0.5 + Math.random() / 2), signal);
    waitMs = Math.min(waitMs * 2, WAIT_MAX_MS);
  }
}

class LostError extends Error {
  override readonly name = "LostError";
}

async function* pieces(
  stream: ReadableStream<Uint8Array>,
  silentMs: number,
): AsyncGenerator<string> {
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  const late = () => {
    throw new LostError(`silent for ${silentMs / 1000} s`);
  };
  try {
    for (;;) {
      const reading = reader.read().catch((error) => {
        throw new LostError(errorText(error));
      });
      const { done, value } = await withDeadline(reading, silentMs, late);
      if (done) return;
      yield decoder.decode(value, { stream: true });
    }
  } finally {
    // Closes the connection, which otherwise lasts for half a minute.
    reader.cancel().catch(() => {});
  }
}
