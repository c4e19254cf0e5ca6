/**
 * The processes: each node's present one, how it was started, and how it is expected to end.
 *
 * @module
 */
import { FleetNode } from "../fleet/fleet.ts";
import { type Observer, Violation } from "./judge.ts";
import type { Place } from "./place.ts";
import type { Truth } from "./truth.ts";

/** A process that takes longer to listen, or to end when asked to, hangs. Generous: the machine may be busy. */
const HANG_MS = 30_000;

/** One process of a node. */
export interface Process extends Observer {
  readonly node: FleetNode;
  address: string;
  sinceMs: number;
  /** Why it may end: what was done to it. */
  ending: "kill" | "leave" | "bye" | undefined;
}

export interface CrewOptions {
  readonly place: Place;
  readonly truth: Truth;
  readonly flags: readonly string[];
  /** The command that runs a node; from source unless given. */
  readonly program: readonly string[] | undefined;
  /** The library that gives a process a wrong wall clock. */
  readonly faketime: string | undefined;
  readonly onListen: (process: Process) => void;
  readonly onEnd: (process: Process) => void;
  readonly onViolation: (violation: Violation) => void;
}

export interface StartOptions {
  /** IDs. */
  readonly join: readonly string[];
  /** How much its wall clock is off. */
  readonly clockMs?: number;
  /** Set where it must end by itself. */
  readonly ending?: Process["ending"];
}

export class Crew {
  readonly #options: CrewOptions;
  readonly #processes = new Map<string, Process>();
  readonly #starting = new Map<string, Promise<Process>>();
  #over = false;

  constructor(options: CrewOptions) {
    this.#options = options;
  }

  get(id: string): Process | undefined {
    return this.#processes.get(id);
  }

  /** The processes that run and listen. */
  get running(): Process[] {
    return [...this.#processes.values()].filter((p) => p.node.running && p.sinceMs !== Infinity);
  }

  /** Those of them that are asked what they see: neither stopped nor about to end. */
  get asked(): Process[] {
    const { truth } = this.#options;
    return this.running.filter((p) => p.ending === undefined && !truth.isStalled(p.id));
  }

  /** Starts `id`, once its process before has ended; resolves when it listens, or has ended again. */
  start(id: string, options: StartOptions): Promise<Process> {
    const starting = this.#start(id, options);
    this.#starting.set(id, starting);
    return starting;
  }

  async #start(id: string, { join, clockMs = 0, ending }: StartOptions): Promise<Process> {
    const { place, truth, program, faketime, onListen } = this.#options;
    await this.#processes.get(id)?.node.ended;
    const addresses = await Promise.all(
      join.map(async (seed) => place.addressOf(seed) ?? (await this.#starting.get(seed))!.address),
    );
    const flags = [...await place.prepare(id), ...this.#options.flags];
    if (this.#over) throw new Error("The run is over");
    const clock = clockMs === 0 ? [] : wrongClock(faketime!, clockMs);
    truth.starts(id);
    const node = new FleetNode(id, join.length === 0 ? [] : ["-join", addresses.join(",")], {
      flags,
      prefix: () => [...place.prefix(id), ...clock],
      ...program === undefined ? {} : { command: program },
    });
    const process: Process = { id, node, address: "", sinceMs: Infinity, ending };
    this.#processes.set(id, process);
    node.ended.then((code) => this.#ended(process, code));
    const address = await within(node.listening.catch(() => undefined));
    if (address === undefined && node.running) {
      this.#options.onViolation(new Violation("7", [id], `${id} does not start to listen`));
    }
    if (address === undefined) return process;
    process.address = address;
    process.sinceMs = performance.now();
    place.listens(id, address);
    if (ending === undefined) truth.listens(id, process.sinceMs);
    onListen(process);
    return process;
  }

  /** Ends the process of `id` by a signal, and waits for its end. */
  async end(id: string, how: "kill" | "leave"): Promise<void> {
    const process = this.#processes.get(id);
    if (process === undefined) return;
    process.ending = how;
    this.#options.truth.ends(id);
    process.node.kill(how === "kill" ? "SIGKILL" : "SIGTERM");
    if (await within(process.node.ended) !== undefined) return;
    this.#options.onViolation(new Violation("7", [id], `${id} does not end on SIGTERM`));
  }

  /** Kills all that still run, and starts no more. */
  async endAll(): Promise<void> {
    this.#over = true;
    await Promise.all([...this.#processes.values()].map(async (process) => {
      process.ending ??= "kill";
      process.node.kill("SIGKILL");
      await process.node.ended;
    }));
  }

  #ended(process: Process, code: number): void {
    const { truth, onEnd, onViolation } = this.#options;
    truth.ended(process.id, performance.now());
    onEnd(process);
    const { id, ending } = process;
    if (ending === "kill" || (ending !== undefined && code === 0)) return;
    const asked = ending === undefined
      ? "by itself"
      : ending === "leave"
      ? "on SIGTERM"
      : "at /bye";
    const text = `${id} ended ${asked}, with status ${code}`;
    onViolation(new Violation(ending === "bye" ? "3" : "7", [id], text));
  }
}

/** Finds libfaketime where Debian and others put it; undefined: nowhere. */
export async function findFaketime(): Promise<string | undefined> {
  try {
    for await (const { name } of Deno.readDir("/usr/lib")) {
      const path = `/usr/lib/${name}/faketime/libfaketime.so.1`;
      if (await Deno.stat(path).then(() => true, () => false)) return path;
    }
  } catch {
    // Not a system of that kind.
  }
  return undefined;
}

function wrongClock(faketime: string, byMs: number): string[] {
  const offset = `FAKETIME=${byMs < 0 ? "" : "+"}${byMs / 1000}`;
  return ["env", `LD_PRELOAD=${faketime}`, offset, "FAKETIME_DONT_FAKE_MONOTONIC=1"];
}

async function within<T>(promise: Promise<T>): Promise<T | undefined> {
  let timer;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), HANG_MS);
  });
  const result = await Promise.race([promise, late]);
  clearTimeout(timer);
  return result;
}
