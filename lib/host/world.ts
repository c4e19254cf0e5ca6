/**
 * The world of a real node: this machine's timers, and calls over TCP, signed where the cluster has a key.
 *
 * @module
 */
import type { Moment } from "../clock.ts";
import { mayCall, type Network } from "../config/networks.ts";
import { BODY_BYTES_MAX } from "../limits.ts";
import type { World } from "../net/driver.ts";
import type { Pace } from "../pace.ts";
import { exchangeTimeoutMs } from "../net/exchange_timeout.ts";
import { signedTransport, type Signer } from "../net/signer.ts";
import { createTransport, type Transport } from "../net/transport.ts";

export interface RealWorldOptions {
  readonly pace: Pick<Pace, "intervalMs">;
  readonly now: () => Moment;
  /** Of a cluster with a key. */
  readonly signer: Signer | undefined;
  /** Networks that peers are called in; none: all but those that are no node's. */
  readonly allow: readonly Network[];
  /** Set: call peers by HTTPS, and trust these authorities besides the usual ones. */
  readonly caCerts: (() => string[]) | undefined;
  /** A peer closed an idle connection. */
  readonly onHangUp: (address: string) => void;
  /** A hint at trouble on the way to a peer, in one line. */
  readonly onHint: (text: string) => void;
}

export class RealWorld implements World {
  readonly now: () => Moment;
  readonly #transport: Transport;

  constructor(options: RealWorldOptions) {
    const { pace, now, signer, allow, caCerts, onHangUp, onHint } = options;
    this.now = now;
    const transport = createTransport({
      get timeoutMs() {
        return exchangeTimeoutMs(pace.intervalMs);
      },
      bodyBytesMax: BODY_BYTES_MAX,
      onHangUp,
      onHint,
      mayCall: (ip) => mayCall(ip, allow),
      ...(caCerts !== undefined && { caCerts }),
    });
    this.#transport = signer === undefined ? transport : signedTransport(transport, signer);
  }

  /** Bytes sent and received since the start. */
  get traffic(): Transport["traffic"] {
    return this.#transport.traffic;
  }

  setTimer(atMs: number, run: () => void): () => void {
    const timer = setTimeout(run, Math.max(0, atMs - this.now().monotonicMs));
    return () => clearTimeout(timer);
  }

  post: World["post"] = (to, path, body, settle) => {
    // A transport never rejects; what `settle` throws is told as an error that nobody caught.
    void this.#transport.post(to, path, body).then(settle);
  };

  /** Closes every connection. */
  close(): void {
    this.#transport.close();
  }
}
