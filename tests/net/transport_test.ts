import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { SILENT_TIMES } from "../../lib/net/large_packets.ts";
import { Lookups } from "../../lib/net/lookups.ts";
import { createTransport, type Transport, type TransportOptions } from "../../lib/net/transport.ts";

/** For exchanges that end by themselves: never reached, unless something is wrong. */
const LONG_MS = 30_000;
/** For exchanges that only the deadline ends. */
const SHORT_MS = 200;
const BODY_BYTES_MAX = 1_000_000;

const OK = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

/** A test in which every connection and timer must be gone at the end: Deno 2.9 looks only if asked. */
function test(
  name: string,
  fn: () => Promise<void>,
  options: { sanitizeResources?: boolean } = {},
) {
  Deno.test({ name, fn, sanitizeOps: true, sanitizeResources: true, ...options });
}

/** A peer written by hand: what it hears and how it answers is up to the test. */
class RawPeer {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #done: Promise<void>;
  readonly connections: RawConnection[] = [];

  constructor(serve: (connection: RawConnection) => Promise<void>) {
    this.#done = this.#accept(serve);
  }

  get address(): string {
    return `127.0.0.1:${this.#listener.addr.port}`;
  }

  async #accept(serve: (connection: RawConnection) => Promise<void>): Promise<void> {
    for await (const conn of this.#listener) {
      const connection = new RawConnection(conn);
      this.connections.push(connection);
      // Writing to a caller who left is part of many of these tests.
      serve(connection).catch(() => {});
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const connection of this.connections) connection.close();
    await this.#done;
  }
}

class RawConnection {
  readonly #conn: Deno.TcpConn;
  #closed = false;

  constructor(conn: Deno.TcpConn) {
    this.#conn = conn;
  }

  /** The next request as it came, or `undefined` when the caller has left. */
  async request(): Promise<string | undefined> {
    const decoder = new TextDecoder();
    const buffer = new Uint8Array(65_536);
    for (let text = "";;) {
      const count = await this.#conn.read(buffer);
      if (count === null) return undefined;
      text += decoder.decode(buffer.subarray(0, count), { stream: true });
      const [head = "", body] = text.split("\r\n\r\n");
      const length = Number(/content-length: ([0-9]+)/.exec(head)?.[1] ?? 0);
      if (body !== undefined && new TextEncoder().encode(body).length >= length) return text;
    }
  }

  async send(text: string): Promise<void> {
    const bytes = new TextEncoder().encode(text);
    for (let sent = 0; sent < bytes.length;) sent += await this.#conn.write(bytes.subarray(sent));
  }

