import {
  assert,
  assertEquals,
  assertMatch,
  assertNotMatch,
  assertStringIncludes,
} from "@std/assert";
import { shuffle } from "../../lib/partners.ts";
import { eventually } from "../support/eventually.ts";
import { GoPeer } from "../support/go_peer.ts";
import { KeyFile } from "../support/key_file.ts";
import {
  eventuallyShow,
  get,
  type LocalNode,
  members,
  startNode,
  statuses,
} from "../support/nodes.ts";
import { seededRandom } from "../support/dice.ts";
import { sendRaw } from "../support/raw.ts";

const OLD = "the-old-key-of-this-test-cluster";
const NEW = "the-new-key-of-this-test-cluster";

/** Relays a node's port, and keeps all that callers send: what a listener on the wire gets. */
class Tap implements AsyncDisposable {
  readonly recorded: Uint8Array<ArrayBuffer>[][] = [];
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #conns = new Set<Deno.TcpConn>();
  readonly #relays: Promise<void>[] = [];
  to = 0;

  constructor() {
    this.#relays.push(this.#accept());
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  async #accept(): Promise<void> {
    for await (const conn of this.#listener) this.#relays.push(this.#relay(conn));
  }

  async #relay(caller: Deno.TcpConn): Promise<void> {
    const callee = await Deno.connect({ hostname: "127.0.0.1", port: this.to });
    const chunks: Uint8Array<ArrayBuffer>[] = [];
    this.recorded.push(chunks);
    this.#conns.add(caller).add(callee);
    const back = pump(callee, caller);
    await pump(caller, callee, (chunk) => chunks.push(chunk));
    await back;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const conn of this.#conns) close(conn);
    await Promise.allSettled(this.#relays);
  }
}

async function pump(
  from: Deno.TcpConn,
  to: Deno.TcpConn,
  keep: (chunk: Uint8Array<ArrayBuffer>) => void = () => {},
): Promise<void> {
  const buffer = new Uint8Array(65_536);
  for (;;) {
    const count = await from.read(buffer).catch(() => null);
    if (count === null) break;
    const chunk = buffer.slice(0, count);
    keep(chunk);
    for (let sent = 0; sent < count;) {
      const written = await to.write(chunk.subarray(sent)).catch(() => 0);
      if (written === 0) break;
      sent += written;
    }
  }
  close(from);
  close(to);
}

function close(conn: Deno.TcpConn): void {
  try {
    conn.close();
  } catch {
    // closed from the other side of the relay
  }
}

function deaths(nodes: LocalNode[]): string[] {
  return nodes.flatMap(({ lines }) => lines.filter((line) => line.includes("peer is dead")));
}

Deno.test("a cluster changes its key under traffic, and no member is shown dead", async () => {
  await using ofA = await KeyFile.with(OLD);
  await using ofB = await KeyFile.with(OLD);
  await using ofC = await KeyFile.with(OLD);
  await using a = startNode("a", `-key-file ${ofA.path}`);
  await using b = startNode("b", `-key-file ${ofB.path} -join ${a.address}`);
  await using c = startNode("c", `-key-file ${ofC.path} -join ${a.address}`);
  const nodes = [a, b, c];
  const files = [ofA, ofB, ofC];
  const live = { a: "live", b: "live", c: "live" };
  await eventuallyShow(nodes, live);
  for (const keys of [[OLD, NEW], [NEW, OLD], [NEW]]) {
    for (const [i, node] of nodes.entries()) {
      await files[i]!.write(...keys);
      await node.running.reload();
      assert(node.lines.some((line) => line.includes("changed: they are in use")));
      // Each has heard both others since, whichever of them has the new keys by now.
      const before = await members(node);
      await eventually(async () => {
        for (const { id, lastHeartbeat } of await members(node)) {
          const old = before.find((row) => row.id === id);
          assert(
            (lastHeartbeat ?? "") > (old?.lastHeartbeat ?? ""),
            `${node.id} has not heard ${id}`,
          );
        }
      });
    }
  }
  await eventuallyShow(nodes, live);
  assertEquals(deaths(nodes), []);
  const old = { headers: { authorization: `Bearer ${OLD}` } };
  const bye = await fetch(`http://${a.address}/bye?id=x&unknown=yes`, old);
  assertEquals(bye.status, 401, await bye.text());
});

Deno.test("a key file that becomes unusable is logged once, and the former keys stay in use", async () => {
  await using file = await KeyFile.with(OLD);
  await using a = startNode("a", `-key-file ${file.path}`);
  for (const bad of ["short", ""]) {
    await file.write(bad);
    await a.running.reload();
    await a.running.reload();
  }
  await Deno.remove(file.path);
  await a.running.reload();
  const errors = a.lines.filter((line) => line.includes("error: "));
  assertEquals(errors.length, 3, errors.join("\n"));
  for (const line of errors) {
    assertStringIncludes(line, file.path);
    assertStringIncludes(line, "the former stays in use");
  }
  assertNotMatch(a.lines.join("\n"), new RegExp(OLD));
  const bye = await fetch(`http://${a.address}/bye?id=x&unknown=yes`, {
    headers: { authorization: `Bearer ${OLD}` },
  });
  assertEquals([bye.status, await bye.text()], [
    200,
    "x is decommissioned for good, though it was not known here\n",
  ]);
});

Deno.test("a cluster with a key ignores a Go node and a stranger entirely, whoever calls whom", async () => {
  await using file = await KeyFile.with(OLD);
  await using go = new GoPeer("go");
  await using stranger = startNode("stranger");
  await using a = startNode("a", `-key-file ${file.path} -join ${go.address},${stranger.address}`);
  await using _go2 = new GoPeer("go2", { join: [a.address] });
  await using b = startNode("b", `-key-file ${file.path} -join ${a.address}`);
  await using s2 = startNode("s2", `-join ${a.address}`);
  await using other = await KeyFile.with(NEW);
  await using wrong = startNode("wrong", `-key-file ${other.path} -join ${a.address}`);
  await eventuallyShow([a, b], { a: "live", b: "live" });
  await eventually(() => {
    for (const { lines } of [s2, wrong]) {
      assert(lines.some((line) => line.includes("no answer from")));
    }
    assert(a.lines.some((line) => line.includes("is not signed with a key of this cluster")));
    assert(a.lines.some((line) => line.includes("refused a request from 127.0.0.1")));
  });
  // For several rounds of all.
  const beat = async () => Date.parse((await members(a))[0]?.lastHeartbeat ?? "");
  const firstMs = await beat();
  await eventually(async () => assert(await beat() > firstMs + 800));
  assertEquals(await statuses(a), { a: "live", b: "live" });
  assertEquals(await statuses(b), { a: "live", b: "live" });
  // A stranger that -join names is told of the cluster, as it is called; it is not believed.
  for (const outsider of [s2, wrong]) {
    assertEquals(Object.keys(await statuses(outsider)), [outsider.id]);
  }
  assert(!(await get(a, "/hello")).split("\n")[1]!.includes("go"));
});

Deno.test("whatever stands in Host, a forged signature is refused and is no mistake of the node's", async () => {
  await using file = await KeyFile.with(OLD);
  await using a = startNode("a", `-key-file ${file.path}`);
  for (
    const host of ["", "a b", "[", "a:b:c", "%", "\xe9", "@", "a/b", "?", "#", "x".repeat(300)]
  ) {
    for (
      const target of ["/hello?from=x&via=x:1", "/bye?id=a&unknown=yes", "/%68ello?from=x&via=x:1"]
    ) {
      const head = `POST ${target} HTTP/1.1\r\nhost: ${host}\r\ncontent-length: 2\r\n`;
      const forged = `authorization: Gossip ${Date.now()}.${
        "A".repeat(43)
      }\r\nconnection: close\r\n`;
      const answer = await sendRaw(a.address, `${head}${forged}\r\n{}`);
      assertMatch(answer, /^HTTP\/1\.1 40[0-9] /, `${host} ${target}`);
      const bare = await sendRaw(a.address, `${head}connection: close\r\n\r\n{}`);
      assertMatch(bare, /^HTTP\/1\.1 40[0-9] /, `${host} ${target}`);
    }
  }
  assertEquals(a.lines.filter((line) => line.includes("BUG")), []);
  assertEquals(await statuses(a), { a: "live" });
});

const LAST_REQUEST = new TextEncoder().encode(
  "GET /healthz HTTP/1.1\r\nhost: node\r\nconnection: close\r\n\r\n",
);

Deno.test("replaying all of a cluster's signed traffic, in random order, changes no table", async () => {
  const seed = 1_234_567;
  const random = seededRandom(seed);
  await using file = await KeyFile.with(OLD);
  await using tap = new Tap();
  await using a = startNode("a", `-key-file ${file.path} -advertise 127.0.0.1:${tap.port}`);
  tap.to = a.running.port;
  const join = `-key-file ${file.path} -join 127.0.0.1:${tap.port}`;
  await using b = startNode("b", join);
  const c = startNode("c", join);
  await eventuallyShow([a, b], { a: "live", b: "live", c: "live" });
  await c[Symbol.asyncDispose]();
  const bye = await fetch(`http://${a.address}/bye?id=gone&unknown=yes`, {
    headers: { authorization: `Bearer ${OLD}` },
  });
  assertEquals(bye.status, 200, await bye.text());
  const settled = { a: "live", b: "live", c: "left", gone: "decommissioned" };
  await eventuallyShow([a, b], settled);
  await eventually(() => assert(tap.recorded.flat().length > 30, "too little traffic recorded"));
  const heartbeats = async () =>
    new Map((await members(b)).map((row) => [row.id, row.lastHeartbeat ?? ""]));
  const before = await heartbeats();
  const logged = [a.lines.length, b.lines.length];

  const streams = shuffle(tap.recorded.map((chunks) => [...chunks]), random);
  let answers = "";
  for (const port of [a.running.port, b.running.port]) {
    for (const chunks of [...streams, ...shuffle([...streams], random)]) {
      const conn = await Deno.connect({ hostname: "127.0.0.1", port });
      const buffer = new Uint8Array(65_536);
      // The server ends the connection after the last: were it ended from here, what is under way would be given up.
      for (const chunk of [...chunks, LAST_REQUEST]) await conn.write(chunk);
      for (;;) {
        const count = await conn.read(buffer).catch(() => null);
        if (count === null) break;
        answers += new TextDecoder().decode(buffer.subarray(0, count));
      }
      close(conn);
    }
  }
  assertStringIncludes(answers, "Authentication-Info", `nothing was replayed (seed ${seed})`);
  await eventuallyShow([a, b], settled);
  for (const [id, lastHeartbeat] of await heartbeats()) {
    assert(lastHeartbeat >= before.get(id)!, `the heartbeat of ${id} went back (seed ${seed})`);
  }
  assertEquals((await members(b)).find(({ id }) => id === "c")?.lastHeartbeat, before.get("c"));
  const since = [...a.lines.slice(logged[0]), ...b.lines.slice(logged[1])];
  assertEquals(since.filter((line) => / peer (?:is|has) /.test(line)), [], `seed ${seed}`);
});
