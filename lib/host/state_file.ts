/**
 * The state file. Each write goes to a file beside it, which is synced and then renamed, so that after any crash the
 * state file is the old one or the new one. No request waits for a write, except `/bye`, which answers when the
 * tombstone is on disk.
 *
 * @module
 */
import { withDeadline } from "../net/deadline.ts";
import { dirname, type Disk, diskErrorText, followLinks, hint, writeAtomically } from "./disk.ts";
import { FileError, readTextSync } from "./files.ts";
import { decodeSaved, encodeSaved, type Saved, STATE_LENGTH_MAX } from "./state_format.ts";

/** Delay until a change is written, together with those that follow it. */
const COALESCE_MS = 1_000;

/** Time between writes when only the heartbeat changed: more would wear out a flash card. */
const REFRESH_MS = 60_000;

/** Delay until a failed write is tried again. */
const RETRY_MS = 5_000;

/** Longest wait for a write of which somebody is told: a hung network disk must not keep a caller waiting. */
const SAVE_MS = 3_000;

/** Longest wait for the last write of a node that ends: such a disk must not keep it from ending. */
const CLOSE_MS = 2_000;

/** The node cannot start with this file, or need not. The message says which file, why, and what to do. */
export class StateError extends Error {
  override readonly name = "StateError";
  /** The program's exit status: 0 if the node is decommissioned, which is no failure. */
  readonly status: 0 | 2;

  constructor(message: string, status: 0 | 2 = 2) {
    super(message);
    this.status = status;
  }
}

export interface StateFileOptions {
  readonly path: string;
  /** Returns what to save now. */
  readonly snapshot: () => Saved;
  /** Called with the reason, in one line, when writes begin to fail; with undefined when they work again. */
  readonly onTrouble: (trouble: string | undefined) => void;
  readonly disk?: Disk;
  /** Longest wait of `saveInTime`, in ms (default `SAVE_MS`). */
  readonly saveMs?: number;
}

/**
 * Reads the state file of a node that is about to start; undefined before the first was written.
 *
 * @throws {StateError} if the node cannot or must not start with it.
 */
export function readState(
  path: string,
  node: { id: string; idGiven: boolean; cluster: string },
): Saved | undefined {
  const saved = readSaved(path);
  if (saved === undefined) return undefined;
  if (saved.cluster !== node.cluster) {
    throw new StateError(
      `Cannot use the state file '${path}': it belongs to cluster '${saved.cluster}', not '${node.cluster}'. ` +
        "Set -cluster to that name, or choose another -state",
    );
  }
  const id = node.idGiven ? node.id : saved.id;
  if (saved.tombstones.some((tombstone) => tombstone.id === id)) {
    const text = `this node, ${id}, is decommissioned, according to the state file '${path}'. `;
    throw new StateError(`${text}Its ID stays unusable: choose another -id`, 0);
  }
  return saved;
}

function readSaved(path: string): Saved | undefined {
  let text: string;
  try {
    text = readTextSync(path, STATE_LENGTH_MAX);
  } catch (error) {
    if (error instanceof FileError) {
      throw new StateError(
        `Cannot use '${path}' as the state file: it ${error.message}; choose another -state`,
      );
    }
    const folder = dirname(followLinks(path));
    if (error instanceof Deno.errors.NotFound && isFolder(folder)) return undefined;
    if (error instanceof Deno.errors.NotFound) {
      throw new StateError(
        `Cannot keep the state in '${path}': the folder '${folder}' does not exist; ` +
          "create it, or choose another -state",
      );
    }
    throw new StateError(
      `Cannot read the state file '${path}': ${diskErrorText(error)}; ` +
        "make it readable to this user, or choose another -state",
    );
  }
  const saved = decodeSaved(text);
  if (!("error" in saved)) return saved;
  throw new StateError(
    `Cannot use the state file '${path}': it ${saved.error}. Restore it from a backup, or choose another -state. ` +
      "Moving it away also works, but forgets this node's ID and decommissions that no other node knows",
  );
}

/** Keeps a state file up to date. */
export class StateFile {
  readonly #options: StateFileOptions;
  readonly #disk: Disk;
  /** Where the file is: a link leads there, and stays. */
  readonly #path: string;
  #underWay: Promise<boolean> = Promise.resolve(true);
  #next: Promise<boolean> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #timerMs = Infinity;
  #trouble: string | undefined;
  #closed = false;

  constructor(options: StateFileOptions) {
    this.#options = options;
    this.#disk = options.disk ?? Deno;
    this.#path = followLinks(options.path);
  }

  /** Why the last write failed, in one line; undefined if it succeeded. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  /** Notes that something changed: it will be written soon. */
  touch(): void {
    this.#arm(this.#trouble === undefined ? COALESCE_MS : RETRY_MS);
  }

  /** Resolves to true once the present state is on disk, to false if it cannot be written. Never rejects. */
  save(): Promise<boolean> {
    // The write under way took its snapshot before this call, so wait for the next one, shared by all callers.
    this.#next ??= this.#underWay.then(() => {
      const write = this.#next!;
      this.#next = undefined;
      this.#underWay = write;
      return this.#write();
    });
    return this.#next;
  }

  /** Resolves to why the present state is not on disk, or not in time; to undefined once it is. Never rejects. */
  async saveInTime(): Promise<string | undefined> {
    const { path, saveMs = SAVE_MS } = this.#options;
    const late = () => `Cannot write the state file '${path}': it takes over ${saveMs / 1000} s`;
    return await withDeadline(this.save().then(() => this.#trouble), saveMs, late);
  }

  /** Writes a last time, within a bounded wait, and ends. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await withDeadline(this.save(), CLOSE_MS, () => {});
  }

  async #write(): Promise<boolean> {
    clearTimeout(this.#timer);
    this.#timerMs = Infinity;
    try {
      await writeAtomically(this.#disk, this.#path, encodeSaved(this.#options.snapshot()));
      this.#tell(undefined);
    } catch (error) {
      this.#tell(
        `Cannot write the state file '${this.#path}': ${diskErrorText(error)}${hint(error)}`,
      );
    }
    this.#arm(this.#trouble === undefined ? REFRESH_MS : RETRY_MS);
    return this.#trouble === undefined;
  }

  #tell(trouble: string | undefined): void {
    const news = trouble !== this.#trouble;
    this.#trouble = trouble;
    if (news) this.#options.onTrouble(trouble);
  }

  /** Sets the timer, unless it is set for the same time or sooner. */
  #arm(delayMs: number): void {
    const atMs = performance.now() + delayMs;
    if (this.#closed || atMs >= this.#timerMs) return;
    clearTimeout(this.#timer);
    this.#timerMs = atMs;
    this.#timer = setTimeout(() => void this.save(), delayMs);
  }
}

function isFolder(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}