  /** Unread bytes make this a reset, as TCP has it. */
  close(): void {
    if (!this.#closed) this.#conn.close();
    this.#closed = true;
  }
}

/** A peer that answers every request with the same text. */
function answering(text: string): RawPeer {
  return new RawPeer(async (connection) => {
    while (await connection.request() !== undefined) await connection.send(text);
    connection.close();
  });
}

/** A process of its own that prints its port, then a line for each request, which it answers if told to. */
async function spawnPeer(answers: boolean): Promise<
  { address: string; line(): Promise<void>; kill(): Promise<void> }
> {
  const code = `Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: (a) => console.log(a.port) },
    () => { console.log("asked"); return ${
    answers ? 'new Response("ok")' : "new Promise(() => {})"
  }; })`;
  const child = new Deno.Command(Deno.execPath(), { args: ["eval", code], stdout: "piped" })
    .spawn();
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const { value: port } = await lines.read();
  return {
    address: `127.0.0.1:${port?.trim()}`,
    line: async () => void await lines.read(),
    kill: async () => {
      child.kill("SIGKILL");
      await child.status;
      while (!(await lines.read()).done);
    },
  };
}

/** An address at which nobody listens. */
function closedAddress(): string {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return `127.0.0.1:${listener.addr.port}`;
}

function portOf(address: string): string {
  return address.slice(address.lastIndexOf(":") + 1);
}

const never = () => new Promise<never>(() => {});

/** Every name leads to 127.0.0.1, until the outage, in which time has passed and lookups never end. */
function forgettingLookups() {
  let nowMs = 0;
  let isOut = false;
  const lookup = () => isOut ? never() : Promise.resolve(["127.0.0.1"]);
  const outage = () => {
    isOut = true;
    nowMs += 60_000;
  };
  return { lookups: new Lookups({ lookup, nowMs: () => nowMs }), outage };
}

function open(options: Partial<TransportOptions> = {}): Transport & Disposable {
  const transport = createTransport({
    timeoutMs: LONG_MS,
    bodyBytesMax: BODY_BYTES_MAX,
    ...options,
  });
  return Object.assign(transport, { [Symbol.dispose]: () => transport.close() });
}

const ANSWER = { kind: "answer", status: 200, body: "ok", bytesIn: OK.length } as const;

test("post() sends a line, host, length and body, and no header that carries nothing", async () => {
  let request: string | undefined;
  await using peer = new RawPeer(async (connection) => {
    request = await connection.request();
    await connection.send("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\noké");
  });
  using transport = open();
  const outcome = await transport.post(peer.address, "/hello?from=n1&via=h:80", "né");
  assertEquals(outcome, { kind: "answer", status: 200, body: "oké", bytesIn: 42 });
  assertEquals(
    request,
    `POST /hello?from=n1&via=h:80 HTTP/1.1\r\nhost: ${peer.address}\r\ncontent-length: 3\r\n\r\nné`,
  );
});

test("post() exchanges with Deno.serve: small bodies, large ones, and one sent in chunks", async () => {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const body = await request.bytes();
    return new Response(request.url.endsWith("/chunks") ? ReadableStream.from([body, body]) : body);
  });
  const address = `127.0.0.1:${server.addr.port}`;
  {
    using transport = open();
    for (const length of [0, 1, 250, 9_000, 300_000]) {
      const text = "é".repeat(length);
      const whole = await transport.post(address, "/", new TextEncoder().encode(text));
      assert(whole.kind === "answer" && whole.body === text, `${length}: ${whole.kind}`);
      const chunks = await transport.post(address, "/chunks", text.slice(0, 9_000));
      assert(chunks.kind === "answer" && chunks.body === text.slice(0, 9_000).repeat(2));
    }
  }
  await server.shutdown();
});

test("post() keeps the connection for the next exchange with the same peer", async () => {
  await using peer = answering(OK);
  using transport = open();
  for (let i = 0; i < 5; i++) assertEquals(await transport.post(peer.address, "/", "x"), ANSWER);
  assertEquals(peer.connections.length, 1);
});

test("post() leaves a connection that the peer wants closed", async () => {
  await using peer = answering("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
  using transport = open();
  for (let i = 0; i < 3; i++) await transport.post(peer.address, "/", "x");
  assertEquals(peer.connections.length, 3);
});

test("post() to one peer twice at once takes two connections and keeps one", async () => {
  let left = 0;
  const { promise: oneLeft, resolve } = Promise.withResolvers<void>();
  await using peer = new RawPeer(async (connection) => {
    while (await connection.request() !== undefined) await connection.send(OK);
    left++;
    resolve();
  });
  using transport = open();
  const both = [transport.post(peer.address, "/", "x"), transport.post(peer.address, "/", "y")];
  assertEquals(await Promise.all(both), [ANSWER, ANSWER]);
  await oneLeft;
  assertEquals(await transport.post(peer.address, "/", "z"), ANSWER);
  assertEquals([peer.connections.length, left], [2, 1]);
});

test("post() says refused when nobody listens at the address", async () => {
  using transport = open();
  assertEquals(await transport.post(closedAddress(), "/", "x"), { kind: "refused" });
});

test("post() says refused after kill -9 of a peer to which a connection stood open", async () => {
  const peer = await spawnPeer(true);
  using transport = open();
  const outcome = await transport.post(peer.address, "/", "x");
  assert(outcome.kind === "answer" && outcome.body === "ok", outcome.kind);
  await peer.kill();
  assertEquals(await transport.post(peer.address, "/", "x"), { kind: "refused" });
});

test("onHangUp names a peer that ends an idle connection, without any post", async () => {
  const { promise: hungUp, resolve } = Promise.withResolvers<string>();
  const peer = await spawnPeer(true);
  using transport = open({ onHangUp: resolve });
  await transport.post(peer.address, "/", "x");
  await peer.kill();
  assertEquals(await hungUp, peer.address);
});

test("post() says refused when the peer is killed with -9 while it has the request", async () => {
  const peer = await spawnPeer(false);
  using transport = open();
  const outcome = transport.post(peer.address, "/", "x");
  await peer.line();
  await peer.kill();
  assertEquals(await outcome, { kind: "refused" });
});

test("post() does not notice that the peer closed the idle connection", async () => {
  await using peer = new RawPeer(async (connection) => {
    await connection.request();
    await connection.send(OK);
    connection.close();
  });
  using transport = open();
  for (let i = 0; i < 5; i++) assertEquals(await transport.post(peer.address, "/", "x"), ANSWER);
});

test("post() says silent when the system accepts the connection and the process does nothing", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  using transport = open({ timeoutMs: SHORT_MS });
  const outcome = await transport.post(`127.0.0.1:${listener.addr.port}`, "/", "x");
  assertEquals(outcome, { kind: "silent", accepted: true });
});

