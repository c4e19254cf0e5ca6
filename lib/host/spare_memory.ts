/**
 * Gives memory back to the system that was needed once, as by an attack. The runtime shrinks its own heap, but what is
 * freed beside that (buffers of connections and of their streams) the C library keeps: after 20 s of held HTTP/2
 * streams a node of 90 MB stayed at 220 for good, and 80 once it was asked.
 *
 * Rejected: its environment variables. They are read at the start of a process, and did not help.
 *
 * @module
 */
import { bindLibc } from "./libc.ts";

/** How often a node looks at its memory, in ms: what was needed is back within a minute. */
const LOOK_EVERY_MS = 20_000;

/** Less, in bytes, is not worth the 15 ms that it can take: a tenth of what a node with 1,000 members has. */
const CHANGED_BYTES = 8 * 1024 * 1024;

export interface Memory {
  /** Bytes that are resident. */
  readonly residentBytes: () => number;
  /** Asks the C library for what it does not use. */
  readonly trim: () => void;
}

/** Looks at a process's memory now and then. */
export class SpareMemory {
  readonly #memory: Memory;
  #lastBytes: number;

  constructor(memory: Memory) {
    this.#memory = memory;
    this.#lastBytes = memory.residentBytes();
  }

  /** Asks for memory back where more or less is in use than after the last time: a peak began, or ended. */
  look(): void {
    const { residentBytes, trim } = this.#memory;
    if (Math.abs(residentBytes() - this.#lastBytes) < CHANGED_BYTES) return;
    trim();
    this.#lastBytes = residentBytes();
  }
}

/** Finds the C library's function for it; undefined where it has none, as it is not GNU's, or it may not be called. */
export function bindTrim(): Memory["trim"] | undefined {
  // Asked for, so that nobody is prompted.
  const { state } = Deno.permissions.querySync({ name: "ffi" });
  if (Deno.build.os !== "linux" || state !== "granted") return undefined;
  const types = { parameters: ["usize"], result: "i32" } as const;
  try {
    const { malloc_trim } = bindLibc({ malloc_trim: types });
    return () => void malloc_trim(0n);
  } catch {
    return undefined;
  }
}

/** Gives this process's spare memory back from now on; the function returned ends it. */
export function giveMemoryBack(trim: Memory["trim"]): () => void {
  const spare = new SpareMemory({ residentBytes: () => Deno.memoryUsage().rss, trim });
  const timer = setInterval(() => spare.look(), LOOK_EVERY_MS);
  return () => clearInterval(timer);
}
