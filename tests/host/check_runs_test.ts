/** Runs of checks against real servers, commands and files. */
import { assert, assertEquals, assertLess, assertMatch } from "@std/assert";
import { readCheck } from "../../lib/config/checks.ts";
import { runCheck } from "../../lib/host/check_runs.ts";
import type { Run } from "../../lib/host/check_verdict.ts";
import { Connector } from "../../lib/net/connect.ts";
import { Authority } from "../support/certificates.ts";
import { eventually, within } from "../support/eventually.ts";
import { closedAddress, MutePeer, readUntil } from "../support/raw.ts";

const connector = new Connector({});

async function run(
  text: string,
  { signal = new AbortController().signal, authorities = [] as string[], wallMs = Date.now } = {},
): Promise<Run> {
  const tlsConnector = new Connector({ caCerts: () => authorities });
  return await runCheck(readCheck(text), { signal, connector, tlsConnector, wallMs });
}

/** What a run that fails says; empty if it passes. */
async function wordsOf(text: string): Promise<string> {
  const outcome = await run(text);
  return outcome.passed ? "" : outcome.words;
}

/** A server that gives the same bytes to everybody, then closes or, if told so, keeps the connection open. */
function answering(text: string, { keep = false } = {}): MutePeer {
  return new MutePeer(async (conn) => {
    await readUntil(conn, /\r\n\r\n/);
    await conn.write(new TextEncoder().encode(text));
    if (!keep) conn.close();
  });
}

Deno.test("http: 2xx and 3xx pass, and a redirect is not followed", async () => {
  const seen: string[] = [];
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request) => {
      const { pathname, search, host } = new URL(request.url);
      seen.push(`${request.method} ${host} ${pathname}${search}`);
      return new Response("moved", {
        status: Number(pathname.slice(1)),
        headers: { location: "/500" },
      });
    },
  );
  const at = `http://127.0.0.1:${server.addr.port}`;
  for (const status of [200, 301, 308]) assertEquals(await wordsOf(`${at}/${status}`), "");
  assertEquals(await wordsOf(`${at}/404?a=b`), "http 404: moved");
  assertEquals(await wordsOf(`${at}/500,name=web`), "web: http 500: moved");
  const host = at.slice("http://".length);
  assertEquals(seen, [
    `GET ${host} /200`,
    `GET ${host} /301`,
    `GET ${host} /308`,
    `GET ${host} /404?a=b`,
    `GET ${host} /500`,
  ]);
});

Deno.test("http: a failing answer's first line is its words, however it is framed", async () => {
  const head = "HTTP/1.1 503 Busy\r\n";
  const answers: Record<string, string> = {
    [`${head}\r\n`]: "http 503",
    [`${head}\r\n\n  pool exhausted \r\nmore`]: "http 503: pool exhausted",
    [`${head}content-length: 4\r\n\r\nfull`]: "http 503: full",
    [`${head}Transfer-Encoding: chunked\r\n\r\n4\r\nfull\r\n0\r\n\r\n`]: "http 503: full",
    [`${head}Transfer-Encoding: chunked\r\n\r\n5\r\npool \r\nA\r\nexhausted\n\r\n0\r\n\r\n`]:
      "http 503: pool exhausted",
    [`${head}\r\nvoilà\xa0, pleine`]: "http 503: voilà\xa0, pleine",
    [`HTTP/1.1 103 Early\r\nlink: x\r\n\r\n${head}\r\nfull`]: "http 503: full",
    [`${"HTTP/1.1 103 Early\r\nlink: x\r\n\r\n".repeat(2)}${head}\r\nfull`]: "http 503: full",
    "HTTP/1.0 500\r\n\r\nfull": "http 500: full",
  };
  for (const [answer, words] of Object.entries(answers)) {
    await using peer = answering(answer);
    assertEquals(await wordsOf(`http://${peer.address}/`), words);
  }
});

