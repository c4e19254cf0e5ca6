/** `/download` and `/install.sh`: a node hands on the files of `-dist`. See binary.ts for a binary that hands on itself. */

import { assert, assertEquals, assertLess, assertStringIncludes } from "@std/assert";
import { Authority } from "../support/certificates.ts";
import { eventually } from "../support/eventually.ts";
import { spawnNode, startNode } from "../support/nodes.ts";
import { connect, readUntil, writeAll } from "../support/raw.ts";

const NAME = `gossiper-${Deno.build.target}`;
/** The script is for systems with a shell. */
const NO_SHELL = Deno.build.os === "windows";
const PROGRAM = "#!/bin/sh\necho gossiper 9.9.9\n";

async function withDist(
  body: (at: { dist: string; home: string }) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  const [dist, home] = [`${folder}/dist`, `${folder}/home`];
  try {
    await Deno.mkdir(dist);
    await Deno.mkdir(home);
    await Deno.writeTextFile(`${dist}/${NAME}`, PROGRAM);
    await Deno.writeTextFile(`${dist}/.secret`, "no");
    await Deno.writeTextFile(`${folder}/outside`, "no");
    await body({ dist, home });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function sha256(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Runs the script of the node at `address` as its user would: `curl ... | sh`. */
async function install(
  address: string,
  home: string,
  env: Record<string, string> = {},
): Promise<{ code: number; text: string }> {
  const { code, stdout, stderr } = await new Deno.Command("sh", {
    args: ["-c", `curl -fsS http://${address}/install.sh | sh`],
    cwd: home,
    env,
    stdout: "piped",
    stderr: "piped",
  }).output();
  const decoder = new TextDecoder();
  return { code, text: decoder.decode(stdout) + decoder.decode(stderr) };
}

Deno.test("a node from source without -dist has nothing to hand on, and says what to do", async () => {
  await using node = startNode("n1");
  for (const path of ["/download", "/download/gossiper", "/install.sh"]) {
    const response = await fetch(`http://${node.address}${path}`);
    assertEquals(response.status, 404, path);
    assertStringIncludes(await response.text(), "-dist");
  }
});

Deno.test("/download lists every file of -dist with its sum, as sha256sum would, but none that is hidden", async () => {
  await withDist(async ({ dist }) => {
    await using node = startNode("n1", `-dist ${dist}`);
    const response = await fetch(`http://${node.address}/download`);
    assertEquals(response.headers.get("cache-control"), "no-cache");
    const list = await response.text();
    assertEquals(list, `${await sha256(PROGRAM)}  ${NAME}\n`);
    await Deno.writeTextFile(`${dist}/${NAME}`, "changed");
    const again = await (await fetch(`http://${node.address}/download`)).text();
    assertEquals(again, `${await sha256("changed")}  ${NAME}\n`);
  });
});

Deno.test("/download/NAME serves the file whole, in part, and not again to who has it", async () => {
  await withDist(async ({ dist }) => {
    await using node = startNode("n1", `-dist ${dist}`);
    const url = `http://${node.address}/download/${NAME}`;
    const whole = await fetch(url);
    assertEquals([whole.status, await whole.text()], [200, PROGRAM]);
    assertEquals(whole.headers.get("content-length"), String(PROGRAM.length));
    const part = await fetch(url, { headers: { Range: "bytes=3-8" } });
    assertEquals([part.status, await part.text()], [206, PROGRAM.slice(3, 9)]);
    assertEquals(part.headers.get("content-range"), `bytes 3-8/${PROGRAM.length}`);
    const beyond = await fetch(url, { headers: { Range: "bytes=9999-" } });
    assertEquals([beyond.status, await beyond.text()], [416, ""]);
    const etag = whole.headers.get("etag") ?? "";
    const had = await fetch(url, { headers: { "If-None-Match": etag } });
    assertEquals([had.status, await had.text()], [304, ""]);
    const head = await fetch(url, { method: "HEAD" });
    assertEquals([head.status, await head.text()], [200, ""]);
  });
});

/** An answer as it comes over the wire: fetch() would unpack it. */
async function getRaw(address: string, headers: string) {
  using conn = await connect(address);
  const request = `GET /download/${NAME} HTTP/1.1\r\nHost: n1\r\nConnection: close\r\n`;
  await writeAll(conn, new TextEncoder().encode(`${request}${headers}\r\n`));
  const bytes = new Uint8Array(await new Response(conn.readable).arrayBuffer());
  const end = new TextDecoder("latin1").decode(bytes).indexOf("\r\n\r\n");
  const head = new TextDecoder().decode(bytes.subarray(0, end)).toLowerCase();
  return { head, body: bytes.subarray(end + 4) };
}

function textOf(body: Uint8Array): string {
  return new TextDecoder().decode(body);
}

async function unpack(body: Uint8Array<ArrayBuffer>): Promise<string> {
  const stream = new Blob([body]).stream().pipeThrough(new DecompressionStream("gzip"));
  return await new Response(stream).text();
}

/** The names of copies in the folder of temporary files, which every process of this machine shares. */
async function copies(): Promise<string[]> {
  const inTemporary = await Deno.makeTempDir();
  const folder = inTemporary.replace(/[^/\\]*$/, "");
  await Deno.remove(inTemporary);
  const names = await Array.fromAsync(Deno.readDir(folder), ({ name }) => name);
  return names.filter((name) => name.startsWith("gossiper-copy-"));
}

/**
 * Waits until no copy is left but `before`: other nodes on this machine may be making copies at this moment, and may have
 * been killed in one in which a copy has a name.
 */
async function untilNoneBut(before: readonly string[]): Promise<void> {
  await eventually(async () => {
    assertEquals((await copies()).filter((name) => !before.includes(name)), []);
  });
}

Deno.test("/download/NAME is compressed for those who ask for it, from a copy that leaves no file behind", async () => {
  const before = await copies();
  await withDist(async ({ dist }) => {
    // Several pieces, none like another.
    const lines = (word: string) =>
      Array.from({ length: 30_000 }, (_, i) => `${word} ${i}\n`).join("");
    await Deno.writeTextFile(`${dist}/${NAME}`, lines("first"));
    // A process of its own, which keeps its copies to the end.
    await using node = await spawnNode("n1", `-dist ${dist}`);
    const plain = await getRaw(node.address, "");
    assert(textOf(plain.body) === lines("first"));
    assert(!plain.head.includes("content-encoding"), plain.head);
    assertStringIncludes(plain.head, "vary: accept-encoding");
    const packed = await getRaw(node.address, "Accept-Encoding: br, gzip\r\n");
    assertStringIncludes(packed.head, "content-encoding: gzip");
    assertStringIncludes(packed.head, `content-length: ${packed.body.length}\r\n`);
    assertStringIncludes(packed.head, '-gzip"');
    assertLess(packed.body.length, plain.body.length / 2);
    assert(await unpack(packed.body) === lines("first"));
    for (
      const headers of [
        "Accept-Encoding: gzip;q=0\r\n",
        "Accept-Encoding: gzip\r\nRange: bytes=0-9\r\n",
      ]
    ) {
      const { head, body } = await getRaw(node.address, headers);
      assert(!head.includes("content-encoding") && lines("first").startsWith(textOf(body)), head);
    }
    const [, tag = ""] = /etag: (.*)/.exec(packed.head) ?? [];
    const had = await getRaw(node.address, `Accept-Encoding: gzip\r\nIf-None-Match: ${tag}\r\n`);
    assertStringIncludes(had.head, "304");

    await Deno.writeTextFile(`${dist}/${NAME}`, lines("other"));
    await Deno.utime(`${dist}/${NAME}`, 1, 1);
    const again = await getRaw(node.address, "Accept-Encoding: gzip\r\n");
    assert(await unpack(again.body) === lines("other"));
  });
  await untilNoneBut(before);
});

Deno.test("/download/NAME serves four at once, compressed or not, and has room again when they go", async () => {
  const before = await copies();
  await withDist(async ({ dist }) => {
    // More than the buffers of a connection take.
    await Deno.truncate(`${dist}/${NAME}`, 64 * 1024 * 1024);
    await using node = await spawnNode("n1", `-dist ${dist}`);
    const ask = async () => {
      const response = await fetch(`http://${node.address}/download/${NAME}`, {
        headers: { range: "bytes=0-9" },
      });
      return [response.status, (await response.text()).length > 10];
    };
    // Who asks for headers alone, or has it already, takes no room.
    for (let i = 0; i < 5; i++) {
      const { status } = await fetch(`http://${node.address}/download/${NAME}`, { method: "HEAD" });
      assertEquals(status, 200);
    }
    for (const encoding of ["identity", "gzip"]) {
      const conns = await Promise.all(Array.from({ length: 4 }, () => connect(node.address)));
      for (const conn of conns) {
        const request =
          `GET /download/${NAME} HTTP/1.1\r\nHost: n1\r\nAccept-Encoding: ${encoding}\r\n\r\n`;
        await writeAll(conn, new TextEncoder().encode(request));
        if (encoding === "identity") await readUntil(conn, /200 OK/);
      }
      if (encoding === "identity") assertEquals(await ask(), [503, true]);
      for (const conn of conns) conn.close();
      await eventually(async () => assertEquals(await ask(), [206, false]));
    }
  });
  // The node was killed while it made a copy.
  await untilNoneBut(before);
});

Deno.test("/download/NAME serves nothing that is not in the list", async () => {
  await withDist(async ({ dist }) => {
    await using node = startNode("n1", `-dist ${dist}`);
    for (const name of [".secret", "..%2Foutside", "%2Fetc%2Fpasswd", "nothing"]) {
      const response = await fetch(`http://${node.address}/download/${name}`);
      await response.body?.cancel();
      assertEquals(response.status, 404, name);
    }
  });
});

Deno.test("install.sh fetches the program for this host, checks it, and tells how to join", {
  ignore: NO_SHELL,
}, async () => {
  await withDist(async ({ dist, home }) => {
    await using node = startNode("n1", `-dist ${dist}`);
    const { code, text } = await install(node.address, home);
    assertEquals(code, 0, text);
    assertStringIncludes(text, `./gossiper -join ${node.address}\n`);
    const { stdout } = await new Deno.Command(`${home}/gossiper`).output();
    assertEquals(new TextDecoder().decode(stdout), "gossiper 9.9.9\n");
    assertEquals(Array.from(Deno.readDirSync(home), ({ name }) => name), ["gossiper"]);
    const elsewhere = await install(node.address, home, { GOSSIPER_DIR: "opt/bin" });
    assertStringIncludes(elsewhere.text, "opt/bin/gossiper is in place");
    assertEquals((await Deno.stat(`${home}/opt/bin/gossiper`)).isFile, true);
  });
});

Deno.test("install.sh leaves nothing behind when the file is not what its sum says", {
  ignore: NO_SHELL,
}, async () => {
  await withDist(async ({ dist, home }) => {
    await using node = startNode("n1", `-dist ${dist}`);
    // A node between, which changes the file on its way.
    await using proxy = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen() {} },
      async (request) => {
        const { pathname } = new URL(request.url);
        if (pathname === `/download/${NAME}`) return new Response("#!/bin/sh\necho evil\n");
        const host = request.headers.get("host") ?? "";
        const script = await fetch(`http://${node.address}${pathname}`);
        return new Response((await script.text()).replaceAll(node.address, host));
      },
    );
    const { code, text } = await install(`127.0.0.1:${proxy.addr.port}`, home);
    assertEquals(code, 1, text);
    assertStringIncludes(text, "the file's sum is");
    assertEquals([...Deno.readDirSync(home)], []);
  });
});

Deno.test(
  "install.sh puts nothing into a folder called gossiper, as a clone of the repository is",
  {
    ignore: NO_SHELL,
  },
  async () => {
    await withDist(async ({ dist, home }) => {
      await using node = startNode("n1", `-dist ${dist}`);
      await Deno.mkdir(`${home}/gossiper`);
      const { code, text } = await install(node.address, home);
      assertEquals(code, 1, text);
      assertStringIncludes(text, "gossiper: ./gossiper is a folder: set GOSSIPER_DIR");
      assertEquals([...Deno.readDirSync(`${home}/gossiper`)], []);
    });
  },
);

Deno.test("install.sh by TLS trusts an authority that the environment names, or says what fails", {
  ignore: NO_SHELL,
}, async () => {
  await using authority = await Authority.create();
  const { cert, key } = await authority.issue();
  await withDist(async ({ dist, home }) => {
    await using node = startNode("n1", `-dist ${dist} -tls-cert ${cert} -tls-key ${key}`);
    const from = `https://${node.address}`;
    const run = async (words: string, env: Record<string, string> = {}) => {
      const command = `curl -fsS ${words} ${from}/install.sh | sh`;
      const options = { args: ["-c", command], cwd: home, env };
      const { code, stderr } = await new Deno.Command("sh", options).output();
      return { code, text: new TextDecoder().decode(stderr) };
    };
    const { code, text } = await run(`--cacert ${authority.ca}`);
    assertEquals(code, 1, text);
    assertStringIncludes(text, `gossiper: cannot fetch ${from}/download\n`);
    const trusting = await run("", { CURL_CA_BUNDLE: authority.ca });
    assertEquals(trusting.code, 0, trusting.text);
  });
});

Deno.test("install.sh that a signal ends leaves nothing behind", {
  ignore: NO_SHELL,
}, async () => {
  await withDist(async ({ dist, home }) => {
    await using node = startNode("n1", `-dist ${dist}`);
    const script = await (await fetch(`http://${node.address}/install.sh`)).text();
    // Somebody's Ctrl-C while the file is on its way: this curl has a part of it.
    const curl =
      `curl() { case $* in *-o*) : > "$part"; kill -INT $$ ;; *) command curl "$@" ;; esac; }`;
    const { code } = await new Deno.Command("sh", {
      args: ["-c", `${curl}\n${script}`],
      cwd: home,
      stderr: "null",
    }).output();
    assertEquals([code, [...Deno.readDirSync(home)]], [1, []]);
  });
});

Deno.test("install.sh cut off anywhere on its way does nothing", { ignore: NO_SHELL }, async () => {
  const script = await Deno.readTextFile(new URL("../../static/install.sh", import.meta.url));
  const cut = script.slice(0, script.lastIndexOf("main"));
  const folder = await Deno.makeTempDir();
  const child = new Deno.Command("sh", { cwd: folder, stdin: "piped", stderr: "null" }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(cut));
  await writer.close();
  assert((await child.status).success);
  assertEquals([...Deno.readDirSync(folder)], []);
  await Deno.remove(folder);
});
