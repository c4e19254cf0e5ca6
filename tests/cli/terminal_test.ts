import { assertEquals, assertRejects } from "@std/assert";
import { printUnlessClosed } from "../../lib/cli/terminal.ts";
import { holdTerminal } from "../support/terminal.ts";

Deno.test("printUnlessClosed() prints, and minds no reader that has gone, but any other failure", async () => {
  const { terminal, printed } = holdTerminal(2);
  await printUnlessClosed(terminal, "read");
  await printUnlessClosed(terminal, "read by nobody");
  assertEquals(printed, ["read", "read by nobody"]);
  const full = { ...terminal, print: () => Promise.reject(new Error("disk full")) };
  await assertRejects(() => printUnlessClosed(full, "x"), Error, "disk full");
});
