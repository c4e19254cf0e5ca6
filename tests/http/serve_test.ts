/** Servers on a system of the test's own, which ends them at will; on the real one: crowd_test.ts and tls_test.ts. */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ListenError } from "../../lib/http/listen.ts";
import { type Handler, KEPT_MAX, REQUESTS_MAX, Server } from "../../lib/http/serve.ts";
import { HandClock, Timers } from "../support/timers.ts";

type Answer = (request: Request, info: Deno.ServeHandlerInfo<Deno.NetAddr>) => Promise<Response>;

/** One listener. */
class Listener {
  readonly addr: Deno.NetAddr;
  readonly answer: Answer;
  readonly cert: string | undefined;
  readonly #ended = Promise.withResolvers<void>();
  readonly finished = this.#ended.promise;
  isOpen = true;
  /** Resolves when the requests under way are answered. */
  answered = Promise.resolve();

  constructor({ port, cert, answer }: { port: number; cert?: string; answer: Answer }) {
    this.addr = { transport: "tcp", hostname: "127.0.0.1", port };
    this.answer = answer;
    this.cert = cert;
  }

  /** As the system ends it. */
  async break(why: string): Promise<void> {
    this.isOpen = false;
    this.#ended.reject(new Error(why));
    await this.finished.catch(() => {});
  }

  async shutdown(): Promise<void> {
    this.isOpen = false;
    await this.answered;
    this.#ended.resolve();
    await this.finished;
  }
}

/** What stands in for the system. */
class System implements Disposable {
  readonly #former = { serve: Deno.serve, listenTls: Deno.listenTls };
  readonly #clock = new HandClock();
  readonly timers = new Timers();
  readonly listeners: Listener[] = [];
  /** Why it opens nothing. */
  trouble: string | undefined;
  /** How often it was asked to listen. */
  tries = 0;

  constructor() {
    Object.assign(Deno, {
      serve: ({ port, cert }: { port: number; cert?: string }, answer: Answer) => {
        this.tries++;
        if (this.trouble !== undefined) throw new Error(this.trouble);
        const listener = new Listener({ port: port || 50_000, answer, ...cert && { cert } });
        this.listeners.push(listener);
        return listener;
      },
      listenTls: ({ cert }: { cert: string }) => {
        if (cert === "rubbish") throw new Error("no\ncertificate");
        return { close() {} };
      },
    });
  }

  get last(): Listener {
    return this.listeners.at(-1)!;
  }

  advance(ms: number): void {
    this.#clock.nowMs += ms;
  }

