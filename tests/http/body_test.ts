import { assertEquals, assertRejects } from "@std/assert";
import type { HTTPException } from "../../lib/http/hono.ts";
import { type Body, readBody } from "../../lib/http/body.ts";
import type { CallerContext } from "../../lib/http/callers.ts";
import { BODY_BYTES_MAX } from "../../lib/limits.ts";

const MEBIBYTE = 1024 * 1024;

interface Incoming {
  readonly body: string | ReadableStream<Uint8Array<ArrayBuffer>>;
  /** As told beforehand; undefined: in chunks. */
  readonly length?: number;
  readonly waits?: boolean;
}

/** Reads a body as it comes to a route; `aside` counts how often it was waited for. */
async function read(
  { body, length, waits = true }: Incoming,
): Promise<{ body: Body; aside: number }> {
  const headers = length === undefined ? {} : { "content-length": `${length}` };
  const raw = new Request("http://node1/", { method: "POST", body, headers });
  let count = 0;
  const aside = <T>(waiting: Promise<T>) => {
    count++;
    return waiting;
  };
  const c = { req: { raw }, env: { remote: "192.0.2.1", aside } } as unknown as CallerContext;
  return { body: await readBody(c, { bytesMax: BODY_BYTES_MAX, waits }), aside: count };
}

async function assertRefused(incoming: Incoming, status: number): Promise<void> {
  const error = await assertRejects(() => read(incoming)) as HTTPException;
  assertEquals(error.status, status, error.message);
}

/** A body whose first bytes are there, and the rest never comes. */
function endless(first = "half") {
  const seen = { pulls: 0, isCancelled: false };
  const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull(controller) {
      if (seen.pulls++ > 0) return new Promise(() => {});
      controller.enqueue(new TextEncoder().encode(first));
      return Promise.resolve();
    },
    cancel: () => void (seen.isCancelled = true),
  }, { highWaterMark: 0 });
  return { stream, seen };
}

Deno.test("readBody() reads a short body that came with its head without waiting aside", async () => {
  const { body, aside } = await read({ body: "hello", length: 5 });
  assertEquals([body.text, aside], ["hello", 0]);
});

Deno.test("readBody() gives up at once on a body that did not come with its head, where it may not wait", async () => {
  await assertRefused({ body: endless().stream, length: 9, waits: false }, 408);
  const long = endless();
  await assertRefused({ body: long.stream, length: MEBIBYTE, waits: false }, 413);
  assertEquals(long.seen.pulls, 0);
});

Deno.test("invariant 7: long bodies take room until their requests are answered, not until they are read", async () => {
  const body = "x".repeat(8 * MEBIBYTE - 100);
  const { body: first } = await read({ body, length: body.length });
  const { body: second } = await read({ body, length: body.length });
  await assertRefused({ body, length: body.length }, 503);
  await assertRefused({ body }, 503);
  // Exchanges of the steady state need none of that room.
  assertEquals((await read({ body: "short", length: 5 })).body.text, "short");
  first[Symbol.dispose]();
  first[Symbol.dispose]();
  const { body: third } = await read({ body });
  await assertRefused({ body, length: body.length }, 503);
  second[Symbol.dispose]();
  third[Symbol.dispose]();
});

Deno.test("invariant 7: bodies that were refused or broke off take no room", async () => {
  for (let i = 0; i < 5; i++) await assertRefused({ body: "x".repeat(BODY_BYTES_MAX + 1) }, 413);
  const piece = new Uint8Array(5 * MEBIBYTE);
  const broken = () =>
    new ReadableStream<Uint8Array<ArrayBuffer>>({
      pull: (controller) => controller.enqueue(piece),
      start: (controller) => queueMicrotask(() => controller.error(new Error("reset"))),
    });
  for (let i = 0; i < 5; i++) await assertRefused({ body: broken(), length: BODY_BYTES_MAX }, 400);
  const whole = "x".repeat(BODY_BYTES_MAX);
  const held = [await read({ body: whole }), await read({ body: whole })];
  for (const { body } of held) body[Symbol.dispose]();
});

Deno.test("a long body that stalls is given up when another needs its room", async () => {
  const stalled = endless("x".repeat(9 * MEBIBYTE / 2));
  const refused = assertRefused({ body: stalled.stream, length: 5 * MEBIBYTE }, 503);
  const body = "x".repeat(6 * MEBIBYTE);
  const held = [await read({ body }), await assertRejects(() => read({ body }))];
  await refused;
  assertEquals(stalled.seen.isCancelled, true);
  const again = await read({ body });
  for (const { body } of [held[0] as { body: Body }, again]) body[Symbol.dispose]();
});
