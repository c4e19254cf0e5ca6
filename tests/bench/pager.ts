/**
 * Whoever is told: a server that takes down what hooks POST, and can be down. With it, nodes that carry one hook, each in
 * a network namespace of its own.
 *
 * @module
 */
import { Namespaces } from "../chaos/namespaces.ts";
import { Fleet, type FleetNode } from "../fleet/fleet.ts";
import type { HookMessage } from "../../lib/host/hook_words.ts";

/** The name of the hook, equal at all nodes. */
export const HOOK = "pager";

/** One change in one message. */
export interface Call {
  readonly atMs: number;
  readonly by: string;
  readonly id: string;
  readonly to: string;
  readonly key: string;
  /** The key of the message, which may hold more changes. */
  readonly message: string;
}

export class Pager implements AsyncDisposable {
  readonly calls: Call[] = [];
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  isDown = false;

  constructor() {
    this.#server = Deno.serve({ hostname: "0.0.0.0", port: 0, onListen() {} }, async (request) => {
      const { by, key: message, changes } = await request.json() as HookMessage;
      if (this.isDown) return new Response("down", { status: 503 });
      const atMs = performance.now();
      for (const { id, to, key } of changes) this.calls.push({ atMs, by, id, to, key, message });
      return new Response();
    });
  }

  get port(): number {
    return this.#server.addr.port;
  }

  /** What was told of a member that became so, since then. */
  told(id: string, to: string, sinceMs: number): Call[] {
    return this.calls.filter((call) => call.id === id && call.to === to && call.atMs >= sinceMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

/** Nodes that carry a hook, each in a namespace of its own. */
export class Carriers implements AsyncDisposable {
  readonly fleet: Fleet;
  readonly #place: Namespaces;
  readonly #pager: Pager;
  readonly #flags: readonly string[];

  private constructor(place: Namespaces, pager: Pager, flags: readonly string[]) {
    this.#place = place;
    this.#pager = pager;
    this.#flags = flags;
    this.fleet = new Fleet({ prefix: (id) => place.prefix(id) });
  }

  /** Starts n1 and then the others, which join it; resolves when all see all. */
  static async start(
    { place, pager, count, flags = [] }: {
      place: Namespaces;
      pager: Pager;
      count: number;
      flags?: readonly string[];
    },
  ): Promise<Carriers> {
    const carriers = new Carriers(place, pager, flags);
    for (let i = 1; i <= count; i++) {
      const node = await carriers.add(`n${i}`);
      if (i === 1) await node.listening;
    }
    if (await carriers.fleet.until(() => carriers.fleet.allSeeAll())) return carriers;
    await carriers[Symbol.asyncDispose]();
    throw new Error("not all see all");
  }

  /** Starts a node, or one of that name again. */
  async add(id: string): Promise<FleetNode> {
    const listening = await this.#place.prepare(id);
    const gateway = this.#place.addressOf(id)!.replace(/\.2:.*$/, ".1");
    const hook = ["-on-change", `http://${gateway}:${this.#pager.port}/,name=${HOOK}`];
    const seed = this.fleet.running.find((node) => node.id !== id);
    const join = seed === undefined ? [] : ["-join", this.#place.addressOf(seed.id)!];
    return this.fleet.add(id, [...listening, ...hook, ...join, ...this.#flags]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.fleet[Symbol.asyncDispose]();
  }
}
