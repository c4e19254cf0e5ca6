/** Commands that go on, on a terminal that a test holds, at a server that plays a node. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { CallError, Client, EXIT } from "../../lib/cli/client.ts";
import { ClosedError } from "../../lib/cli/terminal.ts";
import { drawChanges, printChanges } from "../../lib/cli/watch.ts";
import { events } from "../support/events.ts";
import { holdTerminal } from "../support/terminal.ts";
import { Timers } from "../support/timers.ts";

const AT = "2026-01-12T23:39:06.417Z";

function snapshot(statuses: Record<string, string>): string {
  const members = Object.entries(statuses).map(([id, status]) => ({
    id,
    status,
    address: `${id}:80`,
    lastHeartbeat: AT,
    ageMs: 0,
    reason: "why",
    since: AT,
  }));
  return `event: snapshot\nid: a-1\ndata: ${JSON.stringify({ members })}\n\n`;
}

function change(id: string, from: string, to: string): string {
  const fields = { id, address: `${id}:80`, from, to, at: AT, reason: "why", event: 2 };
  return `event: change\nid: a-2\ndata: ${JSON.stringify(fields)}\n\n`;
}

/** Plays a node whose streams of events are these, each ended at once; after them it refuses. */
function play(streams: string[]) {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, () => {
    const stream = streams.shift();
    return stream === undefined ? new Response("no more", { status: 401 }) : events(stream);
  });
  const base = `http://127.0.0.1:${server.addr.port}/`;
  const client = new Client({ base, key: undefined, ca: undefined });
  return {
    client,
    async [Symbol.asyncDispose]() {
      client[Symbol.dispose]();
      await server.shutdown();
    },
  };
}

Deno.test("printChanges() prints no snapshot, each change, and what a later snapshot shows was missed", async () => {
  await using node = play([
    snapshot({ n1: "live", n2: "live", n3: "live" }) + change("n2", "live", "dead"),
    snapshot({ n1: "live", n2: "dead", n3: "left", n4: "live" }),
  ]);
  const { terminal, printed, notes } = holdTerminal(2);
  await assertRejects(() => printChanges(node.client, terminal), ClosedError);
  assertEquals(printed, [
    `${AT} n2 live dead n2:80 why\n`,
    `${AT} n3 live left n3:80 why\n${AT} n4 - live n4:80 why\n`,
  ]);
  assertEquals(notes, [
    `gossiper: lost ${node.client.name}, and looks for it: the stream ended`,
    `gossiper: ${node.client.name} answers again`,
  ]);
});

Deno.test("printChanges() and drawChanges() end where the node refuses, with what it says", async () => {
  for (const run of [printChanges, drawChanges]) {
    await using node = play([snapshot({ n1: "live" })]);
    const { terminal } = holdTerminal();
    const running = run(node.client, terminal, () => Promise.resolve());
    const error = await assertRejects(() => running, CallError, ": no more");
    assertEquals(error.status, EXIT.wrong);
  }
});

Deno.test("drawChanges() draws on after a draw without an answer, and ends by any other failure", async () => {
  const drawn = async (failure: Error) => {
    await using node = play(new Array(3).fill(snapshot({ n1: "live" })));
    let draws = 0;
    const draw = () => Promise.reject(draws++ === 0 ? failure : new ClosedError("enough"));
    const error = await assertRejects(() =>
      drawChanges(node.client, holdTerminal().terminal, draw)
    );
    return [draws, error];
  };
  const [draws, error] = await drawn(new CallError(EXIT.nobody, "no answer"));
  assertEquals([draws, error instanceof ClosedError], [2, true]);
  for (const failure of [new CallError(EXIT.wrong, "no key"), new Error("a mistake")]) {
    assertEquals(await drawn(failure), [1, failure]);
  }
});

Deno.test("drawChanges() draws at once, then after changes alone, and those of a moment together", async () => {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, () => {
    return events(readable);
  });
  await using _ = {
    async [Symbol.asyncDispose]() {
      await writer.close();
      await server.shutdown();
    },
  };
  const base = `http://127.0.0.1:${server.addr.port}/`;
  using client = new Client({ base, key: undefined, ca: undefined });
  using timers = new Timers();
  let draws = 0;
  let drawn = Promise.withResolvers<void>();
  const draw = () => {
    drawn.resolve();
    drawn = Promise.withResolvers();
    return ++draws < 3 ? Promise.resolve() : Promise.reject(new ClosedError("enough"));
  };
  /** Lets the moment after a draw pass, and all go on that waits for nothing else. */
  const passMoment = async () => {
    for (let i = 0; i < 20; i++) await Promise.resolve();
    assert(timers.delays.includes(250), `${timers.delays}`);
    await timers.next(250);
    for (let i = 0; i < 20; i++) await Promise.resolve();
  };
  const first = drawn.promise;
  const drawing = assertRejects(() => drawChanges(client, holdTerminal().terminal, draw));
  await first;
  await passMoment();
  assertEquals(draws, 1, "nothing has changed since");
  const tell = async (text: string) => await writer.write(new TextEncoder().encode(text));
  const second = drawn.promise;
  await tell(snapshot({ n1: "live" }));
  await second;
  await tell(change("n1", "live", "dead") + change("n1", "dead", "live"));
  assertEquals(draws, 2, "a moment has not passed");
  await passMoment();
  await drawing;
});
