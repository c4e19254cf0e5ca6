import { assert, assertEquals, assertLess, assertMatch } from "@std/assert";
import { BODY_BYTES_MAX } from "../../lib/limits.ts";
import { SAMPLE_WEIGHT, SAMPLED_EVERY, SHARE_MAX } from "../../lib/http/answers.ts";
import { WAITING_MAX } from "../../lib/http/body.ts";
import { KEPT_MAX, REQUESTS_MAX, Server } from "../../lib/http/serve.ts";
import { eventually } from "../support/eventually.ts";
import { eventuallyShow, get, startNode, statuses } from "../support/nodes.ts";
import { join, openHttp2, requestFrame } from "../support/http2.ts";
import { KeyFile } from "../support/key_file.ts";
import { connect, latin1, readUntil, writeAll } from "../support/raw.ts";

const BUSY = "Try again in a second: too many requests are under way\n";

const HEAD = "POST /hello?from=x&via=x:1 HTTP/1.1\r\nhost: a\r\n";

Deno.test("requests beyond the bound get 503 at once, and room when others are answered", async () => {
  const gate = Promise.withResolvers<void>();
  let underWay = 0;
  const server = new Server({ host: "127.0.0.1", port: 0 }, async () => {
    underWay++;
    await gate.promise;
    return new Response("ok");
  });
  const ask = (path = "/") => fetch(`http://127.0.0.1:${server.addr.port}${path}`);
  const held = Array.from({ length: REQUESTS_MAX }, () => ask());
  await eventually(() => assertEquals(underWay, REQUESTS_MAX));
  for (let i = 0; i < 20; i++) {
    const refused = await ask();
    assertEquals([refused.status, refused.headers.get("retry-after")], [503, "1"]);
    await refused.body?.cancel();
  }
  assertEquals(underWay, REQUESTS_MAX);
  // A crowd keeps out neither probes nor members, up to a bound of their own.
  const kept = Array.from(
    { length: KEPT_MAX },
    (_, i) => ask(["/healthz", "/readyz", "/hello?from=a"][i % 3]),
  );
  await eventually(() => assertEquals(underWay, REQUESTS_MAX + KEPT_MAX));
  const refused = await ask("/healthz");
  assertEquals([refused.status, await refused.text()], [503, BUSY]);
  gate.resolve();
  for (const response of await Promise.all([...held, ...kept])) {
    assertEquals(await response.text(), "ok");
  }
  const next = await ask();
  assertEquals([next.status, await next.text()], [200, "ok"]);
  await server.shutdown();
});

Deno.test("a request that waits for its caller's bytes does not count among those under way", async () => {
  const body = Promise.withResolvers<void>();
  let waiting = 0;
  const server = new Server({ host: "127.0.0.1", port: 0 }, async (_, caller) => {
    waiting++;
    await caller.aside(body.promise);
    return new Response("ok");
  });
  const ask = () => fetch(`http://127.0.0.1:${server.addr.port}/`);
  const held = Array.from({ length: REQUESTS_MAX + 50 }, ask);
  await eventually(() => assertEquals(waiting, held.length));
  body.resolve();
  for (const response of await Promise.all(held)) {
    assertEquals([response.status, await response.text()], [200, "ok"]);
  }
  await server.shutdown();
});

Deno.test("strangers whose bodies do not come keep a node with a key from nothing, by HTTP/1 or 2", async () => {
  await using keyFile = await KeyFile.with("the-key-that-no-stranger-has");
  const flags = `-key-file ${keyFile.path} -private`;
  await using a = startNode("a", flags);
  await using b = startNode("b", `${flags} -join ${a.address}`);
  const ready = async (node: { address: string }) =>
    assertEquals(await get(node, "/readyz"), "ok\n");
  await eventually(() => ready(b));
  const authorization = `Gossip ${Date.now()}.${"A".repeat(43)}`;
  const fields = { host: "a", authorization, "content-length": "9" };
  const head = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`).join("");
  const paths = ["/bye?id=x&unknown=yes", "/hello?from=x&via=x:1"];
  const conns: Deno.TcpConn[] = [];
  // Over HTTP/2 two connections are crowd enough.
  for (let i = 0; i < 2; i++) {
    const conn = await openHttp2(a.address, 65_535);
    conns.push(conn);
    const frames = Array.from({ length: 200 }, (_, j) => {
      const request = { ":method": "POST", ":path": paths[j % 2]!, ...fields };
      return requestFrame(2 * j + 1, request, false);
    });
    await writeAll(conn, join(frames));
  }
  for (let i = 0; i < WAITING_MAX; i++) {
    const conn = await connect(a.address);
    conns.push(conn);
    await writeAll(conn, latin1(`POST ${paths[i % 2]} HTTP/1.1\r\n${head}\r\n`));
  }
  // One more is a crowd too many, as its answer says.
  using last = await connect(a.address);
  await writeAll(last, latin1(`POST /bye HTTP/1.1\r\n${head}\r\n`));
  assertMatch(await readUntil(conns[2]!, /\n$/), /^HTTP\/1\.1 (?:503|408) /);
  for (let i = 0; i < 50; i++) assertEquals(await get(a, "/healthz"), "ok\n");
  for (const node of [a, b]) {
    assertEquals(node.lines.filter((line) => line.includes("peer is dead")), []);
    await ready(node);
  }
  for (const conn of conns) conn.close();
});

Deno.test("a caller who takes no answers, by HTTP/2, gets none with a body, and the others theirs", async () => {
  await using a = startNode("a");
  await using b = startNode("b", `-join ${a.address}`);
  const live = { a: "live", b: "live" };
  await eventuallyShow([a, b], live);
  const greedy: Deno.TcpConn[] = [];
  const streams = Array.from({ length: 200 }, (_, i) => {
    return requestFrame(2 * i + 1, { ":method": "GET", ":path": "/hello", host: "a" });
  });
  // Short answers, of which one in sixteen is counted, up to the share of one address.
  for (let i = 0; i * streams.length < SAMPLED_EVERY * SHARE_MAX / SAMPLE_WEIGHT; i++) {
    const conn = await openHttp2(a.address, 0);
    greedy.push(conn);
    await writeAll(conn, join(streams));
  }
  const ask = async (path: string) => {
    const response = await fetch(`http://${a.address}${path}`);
    return [response.status, await response.text()];
  };
  await eventually(async () => assertEquals(await ask("/hello"), [503, ""]));
  assertEquals(await ask("/members"), [503, ""]);
  assertEquals(await ask("/healthz"), [200, ""]);
  assertEquals(await ask("/readyz"), [200, ""]);
  const { lastHeartbeat } = JSON.parse(await get(b, "/members/a"));
  await eventually(async () => {
    assertLess(lastHeartbeat, JSON.parse(await get(b, "/members/a")).lastHeartbeat);
  });
  assertEquals(await statuses(b), live);
  for (const conn of greedy) conn.close();
  await eventually(async () => assertEquals(await ask("/healthz"), [200, "ok\n"]));
  assertEquals(await statuses(a), live);
});

