/**
 * Answers with the content of an open file: whole, in part, or not at all where the client has it already.
 *
 * The file is read piece by piece, as fast as the client takes it. `serveFile` of @std/http answers alike, but it opens
 * the file itself, which cannot be had of a compressed copy that has no name.
 *
 * @module
 */
import { ifNoneMatch } from "../std/http/etag.ts";

/** Bytes read at once. */
const PIECE_BYTES = 65_536;

export interface FileSource {
  readonly size: number;
  /** The entity tag, with its quotes. */
  readonly etag: string;
  /** The file to read from any position. */
  open(): Promise<Deno.FsFile>;
  /** Takes the file back, once, however its answer ended. */
  close(file: Deno.FsFile): void;
}

/** Answers a GET or HEAD with `source` under the headers given. */
export async function sendFile(
  request: Request,
  source: FileSource,
  headers: Headers,
): Promise<Response> {
  const { size, etag } = source;
  headers.set("ETag", etag);
  headers.set("Accept-Ranges", "bytes");
  if (!ifNoneMatch(request.headers.get("if-none-match"), etag)) {
    return new Response(null, { status: 304, headers });
  }
  const range = readRange(request, source);
  if (range === "none") {
    headers.set("Content-Range", `bytes */${size}`);
    return new Response(null, { status: 416, headers });
  }
  const [start, end] = range ?? [0, size];
  const status = range === undefined ? 200 : 206;
  headers.set("Content-Length", String(end - start));
  if (range !== undefined) headers.set("Content-Range", `bytes ${start}-${end - 1}/${size}`);
  if (request.method === "HEAD" || start === end) return new Response(null, { status, headers });
  return new Response(await streamPart(source, [start, end]), { status, headers });
}

/** The first byte asked for and the one after the last; undefined for the whole file, "none" if it has no such part. */
function readRange(
  request: Request,
  { size, etag }: FileSource,
): readonly [start: number, end: number] | "none" | undefined {
  const found = /^bytes=(\d*)-(\d*)$/.exec(request.headers.get("range") ?? "");
  const condition = request.headers.get("if-range");
  if (found === null || (condition !== null && condition !== etag)) return undefined;
  const [, first = "", last = ""] = found;
  if (first === "" && last === "") return undefined;
  const start = first === "" ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === "" || last === "" ? size : Math.min(Number(last) + 1, size);
  return start < end ? [start, end] : "none";
}

async function streamPart(
  source: FileSource,
  [start, end]: readonly [number, number],
): Promise<ReadableStream<Uint8Array>> {
  const file = await source.open();
  let isOpen = true;
  const finish = () => {
    if (isOpen) source.close(file);
    isOpen = false;
  };
  const pieces = readPart(file, [start, end]);
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await pieces.next();
        if (!done) return controller.enqueue(value);
        controller.close();
      } catch (error) {
        controller.error(error);
      }
      finish();
    },
    async cancel() {
      // Waits for a read under way: who takes the file next would read from where that one ends.
      await pieces.return();
      finish();
    },
  }, { highWaterMark: 0 });
}

async function* readPart(
  file: Deno.FsFile,
  [start, end]: readonly [number, number],
): AsyncGenerator<Uint8Array, void, void> {
  await file.seek(start, Deno.SeekMode.Start);
  for (let left = end - start; left > 0;) {
    const piece = new Uint8Array(Math.min(left, PIECE_BYTES));
    const count = await file.read(piece);
    // The length was promised: the answer has to break off.
    if (count === null) throw new Error("The file became shorter while it was sent");
    left -= count;
    yield piece.subarray(0, count);
  }
}
