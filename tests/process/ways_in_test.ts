/**
 * The ways in, besides the binary (see binary.ts): a clone, `deno install -g`, and a URL.
 *
 * Each starts with a cache that holds only the packages of the program, and a proxy that refuses everything: whatever
 * else it tried to fetch would fail.
 *
 * @module
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { pageFiles } from "../support/page_files.ts";
import { Said } from "../support/said.ts";
import denoConfig from "../../deno.json" with { type: "json" };

const ROOT = new URL("../../", import.meta.url);
const PACKAGES = ["deno-std", "hono"];

interface Place extends AsyncDisposable {
  readonly path: string;
  readonly env: Record<string, string>;
}

/** A folder of its own for one test, with the cache of packages. */
async function makePlace(): Promise<Place> {
  const path = await Deno.makeTempDir();
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).output();
  const { npmCache } = JSON.parse(new TextDecoder().decode(stdout));
  for await (const { name: registry, isDirectory } of Deno.readDir(npmCache)) {
    for (const name of isDirectory ? PACKAGES : []) {
      const from = `${npmCache}/${registry}/${name}`;
      // Deno takes no module from beyond a link.
      if (await isThere(from)) await copy(from, `${path}/cache/npm/${registry}/${name}`);
    }
  }
  const env = {
    NO_COLOR: "1",
    DENO_DIR: `${path}/cache`,
    DENO_INSTALL_ROOT: `${path}/installed`,
    DENO_NO_UPDATE_CHECK: "1",
    // Port 9 discards, or refuses.
    HTTP_PROXY: "http://127.0.0.1:9",
    HTTPS_PROXY: "http://127.0.0.1:9",
    NO_PROXY: "127.0.0.1",
  };
  const remove = () => Deno.remove(path, { recursive: true });
  return { path, env, [Symbol.asyncDispose]: remove };
}

async function isThere(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

async function copy(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    const step = isDirectory ? copy : Deno.copyFile;
    await step(`${from}/${name}`, `${to}/${name}`);
  }
}

/** Runs `deno` to its end; fails with what it said if it failed. */
async function deno(
  args: string[],
  { env, cwd = ROOT }: { env: Place["env"]; cwd?: URL | string },
) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args, env, cwd })
    .output();
  const text = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  assertEquals(code, 0, `deno ${args.join(" ")}: ${text}`);
  return text;
}

/** Starts the program from a folder that has nothing to do with it, and looks at its page with all that belongs to it. */
async function assertServesPage(
  [program, ...args]: string[],
  { path, env }: Place,
  started: () => Promise<void> = async () => {},
): Promise<void> {
  const child = new Deno.Command(program!, {
    args: [...args, "-id", "n1", "-host", "127.0.0.1", "-port", "0"],
    cwd: path,
    env,
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const log = new Said(child.stderr);
  try {
    const address = await log.address();
    await started();
    const ask = async (path: string) => {
      const response = await fetch(`http://${address}${path}`, {
        headers: { accept: "text/html" },
      });
      assertEquals(response.status, 200, path);
      return await response.text();
    };
    const page = await ask("/");
    assertStringIncludes(page, denoConfig.version);
    const files = pageFiles(page);
    assert(files.length >= 3, page);
    for (const file of files) assert((await ask(file)).length > 0, file);
    assertEquals(await ask("/healthz"), "ok\n");
    assertStringIncludes(await ask("/metrics"), "gossiper_");
  } finally {
    try {
      child.kill();
    } catch {
      // It has ended, and the assertion above says what it said.
    }
    await Promise.all([log.ended, child.status]);
  }
  assert(!/BUG|[Ww]arning|[Ee]rror/.test(log.text), log.text);
}

Deno.test("a clone runs with the packages of the program alone", async () => {
  await using place = await makePlace();
  const main = new URL("main.ts", ROOT).href;
  await assertServesPage([Deno.execPath(), "run", "-A", "--frozen", main], place);
});

for (const config of [[], ["--config", "deno.json"]]) {
  const name = ["deno install -g", ...config].join(" ");
  Deno.test(`${name} makes a command that runs anywhere`, async () => {
    await using place = await makePlace();
    await deno(["install", "-g", "-A", ...config, "-n", "gossiper", "main.ts"], place);
    const command = Deno.build.os === "windows" ? "gossiper.cmd" : "gossiper";
    await assertServesPage([`${place.path}/installed/bin/${command}`], place);
  });
}

for (const config of [false, true]) {
  Deno.test(`deno run of a URL${config ? " with --config" : ""} needs no file besides`, async () => {
    await using place = await makePlace();
    const asked: string[] = [];
    const server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen() {} },
      async (request) => {
        const { pathname } = new URL(request.url);
        asked.push(pathname);
        const file = new URL(`.${pathname}`, ROOT);
        return await Deno.readFile(file).then(
          (bytes) => new Response(bytes, { headers: { "content-type": typeOf(pathname) } }),
          () => new Response(null, { status: 404 }),
        );
      },
    );
    const url = `http://127.0.0.1:${server.addr.port}/main.ts`;
    const copy = `${place.path}/deno.json`;
    if (config) await Deno.copyFile(new URL("deno.json", ROOT), copy);
    const flags = config ? ["--config", copy] : [];
    // The server is gone before the page is asked for: all that belongs to it came with the program.
    const gone = () => server.shutdown();
    await assertServesPage([Deno.execPath(), "run", "-A", "--quiet", ...flags, url], place, gone);
    assertEquals(
      asked.filter((path) => !/^\/(?:main\.ts|deno\.json|(?:lib|static)\/)/.test(path)),
      [],
    );
  });
}

/** As a server of sources answers. */
function typeOf(path: string): string {
  if (path.endsWith(".json")) return "application/json";
  return path.endsWith(".js") ? "text/javascript" : "text/plain";
}

Deno.test("deno publish would ship the program, and no tests", async () => {
  const env = { NO_COLOR: "1" };
  const text = await deno(["publish", "--dry-run", "--allow-dirty", "--no-check"], { env });
  assertStringIncludes(text, "/main.ts");
  assertStringIncludes(text, "/lib/http/assets.json");
  assert(!/\/(?:tests|\.build|\.github|\.ci)\//.test(text), text);
});

Deno.test("lib/http/assets.json holds the files of static/ as they are", async () => {
  const { bundleAssets } = await import("../../.build/assets.ts");
  const held = await Deno.readTextFile(new URL("lib/http/assets.json", ROOT));
  assert(held === await bundleAssets(), "A file of static/ changed: run 'deno task assets'");
});
