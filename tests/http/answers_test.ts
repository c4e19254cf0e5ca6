import { assert, assertEquals } from "@std/assert";
import {
  Answers,
  BYTES_MAX,
  SAMPLE_WEIGHT,
  SAMPLED_EVERY,
  SHARE_MAX,
  SHARE_MIN,
  SHORT_BYTES,
  STALLED_MS,
} from "../../lib/http/answers.ts";
import type { Caller } from "../../lib/http/callers.ts";

const LONG = "x".repeat(SHORT_BYTES + 1);

/** A caller, who takes an answer when told to. */
function callerOf(remote: string): Caller & { take(): void } {
  const { promise: completed, resolve: take } = Promise.withResolvers<void>();
  return { remote, completed, take, aside: (waiting) => waiting };
}

function setUp() {
  let nowMs = 0;
  const answers = new Answers(() => nowMs);
  /** Sends that many long answers from an address; its callers. */
  const hold = (remote: string, count: number) =>
    Array.from({ length: count }, () => {
      const caller = callerOf(remote);
      assertEquals(answers.send(caller, LONG).status, 200);
      return caller;
    });
  return { answers, hold, advance: (ms: number) => nowMs += ms };
}

Deno.test("Answers.send() gives short answers as they are, and a sample of them as streams with its length", async () => {
  const { answers } = setUp();
  const init = { status: 201, headers: { "content-type": "text/x" } };
  for (let i = 1; i <= 2 * SAMPLED_EVERY; i++) {
    const { status, headers, ...response } = answers.send(callerOf("192.0.2.1"), "héllo", init);
    const sampled = i % SAMPLED_EVERY === 0;
    assertEquals([status, headers.get("content-type")], [201, "text/x"]);
    assertEquals(headers.get("content-length"), sampled ? "6" : null, `${i}`);
    void response;
  }
  const last = answers.send(callerOf("192.0.2.1"), "héllo", init);
  assertEquals(await last.text(), "héllo");
});

Deno.test("Answers.send() gives a long answer whole, piece by piece", async () => {
  const { answers } = setUp();
  const text = "0123456789".repeat(100_000);
  for (const body of [text, new TextEncoder().encode(text)]) {
    const response = answers.send(callerOf("192.0.2.1"), body);
    assertEquals(response.headers.get("content-length"), "1000000");
    assertEquals(await response.text(), text);
  }
});

Deno.test("Answers.isFull() when a caller's network holds its share, until it takes an answer", async () => {
  const { answers, hold } = setUp();
  const callers = hold("2001:db8::1", SHARE_MAX);
  for (const remote of ["2001:db8::1", "2001:db8::2:0:0:9"]) assert(answers.isFull({ remote }));
  assertEquals(answers.send(callerOf("2001:db8::3"), LONG).status, 503);
  assert(!answers.isFull({ remote: "2001:db8:0:1::1" }));
  callers[0]!.take();
  await callers[0]!.completed;
  assert(!answers.isFull({ remote: "2001:db8::1" }));
});

Deno.test("Answers.isFull() counts what a caller still holds after it took some, down to the last", async () => {
  const { answers, hold } = setUp();
  const remote = "192.0.2.1";
  for (const left of [SHARE_MAX - 1, 1]) {
    const callers = hold(remote, SHARE_MAX);
    for (const caller of callers.slice(left)) caller.take();
    await callers.at(-1)!.completed;
    const more = hold(remote, SHARE_MAX - left);
    assert(answers.isFull({ remote }), `${left} left`);
    for (const caller of [...callers, ...more]) caller.take();
    await more.at(-1)!.completed;
  }
});

Deno.test("Answers.isFull() counts the sample of short answers as well", () => {
  const { answers } = setUp();
  const caller = callerOf("192.0.2.1");
  for (let i = 0; i < SAMPLED_EVERY * SHARE_MAX / SAMPLE_WEIGHT; i++) {
    assert(!answers.isFull(caller));
    answers.send(caller, "short");
  }
  assert(answers.isFull(caller));
});

Deno.test("Answers.isFull() with less, the more others hold, and never with less than the smallest share", () => {
  const { answers, hold } = setUp();
  const shares = Array.from({ length: 50 }, (_, i) => {
    const remote = `192.0.2.${i}`;
    let share = 0;
    for (; !answers.isFull({ remote }); share++) hold(remote, 1);
    return share;
  });
  assertEquals(shares[0], SHARE_MAX);
  assertEquals(shares, shares.toSorted((a, b) => b - a));
  assertEquals(shares.slice(-30), new Array(30).fill(SHARE_MIN));
});

Deno.test("invariant 7: bytes of answers that wait are bounded; taken, cancelled and stalled ones make room", async () => {
  const { answers, advance } = setUp();
  const quarter = new Uint8Array(BYTES_MAX / 4);
  const send = () => answers.send(callerOf("192.0.2.1"), quarter);
  const [taken, cancelled, stalled, slow] = [send(), send(), send(), send()];
  assertEquals(send().status, 503);
  assertEquals((await taken.bytes()).length, quarter.length);
  await cancelled.body!.cancel();
  const two = [send(), send()];
  assertEquals([...two.map(({ status }) => status), send().status], [200, 200, 503]);
  advance(STALLED_MS);
  const reader = slow.body!.getReader();
  await reader.read();
  advance(1);
  // Those of which nothing was taken are gone, the slow one is not.
  assertEquals([send().status, send().status, send().status, send().status], [200, 200, 200, 503]);
  assert((await stalled.bytes()).length < quarter.length);
  assert(!(await reader.read()).done);
});

Deno.test("invariant 7: a text that finds no room is refused before its bytes are made", () => {
  const { answers } = setUp();
  const { encode } = TextEncoder.prototype;
  let encoded = 0;
  TextEncoder.prototype.encode = function (text) {
    encoded++;
    return encode.call(this, text);
  };
  try {
    const half = "x".repeat(BYTES_MAX / 2);
    const send = (text: string) => answers.send(callerOf("192.0.2.1"), text).status;
    assertEquals([send(half), send(`${half}x`), encoded], [200, 503, 1]);
    // As many characters as there is room for bytes, but twice as many bytes.
    assertEquals([send("é".repeat(BYTES_MAX / 2)), send(half)], [503, 200]);
  } finally {
    TextEncoder.prototype.encode = encode;
  }
});
