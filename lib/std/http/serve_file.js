// deno-lint-ignore-file
// In place of JSR's serveFile(): deno-std's own imports files that its package lacks. One range, as there.
import { eTag, ifNoneMatch } from "npm:deno-std@1.4.0/http/etag.js";
import { ByteSliceStream } from "npm:deno-std@1.4.0/streams/byte_slice_stream.js";

export async function serveFile(request, filePath) {
  const info = await Deno.stat(filePath);
  const headers = new Headers({ "accept-ranges": "bytes" });
  const etag = await eTag(info);
  if (etag !== undefined) headers.set("etag", etag);
  if (info.mtime !== null) headers.set("last-modified", info.mtime.toUTCString());
  if (!ifNoneMatch(request.headers.get("if-none-match"), etag)) {
    return new Response(null, { status: 304, headers });
  }
  const range = rangeOf(request, { size: info.size, etag });
  if (range === null) {
    headers.set("content-range", `bytes */${info.size}`);
    return new Response(null, { status: 416, headers });
  }
  const [start, end] = range ?? [0, info.size - 1];
  headers.set("content-length", String(end - start + 1));
  if (range !== undefined) headers.set("content-range", `bytes ${start}-${end}/${info.size}`);
  const status = range === undefined ? 200 : 206;
  if (request.method === "HEAD" || info.size === 0) return new Response(null, { status, headers });
  const file = await Deno.open(filePath);
  if (start > 0) await file.seek(start, Deno.SeekMode.Start);
  const body = range === undefined
    ? file.readable
    : file.readable.pipeThrough(new ByteSliceStream(0, end - start));
  return new Response(body, { status, headers });
}

/** First and last byte asked for; undefined for all, null for none there are. */
function rangeOf(request, { size, etag }) {
  const found = /^bytes=(\d*)-(\d*)$/.exec(request.headers.get("range") ?? "");
  const condition = request.headers.get("if-range");
  if (found === null || (condition !== null && condition !== etag)) return undefined;
  const [, first, last] = found;
  if (first === "" && last === "") return undefined;
  const start = first === "" ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === "" || last === "" ? size - 1 : Math.min(Number(last), size - 1);
  return start > end ? null : [start, end];
}
