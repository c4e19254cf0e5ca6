/**
 * Ports that belong to other protocols: browsers call none of them, nor does `fetch`, by which commands ask nodes and
 * hooks are posted. Nodes call each other without it, at any port. (pure)
 *
 * @module
 */
import { UsageError } from "./flags.ts";

/** "Bad ports" of the Fetch standard, https://fetch.spec.whatwg.org/#port-blocking, with what is no port of anybody. */
// deno-fmt-ignore
const BLOCKED: ReadonlySet<number> = new Set([
  0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109, 110,
  111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515, 526, 530, 531, 532,
  540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061,
  6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080,
]);

export function isBlockedPort(port: number): boolean {
  return BLOCKED.has(port);
}

/** @throws {UsageError} if nobody calls the port of a URL or an address; none given is the usual one. */
export function refuseBlockedPort(port: string | number): void {
  if (port === "" || !isBlockedPort(Number(port))) return;
  throw new UsageError(
    `give another port: ${port} belongs to another protocol, and is never called`,
  );
}
