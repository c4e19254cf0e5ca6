import { assert, assertEquals, assertThrows } from "@std/assert";
import { AnswerBody, MemoryBudget } from "../../lib/net/answer_body.ts";

const encode = (text: string) => new TextEncoder().encode(text);

Deno.test("AnswerBody joins parts, characters across them too, up to its bound", () => {
  const body = new AnswerBody(5_000, undefined);
  const text = "é".repeat(2_500);
  for (const byte of encode(text)) body.add(new Uint8Array([byte]));
  assertEquals([body.text(), body.length], [text, 5_000]);
  assertThrows(() => body.add(encode("x")), Error, "more than 5000 bytes");
});

Deno.test("bodies share a memory budget, and give it back", () => {
  const memory = new MemoryBudget(10_000);
  const long = new AnswerBody(8_000, memory);
  long.add(new Uint8Array(7_000));
  const other = new AnswerBody(8_000, memory);
  other.add(encode("short"));
  assertThrows(() => other.add(new Uint8Array(7_000)), Error, "while other long answers");
  long.release();
  other.add(new Uint8Array(7_000));
  for (const body of [long, other]) body.release();
  assert(memory.take(10_000) && !memory.take(1));
});
