/**
 * The addresses whose members are not known yet, as people see them. (pure)
 *
 * @module
 */
import type { Gossip } from "../gossip.ts";
import type { Exchange } from "../net/driver.ts";

/** An address whose member is not known yet. */
export interface ContactView {
  readonly address: string;
  /** Why, as the rest of a sentence: "refuses connections"; empty before the first call has ended. */
  readonly trouble: string;
  /** The same with the number of calls: "refuses connections: no answer to the last 4 calls". */
  readonly state: string;
}

/** What is wrong with an address, by how the last call to it ended. */
const TROUBLES: Readonly<Record<Exchange["outcome"], string>> = {
  answered: "",
  refused: "refuses connections",
  silent: "does not answer",
  failed: "gives no answer of use, as this node's log says",
};

/** The addresses whose member is not known yet; `outcomes` tells how the last call to each ended. */
export function contactViews(
  gossip: Gossip,
  outcomes: ReadonlyMap<string, Exchange["outcome"]>,
): ContactView[] {
  return Array.from(gossip.contacts.unanswered(), ({ address, failures }) => {
    const trouble = failures === 0 ? "" : TROUBLES[outcomes.get(address) ?? "silent"];
    const calls = failures === 1 ? "the last call" : `the last ${failures} calls`;
    const state = failures === 0 ? "no answer yet" : `${trouble}: no answer to ${calls}`;
    return { address, trouble, state };
  });
}