Deno.test("http: interim answers before the one that counts say nothing, at once or one by one", async () => {
  const early = "HTTP/1.1 103 Early\r\nlink: x\r\n\r\n";
  await using together = answering(`${early}${early}HTTP/1.1 200 OK\r\n\r\n`);
  assertEquals(await wordsOf(`http://${together.address}/`), "");
  await using apart = new MutePeer(async (conn) => {
    await readUntil(conn, /\r\n\r\n/);
    for (const part of [early, early, "HTTP/1.1 204 No\r\n\r\n"]) {
      for (const byte of part) await conn.write(new TextEncoder().encode(byte));
    }
    conn.close();
  });
  assertEquals(await wordsOf(`http://${apart.address}/`), "");
});

Deno.test("http: an answer that passes needs no end, and one that fails is not waited for once its line is there", async () => {
  const at200 = "HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n";
  const status = "HTTP/1.1 200";
  const whole = "HTTP/1.1 503 No\r\ncontent-length: 4\r\n\r\nfull";
  const line = "HTTP/1.1 503 No\r\ncontent-length: 99\r\n\r\nfull\n";
  // Its length is one of bytes.
  const beyondAscii = "HTTP/1.1 503 No\r\ncontent-length: 6\r\n\r\n満席";
  const chunked = "HTTP/1.1 503 No\r\ntransfer-encoding: chunked\r\n\r\n4\r\nfull\r\n0\r\n\r\n";
  for (
    const [answer, words] of [
      [at200, ""],
      [`${status}\r\n`, ""],
      [whole, "http 503: full"],
      [
        line,
        "http 503: full",
      ],
      [beyondAscii, "http 503: 満席"],
      [chunked, "http 503: full"],
    ]
  ) {
    await using peer = answering(answer!, { keep: true });
    // A time-out of a minute, beyond this test's patience.
    const judged = wordsOf(`http://${peer.address}/,every=1m,timeout=1m`);
    assertEquals(await within(judged, () => `it waits for the end of ${answer}`), words);
  }
});

Deno.test("http: a body without end is read for a few KiB and its line is kept", async () => {
  let sent = 0;
  await using peer = new MutePeer(async (conn) => {
    await readUntil(conn, /\r\n\r\n/);
    const part = new TextEncoder().encode("x".repeat(65_536));
    await conn.write(new TextEncoder().encode("HTTP/1.1 500 No\r\n\r\n"));
    for (;;) sent += await conn.write(part);
  });
  assertMatch(await wordsOf(`http://${peer.address}/`), /^http 500: x+$/);
  assertLess(sent, 64 * 1024 * 1024);
});

Deno.test("http: silence, in the head or in the body, ends at the time-out", async () => {
  const short = "every=1s,timeout=200ms";
  await using silent = new MutePeer();
  assertEquals(
    await wordsOf(`http://${silent.address}/,${short}`),
    `http ${silent.address}: no answer within 200ms`,
  );
  await using slow = answering("HTTP/1.1 503 No\r\n\r\nno end", { keep: true });
  assertEquals(await wordsOf(`http://${slow.address}/,${short}`), "http 503: no end");
});

Deno.test("http: what is no HTTP, or nothing, fails with words of our own", async () => {
  const answers = {
    "": "it closed the connection",
    "SSH-2.0-OpenSSH_9.9\r\n": "it does not speak HTTP/1.1",
    "HTTP/2 200\r\n\r\n": "it does not speak HTTP/1.1",
  };
  for (const [answer, why] of Object.entries(answers)) {
    await using peer = answering(answer);
    assertEquals(await wordsOf(`http://${peer.address}/`), `http ${peer.address}: ${why}`);
  }
  // As many characters as tell a status; who says them waits for no more.
  await using peer = answering("220 mail.ok\n", { keep: true });
  const judged = wordsOf(`http://${peer.address}/,every=1m,timeout=1m`);
  assertEquals(
    await within(judged, () => "it waits for more"),
    `http ${peer.address}: it does not speak HTTP/1.1`,
  );
  const closed = closedAddress();
  assertEquals(await wordsOf(`http://${closed}/`), `http ${closed}: connection refused`);
});

