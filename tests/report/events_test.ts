import { assert, assertEquals, assertLess, assertMatch, assertStringIncludes } from "@std/assert";
import { EventStreams, STREAMS_MAX } from "../../lib/report/events.ts";
import { RESUMABLE_MAX, Stories } from "../../lib/report/stories.ts";
import type { StatusChange } from "../../lib/verdicts.ts";
import { eventually } from "../support/eventually.ts";

const BOOT = "1a2b3c4d";

function change(id: string): StatusChange {
  return { id, address: "", from: null, to: "live", reason: "heard directly", ageMs: 0 };
}

/** Streams whose snapshots are numbered and `padding` characters long, and each give a verdict on the member `verdict`. */
function open({ keepAliveMs = 3_600_000, padding = 0, verdict = "" } = {}) {
  const stories = new Stories();
  let snapshots = 0;
  let nowMs = 0;
  const events = new EventStreams({
    boot: BOOT,
    stories,
    snapshot: () => {
      if (verdict !== "") stories.record(change(verdict), 1_000);
      return JSON.stringify({ snapshot: ++snapshots, padding: "x".repeat(padding) });
    },
    nowMs: () => nowMs,
    keepAliveMs,
  });
  return {
    events,
    stories,
    snapshots: () => snapshots,
    pass: (ms: number) => nowMs += ms,
    record(...ids: string[]) {
      for (const id of ids) stories.record(change(id), 1_000);
      events.publish();
    },
    read(lastEventId?: string, fromNow?: boolean): Reading {
      const stream = events.open(lastEventId, fromNow);
      assert(stream, "there is room for a stream");
      return new Reading(stream);
    },
  };
}

class Reading {
  readonly #reader: ReadableStreamDefaultReader<string>;
  #text = "";

  constructor(stream: ReadableStream<Uint8Array>) {
    const decoder = new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>;
    this.#reader = stream.pipeThrough(decoder, {}).getReader();
  }

  /** The next block: the text up to an empty line. Undefined at the end of the stream. */
  async block(): Promise<string | undefined> {
    for (;;) {
      const end = this.#text.indexOf("\n\n");
      if (end >= 0) {
        const block = this.#text.slice(0, end);
        this.#text = this.#text.slice(end + 2);
        return block;
      }
      const { done, value } = await this.#reader.read();
      if (done) return undefined;
      this.#text += value;
    }
  }

  /** The next event's name, ID and data; comments and the retry time are skipped. */
  async event(): Promise<{ event: string; id: string; data: Record<string, unknown> }> {
    for (;;) {
      const block = await this.block();
      assert(block !== undefined, "the stream goes on");
      const [, event = "", id = "", data = ""] =
        /^event: (.*)\nid: (.*)\ndata: (.*)$/.exec(block) ??
          [];
      if (event !== "") return { event, id, data: JSON.parse(data) };
    }
  }

  async cancel(): Promise<void> {
    await this.#reader.cancel();
  }
}

Deno.test("from now on a stream has no snapshot and no earlier change, unless it can resume", async () => {
  const { events, record, read, snapshots } = open();
  record("n1", "n2");
  for (const lastEventId of [undefined, `${BOOT}-9`, "00000000-1"]) {
    const reading = read(lastEventId, true);
    assertEquals(await reading.block(), "retry: 2000");
    record("n3");
    assertStringIncludes((await reading.block())!, '"id":"n3"');
  }
  const resumed = read(`${BOOT}-1`, true);
  assertEquals(await resumed.block(), "retry: 2000");
  assertStringIncludes((await resumed.block())!, '"id":"n2"');
  assertEquals(snapshots(), 0);
  events.close();
});

Deno.test("EventStreams begins with the retry time and a snapshot, and goes on with changes", async () => {
  const { events, record, read } = open();
  record("a");
  const reading = read();
  assertEquals(await reading.block(), "retry: 2000");
  assertEquals(await reading.event(), {
    event: "snapshot",
    id: `${BOOT}-1`,
    data: { snapshot: 1, padding: "" },
  });
  const next = reading.event();
  record("b");
  assertEquals(await next, {
    event: "change",
    id: `${BOOT}-2`,
    data: {
      id: "b",
      address: "",
      from: null,
      to: "live",
      reason: "heard directly",
      tags: {},
      event: 2,
      at: "1970-01-01T00:00:01.000Z",
    },
  });
  await reading.cancel();
  assertEquals(events.size, 0);
});

Deno.test("EventStreams resumes after Last-Event-ID, without a snapshot", async () => {
  const { record, read, snapshots } = open();
  record("a", "b", "c");
  const reading = read(`${BOOT}-1`);
  assertEquals(await reading.block(), "retry: 2000");
  assertEquals((await reading.event()).id, `${BOOT}-2`);
  assertEquals((await reading.event()).id, `${BOOT}-3`);
  assertEquals(snapshots(), 0);
  await reading.cancel();
});

Deno.test("EventStreams sends a snapshot where it cannot resume", async () => {
  const { record, read } = open();
  for (let i = 0; i <= RESUMABLE_MAX; i++) record("a");
  const last = RESUMABLE_MAX + 1;
  const unknown = {
    "a former process of this node": `ffffffff-${last}`,
    "forgotten": `${BOOT}-0`,
    "not reached yet": `${BOOT}-${last + 1}`,
    "no ID of ours": "17",
    "rubbish": `${BOOT}-1e3\u00ff`,
    "empty": "",
  };
  for (const [why, id] of Object.entries(unknown)) {
    const reading = read(id);
    const { event, id: at } = await reading.event();
    assertEquals([event, at], ["snapshot", `${BOOT}-${last}`], why);
    await reading.cancel();
  }
});

