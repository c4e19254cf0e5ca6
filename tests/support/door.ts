/**
 * A node behind its gate, asked without a network: it runs no rounds, so that nothing but the requests changes its table.
 *
 * @module
 */
import { createApp } from "../../lib/http/app.ts";
import { createGate } from "../../lib/http/gate.ts";
import { Keyring } from "../../lib/net/keys.ts";
import { parseNetwork } from "../../lib/config/networks.ts";
import { Node } from "../../lib/host/node.ts";
import type { NodeOptions } from "../../lib/host/node_options.ts";
import { Signer } from "../../lib/net/signer.ts";
import { encodeMessage } from "../../lib/wire.ts";
import { keptLog } from "./logs.ts";
import { rowOf } from "./peer.ts";

/** Any hour. */
export const NOW_MS = Date.UTC(2026, 0, 1);

export interface Door extends AsyncDisposable {
  /** Asks as `ask("POST /bye?id=n9", { headers, body })`, from the remote address given. */
  ask(
    line: string,
    options?: {
      headers?: Record<string, string>;
      body?: string | ReadableStream<Uint8Array<ArrayBuffer>>;
      remote?: string;
    },
  ): Promise<Answer>;
  readonly node: Node;
  readonly lines: string[];
  readonly signer: Signer | undefined;
  /** The cluster's keys, of which some may be taken out. */
  readonly keyring: Keyring | undefined;
  /** Opens `/events` as a stream, with these headers, from the remote address given. */
  events(
    headers: Record<string, string>,
    remote?: string,
  ): Promise<ReadableStreamDefaultReader<Uint8Array>>;
  /** The IDs known, decommissioned ones with a `+` before. */
  ids(): string[];
}

export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
}

/** Opens the door of node `n1` at `node1:8080`, with the keys given. */
export function openDoor(
  { keys, isPrivate = false, cluster = "default", join = [], names = [], teller, caCerts }: {
    keys?: string[];
    isPrivate?: boolean;
    cluster?: string;
    join?: string[];
    /** Of `-name`. */
    names?: string[];
    /** What runs hooks. */
    teller?: NodeOptions["teller"];
    /** Set where nodes speak HTTPS. */
    caCerts?: NodeOptions["caCerts"];
  } = {},
): Door {
  const { log, lines } = keptLog({ wallMs: NOW_MS });
  const wallMs = () => NOW_MS;
  const keyring = keys && new Keyring(keys);
  const signer = keyring && new Signer({ keyring, cluster, wallMs });
  const node = new Node({
    id: "n1",
    address: "node1:8080",
    join,
    cluster,
    state: undefined,
    words: {},
    saved: undefined,
    dist: undefined,
    binary: undefined,
    signer,
    caCerts,
    warning: () => undefined,
    // Nobody's address: it calls none of those that tests tell it of.
    allow: [parseNetwork("192.0.2.255")!],
    intervalMs: 1_000,
    deadAfterMs: 5_000,
    forgetMs: Infinity,
    hooks: [],
    tellAfterMs: 0,
    teller,
    version: "0",
    now: () => ({ monotonicMs: 0, wallMs: NOW_MS }),
    random: () => 0,
    log,
    onStop: () => {},
  });
  const app = createApp(
    node,
    createGate({
      keys: keyring && signer && { keyring, signer },
      private: isPrivate,
      names: { own: new Set(["node1", ...names]), given: new Set(names) },
      nowMs: () => 0,
      onRefused: (line) => lines.push(line),
    }),
  );
  return {
    lines,
    node,
    signer,
    keyring,
    async events(headers, remote = "192.0.2.1") {
      const caller = {
        remote,
        completed: Promise.resolve(),
        aside: <T>(x: Promise<T>) => x,
      };
      const response = await app.fetch(
        new Request("http://node1:8080/events", { headers }),
        caller,
      );
      return response.body!.getReader();
    },
    [Symbol.asyncDispose]: () => node.stop(),
    async ask(line, { headers = {}, body, remote = "192.0.2.1" } = {}) {
      const [method = "", path = ""] = line.split(" ");
      const init = {
        method,
        // As HTTP clients send it; over HTTP/1.1 a body without it is in chunks.
        headers: {
          ...(typeof body === "string" && {
            "content-length": `${new TextEncoder().encode(body).length}`,
          }),
          ...headers,
        },
        ...(body !== undefined && { body }),
      };
      // As from Deno.serve, whose URLs begin with the caller's Host; over HTTP/2 there is no Host but in the URL.
      const request = new Request(`http://node1:8080${path}`, init);
      const { host } = headers;
      if (host !== undefined) {
        Object.defineProperty(request, "url", { value: `http://${host}${path}` });
      }
      const response = await app.fetch(request, {
        remote,
        completed: Promise.resolve(),
        aside: (waiting) => waiting,
      });
      return { status: response.status, text: await response.text(), headers: response.headers };
    },
    ids: () =>
      node.reports.members().members.map(({ id, status }) =>
        status === "decommissioned" ? `+${id}` : id
      ),
  };
}

/** The body by which `id` tells that it is alive. */
export function pushOf(id: string): string {
  const row = rowOf(id, { address: "192.0.2.2:80", heartbeat: NOW_MS });
  return encodeMessage({ roster: "0".repeat(16), rows: [row] });
}
