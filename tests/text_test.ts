import { assert, assertEquals, assertLess } from "@std/assert";
import { errorText, hasLine } from "../lib/text.ts";

Deno.test("hasLine() when a line that is not blank has its end", () => {
  const cases = { "": false, "\r\n \n": false, "full": false, "\n full": false };
  for (const [text, has] of Object.entries(cases)) {
    assertEquals([hasLine(text), hasLine(`${text}x\n`)], [has, true], JSON.stringify(text));
  }
  assert(hasLine("\n full\nmore"));
});

Deno.test("invariant 7: hasLine() of a line without end takes no longer than to read it", () => {
  const text = "x".repeat(300_000);
  const startMs = performance.now();
  assert(!hasLine(text));
  // An expression that begins anew at each character takes a minute.
  assertLess(performance.now() - startMs, 2_000);
});

Deno.test("errorText() of a file that Deno keeps to itself gives no advice on how to compile another program", () => {
  const advice =
    "specify the required permissions during compilation using `deno compile --allow-all`";
  const error = new Error(`Requires all access to "/dev/shm/keys", ${advice}`);
  assertEquals(errorText(error), "Deno opens none below /dev, /proc or /sys: keep it elsewhere");
  const other = 'Requires read access to "/etc/keys"';
  assertEquals(errorText(new Error(other)), other);
});
