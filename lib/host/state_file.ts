/**
 * The state file: written whole beside its place, synced, and moved there, so that whatever happens the file is the
 * old one or the new one. Writes are never on the path of a request, but for `/bye`, which answers when it is on disk.
 *
 * @module
 */
import { dirname as posixDirname } from "@std/path/posix/dirname";
import { dirname as windowsDirname } from "@std/path/windows/dirname";
import { decodeSaved, encodeSaved, type Saved, STATE_LENGTH_MAX } from "./state_format.ts";

// Not `@std/path/dirname`: it asks `process` which system this is, and at the first word of it Deno loads 1.5 MB of
// Node's code.
const dirname = Deno.build.os === "windows" ? windowsDirname : posixDirname;

/** A change is on disk this soon, together with those that follow it. */
const COALESCE_MS = 1_000;

/** Without a change the heartbeat alone is saved this often: more would wear a flash card. */
const REFRESH_MS = 60_000;

/** A disk that failed is tried again this often. */
const RETRY_MS = 5_000;

/** A node that ends waits this long for its last write: a dead network disk must not keep it from ending. */
const CLOSE_MS = 2_000;

/** The node can't start with this file, or need not: the message says which file, why, and what to do. */
export class StateError extends Error {
  override readonly name = "StateError";
  /** The program's exit status: 0 where all is well, and the node is decommissioned. */
  readonly status: 0 | 2;

  constructor(message: string, status: 0 | 2 = 2) {
    super(message);
    this.status = status;
  }
}

/** What is used of an open file. */
export type DiskFile = Pick<Deno.FsFile, "write" | "sync" | "close">;

/** What is used of the file system; tests put a failing one in its place. */
export interface Disk {
  open(path: string, options: Deno.OpenOptions): Promise<DiskFile>;
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
}

export interface StateFileOptions {
  readonly path: string;
  /** What there is to save now. */
  readonly snapshot: () => Saved;
  /** Called when writing starts to fail, with the reason in one line, and when it works again. */
  readonly onTrouble: (trouble: string | undefined) => void;
  readonly disk?: Disk;
}

/**
 * Reads the state file of a node about to start; undefined where there is none yet. Throws a StateError if it may
 * not start.
 */
export function readState(
  path: string,
  node: { id: string; idGiven: boolean; cluster: string },
): Saved | undefined {
  const saved = readSaved(path);
  if (saved === undefined) return undefined;
  if (saved.cluster !== node.cluster) {
    throw new StateError(
      `Cannot use the state file '${path}': it is of cluster '${saved.cluster}', not '${node.cluster}'. ` +
        "Give its -cluster, or choose another -state",
    );
  }
  const id = node.idGiven ? node.id : saved.id;
  if (saved.tombstones.some((tombstone) => tombstone.id === id)) {
    const text = `this node, ${id}, is decommissioned, as the state file '${path}' remembers: `;
    throw new StateError(
      `${text}it does not start, and its ID stays unusable; choose another -id`,
      0,
    );
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
    `Cannot use the state file '${path}': it ${saved.error}. Restore it from a backup or choose another -state; ` +
      "or move it away to start without it, which forgets this node's ID and what only it knew to be decommissioned",
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

  /** Why the last write failed, in one line; undefined if it did not. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  /** Something changed: it is on disk soon. */
  touch(): void {
    this.#arm(this.#trouble === undefined ? COALESCE_MS : RETRY_MS);
  }

  /** Resolves when all there is at this moment is on disk; to false if it can't be written. Never rejects. */
  save(): Promise<boolean> {
    // The write under way took its snapshot before this call: wait for the next, and share it.
    this.#next ??= this.#underWay.then(() => {
      const write = this.#next!;
      this.#next = undefined;
      this.#underWay = write;
      return this.#write();
    });
    return this.#next;
  }

  /** Writes a last time and ends. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, CLOSE_MS);
    await Promise.race([this.save(), promise]);
    clearTimeout(timer);
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

  /** Sets the timer, unless it is set for that time or sooner. */
  #arm(delayMs: number): void {
    const atMs = performance.now() + delayMs;
    if (this.#closed || atMs >= this.#timerMs) return;
    clearTimeout(this.#timer);
    this.#timerMs = atMs;
    this.#timer = setTimeout(() => void this.save(), delayMs);
  }
}

/**
 * Puts `text` into the file at `path`, all or nothing. The file is synced before it gets its name, or a power cut
 * could leave the
 * name on an empty file; the folder is synced after, or the old file could come back.
 */
async function writeAtomically(disk: Disk, path: string, text: string): Promise<void> {
  const part = `${path}.part`;
  // What a killed process left; made anew, so that the mode holds and nobody's link is followed.
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
  // Windows can't open a folder, and keeps its own journal of names.
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
  // Deno adds the operation and path to some messages; the path is named already.
  return text.replace(/: \w+ '[\s\S]*$/, "").replaceAll("\n", " ");
}
