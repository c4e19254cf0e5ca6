/**
 * The past on disk: files beside the state file, to whose ends lines are added. Whatever ends a write (kill -9, a full
 * disk, a power cut), at most the last line is torn: the reader leaves it out, and the writer begins a new line.
 *
 * @module
 */
import { withDeadline } from "../net/deadline.ts";
import type { PastEntry } from "../report/past.ts";
import { dirname, type Disk, diskErrorText, followLinks, hint, syncFolder } from "./disk.ts";
import { readTextSync, writtenMs } from "./files.ts";
import { decodeEntry, encodeEntry } from "./past_format.ts";

/** Bytes of a file before the next is begun, and files kept: 16 MB. */
const SEGMENT_BYTES_MAX = 1_048_576;
export const SEGMENTS_MAX = 16;

/** Bytes of a file that is read: one line may pass the bound. */
const READ_BYTES_MAX = 2 * SEGMENT_BYTES_MAX;

/** Delay until a change is written, together with those that follow it; and until a failed write is tried again. */
const COALESCE_MS = 1_000;
const RETRY_MS = 5_000;

/** Entries of one write: half a file at most. */
const BATCH_MAX = 1_000;

/** Entries that wait for a disk that fails: a day of a busy cluster. */
const WAITING_MAX = 10_000;

/** Longest wait for the last write of a node that ends. */
const CLOSE_MS = 1_000;

const encoder = new TextEncoder();

interface Segment {
  readonly number: number;
  bytes: number;
  /** The time of its newest entry. */
  lastMs: number;
}

/** What was found on disk. */
export interface FoundPast {
  readonly entries: readonly PastEntry[];
  readonly segments: readonly Segment[];
  /** The last file ends within a line. */
  readonly torn: boolean;
}

/** Reads what a former life wrote; what cannot be read is left out, as a node is of more use than its past. */
export function readPast(statePath: string, onTrouble: (text: string) => void): FoundPast {
  const path = pastPath(statePath);
  const entries: PastEntry[] = [];
  const segments: Segment[] = [];
  let torn = false;
  let wrong = 0;
  for (const number of numbersOf(path)) {
    const name = `${path}${number}`;
    let text = "";
    let lastMs = 0;
    let bytes: number;
    try {
      text = readTextSync(name, READ_BYTES_MAX);
      bytes = encoder.encode(text).length;
    } catch (error) {
      onTrouble(`Cannot read the history in '${name}': ${diskErrorText(error)}`);
      // It counts as full, as what is added to it could not be read either; and it stays as long as the others.
      bytes = SEGMENT_BYTES_MAX;
      lastMs = writtenMs(name);
    }
    const lines = text.split("\n");
    torn = lines.pop() !== "";
    for (const line of lines) {
      const entry = line === "" ? undefined : decodeEntry(line);
      if (entry !== undefined) {
        entries.push(entry);
        lastMs = Math.max(lastMs, timeOf(entry));
      } else if (line !== "") wrong++;
    }
    segments.push({ number, bytes, lastMs });
  }
  // A torn line is what any crash leaves; more are damage.
  if (wrong > segments.length) {
    onTrouble(`Left ${wrong} lines of the history in '${path}*' out: they are damaged`);
  }
  return { entries, segments, torn };
}

export interface PastFileOptions {
  /** The state file, beside which it is. */
  readonly statePath: string;
  readonly found: FoundPast;
  /** Called with the reason, in one line, when writes begin to fail; with undefined when they work again. */
  readonly onTrouble: (trouble: string | undefined) => void;
  /** From when on changes are kept, in ms since the epoch. */
  readonly keptFromMs: () => number;
  readonly disk?: Disk;
}

export class PastFile {
  readonly #options: PastFileOptions;
  readonly #disk: Disk;
  readonly #path: string;
  #segments: Segment[];
  #waiting: PastEntry[] = [];
  #torn: boolean;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #underWay: Promise<void> | undefined;
  #trouble: string | undefined;
  #closed = false;

  constructor(options: PastFileOptions) {
    this.#options = options;
    this.#disk = options.disk ?? Deno;
    this.#path = pastPath(options.statePath);
    this.#segments = [...options.found.segments];
    this.#torn = options.found.torn;
  }

