import { assert, assertEquals, assertRejects } from "@std/assert";
import { Buffer } from "node:buffer";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createConnection } from "node:net";
import { decode, encode } from "../../lib/dns/dns_packet.ts";
import { DnsServer } from "../../lib/dns/server.ts";
import { ListenError } from "../../lib/http/listen.ts";
import type { ListedMember } from "../../lib/report/members.ts";
import { Timers } from "../support/timers.ts";

const LOCAL = { host: "127.0.0.1", port: 0 };
const QUERY = encode({ type: "query", id: 9, questions: [{ name: "web.gossip", type: "A" }] });

async function openServer(count = 1): Promise<DnsServer & Disposable> {
  const server = await DnsServer.open(LOCAL);
  const heard = { lastHeartbeat: null, ageMs: 0, reason: null, since: null, remark: null };
  const members = Array.from({ length: count }, (_, i): ListedMember => ({
    id: `n${i}`,
    address: `10.0.0.${i}:80`,
    status: "live",
    ...heard,
    tags: { role: "web" },
    ports: {},
  }));
  server.serve({ live: () => members, random: Math.random });
  return Object.assign(server, { [Symbol.dispose]: () => server.close() });
}

async function askUdp(port: number): Promise<ReturnType<typeof decode>> {
  const socket = createSocket("udp4");
  try {
    socket.send(QUERY, port, "127.0.0.1");
    const [answer] = await once(socket, "message");
    return decode(answer);
  } finally {
    socket.close();
  }
}

/** Sends bytes over TCP and nothing more, and resolves to all that comes back. */
async function sendTcp(port: number, ...pieces: Uint8Array[]): Promise<Uint8Array> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  for (const piece of pieces) await connection.write(piece);
  await connection.closeWrite();
  return await new Response(connection.readable).bytes();
}

function framed(bytes: Uint8Array): Uint8Array {
  return new Uint8Array([bytes.length >> 8, bytes.length & 255, ...bytes]);
}

Deno.test("one port answers over UDP and TCP", async () => {
  using server = await openServer();
  assertEquals((await askUdp(server.port)).answers!.length, 1);
  const answer = await sendTcp(server.port, framed(QUERY));
  const { id, answers } = decode(Buffer.from(answer.subarray(2)));
  assertEquals([id, answers!.length, answer[0]! * 256 + answer[1]!], [9, 1, answer.length - 2]);
});

Deno.test("a caller that is told that the answer is cut gets the whole over TCP, also in pieces", async () => {
  using server = await openServer(200);
  const cut = await askUdp(server.port);
  assert("flag_tc" in cut && cut.flag_tc);
  const query = framed(QUERY);
  const answer = await sendTcp(server.port, query.subarray(0, 1), query.subarray(1));
  assertEquals(decode(Buffer.from(answer.subarray(2))).answers!.length, 200);
});

Deno.test("over TCP each question gets its answer, as glibc sends those for A and AAAA at once", async () => {
  using server = await openServer();
  const six = encode({ type: "query", id: 10, questions: [{ name: "web.gossip", type: "AAAA" }] });
  const answers = await sendTcp(server.port, framed(QUERY), framed(six));
  const end = 2 + answers[0]! * 256 + answers[1]!;
  const first = decode(Buffer.from(answers.subarray(2, end)));
  const second = decode(Buffer.from(answers.subarray(end + 2)));
  assertEquals([first.id, second.id], [9, 10]);
  assertEquals([first.answers!.length, second.answers!.length], [1, 0]);
});

Deno.test("over TCP what is no query ends the connection", async () => {
  using server = await openServer();
  for (const bytes of [new Uint8Array([255, 255]), framed(new Uint8Array(3)), new Uint8Array(2)]) {
    using caller = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
    await caller.write(bytes);
    assertEquals(await caller.read(new Uint8Array(1)), null);
  }
  assertEquals((await askUdp(server.port)).answers!.length, 1);
});

