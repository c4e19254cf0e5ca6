/**
 * Headers on the way in and out, on every route but `/hello`.
 *
 * @module
 */
import { normalizeAddress } from "../address.ts";
import { PAGE_POLICY } from "../page/page.tsx";
import { refuse } from "./body.ts";
import type { CallerContext } from "./callers.ts";

/** On every answer but those of `/hello`, where each byte counts: no sniffing, framing, foreign content or referrer. */
const SAFE_HEADERS: readonly (readonly [string, string])[] = [
  ["Content-Security-Policy", PAGE_POLICY],
  ["X-Content-Type-Options", "nosniff"],
  ["Referrer-Policy", "no-referrer"],
];

/**
 * Headers that routes or libraries parse. Patterns may take quadratic time: 65,000 blanks in an If-None-Match blocked
 * the rounds for four seconds.
 */
const PARSED_HEADERS = [
  "Accept",
  "Accept-Encoding",
  "Authorization",
  "If-Modified-Since",
  "If-None-Match",
  "If-Range",
  "Last-Event-ID",
  "Range",
];

/** Characters of such a header: `Basic` with the longest key has 700, a browser's Accept 200. */
const PARSED_LENGTH_MAX = 1_024;

/** Refuses what must not be parsed, and gives the answer its headers. */
export async function checkHeaders(c: CallerContext, next: () => Promise<void>): Promise<void> {
  for (const [name, value] of SAFE_HEADERS) c.header(name, value);
  for (const name of PARSED_HEADERS) {
    if ((c.req.header(name)?.length ?? 0) <= PARSED_LENGTH_MAX) continue;
    refuse(431, `Send a shorter ${name}: the limit is ${PARSED_LENGTH_MAX} characters`);
  }
  // `web.1` is a host, though it makes no URL.
  const isHost = URL.canParse(c.req.url) || normalizeAddress(c.req.header("host") ?? "");
  if (!isHost) refuse(400, "Send a Host of the form host:port");
  await next();
}

/**
 * The Location of `path`, which starts with `./`, so that a proxy's prefix stays. curl drops one `./` and would then
 * take `?` for a query of the folder without its slash; a second one keeps it right, for all clients.
 */
export function redirectTo(path: string): string {
  return `./${path}`;
}

/** Statuses of answers that never have a body, nor the length of one. */
export const EMPTY: ReadonlySet<number> = new Set([204, 304]);

/**
 * An answer to HEAD as it may be sent: without a length, if none is given. It has no body, and Deno would tell that of
 * GET's as 0 bytes.
 */
export function withoutLength(answer: Response): Response {
  const { body, headers, status } = answer;
  if (body !== null || EMPTY.has(status) || headers.has("content-length")) return answer;
  const nothing = new ReadableStream({ start: (controller) => controller.close() });
  return new Response(nothing, answer);
}
