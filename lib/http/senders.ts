/**
 * The sender of an exchange: `from`, `via` and `cluster` in the query.
 *
 * @module
 */
import type { CallerContext } from "./callers.ts";
import { isId, normalizeAddress } from "../address.ts";
import { refuse } from "./body.ts";
import { DEFAULT_CLUSTER } from "../limits.ts";
import type { Node } from "../host/node.ts";

/** Senders cached: the live callers of a cluster of 2,000; when full, the cache starts again. */
const SENDERS_MAX = 2_048;

/** Characters of a URL that is cached: room for an ID, two addresses and a cluster's name. */
const URL_LENGTH_MAX = 1_024;

export interface Sender {
  readonly from: string;
  /** Where the sender can be reached. */
  readonly via: string;
}

/** Reads senders. A node calls with the same URL for as long as it runs, so the result is cached by URL. */
export class Senders {
  readonly #node: Node;
  readonly #byUrl = new Map<string, Sender>();

  constructor(node: Node) {
    this.#node = node;
  }

  /** The sender of a request, by its query. An invalid one is refused with 400, a node of another cluster with 409. */
  read(c: CallerContext): Sender {
    const { url } = c.req;
    const known = this.#byUrl.get(url);
    if (known !== undefined) return known;
    const sender = this.#parse(c);
    if (this.#byUrl.size >= SENDERS_MAX) this.#byUrl.clear();
    if (url.length <= URL_LENGTH_MAX) this.#byUrl.set(url, sender);
    return sender;
  }

  #parse(c: CallerContext): Sender {
    const from = c.req.query("from") ?? "";
    const cluster = c.req.query("cluster") ?? DEFAULT_CLUSTER;
    const via = normalizeAddress(c.req.query("via") ?? "");
    if (!isId(from)) {
      refuse(400, "Give your ID as from=: 1 to 64 characters of A-Z a-z 0-9 . _ : -");
    }
    if (via === undefined) refuse(400, "Give your address as via=host:port");
    if (!isId(cluster)) refuse(400, "Give your cluster's name as cluster=, or leave it out");
    const foreign = this.#node.whyForeign({ from, via, cluster });
    if (foreign !== undefined) refuse(409, foreign);
    return { from, via };
  }
}