Deno.test("a caller who goes before its query is whole is hung up on, without any deadline", async () => {
  // None of them runs, so that a caller who is kept until its deadline is kept for good.
  using timers = new Timers();
  using server = await openServer();
  for (
    const bytes of [new Uint8Array(0), framed(QUERY).subarray(0, 1), framed(QUERY).subarray(0, 9)]
  ) {
    using caller = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
    await caller.write(bytes);
    await caller.closeWrite();
    assertEquals(await caller.read(new Uint8Array(1)), null);
  }
  assertEquals(timers.delays, []);
});

Deno.test("of callers over TCP who say nothing, 64 are waited for, and the next is hung up on", async () => {
  using server = await openServer();
  const { port } = server;
  const callers: Deno.TcpConn[] = [];
  try {
    for (let i = 0; i < 65; i++) callers.push(await Deno.connect({ hostname: "127.0.0.1", port }));
    const [last, next] = callers.slice(-2);
    assertEquals(await next!.read(new Uint8Array(1)), null);
    await last!.write(framed(QUERY));
    assert(await last!.read(new Uint8Array(512)) !== null);
  } finally {
    for (const caller of callers) caller.close();
  }
});

Deno.test(
  "invariant 7: callers over TCP at one address who say nothing keep out nobody of another",
  // Only Linux has all addresses of 127.0.0.0/8.
  { ignore: Deno.build.os !== "linux" },
  async () => {
    using server = await openServer();
    const { port } = server;
    const silent: Deno.TcpConn[] = [];
    try {
      for (let i = 0; i < 64; i++) {
        silent.push(await Deno.connect({ hostname: "127.0.0.1", port }));
      }
      const other = createConnection({ host: "127.0.0.1", port, localAddress: "127.0.0.2" });
      other.end(framed(QUERY));
      const answer: Uint8Array[] = [];
      for await (const part of other) answer.push(part);
      assertEquals(decode(Buffer.concat(answer).subarray(2)).id, 9);
    } finally {
      for (const caller of silent) caller.close();
    }
  },
);

Deno.test("a caller over TCP who was answered keeps no place", async () => {
  using server = await openServer();
  for (let i = 0; i < 65; i++) {
    const answer = await sendTcp(server.port, framed(QUERY));
    assertEquals(decode(Buffer.from(answer.subarray(2))).answers!.length, 1, `caller ${i}`);
  }
});

Deno.test("a caller over TCP whom the system cannot take, for lack of descriptors, keeps the next from nothing", async () => {
  using timers = new Timers();
  const { listen } = Deno;
  Object.assign(Deno, {
    listen(options: Deno.TcpListenOptions) {
      const listener = listen(options);
      const accept = listener.accept.bind(listener);
      let isFirst = true;
      listener.accept = () => {
        if (!isFirst) return accept();
        isFirst = false;
        return Promise.reject(new Error("Too many open files"));
      };
      return listener;
    },
  });
  try {
    using server = await openServer();
    await timers.next();
    const answer = await sendTcp(server.port, framed(QUERY));
    assertEquals(decode(Buffer.from(answer.subarray(2))).answers!.length, 1);
  } finally {
    Object.assign(Deno, { listen });
  }
});

Deno.test("at a name with addresses of both families, UDP is answered where TCP is", async () => {
  const { listen } = Deno;
  Object.assign(Deno, {
    // As a system that gives a name's IPv6 address first.
    listen: (options: Deno.TcpListenOptions) => listen({ ...options, hostname: "::1" }),
  });
  const server = await DnsServer.open({ host: "localhost", port: 0 })
    .finally(() => Object.assign(Deno, { listen }));
  const second = createSocket("udp6");
  try {
    second.bind(server.port, "::1");
    await assertRejects(() => once(second, "listening"), Error, "EADDRINUSE");
  } finally {
    second.close();
    server.close();
  }
});

Deno.test("a port that is taken is told at the start, with what to do", async () => {
  using server = await openServer();
  const { port } = server;
  await assertRejects(() => DnsServer.open({ ...LOCAL, port }), ListenError, "give -dns another");
});
