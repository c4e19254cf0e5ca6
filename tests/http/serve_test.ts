/** Servers on a system of the test's own, which ends them at will; on the real one: crowd_test.ts and tls_test.ts. */
import { assert, assertEquals } from "@std/assert";
import { KEPT_MAX, REQUESTS_MAX, Server } from "../../lib/http/serve.ts";
import { HandClock, Timers } from "../support/timers.ts";

type Answer = (request: Request, info: Deno.ServeHandlerInfo<Deno.NetAddr>) => Promise<Response>;

/** One listener. */
class Listener {
  readonly addr: Deno.NetAddr;
  readonly answer: Answer;
  readonly #ended = Promise.withResolvers<void>();
  readonly finished = this.#ended.promise;
  isOpen = true;

  constructor(port: number, answer: Answer) {
    this.addr = { transport: "tcp", hostname: "127.0.0.1", port };
    this.answer = answer;
  }

  /** As the system ends it. */
  async break(why: string): Promise<void> {
    this.isOpen = false;
    this.#ended.reject(new Error(why));
    await this.finished.catch(() => {});
  }

  shutdown(): Promise<void> {
    this.isOpen = false;
    this.#ended.resolve();
    return this.finished;
  }
}

/** What stands in for the system. */
class System implements Disposable {
  readonly #serve = Deno.serve;
  readonly #clock = new HandClock();
  readonly timers = new Timers();
  readonly listeners: Listener[] = [];
  /** Why it opens nothing. */
  trouble: string | undefined;

  constructor() {
    Object.assign(Deno, {
      serve: ({ port }: { port: number }, answer: Answer) => {
        if (this.trouble !== undefined) throw new Error(this.trouble);
        const listener = new Listener(port || 50_000, answer);
        this.listeners.push(listener);
        return listener;
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
    Deno.serve = this.#serve;
  }
}

function open(handler: () => Response | Promise<Response> = () => new Response("ok")) {
  const system = new System();
  const told: string[] = [];
  const options = { host: "127.0.0.1", port: 0, onBroken: (line: string) => void told.push(line) };
  return { system, told, server: new Server(options, handler) };
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
  const { system } = open(() => {
    const answer = Promise.withResolvers<Response>();
    waiting.push(answer);
    return answer.promise;
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
