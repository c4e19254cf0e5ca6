/** The packages in lib/std/ stand for JSR's: each function that the program uses is there and works. */

import {
  assert,
  assertEquals,
  AssertionError,
  assertRejects,
  assertThrows,
  fail,
} from "@std/assert";
import { parseArgs } from "@std/cli/parse-args";
import { eTag, ifNoneMatch } from "@std/http/etag";
import { accepts } from "@std/http/negotiation";
import { ServerSentEventStream } from "@std/http/server-sent-event-stream";
import { closestString } from "@std/text/closest-string";
import { levenshteinDistance } from "@std/text/levenshtein-distance";

Deno.test("@std/assert fails what is false", async () => {
  assertThrows(() => assert(false), AssertionError);
  assertThrows(
    () => assertEquals([1, { a: 2 }], [1, { a: 3 }]),
    AssertionError,
    "Values are not equal",
  );
  assertThrows(() => fail("said"), AssertionError, "said");
  await assertRejects(() => Promise.reject(new TypeError("shape")), TypeError, "shape");
});

Deno.test("@std/cli parseArgs() keeps texts and collects what is given twice", () => {
  const args = parseArgs(["--port=8080", "--port=1"], { string: ["port"], collect: ["port"] });
  assertEquals(args["port"], ["8080", "1"]);
});

Deno.test("@std/http eTag() and ifNoneMatch() answer what the client has", async () => {
  const tag = await eTag("body");
  assertEquals(ifNoneMatch(tag ?? null, tag), false);
  assertEquals(ifNoneMatch('"other"', tag), true);
});

Deno.test("@std/http accepts() picks the offered type that the client likes best", () => {
  const request = new Request("http://n1", { headers: { accept: "text/plain, */*;q=0.1" } });
  assertEquals(accepts(request, "application/json", "text/plain"), "text/plain");
  assertEquals(
    accepts(new Request("http://n1", { headers: { accept: "a/b" } }), "text/plain"),
    undefined,
  );
});

Deno.test("@std/http ServerSentEventStream writes text/event-stream", async () => {
  const events = ReadableStream.from([{ event: "change", id: 7, data: "x\ny" }])
    .pipeThrough(new ServerSentEventStream());
  assertEquals(await new Response(events).text(), "event:change\ndata:x\ndata:y\nid:7\n\n");
});

Deno.test("@std/text finds the closest word", () => {
  assertEquals(closestString("prot", ["id", "port"]), "port");
  assertEquals(levenshteinDistance("prot", "port"), 2);
});
