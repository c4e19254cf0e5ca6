/**
 * What every route needs: one-line errors, and bodies read with a bound.
 *
 * @module
 */
import { HTTPException } from "hono/http-exception";
import { RequestError } from "./http_request.ts";

/** A body not whole by then is given up, so that slow senders cannot hold many requests open. */
const BODY_TIME_MS = 5_000;

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
      const { done, value } = await reader.read();
      if (done) break;
      bytes += value.length;
      if (bytes > bytesMax) {
        await reader.cancel("too long");
        refuse(413, tooLong);
      }
      text += decoder.decode(value, { stream: true });
    }
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    refuse(error.status === 503 ? 503 : 400, error.message);
  } finally {
    clearTimeout(timer);
  }
  if (slow) refuse(408, `The body was not whole after ${BODY_TIME_MS / 1000} s`);
  return text + decoder.decode();
}
