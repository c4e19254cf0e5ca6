import { assertEquals, assertRejects } from "@std/assert";
import { pause, untilAborted, withDeadline } from "../../lib/net/deadline.ts";

/** Never reached, unless something is wrong: a timer left behind fails the test. */
const LONG_MS = 30_000;

const never = new Promise<never>(() => {});
const failing = () => Promise.reject(new Error("a fault"));

Deno.test("withDeadline() settles as the promise does, and leaves no timer", async () => {
  assertEquals(await withDeadline(Promise.resolve("done"), LONG_MS, () => "late"), "done");
  await assertRejects(() => withDeadline(failing(), LONG_MS, () => "late"), Error, "a fault");
});

Deno.test("withDeadline() settles as `late` does when the promise is still pending", async () => {
  assertEquals(await withDeadline(never, 0, () => "late"), "late");
  assertEquals(await withDeadline(never, 0, () => Promise.resolve("later")), "later");
  const refuse = () => {
    throw new Error("too slow");
  };
  await assertRejects(() => withDeadline(never, 0, refuse), Error, "too slow");
});

Deno.test("withDeadline() hides the later rejection of a promise that came too late", async () => {
  const { promise, reject } = Promise.withResolvers<string>();
  assertEquals(await withDeadline(promise, 0, () => "late"), "late");
  reject(new Error("nobody waits for it"));
  await Promise.resolve();
});

Deno.test("untilAborted() settles as the promise does, or to undefined once the signal is aborted", async () => {
  const controller = new AbortController();
  const { signal } = controller;
  assertEquals(await untilAborted(Promise.resolve("done"), signal), "done");
  await assertRejects(() => untilAborted(failing(), signal), Error, "a fault");
  const waiting = untilAborted(never, signal);
  controller.abort();
  assertEquals(await waiting, undefined);
  assertEquals(await untilAborted(never, signal), undefined);
});

Deno.test("pause() ends early when the signal is aborted, and leaves no timer", async () => {
  const controller = new AbortController();
  const pausing = pause(LONG_MS, controller.signal);
  controller.abort();
  await pausing;
  await pause(LONG_MS, controller.signal);
  await pause(0, new AbortController().signal);
});
