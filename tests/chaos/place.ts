import type { LinkFault } from "./links.ts";

/** Where the nodes run, and what can be done to the network between them. */
export interface Place {
  /** In words. */
  readonly name: string;
  /** Whether the network between the nodes can be broken. */
  readonly breakable: boolean;
  /** Makes room for a node, and returns the flags that put it there. */
  prepare(id: string): Promise<readonly string[]>;
  /** The command that starts a program there. */
  prefix(id: string): readonly string[];
  /** Where a node will listen; undefined: not known until it does. */
  addressOf(id: string): string | undefined;
  /** Takes down where a node listens: it starts there again. */
  listens(id: string, address: string): void;
  /** Makes these the faults of the network, in place of those before. */
  setFaults(faults: readonly LinkFault[]): Promise<void>;
}

/** All nodes on the loopback: the network between them can't be broken. */
export class Loopback implements Place {
  readonly name = "all nodes on 127.0.0.1";
  readonly breakable = false;
  readonly #addresses = new Map<string, string>();

  prepare(id: string): Promise<readonly string[]> {
    return Promise.resolve(["-host", "127.0.0.1", "-port", String(this.#port(id))]);
  }

  prefix(): readonly string[] {
    return [];
  }

  addressOf(id: string): string | undefined {
    return this.#addresses.get(id);
  }

  listens(id: string, address: string): void {
    this.#addresses.set(id, address);
  }

  setFaults(faults: readonly LinkFault[]): Promise<void> {
    if (faults.length > 0) throw new Error("BUG: the loopback cannot be broken");
    return Promise.resolve();
  }

  /** The port it had, unless somebody took it meanwhile. */
  #port(id: string): number {
    const address = this.#addresses.get(id);
    if (address === undefined) return 0;
    const port = Number(address.slice(address.lastIndexOf(":") + 1));
    try {
      Deno.listen({ hostname: "127.0.0.1", port }).close();
      return port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
      return 0;
    }
  }
}
