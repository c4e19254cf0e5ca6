/**
 * Signed requests and answers: what each code covers, and how old a request may be.
 *
 *     authorization: Gossip <ms>.<code>      code over: request, cluster, ms, method, path and query, body
 *     authentication-info: <code>            code over: answer, cluster, the request's code, status, body
 *
 * The query names the sender. The answer's code covers the request's, so an answer fits one request only. Requests
 * are not remembered: a replay within the minute is answered, by any node, and changes nothing, as everything a request
 * says is merged (PROTOCOL.md).
 *
 * @module
 */
import type { Keyring } from "./keys.ts";
import { quote } from "../text.ts";
import type { PostOutcome, Transport } from "./transport.ts";

/** How far the clocks of two nodes may differ, in ms; a recorded request is useless once it is older. */
export const CLOCK_SKEW_MAX_MS = 60_000;

/** The part of a request that its code covers. */
export interface Signed {
  readonly method: string;
  /** Path and query as they travel. */
  readonly target: string;
  readonly body: string;
}

/** The result of checking a request: its code where it is valid, and an error where it is refused. */
export type Checked =
  | { readonly code: string; readonly error?: string }
  | { readonly code?: undefined; readonly error: string };

/** The answer to callers without a key. */
export const UNSIGNED = "This cluster has a key, and the request is not signed with it";

const SCHEME = "Gossip ";
const HEADER = /^Gossip ([0-9]{1,15})\.([A-Za-z0-9_-]{43})$/i;

export interface SignerOptions {
  readonly keyring: Keyring;
  /** The cluster's name: codes of one cluster are worth nothing in another, even if they share a key. */
  readonly cluster: string;
  /** Ms since the epoch. */
  readonly wallMs: () => number;
}

export class Signer {
  readonly #options: SignerOptions;

  constructor(options: SignerOptions) {
    this.#options = options;
  }

  /** The `authorization` header of a request, and its code, which the answer must cover. */
  async sign(request: Signed): Promise<{ authorization: string; code: string }> {
    const { keyring, wallMs } = this.#options;
    const atMs = Math.floor(wallMs());
    const code = await keyring.sign(this.#requestText(request, atMs));
    return { authorization: `${SCHEME}${atMs}.${code}`, code };
  }

  /** Whether a request can be valid, before its body is read: its header is well formed, and of the last minute. */
  isPlausible(authorization: string): "yes" | "stale" | "no" {
    const [, stamp] = HEADER.exec(authorization) ?? [];
    if (stamp === undefined) return "no";
    return this.#isFresh(Number(stamp)) ? "yes" : "stale";
  }

  /** Checks a request against its `authorization` header. A code beside an error is valid, but too old or early. */
  async check(request: Signed, authorization: string): Promise<Checked> {
    const [, stamp, code] = HEADER.exec(authorization) ?? [];
    if (code === undefined) return { error: UNSIGNED };
    const atMs = Number(stamp);
    const good = await this.#options.keyring.verify(this.#requestText(request, atMs), code);
    if (!good) return { error: UNSIGNED };
    const hereMs = Math.floor(this.#options.wallMs());
    // Only holders of a key are told this node's time, and only their clocks are worth a log line.
    return this.#isFresh(atMs) ? { code } : {
      code,
      error: `The clocks differ by over a minute: ${timeText(atMs)} there, ${
        timeText(hereMs)
      } here`,
    };
  }

  /** The `authentication-info` header of the answer to the request of this code. */
  signAnswer(code: string, status: number, body: string): Promise<string> {
    return this.#options.keyring.sign(this.#answerText(code, status, body));
  }

  /** Whether a holder of a key made this answer, to the request of this code. */
  async checkAnswer(
    code: string,
    answer: { status: number; body: string; proof: string | undefined },
  ): Promise<boolean> {
    const { status, body, proof = "" } = answer;
    return await this.#options.keyring.verify(this.#answerText(code, status, body), proof);
  }

  #isFresh(atMs: number): boolean {
    return Math.abs(Math.floor(this.#options.wallMs()) - atMs) <= CLOCK_SKEW_MAX_MS;
  }

  // Only the last part can hold a line feed, so two different requests never give one text.
  #requestText({ method, target, body }: Signed, atMs: number): string {
    return `gossip request\n${this.#options.cluster}\n${atMs}\n${method}\n${
      plain(target)
    }\n${body}`;
  }

  #answerText(code: string, status: number, body: string): string {
    return `gossip answer\n${this.#options.cluster}\n${code}\n${status}\n${body}`;
  }
}

/** One spelling of path and query, because servers and proxies may rewrite a URL's escapes. */
function plain(target: string): string {
  const url = new URL(`http://node${target}`);
  return url.pathname + url.search;
}

function timeText(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? `${ms} ms` : date.toISOString();
}

/** A transport that signs requests, and fails answers that are not signed. */
export function signedTransport(transport: Transport, signer: Signer): Transport {
  return {
    traffic: transport.traffic,
    close: () => transport.close(),
    async post(address, path, body): Promise<PostOutcome> {
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
