/**
 * Where a node is asked. (pure)
 *
 * @module
 */
import { normalizeAddress } from "../address.ts";
import { UsageError } from "../config/flags.ts";

/** The longest URL that is taken: more than any proxy's prefix needs. */
const URL_LENGTH_MAX = 1_024;

/**
 * `-at`: `host:port`, returned as `//host:port/` for a scheme to be put before it, or an http or https URL, which may
 * have a path before the node's own.
 */
export function readAt(text: string): string {
  const address = normalizeAddress(text);
  if (address !== undefined) return `//${address}/`;
  const url = text.length <= URL_LENGTH_MAX && /^https?:\/\//.test(text) ? URL.parse(text) : null;
  if (url === null || url.username !== "" || url.password !== "" || url.search !== "") {
    throw new UsageError(
      "give host:port, such as n1:8080 or [::1]:8080, or a URL, such as https://example.org/gossiper/",
    );
  }
  return `${url.origin}${url.pathname.replace(/\/*$/, "/")}`;
}
