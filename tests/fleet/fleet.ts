/**
 * Many real processes on this machine, watched from outside: each node's log says what it sees, and when.
 *
 * @module
 */
import { programCommand } from "../support/program.ts";

/** A whole fleet may take this long to start: on two busy cores a process takes a fifth of a second of CPU. */
const START_MS = 120_000;

/** `peer is dead: n2 (127.0.0.1:8081), last heard 5.0 s ago: ...` */
const CHANGE = /(?:peer|this node) (?:is|has) (\w+): ([^\s,:]+)/;
const LISTENING = /known to peers as ([^\s,;]+)/;

/** What a node saw of another, and when, on this process' monotonic clock. */
export interface Sight {
  readonly status: string;
  readonly atMs: number;
  readonly line: string;
}

export interface FleetOptions {
  /** Flags for every node, besides its ID and whom to join. */
  readonly flags?: readonly string[];
  /** The command that runs a node: see support/program.ts. */
  readonly command?: readonly string[];
  /** A command in front of that, such as one that enters a network namespace. */
  readonly prefix?: (id: string) => readonly string[];
}

/** One node's process. */
export class FleetNode {
  readonly id: string;
  readonly listening: Promise<string>;
  readonly ended: Promise<number>;
  /** Every status of every member, as this node logged it. */
  readonly sights = new Map<string, Sight[]>();
  readonly lines: string[] = [];
  readonly #child: Deno.ChildProcess;
  readonly #listening = Promise.withResolvers<string>();
  readonly #watchers = new Set<() => void>();
  /** When it said that it listens. */
  listeningAtMs = 0;
  running = true;

  constructor(id: string, args: readonly string[], options: FleetOptions = {}) {
    this.id = id;
    const [program = "", ...rest] = [
      ...options.prefix?.(id) ?? [],
      ...options.command ?? programCommand(),
      ...["-id", id],
      ...options.flags ?? [],
      ...args,
    ];
    this.#child = new Deno.Command(program, {
      args: rest,
      env: { NO_COLOR: "1" },
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    this.listening = this.#listening.promise;
    this.listening.catch(() => {});
    const drained = this.#drain();
    this.ended = this.#child.status.then(async ({ code }) => {
      this.running = false;
      await drained;
      this.#listening.reject(new Error(`${id} ended with ${code}:\n${this.lines.join("\n")}`));
      return code;
    });
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** What this node last saw of `id`. */
  sees(id: string): string | undefined {
    return this.sights.get(id)?.at(-1)?.status;
  }

  kill(signal: Deno.Signal): void {
    if (this.running) Deno.kill(this.pid, signal);
  }

  /** Calls `watcher` after each line. */
  watch(watcher: () => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  async #drain(): Promise<void> {
    let rest = "";
    for await (const text of this.#child.stderr.pipeThrough(new TextDecoderStream())) {
      const atMs = performance.now();
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) this.#read(line, atMs);
      for (const watcher of this.#watchers) watcher();
    }
  }

  #read(line: string, atMs: number): void {
    this.lines.push(line);
    const [, status, id] = CHANGE.exec(line) ?? [];
    if (status !== undefined && id !== undefined) {
      const sights = this.sights.get(id) ?? [];
      this.sights.set(id, sights);
      sights.push({ status, atMs, line });
    }
    const [, address] = LISTENING.exec(line) ?? [];
    if (address !== undefined) {
      this.listeningAtMs = atMs;
      this.#listening.resolve(address);
    }
  }
}

/** A set of nodes that is stopped as a whole. */
export class Fleet implements AsyncDisposable {
  readonly nodes: FleetNode[] = [];
  readonly #options: FleetOptions;

  constructor(options: FleetOptions = {}) {
    this.#options = options;
  }

  get running(): FleetNode[] {
    return this.nodes.filter((node) => node.running);
  }

  /** Starts one more node. */
  add(id: string, args: readonly string[]): FleetNode {
    const node = new FleetNode(id, args, this.#options);
    this.nodes.push(node);
    return node;
  }

  /** Starts n1, and then the others at once, which join it; resolves when all listen. */
  async start(count: number): Promise<void> {
    const seed = await this.add("n1", []).listening;
    for (let i = 2; i <= count; i++) this.add(`n${i}`, ["-join", seed]);
    await Promise.all(this.nodes.map((node) => node.listening));
  }

  /** Waits until `condition` holds, looking whenever a node logs a line; false if it does not in time. */
  async until(condition: () => boolean, withinMs = START_MS): Promise<boolean> {
    if (condition()) return true;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const look = () => condition() && resolve(true);
    const unwatch = this.nodes.map((node) => node.watch(look));
    const timer = setTimeout(() => resolve(condition()), withinMs);
    const held = await promise;
    clearTimeout(timer);
    for (const end of unwatch) end();
    return held;
  }

  /** Whether every running node sees every running node live. */
  allSeeAll(): boolean {
    const { running } = this;
    return running.every((node) => running.every(({ id }) => node.sees(id) === "live"));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const node of this.running) node.kill("SIGKILL");
    await Promise.all(this.nodes.map((node) => node.ended));
  }
}
