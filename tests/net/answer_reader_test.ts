import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import { MemoryBudget } from "../../lib/net/answer_body.ts";
import { type Answer, AnswerReader, HEAD_BYTES_MAX, HungUp } from "../../lib/net/answer_reader.ts";

const BODY_BYTES_MAX = 100;

/** A reader of these pieces, one a read, and then the end; or, if it says so, the break of the connection. */
function readerOf(pieces: Uint8Array[], breaks?: boolean, memory?: MemoryBudget): AnswerReader {
  const left = [...pieces];
  return new AnswerReader({
    read(buffer) {
      const piece = left.shift();
      if (piece === undefined) {
        return breaks ? Promise.reject(new Error("reset")) : Promise.resolve(null);
      }
      if (piece.length > buffer.length) left.unshift(piece.subarray(buffer.length));
      buffer.set(piece.subarray(0, buffer.length));
      return Promise.resolve(Math.min(piece.length, buffer.length));
    },
  }, memory);
}

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

async function read(text: string): Promise<Omit<Answer, "bytesIn">> {
  const { bytesIn, ...answer } = await readerOf([bytesOf(text)]).read(BODY_BYTES_MAX);
  assertEquals(bytesIn, bytesOf(text).length);
  return answer;
}

const GOOD: [name: string, text: string, answer: Omit<Answer, "bytesIn">][] = [
  [
    "what Deno.serve sends",
    "HTTP/1.1 200 OK\r\ncontent-length: 5\r\ndate: Sun, 22 Nov 2026 22:14:37 GMT\r\n\r\nhello",
    { status: 200, body: "hello", reusable: true },
  ],
  [
    "UTF-8, counted in bytes",
    "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nhéé!!",
    { status: 200, body: "héé!!", reusable: true },
  ],
  [
    "chunks, with an extension and a trailer",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\nA\r\n, everyone\r\n0\r\nx: y\r\n\r\n",
    { status: 200, body: "hello, everyone", reusable: true },
  ],
  [
    "a body up to the end of the connection",
    "HTTP/1.0 404 Not Found\r\n\r\nno such page",
    { status: 404, body: "no such page", reusable: false },
  ],
  [
    "an answer of HTTP/1.0, which keeps no connection",
    "HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok",
    { status: 200, body: "ok", reusable: false },
  ],
  [
    "a redirect, which is an answer like any other",
    "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n",
    { status: 302, body: "", reusable: true },
  ],
  ["no content", "HTTP/1.1 204 No Content\r\n\r\n", { status: 204, body: "", reusable: true }],
  ["no reason", "HTTP/1.1 200\r\ncontent-length: 0\r\n\r\n", {
    status: 200,
    body: "",
    reusable: true,
  }],
  [
    "an interim answer before the real one",
    "HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
    { status: 200, body: "ok", reusable: true },
  ],
  [
    "the wish to close",
    "HTTP/1.1 200 OK\r\nConnection: Close\r\ncontent-length: 2\r\n\r\nok",
    { status: 200, body: "ok", reusable: false },
  ],
  [
    "bytes after the answer, which make the connection unfit for another",
    "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n\r\n",
    { status: 200, body: "ok", reusable: false },
  ],
];

for (const [name, text, answer] of GOOD) {
  Deno.test(`AnswerReader reads ${name}, however the bytes are cut`, async () => {
    assertEquals(await read(text), answer);
    const bytes = bytesOf(text);
    const single = Array.from(bytes, (_, index) => bytes.subarray(index, index + 1));
    // Bytes after the answer are seen only if they came along with it.
    const { body, status } = await readerOf(single).read(BODY_BYTES_MAX);
    assertEquals({ body, status }, { body: answer.body, status: answer.status });
    for (let cut = 1; cut < bytes.length; cut++) {
      const pieces = [bytes.subarray(0, cut), bytes.subarray(cut)];
      const { body, status } = await readerOf(pieces).read(BODY_BYTES_MAX);
      assertEquals({ body, status }, { body: answer.body, status: answer.status }, `cut at ${cut}`);
    }
  });
}