Deno.test("EventStreams gives every reader the same events, whenever it reads", async () => {
  const { record, read } = open();
  const readings = [read(), read(), read()];
  record("a", "b");
  await readings[0]!.event();
  record("c");
  for (const [i, reading] of readings.entries()) {
    if (i > 0) await reading.event();
    for (const id of ["a", "b", "c"]) assertEquals((await reading.event()).data.id, id);
  }
  for (const reading of readings) await reading.cancel();
});

Deno.test("a snapshot's number covers a change that making the snapshot caused: it is not told again", async () => {
  const { record, read } = open({ verdict: "a" });
  const reading = read();
  assertEquals((await reading.event()).id, `${BOOT}-1`);
  record("b");
  assertEquals((await reading.event()).data.id, "b");
  await reading.cancel();
});

Deno.test("EventStreams makes one snapshot for readers that come together", async () => {
  const { record, read, snapshots, pass } = open();
  const readings = [read(), read()];
  pass(400);
  readings.push(read());
  assertEquals(snapshots(), 1);
  pass(200);
  readings.push(read());
  assertEquals(snapshots(), 2, "an old one tells wrong ages");
  record("a");
  readings.push(read());
  assertEquals(snapshots(), 3, "a change makes it wrong");
  for (const reading of readings) await reading.cancel();
});

Deno.test("invariant 7: EventStreams refuses one stream too many, and takes it when one has gone", async () => {
  const { events, read } = open();
  const readings = Array.from({ length: STREAMS_MAX }, () => read());
  assertEquals(events.open(undefined), undefined);
  await readings.pop()?.cancel();
  readings.push(read());
  for (const reading of readings) await reading.cancel();
});

Deno.test("invariant 7: EventStreams ends a stream whose reader falls behind what is kept", async () => {
  const { events, record, read } = open();
  const reading = read();
  await reading.event();
  for (let i = 0; i <= RESUMABLE_MAX; i++) record("a");
  // The block it was waiting for at the first change is on its way already.
  let blocks = 0;
  while (await reading.block() !== undefined) blocks++;
  assertLess(blocks, 2);
  assertEquals(events.size, 0);
});

Deno.test("EventStreams sends a comment as keep-alive to a reader that has everything", async () => {
  const { read } = open({ keepAliveMs: 5 });
  const reading = read();
  await reading.event();
  assertEquals(await reading.block(), ":");
  assertEquals(await reading.block(), ":");
  // One that goes takes nothing from those that stay.
  const other = read();
  await other.event();
  await other.cancel();
  for (let i = 0; i < 3; i++) assertEquals(await reading.block(), ":");
  await reading.cancel();
});

Deno.test("EventStreams.close() ends every stream once it has sent all changes", async () => {
  const { events, record, read } = open();
  const [waiting, late] = [read(), read()];
  await waiting.event();
  const last = waiting.event();
  record("a");
  events.close();
  assertEquals((await last).data.id, "a");
  await late.event();
  assertEquals((await late.event()).data.id, "a");
  assertEquals([await waiting.block(), await late.block()], [undefined, undefined]);
  assertEquals([events.size, events.open(undefined)], [0, undefined]);
});

/** Serves streams over HTTP. */
function serve(events: EventStreams) {
  return Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    const stream = events.open(request.headers.get("last-event-id") ?? undefined);
    return new Response(stream ?? null, { headers: { "content-type": "text/event-stream" } });
  });
}

Deno.test("invariant 7: a reader that takes nothing is dropped, and sent no more than the network holds", async () => {
  const { events } = open({ keepAliveMs: 20, padding: 20_000_000 });
  await using server = serve(events);
  using connection = await Deno.connect({ hostname: "127.0.0.1", port: server.addr.port });
  await connection.write(new TextEncoder().encode("GET / HTTP/1.1\r\nhost: a\r\n\r\n"));
  await eventually(() => assertEquals(events.size, 1));
  await eventually(() => assertEquals(events.size, 0, "the stuck reader is still there"));
  // The rest of what was on its way, and the end: it was not given the whole snapshot.
  let text = "";
  let bytes = 0;
  const buffer = new Uint8Array(65_536);
  while (!text.endsWith("\r\n0\r\n\r\n")) {
    const count = await connection.read(buffer);
    assert(count !== null, "the stream ends in order");
    bytes += count;
    text = text.slice(-16) + new TextDecoder().decode(buffer.subarray(0, count));
  }
  assertLess(bytes, 20_000_000);
});

Deno.test("a reader that hangs up frees its stream at once", async () => {
  const { events } = open();
  await using server = serve(events);
  const response = await fetch(`http://127.0.0.1:${server.addr.port}/`);
  const reader = response.body!.getReader();
  assertMatch(new TextDecoder().decode((await reader.read()).value), /^retry: 2000\n\nevent: snap/);
  assertEquals(events.size, 1);
  await reader.cancel();
  await eventually(() => assertEquals(events.size, 0));
});

Deno.test("a hostile ID cannot leave its line in an event", async () => {
  const { record, read } = open();
  const reading = read();
  await reading.event();
  const hostile = "a\n\nevent: snapshot\ndata: {}\r\u2028";
  const block = reading.block();
  record(hostile);
  assertStringIncludes(await block ?? "", JSON.stringify(hostile));
  await reading.cancel();
});
