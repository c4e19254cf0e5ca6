import { assert, assertEquals, assertLess, assertMatch } from "@std/assert";
import { BODY_BYTES_MAX } from "../../lib/limits.ts";
import { REQUESTS_MAX, Server } from "../../lib/http/serve.ts";
import { eventually } from "../support/eventually.ts";
import { eventuallyShow, startNode, statuses } from "../support/nodes.ts";
import { connect, latin1, readUntil, writeAll } from "../support/raw.ts";

const HEAD = "POST /hello?from=x&via=x:1 HTTP/1.1\r\nhost: a\r\n";

Deno.test("requests beyond the bound get 503 at once, and room when others are answered", async () => {
  const gate = Promise.withResolvers<void>();
  let underWay = 0;
  const server = new Server({ host: "127.0.0.1", port: 0 }, async () => {
    underWay++;
    await gate.promise;
    return new Response("ok");
  });
  const ask = () => fetch(`http://127.0.0.1:${server.addr.port}/`);
  const held = Array.from({ length: REQUESTS_MAX }, ask);
  await eventually(() => assertEquals(underWay, REQUESTS_MAX));
  for (let i = 0; i < 20; i++) {
    const refused = await ask();
    assertEquals([refused.status, refused.headers.get("retry-after")], [503, "1"]);
    await refused.body?.cancel();
  }
  assertEquals(underWay, REQUESTS_MAX);
  gate.resolve();
  for (const response of await Promise.all(held)) assertEquals(await response.text(), "ok");
  const next = await ask();
  assertEquals([next.status, await next.text()], [200, "ok"]);
  await server.shutdown();
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