Deno.test("a body that does not come is given up with 408, and one sent too long with 413", async () => {
  await using a = startNode("a");
  using slow = await connect(a.address);
  await writeAll(slow, latin1(`${HEAD}content-length: 100\r\n\r\nhalf`));
  assertMatch(await readUntil(slow, /\n$/), /^HTTP\/1\.1 408 /);
  using long = await connect(a.address);
  await writeAll(long, latin1(`${HEAD}transfer-encoding: chunked\r\n\r\n`));
  const chunk = latin1(`10000\r\n${"x".repeat(0x10000)}\r\n`);
  let sent = 0;
  const sending = (async () => {
    for (; sent < 10 * BODY_BYTES_MAX; sent += chunk.length) await writeAll(long, chunk);
  })().catch(() => {});
  assertMatch(await readUntil(long, /\n$/), /^HTTP\/1\.1 413 /);
  long.close();
  await sending;
  assertLess(sent, 3 * BODY_BYTES_MAX, "it was read on and on");
});

Deno.test("bodies that fill the memory for bodies get 503, and others are read when those are gone", async () => {
  await using a = startNode("a");
  const piece = latin1(" ".repeat(BODY_BYTES_MAX - 1));
  const hogs: Deno.TcpConn[] = [];
  const answers: Promise<string>[] = [];
  for (let i = 0; i < 12; i++) {
    const hog = await connect(a.address);
    hogs.push(hog);
    answers.push(readUntil(hog, /\n$/));
    await writeAll(hog, latin1(`${HEAD}content-length: ${BODY_BYTES_MAX}\r\n\r\n`));
    void writeAll(hog, piece).catch(() => {});
  }
  const texts = await Promise.all(answers);
  const busy = texts.filter((text) => text.startsWith("HTTP/1.1 503 ")).length;
  const slow = texts.filter((text) => text.startsWith("HTTP/1.1 408 ")).length;
  assert(
    busy >= 4 && busy + slow === hogs.length,
    texts.map((text) => text.slice(0, 40)).join("\n"),
  );
  for (const hog of hogs) hog.close();
  const body = '{"v":2,"roster":"0000000000000000"}';
  const response = await fetch(`http://${a.address}/hello?from=x&via=x:1`, {
    method: "POST",
    body,
  });
  assertEquals(response.status, 200, await response.text());
});

Deno.test("a crowd of silent, half-said and greedy callers makes no member of three look dead", async () => {
  await using a = startNode("a");
  await using b = startNode("b", `-join ${a.address}`);
  await using c = startNode("c", `-join ${a.address}`);
  const live = { a: "live", b: "live", c: "live" };
  await eventuallyShow([a, b, c], live);
  const crowd: Deno.TcpConn[] = [];
  for (let i = 0; i < 500; i++) {
    const conn = await connect(a.address);
    crowd.push(conn);
    const said = ["", "GET / HTTP/1.1\r\nhost:", `${HEAD}content-length: 9\r\n\r\n`][i % 3]!;
    await writeAll(conn, latin1(said));
  }
  let asked = 0;
  const greedy = ["/", "/members", "/metrics", "/hello", "/page.json"].map(async (path) => {
    for (let i = 0; i < 100; i++) {
      const response = await fetch(`http://${a.address}${path}`);
      await response.text();
      asked++;
    }
  });
  await Promise.all(greedy);
  assertEquals(asked, 500);
  for (const node of [a, b, c]) assertEquals(await statuses(node), live);
  for (const node of [a, b, c]) {
    assertEquals(node.lines.filter((line) => line.includes("peer is dead")), []);
  }
  for (const conn of crowd) conn.close();
});