test(
  "post() says silent at the deadline when the peer leaves the TLS handshake open, goes on with it next time, and sees each time that the host accepts",
  async () => {
    const asked = Promise.withResolvers<void>();
    let handshakes = 0;
    await using peer = new RawPeer(async (connection) => {
      const hello = connection.request();
      handshakes++;
      asked.resolve();
      await hello;
    });
    using transport = open({ timeoutMs: SHORT_MS, caCerts: () => [] });
    for (let call = 0; call < 3; call++) {
      assertEquals(await transport.post(peer.address, "/", "x"), {
        kind: "silent",
        accepted: true,
      });
    }
    await asked.promise;
    assertEquals(peer.connections.length, 3);
    // Deno closes no connection in the middle of a handshake: the peer has to.
  },
  { sanitizeResources: false },
);

test("post() makes a call again over a new connection when nothing comes over the kept one, in time", async () => {
  let calls = 0;
  await using peer = new RawPeer(async (connection) => {
    calls++;
    await connection.request();
    await connection.send(OK);
    // What a firewall does that forgot the connection: nothing arrives any more.
    if (calls === 1) await new Promise(() => {});
    while (await connection.request() !== undefined) await connection.send(OK);
  });
  using transport = open({ timeoutMs: 900 });
  for (let i = 0; i < 3; i++) assertEquals(await transport.post(peer.address, "/", "x"), ANSWER);
  assertEquals(peer.connections.length, 2);
});

test("post() takes the answer that comes late over the kept connection, when the new one gets none", async () => {
  const { promise: again, resolve } = Promise.withResolvers<void>();
  await using peer = new RawPeer(async (connection) => {
    if (peer.connections.length > 1) return resolve();
    await connection.request();
    await connection.send(OK);
    await connection.request();
    await again;
    await connection.send(OK);
  });
  using transport = open({ timeoutMs: 900 });
  for (let i = 0; i < 2; i++) assertEquals(await transport.post(peer.address, "/", "x"), ANSWER);
  assertEquals(peer.connections.length, 2);
});

test("onHint tells once of a peer whose small answers pass and whose exchanges do not", async () => {
  const hints: string[] = [];
  const { promise: hinted, resolve } = Promise.withResolvers<void>();
  await using peer = new RawPeer(async (connection) => {
    const request = await connection.request();
    if (request?.startsWith("GET /healthz ")) await connection.send(OK);
  });
  using transport = open({
    timeoutMs: SHORT_MS,
    onHint: (text) => {
      hints.push(text);
      resolve();
    },
  });
  for (let i = 0; i < SILENT_TIMES; i++) await transport.post(peer.address, "/", "x");
  await hinted;
  await transport.post(peer.address, "/", "x");
  assertEquals(hints.length, 1);
  assertStringIncludes(hints[0]!, `small answers of ${peer.address} pass, large ones do not`);
});

test("onHint tells nothing of a peer that answers nothing, or answers now and then", async () => {
  const asked: string[] = [];
  await using mute = new RawPeer(async (connection) => {
    asked.push((await connection.request() ?? "").split(" ")[0]!);
    await connection.request();
  });
  let calls = 0;
  await using moody = new RawPeer(async (connection) => {
    for (;;) {
      const request = await connection.request();
      if (request === undefined) return connection.close();
      if (request.startsWith("GET") || ++calls % SILENT_TIMES === 0) await connection.send(OK);
    }
  });
  const hints: string[] = [];
  using transport = open({ timeoutMs: SHORT_MS, onHint: (text) => hints.push(text) });
  for (let i = 0; i < SILENT_TIMES + 1; i++) {
    assertEquals(await transport.post(mute.address, "/", "x"), { kind: "silent", accepted: true });
  }
  for (let i = 0; i < 2 * SILENT_TIMES; i++) await transport.post(moody.address, "/", "x");
  assertEquals(asked.filter((method) => method === "GET").length, 1, "one probe");
  assertEquals(hints, []);
});

