/**
 * What a caller shows to be let in: the key, or a signature.
 *
 * @module
 */
import type { CallerContext } from "./callers.ts";

export function authorizationOf(c: CallerContext): string {
  return c.req.header("authorization") ?? "";
}

/** Whether a request has a signature, which may be wrong. */
export function isSigned(c: CallerContext): boolean {
  return /^Gossip /i.test(authorizationOf(c));
}

/** The password of `Basic`, with any user name. */
export function passwordOf(authorization: string): string | undefined {
  const [, base64] = /^Basic +([A-Za-z0-9+/=]+) *$/i.exec(authorization) ?? [];
  if (base64 === undefined) return undefined;
  try {
    const text = atob(base64);
    return text.slice(text.indexOf(":") + 1);
  } catch {
    return undefined;
  }
}
