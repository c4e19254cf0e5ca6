/**
 * Hostile and broken callers and peers against the program in a process of its own: whatever they send, they get a clear answer or
 * none, and the node runs on.
 *
 * @module
 */
import { assert, assertEquals, assertLess, assertMatch } from "@std/assert";
import { eventually } from "../support/eventually.ts";
import { eventuallyShow, get, type NodeProcess, spawnNode, statuses } from "../support/nodes.ts";
import { programCommand } from "../support/program.ts";
import { connect, latin1, MutePeer, readUntil, sendRaw, writeAll } from "../support/raw.ts";

const ROSTER = "0000000000000000";

/** Any of many addresses at which nobody listens. */
function nowhere(i: number): string {
  return `127.9.${i >> 8}.${i & 255}:9`;
}

/** Two nodes that see each other; the second is a witness that the first still takes part. */
async function spawnPair(flags = ""): Promise<[NodeProcess, NodeProcess]> {
  const n1 = await spawnNode("n1", flags);
  const n2 = await spawnNode("n2", `-join ${n1.address}`);
  await eventuallyShow([n1, n2], { n1: "live", n2: "live" });
  return [n1, n2];
}

/** Checks that the node still serves, beats, and made no mistake of its own. */
async function assertUnharmed(n1: NodeProcess, n2: NodeProcess): Promise<void> {
  assertEquals(await get(n1, "/healthz"), "ok\n");
  const before = await heartbeat(n2, "n1");
  await eventually(async () => assertLess(before, await heartbeat(n2, "n1")));
  const mistakes = n1.lines.filter((line) => /BUG|at .*\.ts:\d+/.test(line));
  assertEquals(mistakes, []);
}

async function residentBytes(node: NodeProcess): Promise<number> {
  const [, bytes] = /^process_resident_memory_bytes (.+)$/m.exec(await get(node, "/metrics")) ?? [];
  return Number(bytes);
}

async function heartbeat(node: NodeProcess, id: string): Promise<number> {
  return Date.parse(JSON.parse(await get(node, `/members/${id}`)).lastHeartbeat);
}

async function post(
  node: NodeProcess,
  body: string | Uint8Array<ArrayBuffer>,
): Promise<[status: number, text: string]> {
  const url = `http://${node.address}/hello?from=evil&via=127.0.0.1:1`;
  const response = await fetch(url, { method: "POST", body });
  return [response.status, await response.text()];
}

Deno.test("invariant 9: an ID with markup is refused with one line, and shows up nowhere", async () => {
  const [n1, n2] = await spawnPair();
  await using _1 = n1, _2 = n2;
  const id = encodeURIComponent("<b>x</b>");
  for (
    const path of [`/hello?from=${id}&via=evil:80`, `/bye?id=${id}&unknown=yes`, `/members/${id}`]
  ) {
    const response = await fetch(`http://${n1.address}${path}`);
    const text = await response.text();
    assert(response.status === 400 || response.status === 404, `${path}: ${response.status}`);
    assertMatch(text, /^[\x20-\x7e]+\n$/, path);
    assert(!text.includes("<b>"), text);
  }
  for (const path of ["/", "/hello", "/members", `/?id=${id}`, `/?q=${id}`, `/metrics`]) {
    const response = await fetch(`http://${n1.address}${path}`, {
      headers: { accept: "text/html" },
    });
    assert(!(await response.text()).includes("<b>x"), path);
  }
  await assertUnharmed(n1, n2);
});

Deno.test("invariant 7: a body of 100 MB gets 413, long before it is whole", async () => {
  const [n1, n2] = await spawnPair();
  await using _1 = n1, _2 = n2;
  const megabytes = 100;
  const head = `POST /hello?from=evil&via=h:1 HTTP/1.1\r\nHost: n1\r\n`;

  // Its length is told beforehand.
  using told = await connect(n1.address);
  await writeAll(told, latin1(`${head}Content-Length: ${megabytes * 1_000_000}\r\n\r\n`));
  assertMatch(await readUntil(told, /\n\r\n./), /^HTTP\/1\.1 413 /);

  // It comes in chunks, and nobody knows when it will end.
  using chunked = await connect(n1.address);
  await writeAll(chunked, latin1(`${head}Transfer-Encoding: chunked\r\n\r\n`));
  const answer = readUntil(chunked, /\n\r\n./);
  const chunk = latin1(`f4240\r\n${"x".repeat(1_000_000)}\r\n`);
  const before = await residentBytes(n1);
  let peak = before;
  try {
    for (let sent = 0; sent < megabytes; sent++) {
      await writeAll(chunked, chunk);
      if (sent % 10 === 0) peak = Math.max(peak, await residentBytes(n1));
    }
  } catch {
    // The node may close the connection instead of letting the rest go by.
  }
  assertMatch(await answer, /^HTTP\/1\.1 413 /);
  assertLess(peak, before + 60e6, `its memory grew from ${before} to ${peak} bytes`);
  await assertUnharmed(n1, n2);
});

