import { assertEquals, assertMatch } from "@std/assert";
import { parseArgs } from "@std/cli/parse-args";
import { eTag, ifNoneMatch } from "@std/http/etag";
import { accepts } from "@std/http/negotiation";
import { ServerSentEventStream } from "@std/http/server-sent-event-stream";
import { closestString } from "@std/text/closest-string";
import { levenshteinDistance } from "@std/text/levenshtein-distance";
import { Hono } from "hono";
import fc from "fast-check";

function Row({ id }: { id: string }) {
  return <td>{id}</td>;
}

Deno.test("every dependency loads and works on this Deno", async () => {
  assertEquals(parseArgs(["--port=8080"], { string: ["port"] })["port"], "8080");
  const tag = await eTag("body");
  assertEquals(ifNoneMatch(tag, tag), false);
  assertEquals(
    accepts(new Request("http://a", { headers: { accept: "text/plain" } }), "text/html"),
    undefined,
  );
  assertEquals(closestString("prot", ["port", "id"]), "port");
  assertEquals(levenshteinDistance("prot", "port"), 2);
  const events = ReadableStream.from([{ event: "change", data: "x" }])
    .pipeThrough(new ServerSentEventStream());
  assertEquals(await new Response(events).text(), "event:change\ndata:x\n\n");
  const app = new Hono().get("/", (c) => c.html(<Row id="<b>x</b>" />));
  assertMatch(await (await app.request("/")).text(), /&lt;b&gt;x&lt;\/b&gt;/);
  fc.assert(fc.property(fc.integer(), (n) => Number(`${n}`) === n));
});