test("post() says silent at the deadline, though a body trickles in, and lets go of the connection", async () => {
  const { promise: left, resolve } = Promise.withResolvers<void>();
  await using peer = new RawPeer(async (connection) => {
    await connection.request();
    await connection.send("HTTP/1.1 200 OK\r\ncontent-length: 999999\r\n\r\n");
    try {
      for (;;) {
        await connection.send("x");
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    } finally {
      resolve();
    }
  });
  using transport = open({ timeoutMs: SHORT_MS });
  assertEquals(await transport.post(peer.address, "/", "x"), { kind: "silent", accepted: true });
  await left;
});

test("post() says silent at the deadline when the peer doesn't read a long request", async () => {
  await using peer = new RawPeer(() => new Promise(() => {}));
  using transport = open({ timeoutMs: SHORT_MS });
  const outcome = await transport.post(peer.address, "/", new Uint8Array(50_000_000));
  assertEquals(outcome, { kind: "silent", accepted: true });
});

test("post() fails an answer that is too long, and reads no more of it", async () => {
  const tooLong = [
    `HTTP/1.1 200 OK\r\ncontent-length: ${BODY_BYTES_MAX + 1}\r\n\r\n`,
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n7fffffff\r\n",
    "HTTP/1.1 200 OK\r\n\r\n",
  ];
  for (const head of tooLong) {
    await using peer = new RawPeer(async (connection) => {
      await connection.request();
      await connection.send(head);
      // Ends, with an error, only as the caller leaves.
      for (;;) await connection.send("x".repeat(65_536));
    });
    using transport = open();
    const outcome = await transport.post(peer.address, "/", "x");
    assert(outcome.kind === "failed", outcome.kind);
    assertStringIncludes(outcome.why, `more than ${BODY_BYTES_MAX} bytes`);
  }
});

test("post() does not unpack a gzip bomb", async () => {
  const zeros = new Blob([new Uint8Array(10_000_000)]).stream();
  const packed = await new Response(zeros.pipeThrough(new CompressionStream("gzip"))).bytes();
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    () => new Response(packed, { headers: { "content-encoding": "gzip" } }),
  );
  {
    using transport = open();
    const outcome = await transport.post(`127.0.0.1:${server.addr.port}`, "/", "x");
    assert(outcome.kind === "failed", outcome.kind);
    assertStringIncludes(outcome.why, "compressed");
  }
  await server.shutdown();
});

test("post() takes a redirect as an answer and goes nowhere", async () => {
  await using elsewhere = answering(OK);
  await using peer = answering(
    `HTTP/1.1 307 Go\r\nlocation: http://${elsewhere.address}/\r\ncontent-length: 0\r\n\r\n`,
  );
  using transport = open();
  const outcome = await transport.post(peer.address, "/", "x");
  assert(outcome.kind === "answer" && outcome.status === 307);
  assertEquals(elsewhere.connections.length, 0);
});

test("post() reads the answer of a peer that does not read the request, and does not use that connection again", async () => {
  await using peer = new RawPeer(async (connection) => {
    await connection.send("HTTP/1.1 413 Content Too Large\r\ncontent-length: 0\r\n\r\n");
    await new Promise(() => {});
  });
  using transport = open();
  for (const body of [new Uint8Array(50_000_000), "x"]) {
    const outcome = await transport.post(peer.address, "/", body);
    assert(outcome.kind === "answer" && outcome.status === 413, outcome.kind);
  }
  assertEquals(peer.connections.length, 2);
});

test("post() tries a connection that breaks three times more, then fails", async () => {
  await using peer = new RawPeer((connection) => Promise.resolve(connection.close()));
  using transport = open();
  assertEquals(await transport.post(peer.address, "/", "x"), {
    kind: "failed",
    why: "the connection broke before the answer was complete",
  });
  assertEquals(peer.connections.length, 4);
});

