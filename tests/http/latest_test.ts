import { assertEquals } from "@std/assert";
import { Latest } from "../../lib/http/latest.ts";

Deno.test("Latest.text() makes a text once for all who ask at once, and again for another key", () => {
  const latest = new Latest();
  let made = 0;
  const ask = (key: string) => latest.text(key, () => `${key}${++made}`);
  assertEquals([ask("a"), ask("a"), ask("b"), ask("b"), ask("a")], ["a1", "a1", "b2", "b2", "a3"]);
});