Deno.test("https: a certificate must be trusted, by the given authorities as well", async () => {
  await using authority = await Authority.create();
  const { server, ca } = await authority.serve();
  await using _server = server;
  const url = `https://localhost:${server.addr.port}/`;
  assertEquals(await run(url, { authorities: [ca] }), { passed: true });
  assertMatch(await wordsOf(url), /^https localhost:\d+: .*certificate/);
  await using plain = new MutePeer(async (conn) => {
    await conn.write(new TextEncoder().encode("HTTP/1.1 400 No\r\n\r\n"));
  });
  assertEquals(
    await wordsOf(`https://${plain.address}/`),
    `https ${plain.address}: it does not speak TLS: give http://`,
  );
});

Deno.test("https: a server that never answers the handshake gets one, not one for each run", async () => {
  let greeted = 0;
  // Later runs look whether the host still accepts connections, by one that sends nothing.
  await using silent = new MutePeer(async (conn) => {
    if (await conn.read(new Uint8Array(1)) !== null) greeted++;
  });
  const check = readCheck(`https://${silent.address}/,every=1s,timeout=200ms`);
  const tlsConnector = new Connector({ caCerts: () => [] });
  const { signal } = new AbortController();
  for (let i = 0; i < 3; i++) {
    assertEquals(await runCheck(check, { signal, connector, tlsConnector, wallMs: Date.now }), {
      passed: false,
      words: `https ${silent.address}: no answer within 200ms`,
    });
  }
  assertEquals(greeted, 1);
});

Deno.test("tcp: an accepted connection passes, a refused one and a name without address fail", async () => {
  await using peer = new MutePeer();
  assertEquals(await wordsOf(`tcp:${peer.address}`), "");
  const closed = closedAddress();
  assertEquals(await wordsOf(`tcp:${closed},name=db`), "db: connection refused");
  assertMatch(
    await wordsOf("tcp:no.such.host.invalid:1"),
    /^tcp no\.such\.host\.invalid:1: .*name/,
  );
});

Deno.test("tcp: a port that takes no more connections fails at the time-out", {
  ignore: Deno.build.os !== "linux",
}, async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0, tcpBacklog: 1 });
  const address = `127.0.0.1:${listener.addr.port}`;
  const check = `tcp:${address},every=1s,timeout=300ms`;
  const over = new AbortController();
  const held: Promise<Deno.TcpConn | undefined>[] = [];
  try {
    // Fills the queue of those that nobody accepts.
    await eventually(async () => {
      const { signal } = over;
      held.push(
        Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port, signal }).catch(() =>
          undefined
        ),
      );
      assertEquals(await wordsOf(check), `tcp ${address}: no answer within 300ms`);
    });
  } finally {
    over.abort();
    listener.close();
    for (const conn of await Promise.all(held)) conn?.close();
  }
});

const isUnix = Deno.build.os !== "windows";

Deno.test("exec: status 0 passes; another fails with it and the last line that was printed", {
  ignore: !isUnix,
}, async () => {
  const said: Record<string, string> = {
    "exit 0": "",
    "echo fine; true": "",
    "exit 3": "exec: exited with 3",
    "echo one; echo two >&2; echo; exit 3": "exec: exited with 3: two",
    "echo one >&2; printf 'two,three'; exit 3": "exec: exited with 3: two,three",
    "printf '\\033[1;31mred\\033[0m\\033[K\\n'; exit 1": "exec: exited with 1: red",
    "printf '\\033[38:5:9mas \\033(B\\033[mtput says\\n'; exit 1":
      "exec: exited with 1: as tput says",
    "printf '\\033]8;;file:a\\033\\134a\\033]8;;\\007 [link]\\n'; exit 1":
      "exec: exited with 1: a [link]",
    "kill -9 $$": "exec: exited with 137 (SIGKILL)",
    "cat; echo read all; exit 1": "exec: exited with 1: read all",
  };
  for (const [command, words] of Object.entries(said)) {
    assertEquals(await wordsOf(`exec:${command}`), words, command);
  }
  assertEquals(await wordsOf("exec:exit 3,name=disk"), "disk: exited with 3");
  assertMatch(await wordsOf("exec:no-such-program-here"), /^exec: exited with 127: .*not found$/);
  assertMatch(await wordsOf("exec:if"), /^exec: exited with 2: .*[Ss]yntax error/);
});

