import { assertEquals } from "@std/assert";
import type { CallerEnv } from "../../lib/http/callers.ts";
import { addDownloadRoutes } from "../../lib/http/download_routes.ts";
import { Hono } from "../../lib/http/hono.ts";
import type { Downloads } from "../../lib/host/node_options.ts";

/** Asks a node that hands this on; an error that is no answer fails the test. */
async function ask(path: string, downloads: Omit<Downloads, "address">): Promise<[number, string]> {
  const app = new Hono<CallerEnv>();
  addDownloadRoutes(app, { ...downloads, address: "n1:8080" });
  app.onError((error) =>
    "getResponse" in error ? (error.getResponse as () => Response)() : fail(error)
  );
  const env = { remote: "127.0.0.1" } as CallerEnv["Bindings"];
  const response = await app.request(`http://n1:8080${path}`, {}, env);
  return [response.status, await response.text()];
}

function fail(error: Error): never {
  throw error;
}

async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const SUM = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

Deno.test("a binary that was removed while it runs is not offered, and is no mistake of this node", async () => {
  await inFolder(async (dist) => {
    await Deno.writeTextFile(`${dist}/other`, "hello");
    const binary = { name: "gossiper", path: `${dist}/gone/gossiper` };
    assertEquals(await ask("/download", { dist, binary }), [200, `${SUM}  other\n`]);
    assertEquals(await ask("/download/other", { dist, binary }), [200, "hello"]);
    const [status] = await ask("/download/gossiper", { dist, binary });
    assertEquals(status, 404);
    assertEquals(await ask("/download", { dist: undefined, binary }), [200, ""]);
  });
});

Deno.test("a file that cannot be read is told of, and keeps nobody from the others", async () => {
  await inFolder(async (dist) => {
    await Deno.writeTextFile(`${dist}/other`, "hello");
    await Deno.writeTextFile(`${dist}/secret`, "hello");
    const { open } = Deno;
    // Root may read any file.
    Deno.open = async (path, options) => {
      if (path === `${dist}/secret`) throw new Error(`Permission denied: open '${path}'`);
      return await open(path, options);
    };
    try {
      const downloads = { dist, binary: undefined };
      assertEquals(await ask("/download", downloads), [200, `${SUM}  other\n`]);
      const told = "Cannot read secret: Permission denied";
      assertEquals(await ask("/download/secret", downloads), [503, told]);
    } finally {
      Deno.open = open;
    }
  });
});

Deno.test("a folder of -dist that cannot be read is told of", async () => {
  await inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/file`, "");
    const [status, text] = await ask("/download", { dist: `${folder}/file`, binary: undefined });
    assertEquals([status, text.startsWith("The folder that -dist names cannot be read: ")], [
      503,
      true,
    ]);
  });
});
