import { assertEquals } from "@std/assert";

const BROWSER = new URL("../browser/", import.meta.url);

// A project of its own, with its own lock file: who only runs the program downloads no browser. It type-checks itself.
Deno.test("the page works in a real browser: see tests/browser/page_test.ts", async () => {
  const { code } = await new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", "--frozen", "--config", "deno.json", "."],
    cwd: BROWSER,
    stdin: "null",
  }).spawn().status;
  assertEquals(
    code,
    0,
    "see above, or run: deno test -A --config tests/browser/deno.json tests/browser",
  );
});
