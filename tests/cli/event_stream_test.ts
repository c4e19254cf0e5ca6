import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { UnreadableError } from "../../lib/cli/read.ts";
import { EventReader } from "../../lib/cli/event_stream.ts";

const STREAM = "retry: 2000\n\nevent: snapshot\nid: a-3\ndata: {}\n\n:\n\n" +
  "event: change\r\nid: a-4\r\ndata: 1\r\ndata: 2\r\n\r\ndata\n\n";
const EVENTS = [
  { type: "snapshot", data: "{}" },
  { type: "change", data: "1\n2" },
  { type: "message", data: "" },
];

Deno.test("EventReader finds the same events wherever the stream is cut", () => {
  fc.assert(fc.property(fc.array(fc.nat(STREAM.length)), (cuts) => {
    const reader = new EventReader(1_000);
    const at = [0, ...cuts.sort((a, b) => a - b), STREAM.length];
    const found = at.slice(1).flatMap((end, i) => reader.read(STREAM.slice(at[i], end)));
    assertEquals(found, EVENTS);
    assertEquals(reader.lastId, "a-4");
  }));
});

Deno.test("EventReader takes the ID of an event only once all of it is there, and forgets half of one", () => {
  const reader = new EventReader(1_000);
  reader.read("id: a-1\ndata: x\n\nid: a-2\nevent: change\ndata: lost");
  assertEquals(reader.lastId, "a-1");
  reader.reset();
  assertEquals(reader.read("data: y\n\n"), [{ type: "message", data: "y" }]);
  assertEquals(reader.lastId, "a-1");
});

Deno.test("EventReader refuses an event that is too long, in one line, many, or without end", () => {
  for (const piece of ["data: x", "data: x\n", "id: x\n", "event: x\n", "\r", "x"]) {
    const reader = new EventReader(100);
    assertThrows(
      () => {
        for (let i = 0; i < 101; i++) reader.read(piece);
      },
      UnreadableError,
      "an event of more than 100 characters",
    );
  }
});

Deno.test("EventReader reads comments and short events for as long as they come", () => {
  const reader = new EventReader(100);
  let events = 0;
  for (let i = 0; i < 1_000; i++) events += reader.read(": still here\n\ndata: x\n\n").length;
  assertEquals(events, 1_000);
});
