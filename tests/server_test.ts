import {
  assert,
  assertEquals,
  assertGreater,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { readBody } from "../lib/http.ts";
import { listen } from "../lib/listen.ts";
import { type Handler, Server, type ServerLimits } from "../lib/server.ts";
import { eventually } from "./support/eventually.ts";

/** A server, by default one that tells what it was asked. */
class Box implements AsyncDisposable {
  readonly server: Server;
  readonly conns: Deno.TcpConn[] = [];

  constructor(limits: Partial<ServerLimits> = {}, handler: Handler = echo) {
    this.server = new Server(listen({ host: "127.0.0.1", port: 0 }), handler, limits);
  }

  /** Connects, and sends `text` as it is. */
  async call(text: string): Promise<Caller> {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port: this.server.addr.port });
    this.conns.push(conn);
    const caller = new Caller(conn);
    await caller.send(text);
    return caller;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const conn of this.conns) close(conn);
    await this.server.shutdown();
  }
}

class Caller {
  #seen = "";

  constructor(readonly conn: Deno.TcpConn) {}

  async send(text: string): Promise<void> {
    const bytes = new TextEncoder().encode(text);
    for (let sent = 0; sent < bytes.length;) sent += await this.conn.write(bytes.subarray(sent));
  }

  /** All that comes until the server closes the connection. */
  async rest(): Promise<string> {
    while (await this.#read());
    return this.#seen;
  }

  /** What came, once it holds `text`. */
  async until(text: string): Promise<string> {
    while (!this.#seen.includes(text)) assert(await this.#read(), `closed after: ${this.#seen}`);
    return this.#seen;
  }

  async #read(): Promise<boolean> {
    const buffer = new Uint8Array(65_536);
    const count = await this.conn.read(buffer).catch(() => null);
    if (count !== null) this.#seen += new TextDecoder().decode(buffer.subarray(0, count));
    return count !== null;
  }
}

function close(conn: Deno.TcpConn): void {
  try {
    conn.close();
  } catch {
    // closed in the test
  }
}

async function echo(request: Request): Promise<Response> {
  const body = request.method === "POST" ? await readBody(request, 100_000).catch(answerOf) : "";
  if (body instanceof Response) return body;
  const { pathname, search } = new URL(request.url);
  return new Response(`[${request.method} ${pathname}${search} ${body}]`);
}

function answerOf(error: Error & { status: number }): Response {
  return new Response(error.message, { status: error.status });
}

const HOST = "host: a\r\n";
const GET = `GET /x?y=1 HTTP/1.1\r\n${HOST}\r\n`;
const LAST = `GET /last HTTP/1.1\r\n${HOST}connection: close\r\n\r\n`;

/** The status lines in a text. */
function statuses(text: string): number[] {
  return Array.from(text.matchAll(/HTTP\/1\.1 ([0-9]{3}) /g), ([, status]) => Number(status));
}

Deno.test("Server answers requests one after another on a connection, sent ahead or not", async () => {
  await using box = new Box();
  const caller = await box.call(GET + GET);
  await caller.until("content-length: 13");
  await caller.send(LAST);
  const text = await caller.rest();
  assertEquals(statuses(text), [200, 200, 200]);
  assertEquals(text.match(/\[.*?\]/g), ["[GET /x?y=1 ]", "[GET /x?y=1 ]", "[GET /last ]"]);
  assertStringIncludes(text, "connection: close");
});

Deno.test("Server takes a body with a length or in chunks, in whatever pieces, and the request after it", async () => {
  await using box = new Box();
  const sized = `POST /a HTTP/1.1\r\n${HOST}content-length: 5\r\n\r\nhello`;
  const chunked =
    `POST /b HTTP/1.1\r\n${HOST}transfer-encoding: chunked\r\n\r\n2;x=y\r\nhe\r\n3\r\nllo\r\n0\r\ntrailer: 1\r\n\r\n`;
  for (const step of [1, 2, 3, 7, 1_000]) {
    const caller = await box.call("");
    await caller.conn.setNoDelay(true);
    const all = sized + chunked + LAST;
    for (let at = 0; at < all.length; at += step) await caller.send(all.slice(at, at + step));
    const bodies = (await caller.rest()).match(/\[.*?\]/g);
    assertEquals(bodies, ["[POST /a hello]", "[POST /b hello]", "[GET /last ]"], `step ${step}`);
  }
});

Deno.test("Server tells a caller that asks first to send its body", async () => {
  await using box = new Box();
  const caller = await box.call(
    `POST /a HTTP/1.1\r\n${HOST}expect: 100-continue\r\ncontent-length: 5\r\nconnection: close\r\n\r\n`,
  );
  await caller.until("HTTP/1.1 100 Continue\r\n\r\n");
  await caller.send("hello");
  assertStringIncludes(await caller.rest(), "[POST /a hello]");
});

Deno.test("Server answers HEAD without a body, and HTTP/1.0 by closing", async () => {
  await using box = new Box();
  const head = await box.call(`HEAD / HTTP/1.1\r\n${HOST}\r\n${LAST}`);
  const text = await head.rest();
  assertEquals(statuses(text), [200, 200]);
  assert(!text.includes("[HEAD"));
  const old = await box.call("GET / HTTP/1.0\r\n\r\n");
  assertStringIncludes(await old.rest(), "[GET / ]");
});

Deno.test("Server refuses what can be read in two ways, is malformed, or too long, and closes", async () => {
  await using box = new Box();
  const post = `POST / HTTP/1.1\r\n${HOST}`;
  const refused: Record<string, [number, string]> = {
    "no request": [400, "rubbish\r\n\r\n"],
    "another protocol": [400, "SSH-2.0-OpenSSH_9\r\n\r\n"],
    "another version": [400, `GET / HTTP/2.0\r\n${HOST}\r\n`],
    "a proxy's request": [400, `GET http://a/ HTTP/1.1\r\n${HOST}\r\n`],
    "no host": [400, "GET / HTTP/1.1\r\n\r\n"],
    "two hosts": [400, `GET / HTTP/1.1\r\n${HOST}${HOST}\r\n`],
    "blank before the colon": [400, `GET / HTTP/1.1\r\n${HOST}x : y\r\n\r\n`],
    "a folded header": [400, `GET / HTTP/1.1\r\n${HOST}x: y\r\n z\r\n\r\n`],
    "a bare line feed": [400, `GET / HTTP/1.1\r\n${HOST}x: y\nz: 1\r\n\r\n`],
    "a zero byte": [400, `GET / HTTP/1.1\r\n${HOST}x: \0\r\n\r\n`],
    "two lengths": [400, `${post}content-length: 1\r\ncontent-length: 1\r\n\r\na`],
    "a list of lengths": [400, `${post}content-length: 1, 1\r\n\r\na`],
    "a signed length": [400, `${post}content-length: +1\r\n\r\na`],
    "length and chunks": [
      400,
      `${post}content-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
    ],
    "another coding": [501, `${post}transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n`],
    "a long head": [431, `GET / HTTP/1.1\r\n${HOST}x: ${"y".repeat(9_000)}\r\n\r\n`],
    "a long target": [431, `GET /${"y".repeat(9_000)} HTTP/1.1\r\n${HOST}\r\n`],
    "a chunk without size": [400, `${post}transfer-encoding: chunked\r\n\r\nx\r\n`],
    "a chunk too long": [400, `${post}transfer-encoding: chunked\r\n\r\n100000000\r\n`],
    "a chunk without end": [400, `${post}transfer-encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n`],
    "an endless size line": [400, `${post}transfer-encoding: chunked\r\n\r\n1;${"x".repeat(999)}`],
  };
  for (const [what, [status, text]] of Object.entries(refused)) {
    const caller = await box.call(text + LAST);
    const answer = await caller.rest();
    assertEquals(statuses(answer), [status], `${what}: ${answer}`);
  }
});

Deno.test("Server answers 413 to a caller that is still sending, and reads no further than it must", async () => {
  await using box = new Box();
  const caller = await box.call(`POST / HTTP/1.1\r\n${HOST}content-length: 500000\r\n\r\n`);
  await caller.send("x".repeat(500_000));
  assertEquals(statuses(await caller.rest()), [413]);
  const endless = await box.call(`POST / HTTP/1.1\r\n${HOST}transfer-encoding: chunked\r\n\r\n`);
  let sent = 0;
  try {
    for (const piece = "1000\r\n" + "x".repeat(4096) + "\r\n"; sent < 1e9; sent += 4096) {
      await endless.send(piece);
    }
  } catch {
    // as it should be
  }
  assert(sent < 1e8, `${sent} bytes were taken`);
});

Deno.test("Server closes who sends nothing, half a head, half a body, or waits for ever after an answer", async () => {
  await using box = new Box({ headMs: 300, bodyMs: 300, idleMs: 300 });
  const slow = {
    nothing: "",
    "half a head": "GET / HTTP/1.1\r\nhost:",
    "only line feeds": "\r\n\r\n\r\n",
    "half a body": `POST / HTTP/1.1\r\n${HOST}content-length: 10\r\n\r\nhalf`,
    "half a chunk": `POST / HTTP/1.1\r\n${HOST}transfer-encoding: chunked\r\n\r\n5\r\nha`,
    "an answered request": GET,
    "an answered request and half a head": GET + "GET / HTTP",
  };
  for (const [what, text] of Object.entries(slow)) {
    const caller = await box.call(text);
    assert(!(await caller.rest()).includes("[POST"), what);
  }
  assertEquals(box.server.connections, 0);
  assertEquals(box.server.counts.slow, Object.keys(slow).length);
});

Deno.test("Server closes who trickles: a byte now and then does not move a deadline", async () => {
  await using box = new Box({ headMs: 300 });
  const caller = await box.call("GET / HTTP/1.1\r\n");
  let bytes = 0;
  try {
    for (; bytes < 1_000; bytes++) {
      await caller.send("x");
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  } catch {
    // closed
  }
  assert(bytes < 200, `${bytes} bytes were waited for`);
});

Deno.test("Server closes who does not take the answer", async () => {
  const huge = "x".repeat(50_000_000);
  await using box = new Box({ takeMs: 300 }, () => new Response(huge));
  await box.call(GET);
  await eventually(() => assertEquals(box.server.counts.slow, 1));
  await eventually(() => assertEquals(box.server.connections, 0));
});

Deno.test("Server at its bound of connections lets the silent go first, then the longest idle", async () => {
  await using box = new Box({ connectionsMax: 5 });
  const peers = [];
  for (let i = 0; i < 3; i++) {
    const peer = await box.call(GET);
    await peer.until("[GET");
    peers.push(peer);
  }
  const silent = [];
  for (let i = 0; i < 20; i++) {
    silent.push(await box.call(""));
    await eventually(() => assertEquals(box.server.counts.accepted, 4 + i));
    assertGreater(6, box.server.connections);
  }
  // All but the last two silent ones are closed; peers were never touched.
  for (const caller of silent.slice(0, -2)) assertEquals(await caller.rest(), "");
  for (const peer of peers) await peer.send(GET.replace("/x", "/again"));
  for (const peer of peers) await peer.until("/again");
  for (const caller of silent.slice(-2)) {
    await caller.send(GET);
    await caller.until("[GET");
  }
  const late = await box.call(GET);
  await late.until("[GET");
  assertEquals(box.server.connections, 5);
});

Deno.test("Server at its bound with all busy refuses the next, and takes others when one ends", async () => {
  const gate = Promise.withResolvers<void>();
  let asked = 0;
  await using box = new Box({ connectionsMax: 3 }, async () => {
    asked++;
    await gate.promise;
    return new Response("ok");
  });
  const busy = [await box.call(GET), await box.call(GET), await box.call(GET)];
  await eventually(() => assertEquals(asked, 3));
  const refused = await box.call("");
  assertEquals(await refused.rest(), "");
  gate.resolve();
  for (const caller of busy) await caller.until("ok");
  const next = await box.call(GET);
  await next.until("ok");
});

Deno.test("Server answers 503 when all bodies being read are more than its bound, and forgets them afterwards", async () => {
  await using box = new Box({ bodyBytesMax: 100_000 });
  const half = `POST / HTTP/1.1\r\n${HOST}content-length: 90000\r\n\r\n${"x".repeat(60_000)}`;
  const first = await box.call(half);
  await eventually(() => assertEquals(box.server.counts.accepted, 1));
  const second = await box.call(half);
  assertEquals(statuses(await second.rest()), [503]);
  await first.send("x".repeat(30_000));
  assertEquals(statuses(await first.until("]")), [200]);
  for (let i = 0; i < 5; i++) {
    const caller = await box.call(half + "x".repeat(30_000));
    assertEquals(statuses(await caller.until("]")), [200]);
  }
});

/** A stream of events that never ends by itself, and knows whether its reader is still there. */
function endless(): { response: () => Response; cancelled: () => number } {
  let cancelled = 0;
  const response = () =>
    new Response(
      new ReadableStream({
        start: (controller) => controller.enqueue(new TextEncoder().encode("data: 1\n\n")),
        cancel: () => void cancelled++,
      }),
      { headers: { "content-type": "text/event-stream" } },
    );
  return { response, cancelled: () => cancelled };
}

Deno.test("Server sends a stream as it comes, and ends it when its reader leaves", async () => {
  const stream = endless();
  await using box = new Box({}, stream.response);
  const reader = await box.call(GET);
  assertMatch(await reader.until("data: 1"), /transfer-encoding: chunked\r\n/);
  reader.conn.close();
  await eventually(() => assertEquals([stream.cancelled(), box.server.connections], [1, 0]));
});

Deno.test("Server.shutdown() finishes what is under way, closes what is idle, and accepts no more", async () => {
  const gate = Promise.withResolvers<Response>();
  let asked = 0;
  const box = new Box({}, () => {
    asked++;
    return gate.promise;
  });
  const idle = await box.call("");
  const busy = await box.call(GET);
  await eventually(() => assertEquals([asked, box.server.connections], [1, 2]));
  const { port } = box.server.addr;
  const done = box.server.shutdown();
  assertEquals(await idle.rest(), "");
  gate.resolve(new Response("late"));
  assertStringIncludes(await busy.rest(), "late");
  await done;
  const refused = await Deno.connect({ hostname: "127.0.0.1", port }).catch((error) => error);
  assert(refused instanceof Deno.errors.ConnectionRefused);
  close(idle.conn);
  close(busy.conn);
});