test("post() fails at something that is not HTTP, at once", async () => {
  await using peer = answering("SSH-2.0-<script>\r\n\r\n");
  using transport = open();
  assertEquals(await transport.post(peer.address, "/", "x"), {
    kind: "failed",
    why: "answered with something that is not HTTP/1.1",
  });
  assertEquals(peer.connections.length, 1);
});

test("post() says silent when the system gives up connecting: a host that is off has not refused", async () => {
  const { connect } = Deno;
  const timedOut = () => Promise.reject(new Deno.errors.TimedOut("Connection timed out"));
  using transport = open();
  Object.assign(Deno, { connect: timedOut });
  try {
    assertEquals(await transport.post("127.0.0.1:9", "/", ""), { kind: "silent", accepted: false });
  } finally {
    Object.assign(Deno, { connect });
  }
});

test("post() fails at a name that does not resolve", async () => {
  using transport = open();
  // Labels have at most 63 characters: no resolver needs to ask anybody about this one.
  assertEquals(await transport.post(`${"x".repeat(64)}.invalid:80`, "/", "x"), {
    kind: "failed",
    why: "its name does not resolve",
  });
  // Node's part of the runtime, loaded for the lookup, keeps some.
}, { sanitizeResources: false });

test("post() fails when the lookup of the name takes longer than the exchange may", async () => {
  using transport = open({ timeoutMs: SHORT_MS, lookups: new Lookups({ lookup: never }) });
  assertEquals(await transport.post("n1.example:80", "/", "x"), {
    kind: "failed",
    why: "the lookup of its name takes too long",
  });
});

test("post() reaches a name at its last known address while no name server answers", async () => {
  await using peer = answering(OK);
  const { lookups, outage } = forgettingLookups();
  using transport = open({ lookups, idleConnectionsMax: 0 });
  const address = `n1.example:${portOf(peer.address)}`;
  for (let i = 0; i < 2; i++) assertEquals(await transport.post(address, "/", "x"), ANSWER);
  outage();
  for (let i = 0; i < 2; i++) assertEquals(await transport.post(address, "/", "x"), ANSWER);
});

test("post() says refused for a name only if the name resolves to the address now: a peer may have moved", async () => {
  const { lookups, outage } = forgettingLookups();
  using transport = open({ lookups });
  const address = `n1.example:${portOf(closedAddress())}`;
  assertEquals(await transport.post(address, "/", "x"), { kind: "refused" });
  outage();
  const outcome = await transport.post(address, "/", "x");
  assert(outcome.kind === "failed", outcome.kind);
  assertStringIncludes(outcome.why, "connection refused at its last known address");
});

test("post() tries every address of a name, and says refused only if all of them refuse", async () => {
  await using peer = answering(OK);
  const lookups = new Lookups({ lookup: () => Promise.resolve(["127.0.0.2", "127.0.0.1"]) });
  using transport = open({ lookups });
  const address = `n1.example:${portOf(peer.address)}`;
  assertEquals(await transport.post(address, "/", "x"), ANSWER);
  const closed = `n1.example:${portOf(closedAddress())}`;
  assertEquals(await transport.post(closed, "/", "x"), { kind: "refused" });
});

test("post() does not say refused where an address of the name failed otherwise, but for one without a route", async () => {
  const { ConnectionRefused, NetworkUnreachable, TimedOut } = Deno.errors;
  const refused = { kind: "refused" };
  const silent = { kind: "silent", accepted: false };
  const { connect } = Deno;
  for (
    const [first, second, outcome] of [
      [ConnectionRefused, TimedOut, silent],
      [TimedOut, ConnectionRefused, silent],
      [NetworkUnreachable, ConnectionRefused, refused],
      [ConnectionRefused, NetworkUnreachable, refused],
    ] as const
  ) {
    const fails = ({ hostname }: Deno.ConnectOptions) =>
      Promise.reject(new (hostname === "127.0.0.2" ? first : second)("as told"));
    const lookups = new Lookups({ lookup: () => Promise.resolve(["127.0.0.2", "127.0.0.1"]) });
    using transport = open({ lookups });
    Object.assign(Deno, { connect: fails });
    try {
      assertEquals(await transport.post("n1.example:9", "/", "x"), outcome);
    } finally {
      Object.assign(Deno, { connect });
    }
  }
});

