/**
 * A hint at lost large packets: where a tunnel carries smaller packets than the hosts believe, and a firewall drops the
 * messages that would tell them (an MTU black hole), connections open and short answers pass, but exchanges time out.
 *
 * @module
 */

/** Exchanges in a row over open connections without an answer, before a short request is tried. */
export const SILENT_TIMES = 3;

/** Addresses counted; past it, counting starts anew. */
export const COUNTED_MAX = 1_024;

export interface LargePacketsOptions {
  /** Makes a short request to `address`; resolves to whether a short answer came. Never rejects. */
  readonly probe: (address: string) => Promise<boolean>;
  /** Takes the hint, in one line, once until the address answers again. */
  readonly onHint: (text: string) => void;
}

export class LargePackets {
  readonly #options: LargePacketsOptions;
  readonly #silent = new Map<string, number>();

  constructor(options: LargePacketsOptions) {
    this.#options = options;
  }

  /** Notes an exchange that was answered. */
  answered(address: string): void {
    this.#silent.delete(address);
  }

  /** Notes an exchange that was not answered, though its connection opened. */
  async silent(address: string): Promise<void> {
    const times = (this.#silent.get(address) ?? 0) + 1;
    if (this.#silent.size >= COUNTED_MAX) this.#silent.clear();
    this.#silent.set(address, times);
    if (times !== SILENT_TIMES || !await this.#options.probe(address)) return;
    this.#options.onHint(
      `small answers of ${address} pass, large ones do not: a tunnel or firewall on the way may drop large packets; ` +
        "lower the MTU of the interface, or let ICMP pass",
    );
  }
}
