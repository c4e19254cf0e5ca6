/**
 * Answers on their way: how many a caller may leave unread. (pure)
 *
 * The attack: `Deno.serve` speaks HTTP/2 on a plain port too, with no switch against it. There one connection may send
 * 200 requests and read no answer, and each answer waits in memory with 5 KB of its own. A handler cannot tell HTTP/2,
 * nor learn whether a text was read; but Deno tells when a stream was.
 *
 * So long answers are streams, and one short answer in SAMPLED_EVERY is. Each caller may have a share of streams
 * unread; beyond it, it gets answers without a body, which hold no memory.
 *
 * Rejected: a filter in front that looks at the first bytes of each connection. It copies all that a node says.
 *
 * @module
 */
import { type Caller, networkOf } from "./callers.ts";

/** Bytes of an answer that need not be a stream, but for a sample. Exchanges in a cluster of 2,000 are shorter. */
export const SHORT_BYTES = 4_096;

/** One short answer in as many is a stream: that takes 400 µs, twenty times as long. */
export const SAMPLED_EVERY = 1_024;

/** Streams that a sample counts as, which stands for all answers since the last: 4,096 of them are a share. */
export const SAMPLE_WEIGHT = 16;

/** Streams that one network may hold: with a proxy in front it is everybody's. A stream on hold takes 80 KB. */
export const SHARE_MAX = 64;

/** Streams that it may hold however many others hold. */
export const SHARE_MIN = 4;

/** Streams of all networks, from which on each has but the smallest share. */
const STREAMS_MAX = 256;

/** Bytes of all streams: four tables of 65,536 members as JSON. */
export const BYTES_MAX = 32 * 1024 * 1024;

/** Bytes given to the network at once. */
const PIECE_BYTES = 16_384;

/** A stream of which nothing was taken for this long is cut off; what is left of it in the runtime is 80 KB. */
export const STALLED_MS = 30_000;

interface AnswerStream {
  readonly controller: ReadableStreamDefaultController<Uint8Array>;
  readonly bytes: number;
  /** When its caller took something last. */
  takenMs: number;
}

export class Answers {
  readonly #nowMs: () => number;
  readonly #encoder = new TextEncoder();
  readonly #streams = new Set<AnswerStream>();
  /** Streams that are not taken yet, by network. */
  readonly #held = new Map<string, number>();
  #heldTotal = 0;
  #bytes = 0;
  #sent = 0;

  /** `nowMs` is a clock that never goes back. */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** Whether a caller holds as many answers as it may. */
  isFull(caller: Pick<Caller, "remote">): boolean {
    // The usual case, for which the caller's address, which costs something, is not looked up.
    if (this.#heldTotal < SHARE_MIN) return false;
    const held = this.#held.get(networkOf(caller.remote)) ?? 0;
    return held >= Math.max(SHARE_MIN, Math.min(SHARE_MAX, STREAMS_MAX - this.#heldTotal));
  }

  /** An answer to `caller`; 503 where there is no room for a long one. */
  send(caller: Caller, body: string | Uint8Array<ArrayBuffer>, init?: ResponseInit): Response {
    const isShort = body.length <= SHORT_BYTES;
    if (isShort && ++this.#sent % SAMPLED_EVERY !== 0) return new Response(body, init);
    this.#cutStalled();
    // A text has no fewer bytes than characters: one for which there is no room need not be encoded to know.
    if (this.isFull(caller) || this.#bytes + body.length > BYTES_MAX) return busy();
    const bytes = typeof body === "string" ? this.#encoder.encode(body) : body;
    if (this.#bytes + bytes.length > BYTES_MAX) return busy();
    this.#hold(caller, isShort ? SAMPLE_WEIGHT : 1);
    const headers = new Headers(init?.headers);
    headers.set("content-length", `${bytes.length}`);
    return new Response(this.#stream(bytes), { ...init, headers });
  }

  #stream(bytes: Uint8Array<ArrayBuffer>): ReadableStream<Uint8Array<ArrayBuffer>> {
    let at = 0;
    let stream: AnswerStream;
    return new ReadableStream<Uint8Array<ArrayBuffer>>({
      start: (controller) => {
        stream = { controller, bytes: bytes.length, takenMs: this.#nowMs() };
        this.#streams.add(stream);
        this.#bytes += bytes.length;
      },
      pull: (controller) => {
        stream.takenMs = this.#nowMs();
        if (at < bytes.length) controller.enqueue(bytes.subarray(at, at += PIECE_BYTES));
        if (at >= bytes.length) this.#end(stream);
      },
      cancel: () => this.#forget(stream),
    }, { highWaterMark: 0 });
  }

  /** Counts a stream until the caller has taken it, or is gone. */
  #hold({ remote, completed }: Caller, weight: number): void {
    const network = networkOf(remote);
    this.#held.set(network, (this.#held.get(network) ?? 0) + weight);
    this.#heldTotal += weight;
    const release = () => {
      this.#heldTotal -= weight;
      const left = this.#held.get(network)! - weight;
      if (left > 0) this.#held.set(network, left);
      else this.#held.delete(network);
    };
    completed.then(release, release);
  }

  /** Looked at when another answer needs room: nobody else is harmed by what waits. */
  #cutStalled(): void {
    const sinceMs = this.#nowMs() - STALLED_MS;
    for (const stream of this.#streams) if (stream.takenMs < sinceMs) this.#end(stream);
  }

  #end(stream: AnswerStream): void {
    this.#forget(stream);
    // Shorter than it says, the connection breaks. An error would be told on stderr by Deno.
    stream.controller.close();
  }

  #forget(stream: AnswerStream): void {
    if (this.#streams.delete(stream)) this.#bytes -= stream.bytes;
  }
}

function busy(): Response {
  const text = "Try again in a second: too many answers are waiting to be taken\n";
  return new Response(text, { status: 503, headers: { "Retry-After": "1" } });
}
