import { assertEquals, assertThrows } from "@std/assert";
import type { Moment } from "../../lib/clock.ts";
import { Gossip } from "../../lib/gossip.ts";
import { Driver, type EndedExchange } from "../../lib/net/driver.ts";
import { exchangeTimeoutMs } from "../../lib/net/exchange_timeout.ts";
import type { PostOutcome } from "../../lib/net/transport.ts";
import { encodeMessage } from "../../lib/wire.ts";

const INTERVAL_MS = 1_000;

/** A driver whose clock, timer and network are moved by hand. */
class Bench {
  nowMs = 0;
  readonly timers: { atMs: number; run: () => void; cancelled: boolean }[] = [];
  readonly posts: { to: string; path: string; settle: (outcome: PostOutcome) => void }[] = [];
  readonly notices: string[] = [];
  readonly bugs: string[] = [];
  readonly exchanges: EndedExchange[] = [];
  /** Throws at the next change, as a listener's mistake would. */
  broken = false;
  readonly gossip: Gossip;
  readonly driver: Driver;

  constructor({ cluster = "default", address = "a:80", seeds = ["b:80"] } = {}) {
    const pace = { intervalMs: INTERVAL_MS, deadAfterMs: 5 * INTERVAL_MS };
    const own = { id: "A", address, boot: "0000000a" };
    const options = { ...own, ...pace, seeds, random: () => 0.5 };
    const gossip = this.gossip = new Gossip(options, this.#moment());
    this.driver = new Driver({
      gossip,
      id: "A",
      address,
      cluster,
      world: {
        now: () => this.#moment(),
        setTimer: (atMs, run) => {
          const timer = { atMs, run, cancelled: false };
          this.timers.push(timer);
          return () => timer.cancelled = true;
        },
        post: (to, path, _body, settle) => this.posts.push({ to, path, settle }),
      },
      listener: {
        onChange: () => {
          if (this.broken) throw new Error("a mistake");
        },
        onExchange: (exchange) => this.exchanges.push(exchange),
        onNotice: (_level, text) => this.notices.push(text),
        onBug: (rule) => this.bugs.push(rule),
        onStop: () => {},
      },
    });
  }

  #moment(): Moment {
    return { monotonicMs: this.nowMs, wallMs: 1e12 + this.nowMs };
  }

  get armed(): number[] {
    return this.timers.filter(({ cancelled }) => !cancelled).map(({ atMs }) => atMs);
  }

  /** What the log hears of a call that ends so. */
  whyOf(outcome: PostOutcome): string[] {
    this.driver.start();
    this.posts[0]!.settle(outcome);
    return this.notices;
  }
}

function answer(status: number, body = ""): PostOutcome {
  return { kind: "answer", status, body, bytesIn: body.length };
}

Deno.test("Driver.start() runs the first round and sets one timer for the next wake-up", () => {
  const bench = new Bench();
  bench.driver.start();
  assertEquals(bench.posts.map(({ to, path }) => [to, path]), [["b:80", "/hello?from=A&via=a:80"]]);
  assertEquals(bench.armed.length, 1);
});

Deno.test("Driver names the cluster and escapes the brackets of IPv6 in what it calls", () => {
  const bench = new Bench({ cluster: "prod", address: "[::1]:80" });
  bench.driver.start();
  assertEquals(bench.posts[0]!.path, "/hello?from=A&via=%5B::1%5D:80&cluster=prod");
});

Deno.test("Driver says in the log why a call failed", () => {
  const why: [PostOutcome, string][] = [
    [{ kind: "refused" }, "connection refused"],
    [{ kind: "silent", accepted: false }, "timed out"],
    [{ kind: "failed", why: "no route" }, "no route"],
    [answer(401), "it asks for the cluster's key (-key-file)"],
    [answer(409), "it belongs to another cluster than 'default', this node's -cluster"],
    [answer(503), "it answers with status 503"],
    [answer(200, "rubbish"), "the text does not begin with 'hello ' and an ID"],
  ];
  for (const [outcome, text] of why) {
    assertEquals(new Bench().whyOf(outcome), [`no answer from b:80: ${text}`]);
  }
  const text = "it belongs to another cluster than 'prod', this node's -cluster";
  const goNode = answer(200, "hello B\nB\n\nb:80\n");
  assertEquals(new Bench({ cluster: "prod" }).whyOf(goNode), [`no answer from b:80: ${text}`]);
});

