import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  FAILING_MAX,
  IPS_MAX,
  KNOWN_NAMES_MAX,
  LookupError,
  Lookups,
  LOOKUPS_MAX,
} from "../../lib/net/lookups.ts";
import { Timers } from "../support/timers.ts";

/** A system whose lookups end when the test says so, and a clock that it moves. */
class Desk {
  nowMs = 0;
  /** The names that were looked up, in order. */
  readonly asked: string[] = [];
  readonly #open = new Map<string, PromiseWithResolvers<readonly string[]>>();
  readonly lookups = new Lookups({
    nowMs: () => this.nowMs,
    lookup: (name) => {
      assert(!this.#open.has(name), `${name} is looked up twice at once`);
      this.asked.push(name);
      const answer = Promise.withResolvers<readonly string[]>();
      this.#open.set(name, answer);
      return answer.promise;
    },
  });

  get underWay(): string[] {
    return [...this.#open.keys()];
  }

  /** Ends a lookup; without addresses it fails. Resolves when its callers have heard. */
  async end(name: string, ...ips: string[]): Promise<void> {
    const answer = this.#open.get(name);
    assert(answer !== undefined, `${name} is not being looked up`);
    this.#open.delete(name);
    if (ips.length > 0) answer.resolve(ips);
    else answer.reject(new Error("not found"));
    await settled();
  }

  /** A call that waits for as long as it takes. */
  find(name: string) {
    return this.lookups.find(name, new AbortController().signal);
  }

  /** A call that gives up at once. */
  async giveUp(name: string): Promise<void> {
    await assertRejects(() => this.lookups.find(name, AbortSignal.abort()), LookupError);
  }

  /** Looks the name up, to these addresses. */
  async learn(name: string, ...ips: string[]): Promise<void> {
    const found = this.find(name).catch(() => {});
    await settled();
    await this.end(name, ...ips);
    await found;
  }
}

/** Lets all that is ready happen. */
function settled(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

Deno.test("find() resolves to the addresses of a name, and asks once for all who wait", async () => {
  const desk = new Desk();
  const both = [desk.find("a"), desk.find("a")];
  await settled();
  assertEquals(desk.asked, ["a"]);
  await desk.end("a", "10.0.0.1", "fd00::1");
  const found = { ips: ["10.0.0.1", "fd00::1"], isFresh: true };
  assertEquals(await Promise.all(both), [found, found]);
  assertEquals(await desk.find("a"), found);
  assertEquals(desk.asked, ["a"]);
});

Deno.test("find() asks again when the addresses are over 5 s old, and follows a name that moved", async () => {
  const desk = new Desk();
  await desk.learn("a", "10.0.0.1");
  desk.nowMs += 5_000;
  assertEquals(await desk.find("a"), { ips: ["10.0.0.1"], isFresh: true });
  assertEquals(desk.asked, ["a"]);
  desk.nowMs += 1;
  const moved = desk.find("a");
  await settled();
  await desk.end("a", "10.0.0.2");
  assertEquals(await moved, { ips: ["10.0.0.2"], isFresh: true });
});

Deno.test("a name that resolved stays known while the name server does not answer, and is not fresh", async () => {
  const desk = new Desk();
  await desk.learn("a", "10.0.0.1");
  desk.nowMs += 60_000;
  const remembered = { ips: ["10.0.0.1"], isFresh: false };
  assertEquals(await desk.find("a"), remembered);
  // The lookup goes on, and nobody waits for it again.
  desk.nowMs += 10_000;
  assertEquals(await desk.find("a"), remembered);
  assertEquals(desk.asked, ["a", "a"]);
  await desk.end("a");
  assertEquals(await desk.find("a"), remembered);
});

Deno.test("a call waits 200 ms for a lookup where an address is remembered, and as long as it lasts where none is", async () => {
  const desk = new Desk();
  await desk.learn("a", "10.0.0.1");
  desk.nowMs += 60_000;
  const isLater = Promise.withResolvers<void>();
  setTimeout(isLater.resolve, 0);
  using timers = new Timers();
  const calls = [desk.find("new"), desk.find("a")] as const;
  await isLater.promise;
  assertEquals(timers.delays, [200]);
  await timers.next();
  assertEquals(await calls[1], { ips: ["10.0.0.1"], isFresh: false });
  timers[Symbol.dispose]();
  await desk.end("new", "10.0.0.2");
  assertEquals((await calls[0]).ips, ["10.0.0.2"]);
});

Deno.test("a lookup is under way until it really ends, whoever gave up on it, and at most 4 are", async () => {
  const desk = new Desk();
  const names = Array.from({ length: 20 }, (_, i) => `n${i}`);
  for (const name of names) await desk.giveUp(name);
  assertEquals(desk.underWay, names.slice(0, LOOKUPS_MAX));
  const late = desk.find("late");
  await settled();
  assertEquals(desk.underWay.length, LOOKUPS_MAX);
  // Nobody waits for the others any more.
  await desk.end("n0", "10.0.0.1");
  assertEquals(desk.underWay, ["n1", "n2", "n3", "late"]);
  await desk.end("late", "10.0.0.9");
  assertEquals((await late).ips, ["10.0.0.9"]);
  // It ended after its caller had left, and is remembered.
  assertEquals((await desk.find("n0")).ips, ["10.0.0.1"]);
});

Deno.test("a name that does not resolve is left alone, the longer the longer its lookup took", async () => {
  for (
    const [tookMs, delayMs] of [[1, 500], [100, 1_000], [2_000, 20_000], [40_000, 30_000]] as const
  ) {
    const desk = new Desk();
    const found = desk.find("a");
    found.catch(() => {});
    await settled();
    desk.nowMs += tookMs;
    await desk.end("a");
    await assertRejects(() => found, LookupError, "its name does not resolve");
    desk.nowMs += delayMs - 1;
    await assertRejects(() => desk.find("a"), LookupError, "its name does not resolve");
    assertEquals(desk.asked, ["a"], `asked again after ${delayMs - 1} ms`);
    desk.nowMs += 1;
    const again = desk.find("a");
    await settled();
    await desk.end("a", "10.0.0.1");
    assertEquals((await again).isFresh, true);
  }
});

Deno.test("names that do not resolve leave room for others", async () => {
  const desk = new Desk();
  const names = Array.from({ length: LOOKUPS_MAX }, (_, i) => `dead${i}`);
  for (const name of names) await desk.learn(name);
  desk.nowMs += 60_000;
  for (const name of names) await desk.giveUp(name);
  assertEquals(desk.underWay.length, FAILING_MAX);
  const found = desk.find("new");
  await settled();
  await desk.end("new", "10.0.0.1");
  assertEquals((await found).ips, ["10.0.0.1"]);
});

Deno.test("a name that resolved again is no failing name any more: its next failure waits for the shortest time", async () => {
  const desk = new Desk();
  const names = Array.from({ length: LOOKUPS_MAX }, (_, i) => `back${i}`);
  for (const name of names) await desk.learn(name);
  desk.nowMs += 60_000;
  for (const name of names) await desk.learn(name, "10.0.0.1");
  desk.nowMs += 60_000;
  for (const name of names) await desk.giveUp(name).catch(() => {});
  // As many as of names that never failed.
  const waiting = names.map((name) => desk.find(name));
  await settled();
  assertEquals(desk.underWay.length, LOOKUPS_MAX);
  for (const name of names) await desk.end(name, "10.0.0.2");
  for (const found of waiting) assertEquals((await found).isFresh, true);
});

Deno.test("an outage that ends is over for a name as soon as it resolves", async () => {
  const desk = new Desk();
  await desk.learn("a", "10.0.0.1");
  desk.nowMs += 60_000;
  await desk.learn("a");
  desk.nowMs += 60_000;
  await desk.learn("a", "10.0.0.2");
  assertEquals(await desk.find("a"), { ips: ["10.0.0.2"], isFresh: true });
});

Deno.test("find() gives the name server's trouble as the reason, where the system tells it apart", async () => {
  const lookup = () => Promise.reject(Object.assign(new Error("try again"), { code: "EAI_AGAIN" }));
  const { signal } = new AbortController();
  const found = () => new Lookups({ lookup }).find("a", signal);
  await assertRejects(found, LookupError, "no name server answers for its name");
  const none = () => new Lookups({ lookup: () => Promise.resolve([]) }).find("a", signal);
  await assertRejects(none, LookupError, "its name does not resolve");
});

Deno.test("names and addresses are bounded: the name used longest ago is forgotten", async () => {
  let asked = 0;
  const ips = Array.from({ length: 100 }, (_, i) => `10.0.0.${i}`);
  const lookups = new Lookups({
    lookup: () => {
      asked++;
      return Promise.resolve(ips);
    },
  });
  const { signal } = new AbortController();
  for (let i = 0; i <= KNOWN_NAMES_MAX; i++) {
    assertEquals((await lookups.find(`n${i}`, signal)).ips.length, IPS_MAX);
  }
  await lookups.find(`n${KNOWN_NAMES_MAX}`, signal);
  assertEquals(asked, KNOWN_NAMES_MAX + 1);
  await lookups.find("n0", signal);
  assertEquals(asked, KNOWN_NAMES_MAX + 2);
});
