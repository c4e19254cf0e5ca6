/**
 * A disk in memory that fails on purpose: it fills up, or stops at a chosen step, and then shows what a real one may
 * hold after a power cut: of what was not synced any part, or nothing.
 *
 * @module
 */
import type { Disk, DiskFile } from "../../lib/host/disk.ts";

interface Inode {
  bytes: number[];
  /** As much of it as is on the platter for certain. */
  synced: number;
}

export class FakeDisk implements Disk {
  /** Writes fail as on a full disk. */
  full = false;
  #room = Infinity;
  renames = 0;
  crashed = false;
  readonly #random: () => number;
  /** What processes see. */
  readonly #names = new Map<string, Inode>();
  /** What is on the platter, and what is on its way there, in order. */
  readonly #platter = new Map<string, Inode>();
  #pending: ((names: Map<string, Inode>) => void)[] = [];
  #stepsLeft = Infinity;

  constructor(random: () => number) {
    this.#random = random;
  }

  /** Makes writes fail as on a full disk once so many bytes more are written. */
  fullAfter(bytes: number): void {
    this.#room = bytes;
  }

  /** Makes the disk stop for good in the step after `steps` more. */
  crashAfter(steps: number): void {
    this.#stepsLeft = steps;
  }

  /** The text of a file, as processes see it or as it is found after a power cut. */
  read(path: string, after: "killed" | "cut" = "killed"): string | undefined {
    if (after === "killed") return decode(this.#names.get(path)?.bytes);
    const names = new Map(this.#platter);
    const done = Math.floor(this.#random() * (this.#pending.length + 1));
    for (const change of this.#pending.slice(0, done)) change(names);
    const inode = names.get(path);
    if (inode === undefined) return undefined;
    const unsynced = inode.bytes.length - inode.synced;
    return decode(inode.bytes.slice(0, inode.synced + Math.floor(this.#random() * (unsynced + 1))));
  }

  async open(path: string, options: Deno.OpenOptions): Promise<DiskFile> {
    await this.#step();
    if (options.createNew !== true && options.append !== true) return this.#folder();
    const there = this.#names.get(path);
    if (there !== undefined && options.createNew) {
      throw new Deno.errors.AlreadyExists("File exists (os error 17)");
    }
    const inode = there ?? { bytes: [], synced: 0 };
    if (there === undefined) this.#change((names) => names.set(path, inode));
    return {
      write: async (bytes) => {
        await this.#step();
        if (this.full) throw new Error("No space left on device (os error 28)");
        const taken = Math.min(bytes.length, 1 + Math.floor(this.#random() * 400), this.#room);
        if (taken === 0) throw new Error("No space left on device (os error 28)");
        this.#room -= taken;
        inode.bytes.push(...bytes.subarray(0, taken));
        return taken;
      },
      sync: async () => {
        await this.#step();
        inode.synced = inode.bytes.length;
      },
      close: () => {},
    };
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#step();
    const inode = this.#names.get(from);
    if (inode === undefined) throw new Deno.errors.NotFound("No such file");
    this.renames++;
    this.#change((names) => {
      names.delete(from);
      names.set(to, inode);
    });
  }

  async remove(path: string): Promise<void> {
    await this.#step();
    if (!this.#names.has(path)) throw new Deno.errors.NotFound("No such file");
    this.#change((names) => names.delete(path));
  }

  #folder(): DiskFile {
    return {
      write: () => Promise.reject(new Error("Is a directory (os error 21)")),
      sync: async () => {
        await this.#step();
        for (const change of this.#pending) change(this.#platter);
        this.#pending = [];
      },
      close: () => {},
    };
  }

  #change(change: (names: Map<string, Inode>) => void): void {
    change(this.#names);
    this.#pending.push(change);
  }

  async #step(): Promise<void> {
    await Promise.resolve();
    if (this.#stepsLeft-- <= 0) this.crashed = true;
    if (this.crashed) throw new Error("Input/output error (os error 5)");
  }
}

function decode(bytes: number[] | undefined): string | undefined {
  return bytes && new TextDecoder().decode(new Uint8Array(bytes));
}
