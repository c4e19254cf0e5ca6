/**
 * The addresses whose members are not known yet, as people see them. (pure)
 *
 * @module
 */
import type { Gossip } from "../gossip.ts";
import type { EndedExchange } from "../net/driver.ts";

/** An address whose member is not known yet. */
export interface ContactView {
  readonly address: string;
  /** Why, as the rest of a sentence: "refuses connections"; empty before the first call has ended. */
  readonly trouble: string;
  /** The same with the number of calls: "refuses connections: no answer to the last 4 calls". */
  readonly state: string;
}

/** What is wrong with an address, by how the last call to it ended. */
const TROUBLES: Readonly<Record<EndedExchange["outcome"], string>> = {
  answered: "",
  refused: "refuses connections",
  silent: "does not answer",
  failed: "gives no answer of use, as this node's log says",
};

/** Addresses of which it is remembered how the last call failed: more than anybody lists in -join. */
const FAILURES_MAX = 256;

/** How the last call to an address ended that did not answer. */
export class LastFailures {
  /** The one that failed longest ago first. */
  readonly #byAddress = new Map<string, EndedExchange["outcome"]>();

  record({ to, outcome }: EndedExchange): void {
    this.#byAddress.delete(to);
    if (outcome !== "answered") this.#byAddress.set(to, outcome);
    for (const oldest of this.#byAddress.keys()) {
      if (this.#byAddress.size <= FAILURES_MAX) break;
      this.#byAddress.delete(oldest);
    }
  }

  get(address: string): EndedExchange["outcome"] | undefined {
    return this.#byAddress.get(address);
  }
}

/** The addresses whose member is not known yet; `failures` tells how the last call to each ended. */
export function contactViews(
  gossip: Gossip,
  failures: LastFailures,
): ContactView[] {
  return Array.from(gossip.contacts.unanswered(), ({ address, failures: count }) => {
    const trouble = count === 0 ? "" : TROUBLES[failures.get(address) ?? "silent"];
    const calls = count === 1 ? "the last call" : `the last ${count} calls`;
    const state = count === 0 ? "no answer yet" : `${trouble}: no answer to ${calls}`;
    return { address, trouble, state };
  });
}