Deno.test("AnswerReader says hung up, whether the connection ends or breaks before the answer is whole", async () => {
  const whole = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n";
  for (let length = 0; length < whole.length; length++) {
    const part = [bytesOf(whole.slice(0, length))].filter((piece) => piece.length > 0);
    await assertRejects(() => readerOf(part).read(BODY_BYTES_MAX), HungUp);
    await assertRejects(() => readerOf(part, true).read(BODY_BYTES_MAX), HungUp);
  }
  const short = bytesOf("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nok");
  await assertRejects(() => readerOf([short]).read(BODY_BYTES_MAX), HungUp);
});

Deno.test("AnswerReader takes a broken connection for no end of a body", async () => {
  const part = bytesOf("HTTP/1.1 200 OK\r\n\r\nha");
  assertEquals((await readerOf([part]).read(BODY_BYTES_MAX)).body, "ha");
  await assertRejects(() => readerOf([part], true).read(BODY_BYTES_MAX), HungUp);
});

Deno.test("AnswerReader turns bytes that are not UTF-8 into U+FFFD", async () => {
  const head = bytesOf("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n");
  const answer = await readerOf([head, new Uint8Array([0x61, 0xff, 0x62])]).read(BODY_BYTES_MAX);
  assertEquals(answer.body, "a\ufffdb");
});

const BAD: [name: string, text: string, why: string][] = [
  ["another protocol", "SSH-2.0-OpenSSH_9.2\r\n\r\n", "not HTTP"],
  ["HTTP/2", "HTTP/2 200\r\n\r\n", "not HTTP"],
  ["a status that is none", "HTTP/1.1 020 OK\r\n\r\n", "not HTTP"],
  ["a field without a name", "HTTP/1.1 200 OK\r\n: 5\r\n\r\n", "not HTTP"],
  ["a space before the colon", "HTTP/1.1 200 OK\r\ncontent-length : 5\r\n\r\n", "not HTTP"],
  ["a folded field", "HTTP/1.1 200 OK\r\nx: a\r\n content-length: 5\r\n\r\n", "not HTTP"],
  ["a bare line feed", "HTTP/1.1 200 OK\r\nx: a\ncontent-length: 5\r\n\r\n", "not HTTP"],
  ["a negative length", "HTTP/1.1 200 OK\r\ncontent-length: -5\r\n\r\n", "not HTTP"],
  [
    "two lengths",
    "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nok",
    "not HTTP",
  ],
  [
    "a length and chunks",
    "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    "not HTTP",
  ],
  ["another coding", "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n", "not HTTP"],
  [
    "a chunk without a size",
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nx\r\n",
    "not HTTP",
  ],
  [
    "a chunk longer than its size",
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nokay\r\n0\r\n\r\n",
    "not HTTP",
  ],
  [
    "a compressed body",
    "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 2\r\n\r\nok",
    "compressed",
  ],
  [
    "a length over the bound",
    "HTTP/1.1 200 OK\r\ncontent-length: 101\r\n\r\n",
    "more than 100 bytes",
  ],
  [
    "chunks over the bound",
    `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${
      `20\r\n${"x".repeat(32)}\r\n`.repeat(4)
    }`,
    "more than 100 bytes",
  ],
  ["a body over the bound", `HTTP/1.1 200 OK\r\n\r\n${"x".repeat(101)}`, "more than 100 bytes"],
  [
    "an endless head",
    `HTTP/1.1 200 OK\r\nx: ${"x".repeat(HEAD_BYTES_MAX)}`,
    "too long a line or head",
  ],
  [
    "endless trailers",
    `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n${"a: b\r\n".repeat(9_999)}`,
    "more framing than body",
  ],
  [
    "a TLS alert, as to plain HTTP",
    "\x15\x03\x03\0\x02\x02\x32",
    "it speaks TLS, this node does not: see -tls-cert",
  ],
  ["endless interim answers", "HTTP/1.1 100 Go on\r\n\r\n".repeat(9_999), "more framing than body"],
];