Deno.test("Driver tells each call that ended, with its outcome and its time", () => {
  const bench = new Bench();
  bench.nowMs = 70;
  bench.driver.start();
  bench.nowMs = 100;
  const body = encodeMessage({ id: "B", roster: "0".repeat(16), rows: [] });
  bench.posts[0]!.settle(answer(200, body));
  assertEquals(bench.exchanges, [{ to: "b:80", outcome: "answered", tookMs: 30 }]);
});

Deno.test("Driver.unheardMs() counts from the first call in vain, until one is answered or refused", () => {
  const bench = new Bench({ seeds: ["b:80", "c:80"] });
  assertEquals(bench.driver.unheardMs(), 0);
  bench.nowMs = 10;
  bench.driver.start();
  const [b, c] = bench.posts;
  bench.nowMs = 5_010;
  assertEquals(bench.driver.unheardMs(), 5_000, "while a call is under way");
  b!.settle({ kind: "silent", accepted: false });
  assertEquals(bench.driver.unheardMs(), 5_000);
  c!.settle({ kind: "refused" });
  assertEquals(bench.driver.unheardMs(), 0, "a refusal comes from a host that runs");

  const answered = new Bench();
  answered.driver.start();
  answered.nowMs = 500;
  const body = encodeMessage({ id: "B", roster: "0".repeat(16), rows: [] });
  answered.posts[0]!.settle(answer(200, body));
  assertEquals(answered.driver.unheardMs(), 0);
});

Deno.test("Driver.whenIdle() waits for the calls under way, or for a bounded time", () => {
  const idle = new Bench({ seeds: [] });
  let done = 0;
  idle.driver.whenIdle(() => done++);
  assertEquals(done, 1, "nothing is under way");

  const busy = new Bench();
  busy.driver.start();
  busy.driver.whenIdle(() => done++);
  assertEquals(done, 1);
  busy.posts[0]!.settle({ kind: "silent", accepted: false });
  assertEquals(done, 2);

  const stuck = new Bench();
  stuck.driver.start();
  stuck.driver.whenIdle(() => done++);
  assertEquals(stuck.armed.at(-1), 1_500);
  stuck.timers.at(-1)!.run();
  assertEquals(done, 3, "its call never ends");
});

Deno.test("Driver carries out all other effects where a listener throws, and tells the error", () => {
  const bench = new Bench();
  bench.broken = true;
  assertThrows(() => bench.driver.start(), Error, "a mistake");
  assertEquals(bench.posts.length, 1);
  assertEquals(bench.armed.length, 1);
});

Deno.test("Driver goes on with its rounds a second after the core threw", () => {
  const bench = new Bench();
  bench.gossip.wake = () => {
    throw new Error("a mistake");
  };
  assertThrows(() => bench.driver.start(), Error, "a mistake");
  assertEquals(bench.armed, [1_000]);
});

Deno.test("Driver.stop() ends the rounds, and what becomes of calls is not heard any more", () => {
  const bench = new Bench();
  bench.driver.start();
  bench.driver.stop();
  assertEquals(bench.armed, []);
  bench.posts[0]!.settle({ kind: "refused" });
  assertEquals(bench.notices, []);
});

Deno.test("Driver tells a rule of the program that broke: a clock that goes back", () => {
  const bench = new Bench();
  bench.nowMs = 500;
  bench.driver.start();
  bench.nowMs = 400;
  bench.driver.refresh();
  assertEquals(bench.bugs, ["the monotonic clock never goes back"]);
});

Deno.test("exchangeTimeoutMs() is within an interval, and bounded both ways", () => {
  assertEquals([200, 1_000, 2_000, 60_000].map(exchangeTimeoutMs), [900, 900, 1_800, 5_000]);
});
