import { setTimeout as pause } from "node:timers/promises";
import {
  assert,
  assertEquals,
  assertGreaterOrEqual,
  assertLess,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { ListenError } from "../../lib/http/listen.ts";
import { Server } from "../../lib/http/serve.ts";
import { createTransport } from "../../lib/net/transport.ts";
import { Authority, type Certificate } from "../support/certificates.ts";
import { eventually } from "../support/eventually.ts";
import {
  type LocalNode,
  runProgram,
  spawnNode,
  startNode,
  type TestNode,
} from "../support/nodes.ts";

const PATH = "/hello?from=x&via=x:1";

function flags({ cert, key }: Certificate, ca: string): string {
  return `-tls-cert ${cert} -tls-key ${key} -tls-ca ${ca}`;
}

/** GETs from a node by HTTPS, trusting `authority`. */
async function get(
  node: { address: string },
  path: string,
  authority: Authority,
): Promise<Response> {
  using client = Deno.createHttpClient({ caCerts: [await Deno.readTextFile(authority.ca)] });
  const response = await fetch(`https://${node.address}${path}`, { client });
  return new Response(await response.text(), response);
}

/** Sends a form as a browser does from the page of `node`; HTTP/2, as ALPN offers it. */
async function sendForm(
  node: { address: string },
  form: Record<string, string>,
  authority: Authority,
): Promise<Response> {
  using client = Deno.createHttpClient({
    caCerts: [await Deno.readTextFile(authority.ca)],
    http1: false,
  });
  const origin = `https://${node.address}`;
  const headers = { "user-agent": "Mozilla/5.0", origin, "sec-fetch-site": "same-origin" };
  const init = { method: "POST", headers, body: new URLSearchParams(form), client };
  const response = await fetch(`${origin}/bye`, { ...init, redirect: "manual" });
  return new Response(await response.text(), response);
}

async function eventuallyLive(nodes: TestNode[], authority: Authority): Promise<void> {
  const expected = nodes.map(({ id }) => `${id} live`);
  for (const node of nodes) {
    await eventually(async () => {
      const { members } = await (await get(node, "/members", authority)).json();
      assertEquals(
        members.map(({ id, status }: { id: string; status: string }) => `${id} ${status}`),
        expected,
      );
    });
  }
}

Deno.test("nodes with certificates of one authority gossip by HTTPS, and serve people by it", async () => {
  await using authority = await Authority.create();
  const own = flags(await authority.issue(), authority.ca);
  await using a = startNode("a", own);
  await using b = startNode("b", `${own} -join ${a.address}`);
  await eventuallyLive([a, b], authority);
  const plain = await fetch(`http://${a.address}/hello`).catch((error) => error);
  assert(plain instanceof Error, "answered by plain HTTP");
});

Deno.test("the page's decommission button works over HTTP/2, which has no Host header", async () => {
  await using authority = await Authority.create();
  await using a = startNode("a", flags(await authority.issue(), authority.ca));
  const answer = await sendForm(a, { id: "n9", unknown: "yes" }, authority);
  assertEquals([answer.status, await answer.text()], [
    200,
    "n9 is decommissioned for good, though it was not known here\n",
  ]);
});

Deno.test("a node takes no answer from a peer whose certificate it does not trust, or that is another's", async () => {
  await using authority = await Authority.create();
  await using stranger = await Authority.create();
  const good = await authority.issue();
  await using a = startNode("a", flags(good, authority.ca));
  const elsewhere = await authority.issue("DNS:other.example");
  await using other = startNode("other", flags(elsewhere, authority.ca));
  await using fake = startNode("fake", flags(await stranger.issue(), authority.ca));
  const join = [other, fake].map(({ address }) => address).join(",");
  await using b = startNode("b", `${flags(good, authority.ca)} -join ${a.address},${join}`);
  await eventuallyLive([a, b], authority);
  await eventually(() => {
    for (const { address } of [other, fake]) {
      const lines = b.lines.filter((line) => line.includes(`no answer from ${address}`));
      assertEquals(lines.length, 1, b.lines.join("\n"));
      assertStringIncludes(lines[0]!, "certificate");
    }
  });
});

Deno.test("a plain peer and one with TLS do not understand each other, say why, and neither is shown dead by it", async () => {
  await using authority = await Authority.create();
  await using lone = startNode("lone");
  const own = flags(await authority.issue(), authority.ca);
  await using tls = startNode("tls", `${own} -join ${lone.address}`);
  await using plain = startNode("plain", `-join ${tls.address}`);
  const says = (node: LocalNode, line: string) =>
    eventually(() => assert(node.lines.some((text) => text.endsWith(line)), node.lines.join("\n")));
  await says(plain, `${tls.address}: it speaks TLS, this node does not: see -tls-cert`);
  await says(tls, `${lone.address}: it does not speak TLS, this node does: see -tls-cert`);
  assertEquals(plain.lines.filter((line) => line.includes("dead")), []);
  await eventuallyLive([tls], authority);
});

Deno.test("a new certificate is served to new connections, and open streams go on", async () => {
  await using authority = await Authority.create();
  const { cert, key } = await authority.issue();
  await using a = startNode("a", flags({ cert, key }, authority.ca));
  const trusting = { caCerts: [await Deno.readTextFile(authority.ca)] };
  const old = Deno.createHttpClient(trusting);
  const events = await fetch(`https://${a.address}/events`, { client: old });
  const reader = events.body!.pipeThrough(new TextDecoderStream()).getReader();
  assertStringIncludes((await reader.read()).value ?? "", "retry:");

  await using successor = await Authority.create();
  const next = await successor.issue();
  await Deno.copyFile(next.cert, cert);
  await Deno.copyFile(next.key, key);
  await a.running.reload();
  assert(a.lines.some((line) => line.includes("the certificate changed")), a.lines.join("\n"));
  await eventually(async () => {
    assertStringIncludes(await (await get(a, "/hello", successor)).text(), "hello a");
  });
  const stale = await get(a, "/hello", authority).catch((error) => error);
  assert(stale instanceof Error, "the old authority is still served");
  // The stream of before still carries changes.
  await get(a, "/bye?id=somebody&unknown=yes", successor);
  for (let text = ""; !text.includes("somebody");) {
    const { value, done } = await reader.read();
    assert(!done, "the stream ended");
    text += value;
  }
  await reader.cancel();
  old.close();
});

Deno.test("a server that changes its certificate refuses fewer calls than it answers", async () => {
  await using authority = await Authority.create();
  const { cert, key } = await authority.issue();
  const tls = { cert: await Deno.readTextFile(cert), key: await Deno.readTextFile(key) };
  const server = new Server({ host: "127.0.0.1", port: 0, tls }, () => new Response("ok"));
  const { port } = server.addr;
  const counts = { connected: 0, refused: 0 };
  let done = false;
  const callers = Array.from({ length: 4 }, async () => {
    while (!done) {
      try {
        (await Deno.connect({ hostname: "127.0.0.1", port })).close();
        counts.connected++;
      } catch (error) {
        if (error instanceof Deno.errors.ConnectionRefused) counts.refused++;
      }
      // A refusal comes sooner than a connection: paced, both count the time in which the port was closed or open.
      await pause(1);
    }
  });
  for (let change = 1; change <= 20; change++) {
    await eventually(() => assertGreaterOrEqual(counts.connected, 20 * change));
    await server.replace(tls);
  }
  done = true;
  await Promise.all(callers);
  await server.shutdown();
  assertLess(counts.refused, counts.connected);
});

Deno.test("Server.replace() refuses a certificate that cannot be used, and goes on with the former", async () => {
  await using authority = await Authority.create();
  const { cert, key } = await authority.issue();
  const tls = { cert: await Deno.readTextFile(cert), key: await Deno.readTextFile(key) };
  const server = new Server({ host: "127.0.0.1", port: 0, tls }, () => new Response("ok"));
  await assertRejects(() => server.replace({ ...tls, key: tls.cert }), ListenError, "Cannot use");
  const response = await get({ address: `127.0.0.1:${server.addr.port}` }, "/", authority);
  assertEquals(await response.text(), "ok");
  await server.shutdown();
});

Deno.test("a certificate that has expired, or soon will, is told in the log and by /healthz", async () => {
  await using authority = await Authority.create();
  const { cert, key } = await authority.issue(undefined, 2);
  await using a = startNode("a", flags({ cert, key }, authority.ca));
  await eventually(() => {
    const warnings = a.lines.filter((line) => line.includes("warning: The certificate"));
    assertEquals(warnings.length, 1, a.lines.join("\n"));
    assertMatch(warnings[0]!, /The certificate in .*leaf0\.pem expires in 1 day, on 20/);
  });
  const health = await get(a, "/healthz", authority);
  assertEquals(health.status, 200);
  assertStringIncludes(await health.text(), "ok\nwarning: The certificate in ");
});

Deno.test("a certificate that becomes unusable is logged, and the former stays in use", async () => {
  await using authority = await Authority.create();
  const { cert, key } = await authority.issue();
  await using a = startNode("a", flags({ cert, key }, authority.ca));
  const good = await Deno.readTextFile(cert);
  for (const bad of ["rubbish", ""]) {
    await Deno.writeTextFile(cert, bad);
    await a.running.reload();
    assertStringIncludes(await (await get(a, "/hello", authority)).text(), "hello a");
  }
  assertEquals(a.lines.filter((line) => line.includes("the former stays in use")).length, 1);
  await Deno.writeTextFile(cert, good);
  await a.running.reload();
  await eventually(async () => {
    assertStringIncludes(await (await get(a, "/hello", authority)).text(), "hello a");
  });
});

Deno.test("a node with certificates that it cannot use does not start, and says in a line why", async () => {
  await using authority = await Authority.create();
  const { cert, key } = await authority.issue();
  const mine = "-id x -port 0 -host 127.0.0.1".split(" ");
  for (
    const [given, expected] of [
      [["-tls-cert", `${authority.folder}/none.pem`, "-tls-key", key], "Cannot read -tls-cert "],
      [["-tls-cert", cert, "-tls-key", cert], "Cannot use the certificate"],
      [["-key-file", `${authority.folder}/none.keys`], "Cannot read -key-file "],
      [["-key-file", authority.ca], "Cannot use the key in"],
    ] as const
  ) {
    const { code, stderr } = await runProgram([...mine, ...given]);
    assertEquals([code, stderr.trim().split("\n").length], [1, 1], stderr);
    assertStringIncludes(stderr, expected);
  }
});

Deno.test("callers who never begin the handshake hold up nobody else", async () => {
  await using authority = await Authority.create();
  const { cert, key } = await authority.issue();
  const tls = { cert: await Deno.readTextFile(cert), key: await Deno.readTextFile(key) };
  const server = new Server({ host: "127.0.0.1", port: 0, tls }, () => new Response("ok"));
  const { port } = server.addr;
  const silent = [];
  for (let i = 0; i < 50; i++) silent.push(await Deno.connect({ hostname: "127.0.0.1", port }));
  const response = await get({ address: `127.0.0.1:${port}` }, "/", authority);
  assertEquals(await response.text(), "ok");
  for (const conn of silent) conn.close();
  await server.shutdown();
});

Deno.test("a stopped process stays unresponsive over TLS, where its handshakes are left open", {
  ignore: Deno.build.os === "windows",
}, async () => {
  await using authority = await Authority.create();
  // Slower than other tests: a call in vain takes 0.9 s, and evidence lapses after two dead-afters.
  const pace = "-interval 500ms -dead-after 2500ms";
  const tls = `${flags(await authority.issue(), authority.ca)} ${pace}`;
  await using n1 = await spawnNode("n1", tls);
  await using n2 = await spawnNode("n2", `${tls} -join ${n1.address}`);
  await using n3 = await spawnNode("n3", `${tls} -join ${n1.address}`);
  await eventuallyLive([n1, n2, n3], authority);
  n3.kill("SIGSTOP");
  for (const node of [n1, n2]) {
    await eventually(async () => {
      const { members } = await (await get(node, "/members", authority)).json();
      // Evidence of the first call would have lapsed by then.
      const { ageMs, status } = members.find(({ id }: { id: string }) => id === "n3");
      assert(ageMs > 12_000 && status === "unresponsive", `${status}, silent for ${ageMs} ms`);
    });
    assertEquals(node.lines.filter((line) => line.includes("peer is dead")), []);
  }
  n3.kill("SIGCONT");
  await eventuallyLive([n1, n2, n3], authority);
});

Deno.test("-allow: a node calls no address outside, by number or by name, and sends nothing there", async () => {
  let heard = 0;
  const server = new Server({ host: "127.0.0.1", port: 0 }, () => {
    heard++;
    return new Response("hello x\n\n\n");
  });
  const { port } = server.addr;
  const asked: string[] = [];
  const transport = createTransport({
    timeoutMs: 5_000,
    bodyBytesMax: 1_000,
    mayCall: (ip) => {
      asked.push(ip);
      return false;
    },
  });
  for (const address of [`127.0.0.1:${port}`, `localhost:${port}`]) {
    const outcome = await transport.post(address, PATH, "body");
    assert(outcome.kind === "failed" && outcome.why.includes("-allow"), JSON.stringify(outcome));
  }
  transport.close();
  assertEquals([heard, new Set(asked)], [0, new Set(["127.0.0.1"])]);
  const allowing = createTransport({ timeoutMs: 5_000, bodyBytesMax: 1_000, mayCall: () => true });
  assertEquals((await allowing.post(`localhost:${port}`, PATH, "body")).kind, "answer");
  allowing.close();
  await server.shutdown();
});

Deno.test("-allow: an address outside, written as a number, is not even connected to", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accepted = listener.accept();
  const at = { timeoutMs: 5_000, bodyBytesMax: 1_000 };
  const closed = createTransport({ ...at, mayCall: () => false });
  const outcome = await closed.post(`127.0.0.1:${listener.addr.port}`, PATH, "body");
  assertEquals(outcome.kind, "failed");
  closed.close();
  // The first connection that arrives is one that was made afterwards.
  using later = await Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
  using first = await accepted;
  assertEquals((first.remoteAddr as Deno.NetAddr).port, (later.localAddr as Deno.NetAddr).port);
  listener.close();
});

Deno.test("-allow: peers outside are never called, and those inside are", async () => {
  await using a = startNode("a", "");
  await using b = startNode("b", `-join ${a.address} -allow 10.0.0.0/8`);
  await eventually(() => assert(b.lines.some((line) => line.includes("(-allow)"))));
  const { members } = await (await fetch(`http://${a.address}/members`)).json();
  assertEquals(members.length, 1);
  await using c = startNode("c", `-join ${a.address} -allow 10.0.0.0/8,127.0.0.1`);
  await eventually(async () => {
    const { members } = await (await fetch(`http://${c.address}/members`)).json();
    assertEquals(members.length, 2);
  });
});