for (const [name, text, why] of BAD) {
  Deno.test(`AnswerReader refuses ${name}`, async () => {
    const error = await assertRejects(() => readerOf([bytesOf(text)]).read(BODY_BYTES_MAX), Error);
    assertStringIncludes(error.message, why);
  });
}

Deno.test("AnswerReader takes chunks as small as their framing, and refuses a long body in smaller ones", async () => {
  const chunks = (chunk: string, times: number) =>
    readerOf([
      bytesOf("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"),
      bytesOf(chunk.repeat(times)),
      bytesOf("0\r\n\r\n"),
    ]).read(1_000_000);
  assertEquals((await chunks("5\r\nhello\r\n", 99_999)).body, "hello".repeat(99_999));
  assertEquals((await chunks("1\r\nx\r\n", 999)).body, "x".repeat(999));
  const error = await assertRejects(() => chunks("1\r\nx\r\n", 99_999), Error);
  assertStringIncludes(error.message, "more framing than body");
});

Deno.test("AnswerReader reads an answer that comes byte by byte", async () => {
  const text = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
  const bytes = [...bytesOf(text)].map((byte) => new Uint8Array([byte]));
  assertEquals((await readerOf(bytes).read(BODY_BYTES_MAX)).body, "ok");
});

Deno.test("AnswerReader gives the memory of a body back, whether it came whole, was too long or broke off", async () => {
  const head = "HTTP/1.1 200 OK\r\ncontent-length: 90\r\n\r\n";
  const memory = new MemoryBudget(BODY_BYTES_MAX);
  const whole = bytesOf(head + "x".repeat(90));
  assertEquals((await readerOf([whole], false, memory).read(BODY_BYTES_MAX)).body.length, 90);
  const half = bytesOf(head + "x".repeat(45));
  await assertRejects(() => readerOf([half], false, memory).read(BODY_BYTES_MAX), HungUp);
  const long = bytesOf("HTTP/1.1 200 OK\r\n\r\n" + "x".repeat(BODY_BYTES_MAX));
  await assertRejects(
    () => readerOf([long], false, memory).read(BODY_BYTES_MAX - 1),
    Error,
    "more",
  );
  assertEquals([memory.take(BODY_BYTES_MAX), memory.take(1)], [true, false]);
});

Deno.test("AnswerReader reads several answers on one connection, whether it listened or not", async () => {
  const one = bytesOf("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\none");
  const two = bytesOf("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\ntwo");
  const reader = readerOf([one, two, one]);
  assertEquals((await reader.read(BODY_BYTES_MAX)).body, "one");
  await reader.listen();
  assertEquals((await reader.read(BODY_BYTES_MAX)).body, "two");
  assertEquals((await reader.read(BODY_BYTES_MAX)).body, "one");
  await reader.listen();
  await assertRejects(() => reader.read(BODY_BYTES_MAX), HungUp);
});

Deno.test("AnswerReader gives an answer within the bounds or an error that quotes nothing, for any bytes", async () => {
  const token = fc.constantFrom(
    ...[
      "HTTP/1.1 200 OK",
      "\r\n",
      "\r\n\r\n",
      "content-length: 9",
      "transfer-encoding: chunked",
      "3",
    ],
    ...["0", "abc", ":", "<script>", "\n", "\0", "connection: close", "9".repeat(20)],
  );
  const pieces = fc.array(
    fc.oneof(token.map(bytesOf), fc.uint8Array({ minLength: 1, maxLength: 40 })),
    { maxLength: 40 },
  );
  await fc.assert(fc.asyncProperty(pieces, fc.boolean(), async (parts, breaks) => {
    try {
      const answer = await readerOf(parts, breaks).read(BODY_BYTES_MAX);
      assertEquals(answer.body.length <= BODY_BYTES_MAX, true);
    } catch (error) {
      if (
        !(error instanceof Error) ||
        !/^(answered with|the connection broke|it speaks TLS)/.test(error.message)
      ) {
        throw error;
      }
      assertEquals(error.message.includes("<script>"), false);
    }
  }));
});
