import { assertEquals, assertStringIncludes } from "@std/assert";
import { byeAnswer, forgetAnswer } from "../../lib/host/bye.ts";

Deno.test("what is done but not safe on disk is answered with 507 and the reason", () => {
  const unsaved = "No space left";
  const answers = [
    byeAnswer("n1", { outcome: "done", known: true, unsaved }),
    forgetAnswer("n1", { outcome: "done", status: undefined, unsaved }),
  ];
  for (const { status, text } of answers) {
    assertEquals(status, 507);
    assertStringIncludes(text, unsaved);
  }
});
