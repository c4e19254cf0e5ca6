/**
 * The network of a host that only the test knows.
 *
 * @module
 */
import type { HostNetwork } from "../../lib/host/own_address.ts";

export interface NetworkFacts {
  /** Each `interface address`, as the system lists them. */
  readonly addresses: readonly string[];
  /** The host's address on the way to a peer, by the peer's host; no other peer answers. */
  readonly towards?: Readonly<Record<string, string>>;
  readonly defaultInterfaces?: readonly string[];
}

export function networkOf(
  { addresses, towards = {}, defaultInterfaces = [] }: NetworkFacts,
): HostNetwork {
  return {
    addresses: () =>
      addresses.map((own) => {
        const [name = "", address = ""] = own.split(" ");
        return { name, address };
      }),
    addressTowards: ({ host }) => Promise.resolve(towards[host]),
    defaultInterfaces: () => defaultInterfaces,
  };
}
