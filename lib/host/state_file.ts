/**
 * The state file. Each write goes to a file beside it, which is synced and then renamed, so that after any crash the
 * state file is the old one or the new one. No request waits for a write, except `/bye`, which answers when the
 * tombstone is on disk.
 *
 * @module
 */
import { dirname as posixDirname } from "../std/path/posix_dirname.ts";
import { dirname as windowsDirname } from "../std/path/windows_dirname.ts";
import { withDeadline } from "../net/deadline.ts";
import { decodeSaved, encodeSaved, type Saved, STATE_LENGTH_MAX } from "./state_format.ts";

// Not the `dirname` for all systems: it reads `process` to tell the system, and Deno then loads 1.5 MB of Node's code.
const dirname = Deno.build.os === "windows" ? windowsDirname : posixDirname;

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

/** The part of an open file that is used. */
export type DiskFile = Pick<Deno.FsFile, "write" | "sync" | "close">;

/** The part of the file system that is used; tests replace it by one that fails. */
export interface Disk {
  open(path: string, options: Deno.OpenOptions): Promise<DiskFile>;
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
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
 * Reads the state file of a node that is about to start; undefined if there is none yet.
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
    const { size } = Deno.statSync(path);
    text = size > STATE_LENGTH_MAX ? "x".repeat(STATE_LENGTH_MAX + 1) : Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound && isFolder(dirname(path))) return undefined;
    if (error instanceof Deno.errors.NotFound) {
      throw new StateError(
        `Cannot keep the state in '${path}': the folder '${dirname(path)}' does not exist; ` +
          "create it, or choose another -state",
      );
    }
    throw new StateError(
      `Cannot read the state file '${path}': ${reasonOf(error)}; ` +
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
  #underWay: Promise<boolean> = Promise.resolve(true);
  #next: Promise<boolean> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #timerMs = Infinity;
  #trouble: string | undefined;
  #closed = false;

  constructor(options: StateFileOptions) {
    this.#options = options;
    this.#disk = options.disk ?? Deno;
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
      await writeAtomically(this.#disk, this.#options.path, encodeSaved(this.#options.snapshot()));
      this.#tell(undefined);
    } catch (error) {
      this.#tell(`Cannot write the state file '${this.#options.path}': ${reasonOf(error)}`);
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

/**
 * Replaces the file at `path`, all or nothing. The new file is synced before it gets the name, or a power cut could
 * leave the name on an empty file; the folder is synced afterwards, or the old file could come back.
 */
async function writeAtomically(disk: Disk, path: string, text: string): Promise<void> {
  const part = `${path}.part`;
  // A killed process may have left one. A new file has the right mode, and no link in its place is followed.
  await disk.remove(part).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
  const file = await disk.open(part, { write: true, createNew: true, mode: 0o600 });
  try {
    const bytes = new TextEncoder().encode(text);
    for (let done = 0; done < bytes.length;) done += await file.write(bytes.subarray(done));
    await file.sync();
  } finally {
    file.close();
  }
  await disk.rename(part, path);
  // Windows cannot open a folder, and journals names by itself.
  if (Deno.build.os === "windows") return;
  const folder = await disk.open(dirname(path), { read: true });
  try {
    await folder.sync();
  } finally {
    folder.close();
  }
}

function isFolder(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}

function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  // Deno adds the operation and the path to some messages; ours names the path already.
  return text.replace(/: \w+ '[\s\S]*$/, "").replaceAll("\n", " ");
}