Deno.test("invariant 7: 10,000 addresses, rows, tombstones and charges are taken as far as they may be", async () => {
  const [n1, n2] = await spawnPair();
  await using _1 = n1, _2 = n2;
  const many = <T>(entry: (i: number) => T) => Array.from({ length: 10_000 }, (_, i) => entry(i));
  const body = JSON.stringify({
    v: 2,
    roster: ROSTER,
    rows: many((i) => [`r${i}`, nowhere(i), 1e12, 5_000_000, "00000001"]),
    tombstones: many((i) => [`t${i}`]),
    charges: many((i) => [`r${i}`, "evil", 1e12 + 500]),
  });
  assertEquals((await post(n1, body))[0], 200);
  await eventually(async () => {
    assertEquals(Object.keys(await statuses(n2)).length, 2 + 20_000);
  });
  await assertUnharmed(n1, n2);
});

Deno.test("invariant 7: a peer that lists 10,000 addresses and IDs is heard, and the node keeps its rounds", async () => {
  const lines = Array.from({ length: 10_000 }, (_, i) => nowhere(i));
  const ids = Array.from({ length: 10_000 }, (_, i) => `x${i}`).join(" ");
  const text = `hello evil\n${ids}\n\n`;
  await using evil = new MutePeer(async (conn) => {
    await readUntil(conn, /\r\n\r\n/);
    const body = `${text}${evil.address}\n${lines.join("\n")}\n`;
    await writeAll(
      conn,
      latin1(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`),
    );
    conn.close();
  });
  await using n1 = await spawnNode("n1", `-join ${evil.address}`);
  await using n2 = await spawnNode("n2", `-join ${n1.address}`);
  await eventually(async () => {
    for (const node of [n1, n2]) {
      const { n1, n2, evil, x9999 } = await statuses(node);
      assertEquals([n1, n2, evil, x9999], ["live", "live", "live", "unknown"], node.id);
    }
  });
  await assertUnharmed(n1, n2);
});

Deno.test("an exchange that is none gets 400 and one line that says why", async () => {
  const [n1, n2] = await spawnPair();
  await using _1 = n1, _2 = n2;
  const bodies = [
    "",
    "\n",
    "{",
    "[]",
    "hello evil\n",
    '{"v":1}',
    '{"v":2}',
    "\0\xff\xfe",
    "[".repeat(1e6),
  ];
  for (const body of bodies) {
    const [status, text] = await post(n1, latin1(body));
    assertEquals(status, 400, body.slice(0, 100));
    assertMatch(text, /^Cannot read this exchange: [\x20-\x7e]+\n$/);
  }
  await assertUnharmed(n1, n2);
});

Deno.test("binary rubbish, half requests and pipelined rubbish end their connection, and nothing else", async () => {
  const [n1, n2] = await spawnPair();
  await using _1 = n1, _2 = n2;
  const random = crypto.getRandomValues(new Uint8Array(50_000));
  const rubbish: (string | Uint8Array)[] = [
    random,
    "\r\n\r\n\r\n\r\n",
    "\0".repeat(10_000),
    "GET\r\n\r\n",
    "GET / HTTP/9.9\r\n\r\n",
    "GET /hello\r\n\r\n",
    `GET /${"x".repeat(100_000)} HTTP/1.1\r\nHost: a\r\n\r\n`,
    `GET / HTTP/1.1\r\n${"X-A: b\r\n".repeat(10_000)}\r\n`,
    `GET / HTTP/1.1\r\nHost: a\r\nX: ${"y".repeat(100_000)}\r\n\r\n`,
    "GET / HTTP/1.1\r\nHost: a\r\nBad Header\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n",
    "POST /hello?from=a&via=h:1 HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
    "POST /hello?from=a&via=h:1 HTTP/1.1\r\nHost: a\r\nContent-Length: 5, 6\r\n\r\nhello",
    "POST /hello?from=a&via=h:1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "POST /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "GET http://elsewhere/hello HTTP/1.1\r\nHost: a\r\n\r\n",
    "CONNECT elsewhere:80 HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /%00%ff%zz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    "GET /members/%E0%A4%A HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + "x".repeat(200), // a TLS greeting
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n\0\x01\x02rubbish after it\r\n\r\n",
  ];
  // Some of it may still become a request, and is waited for; nobody else waits.
  const conns = await Promise.all(rubbish.map(() => connect(n1.address)));
  const answers = conns.map(async (conn, i) => {
    const bytes = rubbish[i]!;
    writeAll(conn, typeof bytes === "string" ? latin1(bytes) : bytes).catch(() => {});
    return await readUntil(conn, /(?!)/);
  });
  await assertUnharmed(n1, n2);
  for (const conn of conns) conn.close();
  for (const [i, answer] of (await Promise.all(answers)).entries()) {
    const shown = String(rubbish[i]).slice(0, 60);
    assert(!answer.includes(" 500 ") && !answer.includes("elsewhere"), `${shown}: ${answer}`);
  }
});

Deno.test("requests that come at once on one connection are answered in their order", async () => {
  const [n1, n2] = await spawnPair();
  await using _1 = n1, _2 = n2;
  const get = (path: string, more = "") => `GET ${path} HTTP/1.1\r\nHost: n1\r\n${more}\r\n`;
  const bytes = get("/healthz").repeat(200) + get("/hello") + get("/nope", "Connection: close\r\n");
  const answer = await sendRaw(n1.address, bytes);
  const codes = [...answer.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, code]) => code).join(" ");
  assertEquals(codes, "200 ".repeat(201) + "404");
});

Deno.test("callers that leave in the middle, or never end, take nothing from others", async () => {
  const [n1, n2] = await spawnPair();
  await using _1 = n1, _2 = n2;
  const head = "POST /hello?from=a&via=h:1 HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n";
  const open: Deno.Conn[] = [];
  for (let i = 0; i < 100; i++) {
    const conn = await connect(n1.address);
    await writeAll(conn, latin1(i % 2 === 0 ? head + "{" : "GET /he"));
    if (i % 4 < 2) conn.close();
    else open.push(conn);
  }
  assertEquals(await get(n1, "/healthz"), "ok\n");
  for (const conn of open) conn.close();
  await assertUnharmed(n1, n2);
});

Deno.test("peers that answer slowly, never, or with rubbish are unresponsive or dead, and the others are not", async () => {
  await using mute = new MutePeer();
  await using slow = new MutePeer(async (conn) => {
    await readUntil(conn, /\r\n\r\n/);
    await writeAll(conn, latin1("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhello"));
  });
  await using rubbish = new MutePeer(async (conn) => {
    await writeAll(conn, crypto.getRandomValues(new Uint8Array(10_000)));
    conn.close();
  });
  await using endless = new MutePeer(async (conn) => {
    await writeAll(conn, latin1("HTTP/1.1 200 OK\r\n\r\n"));
    for (;;) await writeAll(conn, latin1("x".repeat(60_000)));
  });
  const peers = [mute, slow, rubbish, endless];
  const [n1, n2] = await spawnPair(`-join ${peers.map(({ address }) => address).join(",")}`);
  await using _1 = n1, _2 = n2;
  // They are members as well: somebody says that they were live a moment ago.
  const rows = peers.map(({ address }, i) => [`p${i}`, address, 1e12, 0, "00000001"]);
  assertEquals((await post(n1, JSON.stringify({ v: 2, roster: ROSTER, rows })))[0], 200);
  const expected = { n1: "live", n2: "live", p0: "unresponsive", p1: "unresponsive", p2: "dead" };
  for (const node of [n1, n2]) {
    await eventually(async () => {
      const { p3, ...others } = await statuses(node);
      assertEquals(others, expected);
      // Whichever comes first: the end of its time, or of the room for its answer.
      assertMatch(`${p3}`, /^(?:unresponsive|dead)$/);
    });
  }
  for (const { calls } of peers) assert(calls > 0);
  const accused = n1.lines.concat(n2.lines).filter((line) => /peer is dead: n/.test(line));
  assertEquals(accused, []);
  await assertUnharmed(n1, n2);
});

Deno.test("a reader of the log that goes away takes nothing with it", async () => {
  const [n1, n2] = await spawnPair();
  await using _1 = n1, _2 = n2;
  await n1.closeLog();
  for (let i = 0; i < 20; i++) await get(n1, `/bye?id=ghost${i}&unknown=yes`);
  await assertUnharmed(n1, n2);
});

Deno.test(
  "a crowd that takes all file descriptors is survived: the node serves again when it has gone",
  {
    ignore: Deno.build.os === "windows",
  },
  async () => {
    const few = ["sh", "-c", 'ulimit -n 150 && exec "$@"', "sh", ...programCommand()];
    await using n1 = await spawnNode("n1", "", few);
    const crowd: Deno.Conn[] = [];
    await eventually(async () => {
      const next = connect(n1.address).then((conn) => crowd.push(conn), () => "refused");
      assertEquals(await next, "refused", `${crowd.length} connections are open`);
    });
    for (const conn of crowd) conn.close();
    await eventually(async () => assertEquals(await get(n1, "/healthz"), "ok\n"));
    await using n2 = await spawnNode("n2", `-join ${n1.address}`);
    await eventuallyShow([n1, n2], { n1: "live", n2: "live" });
    assert(
      n1.lines.some((line) => line.includes("cannot accept connections")),
      n1.lines.join("\n"),
    );
  },
);