test("post() calls only those addresses of a name that this node may call", async () => {
  await using peer = answering(OK);
  const lookups = new Lookups({ lookup: () => Promise.resolve(["127.0.0.1", "127.0.0.2"]) });
  const address = `n1.example:${portOf(peer.address)}`;
  using transport = open({ lookups, mayCall: (ip) => ip === "127.0.0.2" });
  assertEquals(await transport.post(address, "/", "x"), { kind: "refused" });
  using none = open({ lookups, mayCall: () => false });
  const outcome = await none.post(address, "/", "x");
  assert(outcome.kind === "failed" && outcome.why.includes("(-allow)"), JSON.stringify(outcome));
  assertEquals(peer.connections.length, 0);
});

test("post() fails, and sends nothing, when the address or the path is none", async () => {
  await using peer = answering(OK);
  using transport = open();
  for (
    const address of ["", "127.0.0.1", "127.0.0.1:0", "a b:80", "h:80\r\nx: y", "127.0.0.1:65536"]
  ) {
    assertEquals((await transport.post(address, "/", "x")).kind, "failed", address);
  }
  for (const path of ["", "hello", "/a b", "/\r\nx: y", "/é", "http://other/"]) {
    assertEquals((await transport.post(peer.address, path, "x")).kind, "failed", path);
  }
  assertEquals(peer.connections.length, 0);
});

test("post() reaches peers on ports that browsers block, and asks no proxy", async () => {
  await using proxy = answering("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nproxy");
  await using peer = answering(OK);
  const module = new URL("../../lib/net/transport.ts", import.meta.url).href;
  const code = `import { createTransport } from ${JSON.stringify(module)};
    const transport = createTransport({ timeoutMs: ${LONG_MS}, bodyBytesMax: 99 });
    console.log((await transport.post("${peer.address}", "/", "x")).body);
    console.log((await transport.post("127.0.0.1:1", "/", "x")).kind);
    transport.close();`;
  const url = `http://${proxy.address}`;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["eval", code],
    env: { HTTP_PROXY: url, http_proxy: url, ALL_PROXY: url, NO_PROXY: "" },
    stderr: "inherit",
  });
  assertEquals(new TextDecoder().decode((await child.output()).stdout), "ok\nrefused\n");
  assertEquals(proxy.connections.length, 0);
});

test("post() closes the longest idle connection when there are more than the bound", async () => {
  const left: string[] = [];
  const { promise: someoneLeft, resolve } = Promise.withResolvers<void>();
  const serve = (name: string) =>
    new RawPeer(async (connection) => {
      while (await connection.request() !== undefined) await connection.send(OK);
      left.push(name);
      resolve();
    });
  await using a = serve("a");
  await using b = serve("b");
  await using c = serve("c");
  using transport = open({ idleConnectionsMax: 2 });
  for (const peer of [a, b, a, c]) await transport.post(peer.address, "/", "x");
  await someoneLeft;
  assertEquals(left, ["b"]);
  for (const peer of [a, c]) await transport.post(peer.address, "/", "x");
  assertEquals([a.connections.length, c.connections.length], [1, 1]);
});

test("post() does not use a connection again that was idle for too long", async () => {
  await using peer = answering(OK);
  using transport = open({ idleMs: 0 });
  for (let i = 0; i < 3; i++) assertEquals(await transport.post(peer.address, "/", "x"), ANSWER);
  assertEquals(peer.connections.length, 3);
});

test("close() ends exchanges under way and later ones, and no connection stays", async () => {
  const { promise: asked, resolve: ask } = Promise.withResolvers<void>();
  await using idle = answering(OK);
  await using busy = new RawPeer(async (connection) => {
    await connection.request();
    ask();
    await connection.request();
  });
  const hangUps: string[] = [];
  using transport = open({ onHangUp: (address) => hangUps.push(address) });
  await transport.post(idle.address, "/", "x");
  const underWay = transport.post(busy.address, "/", "x");
  await asked;
  transport.close();
  transport.close();
  assertEquals(await underWay, { kind: "failed", why: "this node is stopping" });
  assertEquals(await transport.post(idle.address, "/", "x"), await underWay);
  assertEquals(hangUps, []);
});
