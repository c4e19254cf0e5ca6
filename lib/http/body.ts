/**
 * What every route needs: errors of one line, and request bodies read within bounds.
 *
 * @module
 */
import { HTTPException } from "./hono.ts";

/** A body must be complete after this time, so that slow senders cannot hold requests open. */
const BODY_TIME_MS = 5_000;

/** Bytes of all bodies being read: each may hold a whole table, and all share this process' memory. */
const BODIES_BYTES_MAX = 64 * 1024 * 1024;

/** Bytes of a body read in one go: a push of 20,000 members. */
const WHOLE_BYTES_MAX = 65_536;

/** Turns of the microtask queue to wait for a body that came with its head: it takes 2 to 4. */
const TURNS_MAX = 8;

let bodiesBytes = 0;

/** Ends a request with `status` and a line that says what to do. */
export function refuse(
  status: 400 | 401 | 403 | 404 | 405 | 408 | 409 | 413 | 431 | 503 | 507,
  line: string,
): never {
  throw new HTTPException(status, { message: line });
}

/** Reads a body as text; refuses one over `bytesMax` (413) before it is complete, and a slow one (408). */
export async function readBody(request: Request, bytesMax: number): Promise<string> {
  const length = request.headers.get("content-length");
  if (Number(length ?? 0) > bytesMax) refuseLong(bytesMax);
  const bytes = Number(length ?? Infinity);
  if (bytes <= WHOLE_BYTES_MAX) return await readWhole(request, bytes);
  return request.body === null ? "" : await readParts(request.body, bytesMax);
}

/** Reads a short body of known length, at a fifth of the cost of reading it part by part. */
async function readWhole(request: Request, bytes: number): Promise<string> {
  takeRoom(bytes);
  try {
    let text: string | undefined;
    let isBroken = false;
    const reading = request.text().then((read) => text = read, () => isBroken = true);
    // A body that came with its head needs no deadline, and a timer would cost more than reading it.
    for (let i = 0; i < TURNS_MAX && text === undefined && !isBroken; i++) await undefined;
    if (text === undefined && !isBroken) await withinTime(reading);
    return text ?? refuseBroken();
  } finally {
    bodiesBytes -= bytes;
  }
}

async function withinTime(reading: Promise<unknown>): Promise<void> {
  const slow = Promise.withResolvers<never>();
  const timer = setTimeout(() => slow.reject(tooSlow()), BODY_TIME_MS);
  try {
    await Promise.race([reading, slow.promise]);
  } finally {
    clearTimeout(timer);
  }
}

async function readParts(body: ReadableStream<Uint8Array>, bytesMax: number): Promise<string> {
  const reader = body.getReader();
  let slow = false;
  const timer = setTimeout(() => {
    slow = true;
    void reader.cancel("too slow");
  }, BODY_TIME_MS);
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read().catch(refuseBroken);
      if (done) break;
      takeRoom(value.length);
      bytes += value.length;
      if (bytes > bytesMax) refuseLong(bytesMax);
      text += decoder.decode(value, { stream: true });
    }
  } catch (error) {
    await reader.cancel("refused").catch(() => {});
    throw error;
  } finally {
    clearTimeout(timer);
    bodiesBytes -= bytes;
  }
  if (slow) throw tooSlow();
  return text + decoder.decode();
}

/** Takes `bytes` of the room for bodies; refuses the request if there is not enough. */
function takeRoom(bytes: number): void {
  if (bodiesBytes + bytes > BODIES_BYTES_MAX) {
    refuse(503, "Try again in a second: too many bodies are being read");
  }
  bodiesBytes += bytes;
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
