/**
 * A running node hands the program on: its own binary, or the files of a release folder, with their checksums, and a
 * script that fetches
 * the right one. So a host in a closed network needs nothing but curl.
 *
 * @module
 */
import type { Hono } from "./hono.ts";
import { normalizeAddress } from "../address.ts";
import { loadAssets } from "./assets.ts";
import { refuse } from "./body.ts";
import type { CallerEnv } from "./callers.ts";
import type { Downloads } from "../host/node.ts";

/** Files of a release folder that are offered: five binaries and what goes with them, several times over. */
const FILES_MAX = 64;

/** Downloads at once: each is 100 MB of reading and sending, beside rounds that must be on time. */
const DOWNLOADS_MAX = 4;

interface Offered {
  readonly name: string;
  readonly path: string;
  readonly size: number;
  readonly mtimeMs: number;
}

/** Adds the routes to `app`. */
export function addDownloadRoutes(app: Hono<CallerEnv>, options: Downloads): void {
  const sums = new Sums();
  let underWay = 0;

  app.get("/download", async (c) => {
    const files = await offered(options);
    const lines = [];
    for (const file of files) lines.push(`${await sums.of(file)}  ${file.name}\n`);
    c.header("Cache-Control", "no-cache");
    return c.text(lines.join(""));
  });

  app.get("/download/:name", async (c) => {
    const name = c.req.param("name");
    const file = (await offered(options)).find((file) => file.name === name);
    if (file === undefined) return refuse(404, "No such file: see /download");
    if (underWay >= DOWNLOADS_MAX) {
      c.header("Retry-After", "10");
      return refuse(
        503,
        `This node serves ${DOWNLOADS_MAX} downloads at once: try again, or another`,
      );
    }
    // Only a node that is asked for a file loads what serves it.
    const { serveFile } = await import("../std/http/file_server.ts");
    const response = await serveFile(c.req.raw, file.path);
    response.headers.set("Content-Type", "application/octet-stream");
    response.headers.set("Cache-Control", "no-cache");
    if (response.body === null) return response;
    underWay++;
    const body = onEnd(response.body, () => underWay--);
    return new Response(body, { status: response.status, headers: response.headers });
  });

  app.get("/install.sh", async (c) => {
    await offered(options);
    const template = (await loadAssets()).files["install.sh"]!;
    const { protocol } = new URL(c.req.url);
    // As the caller named this node, which works for the caller; an address has no letter that a shell would read.
    const host = normalizeAddress(c.req.header("host") ?? "") ?? options.address;
    c.header("Content-Type", "text/x-shellscript; charset=utf-8");
    c.header("Cache-Control", "no-store");
    const from = `${protocol}//${host}`;
    return c.body(template.replaceAll("@FROM@", from).replaceAll("@JOIN@", host));
  });
}

/** What there is to download now; refuses where there is nothing. */
async function offered({ dist, binary }: Downloads): Promise<Offered[]> {
  const paths = new Map<string, string>();
  if (dist !== undefined) {
    try {
      for await (const { name, isFile } of Deno.readDir(dist)) {
        const plain = isFile && /^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name);
        if (plain && name !== "SHA256SUMS") paths.set(name, `${dist}/${name}`);
      }
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      return refuse(404, "The folder that -dist names is not there");
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
  return await Promise.all(names.map(async (name) => {
    const path = paths.get(name)!;
    const { size, mtime } = await Deno.stat(path);
    return { name, path, size, mtimeMs: mtime?.getTime() ?? 0 };
  }));
}

/** SHA-256 of files, made once for each state of a file, and never twice at once. */
class Sums {
  readonly #sums = new Map<string, { version: string; sum: Promise<string> }>();

  of({ name, path, size, mtimeMs }: Offered): Promise<string> {
    const version = `${size} ${mtimeMs}`;
    const known = this.#sums.get(name);
    if (known?.version === version) return known.sum;
    const sum = sumOf(path);
    this.#sums.set(name, { version, sum });
    sum.catch(() => this.#sums.delete(name));
    return sum;
  }
}

/** Read piece by piece: a whole binary in memory would be more than all the rest of the node. */
async function sumOf(path: string): Promise<string> {
  // Loading it takes 3 MB for good: only a node that is downloaded pays for it.
  const { createHash } = await import("node:crypto");
  const hash = createHash("sha256");
  const file = await Deno.open(path);
  for await (const piece of file.readable) hash.update(piece);
  return hash.digest("hex");
}

/** The stream, with a call when it is over, however it ends. */
function onEnd(body: ReadableStream<Uint8Array>, ended: () => void): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (!done) return controller.enqueue(value);
        controller.close();
      } catch (error) {
        controller.error(error);
      }
      ended();
    },
    async cancel(reason) {
      ended();
      await reader.cancel(reason);
    },
  });
}
