import { assert, assertEquals } from "@std/assert";
import type { CallerEnv } from "../../lib/http/callers.ts";
import { addDownloadRoutes } from "../../lib/http/download_routes.ts";
import { Hono } from "../../lib/http/hono.ts";
import { LastingAnswers } from "../../lib/http/lasting.ts";

/** A stream of pieces without end, until `end` is called, and whether it was cancelled. */
function source() {
  const state = { isCancelled: false, end: () => {} };
  const stream = new ReadableStream<Uint8Array>({
    start: (controller) => state.end = () => controller.close(),
    pull: (controller) => controller.enqueue(new Uint8Array([1])),
    cancel: () => {
      state.isCancelled = true;
    },
  }, { highWaterMark: 0 });
  return Object.assign(state, { stream });
}

/** Lets promises that are settled be heard. */
const settled = () => new Promise((resolve) => setTimeout(resolve));

Deno.test("one who has none gets the oldest place of the one who has most, and nobody of a network that has as many", () => {
  const answers = new LastingAnswers(3);
  const greedy = Array.from({ length: 3 }, () => source());
  for (const { stream } of greedy) answers.enter("greedy")!.hold(stream);
  assertEquals(answers.enter("greedy"), undefined);
  assert(answers.enter("modest"));
  assertEquals(greedy.map(({ isCancelled }) => isCancelled), [true, false, false]);
  // Two and one: another would take turns with them without end.
  assertEquals([answers.enter("modest"), answers.enter("greedy")], [undefined, undefined]);
  assert(answers.enter("third"));
  assertEquals(greedy.map(({ isCancelled }) => isCancelled), [true, true, false]);
  assertEquals(answers.enter("fourth"), undefined);
});

Deno.test("an answer frees its place when it ends, also where nobody takes that end", async () => {
  const answers = new LastingAnswers(1);
  const ended = source();
  answers.enter("a")!.hold(ended.stream);
  assertEquals(answers.enter("b"), undefined);
  ended.end();
  await settled();
  const cancelled = answers.enter("b")!.hold(source().stream);
  assertEquals(answers.enter("a"), undefined);
  await cancelled.cancel();
  const left = answers.enter("a");
  assertEquals(answers.enter("b"), undefined);
  left!.leave();
  assert(answers.enter("b"));
});

Deno.test("an answer whose place is given up ends for its reader, also if it had yet to begin", async () => {
  const answers = new LastingAnswers(2);
  const [late, begun] = [answers.enter("greedy")!, answers.enter("greedy")!];
  const reader = begun.hold(source().stream).getReader();
  assert(answers.enter("a"));
  const { stream } = source();
  assertEquals((await late.hold(stream).getReader().read()).done, true);
  assertEquals((await reader.read()).done, false);
});

Deno.test("four downloads at one address that nobody takes leave room for one of another", async () => {
  const dist = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${dist}/program`, "0123456789".repeat(50_000));
    const app = new Hono<CallerEnv>();
    addDownloadRoutes(app, { dist, binary: undefined, address: "n1:80" });
    const download = (remote: string) => {
      const caller = { remote, completed: Promise.resolve(), aside: <T>(x: Promise<T>) => x };
      return app.fetch(new Request("http://n1/download/program"), caller);
    };
    const greedy: Response[] = [];
    for (let i = 0; i < 4; i++) greedy.push(await download("192.0.2.1"));
    assertEquals((await download("192.0.2.1")).status, 503);
    const modest = await download("192.0.2.2");
    assertEquals(modest.status, 200);
    assertEquals((await modest.arrayBuffer()).byteLength, 500_000);
    assertEquals((await greedy[0]!.arrayBuffer()).byteLength, 0, "it broke off");
    for (const { body } of greedy.slice(1)) await body!.cancel();
  } finally {
    await Deno.remove(dist, { recursive: true });
  }
});
