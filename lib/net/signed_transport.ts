/**
 * Exchanges in a cluster with a key: each request is signed, and an answer counts only if it is signed as well.
 *
 * @module
 */
import { quote } from "../text.ts";
import type { Signer } from "./signer.ts";
import type { Outcome, Transport } from "./transport.ts";

/** `transport`, signed. */
export function signedTransport(transport: Transport, signer: Signer): Transport {
  return {
    traffic: transport.traffic,
    close: () => transport.close(),
    async post(address, path, body): Promise<Outcome> {
      if (typeof body !== "string") throw new TypeError("Cannot sign bytes: give a text");
      const request = { method: "POST", target: path, body };
      const { authorization, code } = await signer.sign(request);
      const outcome = await transport.post(address, path, body, authorization);
      if (outcome.kind !== "answer") return outcome;
      const { status, proof, body: text } = outcome;
      if (await signer.checkAnswer(code, { status, body: text, proof })) {
        if (status !== 401) return outcome;
        return { kind: "failed", why: `it refuses this node: ${quote(text.trim())}` };
      }
      return {
        kind: "failed",
        why: `its answer, of status ${status}, is not signed with a key of this cluster`,
      };
    },
  };
}
