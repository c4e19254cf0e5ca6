/**
 * Compressed copies of the files that a node hands on: each made once, at the first request that accepts one.
 *
 * A copy is a temporary file without a name, which the system removes with the process, however it ends. In memory it
 * would weigh half as much as the whole node.
 *
 * @module
 */

/** Copies kept: a release has five binaries. The oldest makes room for another. */
const COPIES_MAX = 5;

/** Bytes compressed at once: 3 ms of work, between which rounds go on. */
const PIECE_BYTES = 65_536;

/** Until a copy is tried again that could not be made, in ms: the disk was full, or file descriptors had run out. */
const RETRY_MS = 60_000;

/** A compressed copy. */
export class Copy {
  readonly size: number;
  readonly #files: Deno.FsFile[];
  #dropped = false;

  /** `files` are all open on the same copy: as many as are ever read at once. */
  constructor(size: number, files: Deno.FsFile[]) {
    this.size = size;
    this.#files = files;
  }

  /** A file to read the copy from; undefined if all are in use. */
  take(): Deno.FsFile | undefined {
    return this.#files.pop();
  }

  /** Takes a file back. */
  give(file: Deno.FsFile): void {
    if (this.#dropped) file.close();
    else this.#files.push(file);
  }

  /** Frees the copy, once nobody reads it. */
  drop(): void {
    this.#dropped = true;
    for (const file of this.#files.splice(0)) file.close();
  }
}

export class Packed {
  readonly #readersMax: number;
  readonly #nowMs: () => number;
  readonly #copies = new Map<string, Promise<Copy | undefined>>();
  /** When each copy failed that could not be made. */
  readonly #failedMs = new Map<string, number>();
  #last: Promise<unknown> = Promise.resolve();

  /** Each copy can be read by `readersMax` at once; `nowMs` is monotonic. */
  constructor(readersMax: number, nowMs = () => performance.now()) {
    this.#readersMax = readersMax;
    this.#nowMs = nowMs;
  }

  /** The copy of a file in its present `version`; undefined where none can be made, as on a full disk. */
  of(path: string, version: string): Promise<Copy | undefined> {
    const key = `${version} ${path}`;
    if (this.#nowMs() - (this.#failedMs.get(key) ?? Infinity) >= RETRY_MS) this.#drop(key);
    let copy = this.#copies.get(key);
    if (copy !== undefined) return copy;
    // One after the other: two at once would take twice as long, and twice the share of the rounds' time.
    copy = this.#last.then(() => pack(path, this.#readersMax)).catch(() => {
      if (this.#copies.get(key) === copy) this.#failedMs.set(key, this.#nowMs());
      return undefined;
    });
    this.#last = copy;
    this.#copies.set(key, copy);
    const [oldest] = this.#copies.keys();
    if (this.#copies.size > COPIES_MAX) this.#drop(oldest!);
    return copy;
  }

  #drop(key: string): void {
    void this.#copies.get(key)?.then((copy) => copy?.drop());
    this.#copies.delete(key);
    this.#failedMs.delete(key);
  }
}

async function pack(path: string, readersMax: number): Promise<Copy> {
  const [to, ...files] = await openNameless(1 + readersMax) as [Deno.FsFile, ...Deno.FsFile[]];
  try {
    return new Copy(await compress(path, to), files);
  } catch (error) {
    for (const file of files) file.close();
    throw error;
  } finally {
    to.close();
  }
}

/** Opens one new file several times. Its name goes before anything is written, so that a kill leaves nothing behind. */
async function openNameless(times: number): Promise<Deno.FsFile[]> {
  const name = await Deno.makeTempFile({ prefix: "gossiper-copy-" });
  try {
    const options = { read: true, write: true };
    return await Promise.all(Array.from({ length: times }, () => Deno.open(name, options)));
  } finally {
    await Deno.remove(name);
  }
}

/** Compresses a file into another; resolves to the length of the result. */
async function compress(path: string, to: Deno.FsFile): Promise<number> {
  using from = await Deno.open(path);
  const gzip = new CompressionStream("gzip");
  const written = writeAll(gzip.readable, to);
  // Where writing fails, so does the next write() below; `written` tells why.
  written.catch(() => {});
  const writer = gzip.writable.getWriter();
  // One buffer for all: a piece is compressed before write() resolves.
  const buffer = new Uint8Array(PIECE_BYTES);
  for (let count; (count = await from.read(buffer)) !== null;) {
    await Promise.race([writer.write(buffer.subarray(0, count)), written]);
  }
  await writer.close();
  return await written;
}

async function writeAll(stream: ReadableStream<Uint8Array>, to: Deno.FsFile): Promise<number> {
  let size = 0;
  for await (const piece of stream) {
    for (let at = 0; at < piece.length;) at += await to.write(piece.subarray(at));
    size += piece.length;
  }
  return size;
}
