/**
 * `-at`: the node that a command asks, as its user writes it. (pure)
 *
 * @module
 */
import { formatAddress, parseAddress } from "../address.ts";
import { refuseBlockedPort } from "../config/blocked_ports.ts";
import { UsageError } from "../config/flags.ts";

/** The longest URL that is taken: more than any proxy's prefix needs. */
const URL_LENGTH_MAX = 1_024;

/**
 * `-at`: `host:port`, returned as `//host:port/` for a scheme to be put before it, or an http or https URL, which may
 * have a path before the node's own.
 */
export function readAt(text: string): string {
  const address = parseAddress(text);
  if (address !== undefined) {
    refuseBlockedPort(address.port);
    return `//${formatAddress(address.host, address.port)}/`;
  }
  const url = text.length <= URL_LENGTH_MAX && /^https?:\/\//.test(text) ? URL.parse(text) : null;
  if (url === null || url.username !== "" || url.password !== "" || url.search !== "") {
    throw new UsageError(
      "give host:port, such as n1:8080 or [::1]:8080, or a URL, such as https://example.org/gossiper/",
    );
  }
  refuseBlockedPort(url.port);
  return `${url.origin}${url.pathname.replace(/\/*$/, "/")}`;
}
