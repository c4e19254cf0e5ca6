import { assertEquals, assertRejects } from "@std/assert";
import { sendFile } from "../../lib/http/send_file.ts";
import { within } from "../support/eventually.ts";

const TEXT = "0123456789".repeat(20_000);

/** A file that holds TEXT, and how often it was opened and taken back. */
async function open() {
  const path = await Deno.makeTempFile();
  await Deno.writeTextFile(path, TEXT);
  const count = { opened: 0, closed: 0 };
  const source = {
    size: TEXT.length,
    etag: '"v1"',
    open() {
      count.opened++;
      return Deno.open(path);
    },
    close(file: Deno.FsFile) {
      count.closed++;
      file.close();
    },
  };
  const send = (headers: Record<string, string> = {}, method = "GET") =>
    sendFile(new Request("http://n1:1/", { method, headers }), source, new Headers());
  return { path, count, send, [Symbol.asyncDispose]: () => Deno.remove(path) };
}

Deno.test("sendFile() sends a file whole, with its length, tag and that parts may be asked for, and closes it once", async () => {
  await using at = await open();
  const response = await at.send();
  assertEquals(response.status, 200);
  assertEquals(Object.fromEntries(response.headers), {
    "accept-ranges": "bytes",
    "content-length": `${TEXT.length}`,
    "etag": '"v1"',
  });
  assertEquals(await response.text(), TEXT);
  assertEquals(at.count, { opened: 1, closed: 1 });
});

Deno.test("sendFile() sends the part asked for, and says which it is", async () => {
  await using at = await open();
  const { length } = TEXT;
  const parts = [
    ["bytes=0-0", 0, 1],
    ["bytes=1-3", 1, 4],
    ["bytes=70000-140000", 70_000, 140_001],
    [`bytes=${length - 1}-`, length - 1, length],
    ["bytes=5-999999", 5, length],
    ["bytes=-2", length - 2, length],
    ["bytes=-999999", 0, length],
  ] as const;
  for (const [range, start, end] of parts) {
    const response = await at.send({ range });
    const { status, headers } = response;
    assertEquals([status, headers.get("content-length")], [206, `${end - start}`], range);
    assertEquals(headers.get("content-range"), `bytes ${start}-${end - 1}/${length}`);
    assertEquals(await response.text(), TEXT.slice(start, end), range);
  }
  assertEquals(at.count, { opened: parts.length, closed: parts.length });
});

Deno.test("sendFile() refuses a part that the file does not have, and sends all to who asks for no part that it knows", async () => {
  await using at = await open();
  for (const range of [`bytes=${TEXT.length}-`, "bytes=3-2", "bytes=-0"]) {
    const { status, headers } = await at.send({ range });
    assertEquals([status, headers.get("content-range")], [416, `bytes */${TEXT.length}`], range);
  }
  assertEquals(at.count, { opened: 0, closed: 0 });
  for (
    const headers of [
      { range: "bytes=-" },
      { range: "lines=1-2" },
      { range: "bytes=1-2,4-5" },
      { "range": "bytes=1-2", "if-range": '"v0"' },
    ]
  ) {
    const response = await at.send(headers);
    assertEquals([response.status, await response.text()], [200, TEXT]);
  }
  const same = await at.send({ "range": "bytes=1-2", "if-range": '"v1"' });
  assertEquals([same.status, await same.text()], [206, "12"]);
});

Deno.test("sendFile() opens no file for who asks for headers, or has it already", async () => {
  await using at = await open();
  const head = await at.send({}, "HEAD");
  assertEquals([head.status, head.body], [200, null]);
  assertEquals(head.headers.get("content-length"), `${TEXT.length}`);
  assertEquals((await at.send({ "if-none-match": '"v1"' })).status, 304);
  assertEquals((await at.send({ "if-none-match": '"v0"' }, "HEAD")).status, 200);
  assertEquals(at.count, { opened: 0, closed: 0 });
});

Deno.test("sendFile() breaks the answer off where the file became shorter, and closes the file", async () => {
  await using at = await open();
  const { body } = await at.send();
  await Deno.truncate(at.path, 100_000);
  const read = new Response(body).text();
  await assertRejects(() => within(read, () => "it waits for more"), Error, "became shorter");
  assertEquals(at.count, { opened: 1, closed: 1 });
});

Deno.test("sendFile() closes the file, once, when its caller goes away", async () => {
  await using at = await open();
  const reader = (await at.send()).body!.getReader();
  await reader.read();
  await reader.cancel();
  assertEquals(at.count, { opened: 1, closed: 1 });
});

Deno.test("sendFile() closes the file of a caller who goes away in a read only when that read has ended", async () => {
  const disk = Promise.withResolvers<number>();
  const steps: string[] = [];
  const file = {
    seek: () => Promise.resolve(0),
    async read() {
      const count = await disk.promise;
      steps.push("read");
      return count;
    },
    close: () => steps.push("closed"),
  } as unknown as Deno.FsFile;
  const source = {
    size: 9,
    etag: '"v1"',
    open: () => Promise.resolve(file),
    close: () => file.close(),
  };
  const { body } = await sendFile(new Request("http://n1:1/"), source, new Headers());
  const reader = body!.getReader();
  void reader.read();
  const gone = reader.cancel();
  disk.resolve(9);
  await gone;
  assertEquals(steps, ["read", "closed"]);
});