  /** Why the last write failed, in one line; undefined if it succeeded. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  /** Notes an entry: it is written soon. */
  add(entry: PastEntry): void {
    this.#waiting.push(entry);
    if (this.#waiting.length > WAITING_MAX) this.#waiting.shift();
    this.#arm();
  }

  /** Writes what waits; one write at a time. Never rejects. */
  async save(): Promise<void> {
    await this.#underWay;
    this.#underWay = this.#write();
    await this.#underWay;
  }

  /** Writes a last time, within a bounded wait, and ends. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await withDeadline(this.save(), CLOSE_MS, () => {});
  }

  #arm(): void {
    if (this.#closed || this.#timer !== undefined) return;
    const delayMs = this.#trouble === undefined ? COALESCE_MS : RETRY_MS;
    this.#timer = setTimeout(() => void this.save(), delayMs);
  }

  async #write(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const entries = this.#waiting.splice(0, BATCH_MAX);
    if (entries.length === 0) return;
    try {
      await this.#prune();
      await this.#append(entries);
      this.#tell(undefined);
    } catch (error) {
      this.#torn = true;
      this.#waiting = [...entries, ...this.#waiting].slice(-WAITING_MAX);
      this.#tell(
        `Cannot write the history '${this.#path}*': ${diskErrorText(error)}${hint(error)}`,
      );
    }
    if (this.#waiting.length > 0) this.#arm();
  }

  async #append(entries: readonly PastEntry[]): Promise<void> {
    let segment = this.#segments.at(-1);
    const isNew = segment === undefined || isFull(segment);
    if (isNew) {
      this.#torn = false;
      segment = { number: (segment?.number ?? 0) + 1, bytes: 0, lastMs: 0 };
      this.#segments.push(segment);
    }
    const text = `${this.#torn ? "\n" : ""}${entries.map(encodeEntry).join("")}`;
    const bytes = encoder.encode(text);
    const name = `${this.#path}${segment!.number}`;
    const file = await this.#disk.open(name, { append: true, create: true, mode: 0o600 });
    try {
      for (let done = 0; done < bytes.length;) {
        const written = await file.write(bytes.subarray(done));
        done += written;
        segment!.bytes += written;
      }
      await file.sync();
    } finally {
      file.close();
    }
    this.#torn = false;
    segment!.lastMs = Math.max(segment!.lastMs, ...entries.slice(-1).map(timeOf));
    if (isNew) await syncFolder(this.#disk, this.#path);
  }

  /** Removes the files that are too many, with the one that comes next, or too old. */
  async #prune(): Promise<void> {
    const keptFromMs = this.#options.keptFromMs();
    while (this.#segments.length > 1) {
      const [first] = this.#segments;
      const count = this.#segments.length + (isFull(this.#segments.at(-1)) ? 1 : 0);
      if (count <= SEGMENTS_MAX && first!.lastMs >= keptFromMs) return;
      await this.#disk.remove(`${this.#path}${first!.number}`).catch((error) => {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
      });
      this.#segments.shift();
    }
  }

  #tell(trouble: string | undefined): void {
    const isNews = trouble !== this.#trouble;
    this.#trouble = trouble;
    if (isNews) this.#options.onTrouble(trouble);
  }
}

function isFull(segment: Segment | undefined): boolean {
  return segment !== undefined && segment.bytes >= SEGMENT_BYTES_MAX;
}

function pastPath(statePath: string): string {
  return `${followLinks(statePath)}.past.`;
}

/** The numbers of the files there are, the oldest first. */
function numbersOf(path: string): number[] {
  const numbers: number[] = [];
  const prefix = path.slice(Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1);
  try {
    for (const { name } of Deno.readDirSync(dirname(path))) {
      const digits = name.startsWith(prefix) ? name.slice(prefix.length) : "";
      if (/^[1-9][0-9]{0,8}$/.test(digits)) numbers.push(Number(digits));
    }
  } catch {
    // The state file tells of a folder that cannot be used.
  }
  return numbers.sort((a, b) => a - b);
}

function timeOf(entry: PastEntry): number {
  return entry.kind === "change" ? entry.change.atMs : entry.gap.toMs;
}