  [Symbol.dispose](): void {
    this.timers[Symbol.dispose]();
    this.#clock[Symbol.dispose]();
    Object.assign(Deno, this.#former);
  }
}

function open({ handler = () => new Response("ok"), tls }: {
  handler?: Handler;
  tls?: { cert: string; key: string };
} = {}) {
  const system = new System();
  const told: string[] = [];
  const onBroken = (line: string) => void told.push(line);
  const options = { host: "127.0.0.1", port: 0, tls, onBroken };
  return { system, told, server: new Server(options, handler) };
}

/** Lets all go on that waits for nothing but its turn. */
async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

Deno.test("Server listens again on its port after a second where the system ended its listener, and as often as it takes", async () => {
  const { system } = open();
  using _ = system;
  await system.last.break("no files");
  system.trouble = "still none";
  for (let tries = 0; tries < 3; tries++) assertEquals(await system.timers.next(), 1_000);
  system.trouble = undefined;
  assertEquals(system.listeners.length, 1);
  await system.timers.next();
  await Promise.resolve();
  assertEquals(system.listeners.map(({ addr, isOpen }) => [addr.port, isOpen]), [
    [50_000, false],
    [50_000, true],
  ]);
  assertEquals(system.timers.delays, []);
});

Deno.test("Server says that its listener broke once in a minute, and for ten seconds that it cannot take all", async () => {
  const { system, server, told } = open();
  using _ = system;
  const line = "cannot accept connections: no files";
  const breakAfter = async (ms: number) => {
    system.advance(ms);
    await system.last.break("no\nfiles");
    assertEquals(server.trouble, line);
    await system.timers.next();
    await Promise.resolve();
  };
  assertEquals(server.trouble, undefined);
  for (const ms of [0, 30_000, 30_000]) await breakAfter(ms);
  assertEquals(told, [`${line}; keeps trying`]);
  await breakAfter(1);
  assertEquals(told.length, 2);
  system.advance(10_000);
  assertEquals(server.trouble, line);
  system.advance(1);
  assertEquals(server.trouble, undefined);
});

Deno.test("Server.shutdown() while its listener is broken ends the wait, and it listens no more", async () => {
  const { system, server } = open();
  using _ = system;
  await system.last.break("no files");
  assertEquals(system.timers.delays, [1_000]);
  await server.shutdown();
  await Promise.resolve();
  assertEquals([system.timers.delays, system.listeners.length], [[], 1]);
});

Deno.test("Server listens no more where it was shut down, whatever its listener ends by", async () => {
  const { system, server, told } = open();
  using _ = system;
  system.last.shutdown = () => Promise.resolve();
  await server.shutdown();
  await system.last.break("late");
  await Promise.resolve();
  assertEquals([system.timers.delays, told, server.trouble], [[], [], undefined]);
});

Deno.test("Server answers so many requests at once, and over that only questions that must not wait, up to a limit", async () => {
  const waiting: PromiseWithResolvers<Response>[] = [];
  const answers: Promise<Response>[] = [];
  const { system } = open({
    handler: () => {
      const answer = Promise.withResolvers<Response>();
      waiting.push(answer);
      return answer.promise;
    },
  });
  using _ = system;
  const info = { remoteAddr: system.last.addr, completed: Promise.resolve() };
  /** Whether a request to this path is let in; then it waits. */
  const enters = async (path: string) => {
    const before = waiting.length;
    const answer = system.last.answer(new Request(`http://n1:1${path}`), info);
    if (waiting.length > before) return answers.push(answer) > 0;
    const { status, headers } = await answer;
    assertEquals([status, headers.get("retry-after")], [503, "1"]);
    return false;
  };
  for (let i = 0; i < REQUESTS_MAX; i++) assert(await enters("/members"));
  assert(!await enters("/members?of=/hello"));
  for (let i = 0; i < KEPT_MAX; i++) {
    assert(await enters(i % 2 === 0 ? "/healthz" : "/hello?from=n2"));
  }
  assert(!await enters("/hello"));
  // Each that is answered makes room for one.
  for (const { resolve } of waiting.splice(0, KEPT_MAX + 1)) resolve(new Response("ok"));
  await Promise.all(answers.slice(0, KEPT_MAX + 1));
  assert(await enters("/members"));
  assert(!await enters("/members"));
});

Deno.test("a request that waits for its caller is not under way until that has sent: it keeps nobody out", async () => {
  const bytes = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<Response>();
  const { system } = open({
    handler: async (_request, caller) => {
      await caller.aside(bytes.promise);
      return answer.promise;
    },
  });
  using _ = system;
  const info = { remoteAddr: system.last.addr, completed: Promise.resolve() };
  const ask = async () => (await system.last.answer(new Request("http://n1:1/"), info)).status;
  const asked = Array.from({ length: 2 * REQUESTS_MAX }, ask);
  await settle();
  bytes.resolve();
  await settle();
  assertEquals(await ask(), 503, "all have sent, and none is answered");
  answer.resolve(new Response());
  assertEquals(new Set(await Promise.all(asked)), new Set([200]));
});

Deno.test("Server.shutdown() closes the port at once, and resolves when the requests under way are answered, old listeners' too", async () => {
  const { system, server } = open();
  using _ = system;
  const { last: broken } = system;
  const answered = [Promise.withResolvers<void>(), Promise.withResolvers<void>()] as const;
  broken.answered = answered[0].promise;
  await broken.break("no files");
  await system.timers.next();
  await Promise.resolve();
  system.last.answered = answered[1].promise;
  let isDone = false;
  const done = server.shutdown().then(() => isDone = true);
  assertEquals(system.last.isOpen, false);
  for (const each of answered.toReversed()) {
    await settle();
    assertEquals(isDone, false);
    each.resolve();
  }
  await done;
});

Deno.test("Server gives an answer to HEAD a body of unknown length, as Deno would tell a missing one as 0 bytes", async () => {
  const { system } = open({
    handler: () => new Response(null, { headers: { "content-type": "text/x" } }),
  });
  using _ = system;
  const info = { remoteAddr: system.last.addr, completed: Promise.resolve() };
  for (const method of ["GET", "HEAD"]) {
    const answer = await system.last.answer(new Request("http://n1:1/", { method }), info);
    assertEquals(answer.headers.get("content-type"), "text/x");
    assertEquals([answer.body === null, await answer.text()], [method === "GET", ""]);
  }
});

Deno.test("Server with a certificate that cannot be used listens nowhere, and keeps the former where that is another", async () => {
  const rubbish = { cert: "rubbish", key: "" };
  const why = "Cannot use the certificate and its key: no certificate";
  {
    using system = new System();
    const options = { host: "127.0.0.1", port: 0, tls: rubbish };
    assertThrows(() => new Server(options, () => new Response()), ListenError, why);
    assertEquals(system.tries, 0);
  }
  const { system, server } = open({ tls: { cert: "old", key: "" } });
  using _ = system;
  await assertRejects(() => server.replace(rubbish), ListenError, why);
  assertEquals(system.listeners.map(({ cert, isOpen }) => [cert, isOpen]), [["old", true]]);
});

Deno.test("Server.replace() closes the port and opens it with the new certificate, as soon as the system gives it, for 5 s", async () => {
  const { system, server } = open({ tls: { cert: "old", key: "" } });
  using _ = system;
  system.trouble = "the port is in use";
  const replaced = server.replace({ cert: "new", key: "" });
  for (let i = 0; i < 3; i++) assertEquals(await system.timers.next(), 1);
  system.trouble = undefined;
  await system.timers.next();
  await replaced;
  const shown = () => system.listeners.map(({ cert, isOpen }) => [cert, isOpen]);
  assertEquals(shown(), [["old", false], ["new", true]]);

  system.trouble = "the port is in use";
  system.tries = 0;
  const failed = assertRejects(() => server.replace({ cert: "newer", key: "" }), ListenError);
  for (let i = 1; i < 5_000; i++) await system.timers.next();
  await failed;
  assertEquals([system.tries, system.timers.delays], [5_000, []]);
});

Deno.test("Server.replace() while it is shut down opens nothing", async () => {
  const { system, server } = open({ tls: { cert: "old", key: "" } });
  using _ = system;
  await server.shutdown();
  await server.replace({ cert: "new", key: "" });
  assertEquals(system.tries, 1);
});
