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
  const tooLong = `The body is over the limit of ${bytesMax} bytes`;
  if (Number(request.headers.get("content-length") ?? 0) > bytesMax) refuse(413, tooLong);
  if (request.body === null) return "";
  const reader = request.body.getReader();
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
      const { done, value } = await reader.read().catch(() => refuse(400, "The body broke off"));
      if (done) break;
      bytes += value.length;
      bodiesBytes += value.length;
      if (bytes > bytesMax || bodiesBytes > BODIES_BYTES_MAX) {
        await reader.cancel("too long");
        if (bytes > bytesMax) refuse(413, tooLong);
        refuse(503, "Too many bodies at once: try again in a second");
      }
      text += decoder.decode(value, { stream: true });
    }
  } finally {
    clearTimeout(timer);
    bodiesBytes -= bytes;
  }
  if (slow) refuse(408, `The body was not whole after ${BODY_TIME_MS / 1000} s`);
  return text + decoder.decode();
}
