/**
 * What every route needs: errors of one line, and request bodies read within bounds.
 *
 * A body that came with its head is read at once, as those of nodes are. Any other waits in a room of its own, so that
 * callers who send a head and no body take nothing from those who send both.
 *
 * @module
 */
import { HTTPException } from "./hono.ts";
import { type CallerContext, networkOf } from "./callers.ts";
import { WaitingRoom } from "./waiting.ts";

/** A body must be complete after this time, so that slow senders cannot hold requests open. */
const BODY_TIME_MS = 5_000;

/** Bodies that are waited for at once: each holds a connection and at most WHOLE_BYTES_MAX, or a share of the room. */
export const WAITING_MAX = 256;

/** Bytes of a body read in one go: a push of 20,000 members. */
const WHOLE_BYTES_MAX = 65_536;

/**
 * Bytes of all longer bodies, from their first byte until their request is answered: two full tables. While a signature
 * is checked there are five copies of each, and all must fit into a process of 512 MB.
 */
const LONG_BYTES_MAX = 16 * 1024 * 1024;

/** Turns of the microtask queue to wait for a body that came with its head: it takes 2 to 4. */
const TURNS_MAX = 8;

// One for the process, as its memory is.
const waitingRoom = new WaitingRoom(WAITING_MAX);
let longBytes = 0;

/** Ends a request with `status` and a line that says what to do. */
export function refuse(
  status: 400 | 401 | 403 | 404 | 405 | 408 | 409 | 413 | 431 | 502 | 503 | 507,
  line: string,
): never {
  throw new HTTPException(status, { message: line });
}

/** A body that was read; it takes room until it is disposed of, when its request is answered. */
export class Body implements Disposable {
  text: string;
  #longBytes = 0;
  #isDisposed = false;

  constructor(text = "") {
    this.text = text;
  }

  /** Takes room for `bytes` more; refuses the request if there is not enough, and makes some for the next. */
  take(bytes: number): void {
    // A piece that came just when the place was given up.
    if (this.#isDisposed) throw crowded();
    if (longBytes + bytes > LONG_BYTES_MAX) {
      waitingRoom.giveUpOne();
      refuse(503, "Try again in a second: too many long bodies are being read");
    }
    longBytes += bytes;
    this.#longBytes += bytes;
  }

  [Symbol.dispose](): void {
    if (!this.#isDisposed) longBytes -= this.#longBytes;
    this.#isDisposed = true;
  }
}

/**
 * Reads a body of at most `bytesMax`; refuses a longer one (413) before it is complete, and a slow one (408). Without
 * `waits` also one that did not come with its head.
 */
export async function readBody(
  c: CallerContext,
  { bytesMax, waits = true }: { bytesMax: number; waits?: boolean },
): Promise<Body> {
  const request = c.req.raw;
  const length = request.headers.get("content-length");
  if (Number(length ?? 0) > bytesMax) refuseLong(bytesMax);
  if (Number(length ?? Infinity) <= WHOLE_BYTES_MAX) return await readWhole(c, waits);
  if (request.body === null) return new Body();
  if (!waits) refuseLong(WHOLE_BYTES_MAX);
  return await readParts(c, request.body, bytesMax);
}

/** The body, which the gate may have read already. */
export function bodyOf(c: CallerContext, bytesMax: number): Body | Promise<Body> {
  if (c.req.method !== "POST") return new Body();
  const text = c.get("body");
  return text === undefined ? readBody(c, { bytesMax }) : new Body(text);
}

/** Reads a short body of known length, at a fifth of the cost of reading it part by part. */
async function readWhole(c: CallerContext, waits: boolean): Promise<Body> {
  let text: string | undefined;
  let isBroken = false;
  const reading = c.req.raw.text().then((read) => text = read, () => isBroken = true);
  // A body that came with its head needs no deadline, and a timer would cost more than reading it.
  for (let i = 0; i < TURNS_MAX && text === undefined && !isBroken; i++) await undefined;
  if (text === undefined && !isBroken) {
    if (!waits) refuse(408, "Send the body in one piece with the head");
    await wait(c, reading);
  }
  return new Body(text ?? refuseBroken());
}

/** Waits for a caller's bytes in the waiting room, until they are there or the place is given up. */
async function wait(c: CallerContext, reading: Promise<unknown>): Promise<void> {
  const { promise: over, reject } = Promise.withResolvers<never>();
  const place = waitingRoom.enter(networkOf(c.env.remote), () => reject(crowded()));
  const timer = setTimeout(() => reject(tooSlow()), BODY_TIME_MS);
  try {
    await c.env.aside(Promise.race([reading, over]));
  } finally {
    clearTimeout(timer);
    place.leave();
  }
}

async function readParts(
  c: CallerContext,
  stream: ReadableStream<Uint8Array>,
  bytesMax: number,
): Promise<Body> {
  const body = new Body();
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  let bytes = 0;
  const reading = (async () => {
    for (;;) {
      const { done, value } = await reader.read().catch(refuseBroken);
      if (done) break;
      body.take(value.length);
      bytes += value.length;
      if (bytes > bytesMax) refuseLong(bytesMax);
      body.text += decoder.decode(value, { stream: true });
    }
    body.text += decoder.decode();
  })();
  try {
    await wait(c, reading);
    return body;
  } catch (error) {
    reading.catch(() => {});
    await reader.cancel("refused").catch(() => {});
    body[Symbol.dispose]();
    throw error;
  }
}

function refuseLong(bytesMax: number): never {
  refuse(413, `Send a shorter body: the limit is ${bytesMax} bytes`);
}

function refuseBroken(): never {
  refuse(400, "Send the whole body: it broke off");
}

function tooSlow(): HTTPException {
  const message = `Send the body faster: it was not complete after ${BODY_TIME_MS / 1000} s`;
  return new HTTPException(408, { message });
}

function crowded(): HTTPException {
  const message = "Send the body faster: too many callers keep this node waiting";
  return new HTTPException(503, { message });
}
