/**
 * What every route needs: one-line errors, and bodies read with a bound.
 *
 * @module
 */
import { HTTPException } from "hono/http-exception";

/** A body not whole by then is given up, so that slow senders cannot hold many requests open. */
const BODY_TIME_MS = 5_000;

/** Bytes of all bodies that are being read: each may be as long as a table, and memory is the process' own. */
const BODIES_BYTES_MAX = 64 * 1024 * 1024;

/** A body of at most this length is read in one go: a push of 20,000 members. */
const WHOLE_BYTES_MAX = 65_536;

/** Turns of the microtask queue in which a body that came with its head is here: 2 to 4. */
const TURNS_MAX = 8;

let bodiesBytes = 0;

/** Ends a request with `status` and one line that says what to do. */
export function refuse(
  status: 400 | 401 | 403 | 404 | 405 | 408 | 409 | 413 | 503 | 507,
  line: string,
): never {
  throw new HTTPException(status, { message: line });
}

/** Reads a body of at most `bytesMax` as text; refuses a longer one before it is whole, and a slow one. */
export async function readBody(request: Request, bytesMax: number): Promise<string> {
  const length = request.headers.get("content-length");
  if (Number(length ?? 0) > bytesMax) refuseLong(bytesMax);
  const bytes = Number(length ?? Infinity);
  if (bytes <= WHOLE_BYTES_MAX) return await readWhole(request, bytes);
  return request.body === null ? "" : await readParts(request.body, bytesMax);
}

/** Reads a short body of a known length: a fifth of the cost of reading it part by part. */
async function readWhole(request: Request, bytes: number): Promise<string> {
  takeRoom(bytes);
  try {
    let text: string | undefined;
    let isBroken = false;
    const reading = request.text().then((read) => text = read, () => isBroken = true);
    // What came in one packet with its head needs no deadline, and a timer costs more than reading it.
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

/** Counts bytes among those of all bodies that are being read; refuses them if there is no room. */
function takeRoom(bytes: number): void {
  if (bodiesBytes + bytes > BODIES_BYTES_MAX) {
    refuse(503, "Too many bodies at once: try again in a second");
  }
  bodiesBytes += bytes;
}

function refuseLong(bytesMax: number): never {
  refuse(413, `The body is over the limit of ${bytesMax} bytes`);
}

function refuseBroken(): never {
  refuse(400, "The body broke off");
}

function tooSlow(): HTTPException {
  const message = `The body was not whole after ${BODY_TIME_MS / 1000} s`;
  return new HTTPException(408, { message });
}
