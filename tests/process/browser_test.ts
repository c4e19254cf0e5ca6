import { assertEquals } from "@std/assert";

const BROWSER = new URL("../browser/", import.meta.url);

/** Characters of the output that a failure shows: the last ones, with the summary of what failed. */
const OUTPUT_LENGTH_MAX = 30_000;

// A project of its own, with its own lock file: who only runs the program downloads no browser. It type-checks itself.
Deno.test("the page works in a real browser: see tests/browser/page_test.ts", async () => {
  // Captured: on the same terminal it would be mixed with the output of the tests beside it.
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", "--frozen", "--config", "deno.json", "."],
    cwd: BROWSER,
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const text = new TextDecoder();
  const output = text.decode(stderr) + text.decode(stdout);
  assertEquals(code, 0, `deno test in tests/browser says:\n${output.slice(-OUTPUT_LENGTH_MAX)}`);
});
