/**
 * When this node's certificate expires, and what to say of it.
 *
 * @module
 */

/** Warn this long before: time to renew by hand; tools that renew do so a month before. */
const WARN_MS = 14 * 24 * 3_600_000;

const DAY_MS = 24 * 3_600_000;

/** When the first certificate of a PEM text expires, in ms since the epoch; undefined if it cannot be read. */
export async function expiryOf(pem: string): Promise<number | undefined> {
  // Loading Node's crypto takes some MB: only a node with a certificate pays for it.
  const { X509Certificate } = await import("node:crypto");
  try {
    const expiresMs = Date.parse(new X509Certificate(pem).validTo);
    return Number.isNaN(expiresMs) ? undefined : expiresMs;
  } catch {
    return undefined;
  }
}

/** Warns in one line of the certificate in `path`; undefined while it is good for two weeks. */
export function expiryWarning(path: string, expiresMs: number, nowMs: number): string | undefined {
  const leftMs = expiresMs - nowMs;
  if (leftMs > WARN_MS) return undefined;
  const on = new Date(expiresMs).toISOString().slice(0, 10);
  if (leftMs <= 0) return `The certificate in ${path} expired on ${on}: renew it`;
  const days = Math.floor(leftMs / DAY_MS);
  const when = days === 0 ? "within a day" : days === 1 ? "in 1 day" : `in ${days} days`;
  return `The certificate in ${path} expires ${when}, on ${on}: renew it`;
}