/** Whether the process that wrote its ID into a file runs. */
async function runs(file: string): Promise<boolean> {
  const pid = (await Deno.readTextFile(file)).trim();
  assert(pid !== "");
  const { success } = await new Deno.Command("kill", { args: ["-0", pid], stderr: "null" })
    .output();
  return success;
}

Deno.test("exec: a command that hangs is killed at its time-out, and its children with it", {
  ignore: !isUnix,
}, async () => {
  const file = await Deno.makeTempFile();
  try {
    const command = `sh -c 'echo $$ > ${file}; trap "" TERM; sleep 60' & echo waits; sleep 60`;
    assertEquals(
      await wordsOf(`exec:${command},every=1s,timeout=500ms`),
      "exec: killed, as it did not end in time: waits",
    );
    await eventually(async () => assertEquals(await runs(file), false));
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("exec: what a command leaves running is killed when it ends, and is not waited for", {
  ignore: !isUnix,
}, async () => {
  const file = await Deno.makeTempFile();
  try {
    const command =
      `sh -c 'echo $$ > ${file}; sleep 60' & while [ ! -s ${file} ]; do sleep 0.01; done`;
    assertEquals(await wordsOf(`exec:${command},every=1m,timeout=1m`), "");
    await eventually(async () => assertEquals(await runs(file), false));
    // One that left the group holds the pipe open; it is not waited for either.
    assertEquals(await wordsOf("exec:setsid sleep 2 & exit 0,every=1m,timeout=1m"), "");
  } finally {
    await Deno.remove(file);
  }
});

Deno.test(
  "exec: a hundred thousand lines pass, a gigabyte is killed, and both cost little memory",
  {
    ignore: !isUnix,
  },
  async () => {
    const rest = ",every=1m,timeout=1m";
    assertEquals(await wordsOf(`exec:seq 100000${rest}`), "");
    assertEquals(await wordsOf(`exec:seq 100000; exit 1${rest}`), "exec: exited with 1: 100000");
    const before = Deno.memoryUsage().rss;
    const endless = "head -c 1000000000 /dev/zero | tr '\\0' x; sleep 60";
    assertMatch(
      await wordsOf(`exec:${endless}${rest}`),
      /^exec: killed, as it printed more than 1048576 bytes: x+$/,
    );
    assertLess(Deno.memoryUsage().rss - before, 64 * 1024 * 1024);
  },
);

Deno.test("exec: a node that ends kills what runs", { ignore: !isUnix }, async () => {
  const over = new AbortController();
  const ended = run("exec:sleep 60,every=1m,timeout=1m", { signal: over.signal });
  over.abort();
  assertEquals((await ended).passed, false);
});

Deno.test("file: one changed lately passes; an old one, one that is missing and a folder's absence fail", async () => {
  const path = await Deno.makeTempFile();
  const { mtime } = await Deno.stat(path);
  const later = (ms: number) => ({ wallMs: () => mtime!.getTime() + ms });
  const check = `file:${path}<5m`;
  try {
    assertEquals(await run(check, later(300_000)), { passed: true });
    // A clock that was set back: the file is new, for all that can be known.
    assertEquals(await run(check, later(-1e9)), { passed: true });
    assertEquals(await run(check, later(361_500)), {
      passed: false,
      words: `file ${path}: last changed 361s ago, more than 5m`,
    });
  } finally {
    await Deno.remove(path);
  }
  assertEquals(await wordsOf(`${check},name=beat`), "beat: not found");
});
