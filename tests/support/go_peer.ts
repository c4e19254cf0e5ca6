/**
 * A node of the first gossiper, written from transcripts of real ones, with their faults: it leaves itself out of line 2,
 * keeps decommissioned IDs there, has an empty ID in line 3, forgets no address, and counts only what it hears itself.
 *
 * @module
 */
import { seededRandom } from "./dice.ts";
import { shuffle } from "../../lib/partners.ts";

/** A peer is live while it was heard within this many intervals: 5 s at the real pace of 2 s. */
const LIVE_INTERVALS = 2.5;

export interface GoPeerOptions {
  /** Addresses to call at first. */
  readonly join?: readonly string[];
  /** A real one calls every 2 s. */
  readonly intervalMs?: number;
  /** The ID to shuffle by: Go's maps have no order. */
  readonly seed?: number;
}

export class GoPeer implements AsyncDisposable {
  readonly id: string;
  readonly #intervalMs: number;
  readonly #random: () => number;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #stop = new AbortController();
  readonly #calls = new Set<Promise<void>>();
  readonly #addresses = new Set<string>();
  readonly #heardAtMs = new Map<string, number>();
  readonly #byes = new Set<string>();
  readonly #exit = Promise.withResolvers<number>();

  /** The exit status, once it exits of its own will. */
  readonly exited: Promise<number> = this.#exit.promise;

  constructor(id: string, { join = [], intervalMs = 100, seed = 1 }: GoPeerOptions = {}) {
    this.id = id;
    this.#intervalMs = intervalMs;
    this.#random = seededRandom(seed);
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen() {} },
      (request) => this.#answer(request),
    );
    this.#addresses.add(this.address);
    for (const address of join) this.#addresses.add(address);
    this.#timer = setInterval(() => this.#round(), intervalMs);
  }

  /** `127.0.0.1:port`. */
  get address(): string {
    return `127.0.0.1:${this.#server.addr.port}`;
  }

  /** What its page shows: decommissioned IDs do not stand there. */
  statuses(): Record<string, "live" | "dead"> {
    const statuses: Record<string, "live" | "dead"> = {};
    for (const [id, atMs] of this.#heardAtMs) {
      if (this.#byes.has(id)) continue;
      const live = performance.now() - atMs <= LIVE_INTERVALS * this.#intervalMs;
      statuses[id] = live ? "live" : "dead";
    }
    return statuses;
  }

  /** The decommissioned IDs, the empty one of an empty line 3 among them. */
  get decommissioned(): readonly string[] {
    return [...this.#byes];
  }

  /** The text of `GET /hello`. */
  hello(): string {
    const ids = [...this.#heardAtMs.keys()].filter((id) => id !== this.id);
    const others = [...this.#addresses].filter((address) => address !== this.address);
    const mix = <T>(list: T[]) => shuffle(list, this.#random);
    const lines = [`hello ${this.id}`, mix(ids).join(" "), mix([...this.#byes]).join(" ")];
    return [...lines, this.address, ...mix(others)].join("\n") + "\n";
  }

  /** Ends it without a word, as kill -9 would. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    this.#stop.abort();
    await Promise.all(this.#calls);
    await this.#server.shutdown();
  }

  #answer(request: Request): Response {
    const url = new URL(request.url);
    switch (url.pathname) {
      case "/hello": {
        const from = url.searchParams.get("from");
        if (from !== null) {
          this.#hear(from);
          this.#addresses.add(url.searchParams.get("via") ?? "");
        }
        return new Response(this.hello(), { headers: { "content-type": "text/plain" } });
      }
      case "/bye":
        this.#bye(url.searchParams.get("id") ?? "");
        return new Response("");
      default:
        return new Response(`<html><body><p>This is node: ${this.id}</p></body></html>`);
    }
  }

  #round(): void {
    for (const address of this.#addresses) {
      const call = this.#call(address).finally(() => this.#calls.delete(call));
      this.#calls.add(call);
    }
  }

  async #call(address: string): Promise<void> {
    let text: string;
    try {
      const url = `http://${address}/hello?from=${this.id}&via=${this.address}`;
      text = await (await fetch(url, { signal: this.#stop.signal })).text();
    } catch {
      return; // it tries again in the next round, for ever
    }
    const [first = "", second = "", third = "", ...addresses] = text.split("\n");
    this.#hear(first.replace(/^hello /, ""));
    // 0: the page then shows the year 1.
    for (const id of second.split(" ")) {
      if (id !== "" && !this.#heardAtMs.has(id)) this.#heardAtMs.set(id, -Infinity);
    }
    for (const id of third.split(" ")) this.#bye(id);
    for (const line of addresses) if (line !== "") this.#addresses.add(line);
  }

  #hear(id: string): void {
    this.#heardAtMs.set(id, performance.now());
  }

  #bye(id: string): void {
    this.#byes.add(id);
    if (id !== this.id) return;
    clearInterval(this.#timer);
    this.#stop.abort();
    void this.#server.shutdown();
    this.#exit.resolve(0);
  }
}
