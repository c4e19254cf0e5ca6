/**
 * What only a binary can get wrong. `.ci/run` tests the binary that it made; by hand:
 * `GOSSIPER_TEST_BINARY=... deno test -A tests/process/binary.ts`.
 *
 * @module
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { eventually } from "../support/eventually.ts";
import { pageFiles } from "../support/page_files.ts";
import { Said } from "../support/said.ts";
import denoConfig from "../../deno.json" with { type: "json" };

const BINARY = Deno.env.get("GOSSIPER_TEST_BINARY") ?? "";

/** Runs the binary with nothing around it: no environment, another current directory, a home that is not there. */
function bare(args: string[]): Deno.Command {
  return new Deno.Command(BINARY, {
    args,
    clearEnv: true,
    env: { HOME: "/nonexistent", PATH: "/nonexistent" },
    cwd: "/",
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
}

Deno.test("there is a binary to test", async () => {
  assert(BINARY.startsWith("/"), "name it in GOSSIPER_TEST_BINARY, as an absolute path");
  assert((await Deno.stat(BINARY)).isFile);
});

Deno.test("-version names version, commit, Deno and target", async () => {
  const { code, stdout } = await bare(["-version"]).output();
  assertEquals(code, 0);
  const version = denoConfig.version.replaceAll(".", "\\.");
  assertMatch(
    new TextDecoder().decode(stdout),
    new RegExp(
      `^gossiper ${version} \\(commit \\S+, Deno \\d+\\.\\d+\\.\\d+, \\w+-\\w+-\\S+\\)\n$`,
    ),
  );
});

Deno.test("started from any directory, without a home, it serves its page with style and script, and answers its own commands", async () => {
  const child = bare(["-port", "0", "-host", "127.0.0.1", "-id", "n1"]).spawn();
  const log = new Said(child.stderr);
  try {
    const address = await log.address();
    const headers = { accept: "text/html" };
    const page = await (await fetch(`http://${address}/`, { headers })).text();
    const files = pageFiles(page);
    assert(files.length >= 2, page);
    for (const path of files) {
      const response = await fetch(`http://${address}${path}`);
      assertEquals(response.status, 200, path);
      assert((await response.arrayBuffer()).byteLength > 0, path);
    }
    assertEquals(await (await fetch(`http://${address}/healthz`)).text(), "ok\n");
    assertStringIncludes(await (await fetch(`http://${address}/metrics`)).text(), "gossiper");
    const asked = await bare(["members", "-at", address]).output();
    assertEquals([asked.code, new TextDecoder().decode(asked.stderr)], [0, ""]);
    assertMatch(new TextDecoder().decode(asked.stdout), /^n1 +live /m);
  } finally {
    child.kill("SIGTERM");
    await log.ended;
    await child.stdout.cancel();
    assertEquals((await child.status).code, 0, log.text);
  }
  assert(!/BUG|NotCapable|permission/i.test(log.text), log.text);
});

Deno.test("it keeps no compiled code among the temporary files, where any user of the host could plant theirs", async () => {
  const folder = await Deno.makeTempDir();
  try {
    // `help` runs code of every part that loads at the start, so a cache would be whole after it.
    for (const args of [["help"], ["-version"]]) {
      const { success } = await new Deno.Command(BINARY, {
        args,
        clearEnv: true,
        env: { TMPDIR: folder },
        stdout: "null",
      }).output();
      assert(success);
    }
    assertEquals(Array.from(Deno.readDirSync(folder)), []);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("it runs the program that it is told to live with, and exits as that does", async () => {
  const child = bare(["-port", "0", "-host", "127.0.0.1", "--", "/bin/sh", "-c", "exit 3"]).spawn();
  const [{ code }, log] = await Promise.all([child.status, new Response(child.stderr).text()]);
  await child.stdout.cancel();
  assertEquals(code, 3, log);
  assert(!/BUG|NotCapable|permission/i.test(log), log);
});

Deno.test("a binary that nohup started, and its program, mind no SIGHUP", async () => {
  const prints =
    'trap "exit 4" HUP; trap "exit 3" TERM; echo ready >&2; while :; do sleep 0.1; done';
  const child = new Deno.Command("nohup", {
    args: [BINARY, ..."-port 0 -host 127.0.0.1 -- /bin/sh -c".split(" "), prints],
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const log = new Said(child.stderr);
  await eventually(() => assert(/^ready$/m.test(log.text), log.text));
  child.kill("SIGHUP");
  child.kill("SIGTERM");
  assertEquals((await child.status).code, 3, log.text);
  await log.ended;
});

/** What was compiled in, as text; it follows the runtime: a few hundred KB. */
async function compiledIn(): Promise<string> {
  const bytes = await Deno.readFile(BINARY);
  return new TextDecoder("latin1").decode(bytes.subarray(-2_000_000));
}

Deno.test("the memory of V8's youngest objects is bounded: what it takes stays taken", async () => {
  const [, flags] = /"v8_flags":(\[.*?\])/.exec(await compiledIn()) ?? [];
  assert(flags !== undefined, "the binary's flags for V8 were not found");
  // Deno adds some of its own.
  assert(JSON.parse(flags).includes("--max-semi-space-size=4"), flags);
});

Deno.test("it may not read the environment beyond its own variables", async () => {
  const [, permissions] = /"permissions":(\{.*?\})/.exec(await compiledIn()) ?? [];
  assert(permissions !== undefined, "the binary's permissions were not found");
  const granted = JSON.parse(permissions);
  assertEquals(granted.allow_all ?? false, false);
  // What a node without a program and checks gives up as it starts.
  assertEquals([granted.allow_run, granted.allow_ffi], [[], []]);
  assertEquals(granted.allow_env, ["GOSSIPER_*"]);
  assertEquals(granted.deny_import, []);
  assertEquals(granted.allow_sys, ["hostname", "networkInterfaces"]);
});

Deno.test("it hands itself on: curl ... | sh on a bare host brings up a node that joins", async () => {
  const folder = await Deno.makeTempDir();
  const first = bare(["-port", "0", "-host", "127.0.0.1", "-id", "n1"]).spawn();
  const log = new Said(first.stderr);
  const address = await log.address();
  const installed = await new Deno.Command("sh", {
    args: ["-c", `curl -fsS http://${address}/install.sh | sh`],
    cwd: folder,
  }).output();
  const text = new TextDecoder().decode(installed.stdout);
  assertEquals(installed.code, 0, new TextDecoder().decode(installed.stderr));
  const [, ...join] = /^ {2}\.\/gossiper (-join) (\S+)$/m.exec(text) ?? [];
  assert(join.length === 2, text);
  const second = new Deno.Command("./gossiper", {
    args: [...join, "-port", "0", "-host", "127.0.0.1", "-id", "n2"],
    cwd: folder,
    stdout: "null",
    stderr: "null",
  }).spawn();
  try {
    await eventually(async () => {
      const { members } = await (await fetch(`http://${address}/members`)).json();
      const shown = members.map(({ id, status }: Record<string, string>) => `${id} ${status}`);
      assertEquals(shown, ["n1 live", "n2 live"]);
    });
  } finally {
    for (const child of [second, first]) child.kill("SIGTERM");
    await Promise.all([second.status, first.status, log.ended, first.stdout.cancel()]);
    await Deno.remove(folder, { recursive: true });
  }
});

/** What a download may cost for good: the parts of the runtime that it loads. The binary itself is seven times as much. */
const DOWNLOAD_BYTES_MAX = 14e6;

Deno.test("GET /download tells the binary's sum without keeping it in memory", async () => {
  const child = bare(["-port", "0", "-host", "127.0.0.1", "-id", "n1"]).spawn();
  const log = new Said(child.stderr);
  try {
    const address = await log.address();
    const residentBytes = async () => {
      const text = await (await fetch(`http://${address}/metrics`)).text();
      return Number(/^process_resident_memory_bytes (\S+)/m.exec(text)?.[1]);
    };
    // The first scrape loads what it needs itself.
    await residentBytes();
    const beforeBytes = await residentBytes();
    const sums = await (await fetch(`http://${address}/download`)).text();
    const digest = await crypto.subtle.digest("SHA-256", await Deno.readFile(BINARY));
    assertStringIncludes(sums, new Uint8Array(digest).toHex());
    const grownBytes = await residentBytes() - beforeBytes;
    assert(grownBytes < DOWNLOAD_BYTES_MAX, `it takes ${grownBytes} bytes more`);
  } finally {
    child.kill("SIGTERM");
    await Promise.all([log.ended, child.stdout.cancel(), child.status]);
  }
});
