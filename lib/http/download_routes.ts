/**
 * A node hands the program on: its own binary, or the files of a release folder, with their checksums, and a script
 * that fetches the right one. So a host in a closed network needs nothing but curl.
 *
 * @module
 */
import { acceptsEncodings } from "../std/http/negotiation.ts";
import { normalizeAddress } from "../address.ts";
import { loadAssets } from "./assets.ts";
import { refuse } from "./body.ts";
import { type CallerEnv, networkOf } from "./callers.ts";
import type { Hono } from "./hono.ts";
import { LastingAnswers } from "./lasting.ts";
import { diskErrorText } from "../host/disk.ts";
import type { Downloads } from "../host/node_options.ts";
import { Packed } from "./packed.ts";
import { type FileSource, sendFile } from "./send_file.ts";

/** Files of a release folder that are offered: five binaries and what goes with them, several times over. */
const FILES_MAX = 64;

/** Downloads at once: each reads and sends 100 MB, beside rounds that must be on time. */
const DOWNLOADS_MAX = 4;

/** Shorter files are sent as they are: compressing them saves nobody time. */
const PACKED_BYTES_MIN = 65_536;

/** Bytes of a file hashed at once. */
const PIECE_BYTES = 65_536;

interface Offered {
  readonly name: string;
  readonly path: string;
  readonly size: number;
  /** Changes with the content. */
  readonly version: string;
}

/** Adds the routes to `app`. */
export function addDownloadRoutes(app: Hono<CallerEnv>, options: Downloads): void {
  const sums = new Sums();
  // One more reads a copy: who gave up its place may be about to give back its file.
  const packed = new Packed(DOWNLOADS_MAX + 1);
  const underWay = new LastingAnswers(DOWNLOADS_MAX);

  app.get("/download", async (c) => {
    const files = await offered(options);
    const lines = [];
    for (const file of files) {
      // One that cannot be read keeps nobody from the others.
      const sum = await sums.of(file).catch(() => undefined);
      if (sum !== undefined) lines.push(`${sum}  ${file.name}\n`);
    }
    c.header("Cache-Control", "no-cache");
    return c.text(lines.join(""));
  });

  app.get("/download/:name", async (c) => {
    const name = c.req.param("name");
    const file = (await offered(options)).find((file) => file.name === name);
    if (file === undefined) return refuse(404, "No such file: see /download");
    const answer = underWay.enter(networkOf(c.env.remote));
    if (answer === undefined) {
      c.header("Retry-After", "10");
      return refuse(
        503,
        `This node serves ${DOWNLOADS_MAX} downloads at once: try again, or ask another node`,
      );
    }
    const headers = new Headers({
      "Content-Type": "application/octet-stream",
      "Cache-Control": "no-cache",
      "Vary": "Accept-Encoding",
    });
    try {
      const copy = wantsPacked(c.req.raw, file) && await packedSource(packed, file);
      if (copy) headers.set("Content-Encoding", "gzip");
      const sent = await sendFile(c.req.raw, copy || plainSource(file), headers);
      if (sent.body !== null) return new Response(answer.hold(sent.body), sent);
      answer.leave();
      return sent;
    } catch (error) {
      answer.leave();
      throw error;
    }
  });

  app.get("/install.sh", async (c) => {
    await offered(options);
    const template = (await loadAssets()).files["install.sh"]!;
    const protocol = c.req.url.startsWith("https:") ? "https:" : "http:";
    // As the caller named this node, which works for the caller. An address holds no character that a shell interprets.
    const host = normalizeAddress(c.req.header("host") ?? "") ?? options.address;
    c.header("Content-Type", "text/x-shellscript; charset=utf-8");
    c.header("Cache-Control", "no-store");
    const from = `${protocol}//${host}`;
    return c.body(template.replaceAll("@FROM@", from).replaceAll("@JOIN@", host));
  });
}

/** The files to download now; refuses the request of a node without any. */
async function offered({ dist, binary }: Downloads): Promise<Offered[]> {
  const paths = new Map<string, string>();
  if (dist !== undefined) {
    try {
      for await (const { name, isFile } of Deno.readDir(dist)) {
        const plain = isFile && /^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name);
        if (plain && name !== "SHA256SUMS") paths.set(name, `${dist}/${name}`);
      }
    } catch (error) {
      const folder = "The folder that -dist names";
      if (error instanceof Deno.errors.NotFound) return refuse(404, `${folder} does not exist`);
      return refuse(503, `${folder} cannot be read: ${diskErrorText(error)}`);
    }
  }
  if (binary !== undefined && !paths.has(binary.name)) paths.set(binary.name, binary.path);
  if (paths.size === 0) {
    return refuse(
      404,
      "This node runs from source and has no files to hand on: start it with -dist",
    );
  }
  const names = [...paths.keys()].sort().slice(0, FILES_MAX);
  const files = await Promise.all(names.map(async (name) => {
    const path = paths.get(name)!;
    // Gone meanwhile, as a binary is that was removed, or is just being replaced.
    const info = await Deno.stat(path).catch(() => undefined);
    if (info === undefined) return [];
    const { size, mtime } = info;
    const version = `${size.toString(16)}-${(mtime?.getTime() ?? 0).toString(16)}`;
    return [{ name, path, size, version }];
  }));
  return files.flat();
}

/** Whether the caller wants the file compressed. Parts are parts of the file as it is. */
function wantsPacked(request: Request, { size }: Offered): boolean {
  const { headers } = request;
  return size >= PACKED_BYTES_MIN && !headers.has("range") && headers.has("accept-encoding") &&
    acceptsEncodings(request, "gzip", "identity") === "gzip";
}

function plainSource({ name, path, size, version }: Offered): FileSource {
  return {
    size,
    etag: `"${version}"`,
    open: () =>
      Deno.open(path).catch((error) => refuse(503, `Cannot read ${name}: ${diskErrorText(error)}`)),
    close: (file) => file.close(),
  };
}

/** The compressed copy of a file, made if need be; undefined if making it failed. */
async function packedSource(
  packed: Packed,
  { path, version }: Offered,
): Promise<FileSource | undefined> {
  const copy = await packed.of(path, version);
  return copy && {
    size: copy.size,
    etag: `"${version}-gzip"`,
    open: () =>
      Promise.resolve(copy.take() ?? refuse(503, "This file was just replaced: try again")),
    close: (file) => copy.give(file),
  };
}

/** SHA-256 of files, made once for each version of a file, and never twice at once. */
class Sums {
  readonly #sums = new Map<string, { version: string; sum: Promise<string> }>();

  of({ name, path, version }: Offered): Promise<string> {
    const known = this.#sums.get(name);
    if (known?.version === version) return known.sum;
    const sum = sumOf(path);
    this.#sums.set(name, { version, sum });
    sum.catch(() => this.#sums.delete(name));
    return sum;
  }
}

/** Reads into one buffer again and again: a new one for each piece would leave 100 MB to collect. */
async function sumOf(path: string): Promise<string> {
  // Loading it takes 3 MB for good: only a node that is downloaded from pays for that.
  const { createHash } = await import("node:crypto");
  const hash = createHash("sha256");
  using file = await Deno.open(path);
  const buffer = new Uint8Array(PIECE_BYTES);
  for (let count; (count = await file.read(buffer)) !== null;) {
    hash.update(buffer.subarray(0, count));
  }
  return hash.digest("hex");
}
