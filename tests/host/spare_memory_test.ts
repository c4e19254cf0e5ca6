/** Memory that was needed once is given back. */
import { assertEquals } from "@std/assert";
import { bindTrim, giveMemoryBack } from "../../lib/host/spare_memory.ts";

Deno.test("the C library is asked for what it does not use again and again, until that is ended", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  let asked = 0;
  const end = giveMemoryBack(() => ++asked === 3 && resolve(), 1);
  await promise;
  // A timer that is left fails the test.
  end();
});

Deno.test("bindTrim() finds the function where the C library is GNU's, and calls it", () => {
  const trim = bindTrim();
  assertEquals(trim !== undefined, Deno.build.target.endsWith("linux-gnu"));
  trim?.();
});
