/** Requests to a node, and the stream of its events, from servers that do what no node does. */
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { UnreadableError } from "../../lib/cli/read.ts";
import { ANSWER_BYTES_MAX, CallError, Client, EXIT } from "../../lib/cli/client.ts";
import { change } from "../../lib/cli/change.ts";
import { follow, type StreamUpdate } from "../../lib/cli/follow.ts";
import { events } from "../support/events.ts";
import { holdTerminal } from "../support/terminal.ts";
import { closedAddress, MutePeer } from "../support/raw.ts";

/** Longer than any test: what takes long on a busy machine is not late. */
const UNHURRIED_MS = 60_000;

const { signal } = new AbortController();
const TIMES = { signal, silentMs: UNHURRIED_MS, waitMinMs: 1 };

function serve(handler: (request: Request) => Response) {
  return Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, handler);
}

function clientOf(server: { addr: Deno.NetAddr } | string, key?: string): Client {
  const address = typeof server === "string" ? server : `127.0.0.1:${server.addr.port}`;
  return new Client({ base: `http://${address}/`, key, ca: undefined, answerMs: UNHURRIED_MS });
}

async function assertFails(asking: Promise<unknown>, status: number, says: string) {
  const error = await assertRejects(() => asking, CallError, says);
  assertEquals(error.status, status, error.message);
}

/** The first `count` things heard of a node. */
async function hear(client: Client, count: number, times = TIMES): Promise<StreamUpdate[]> {
  const heard: StreamUpdate[] = [];
  for await (const one of follow(client, times)) {
    heard.push(one);
    if (heard.length === count) break;
  }
  return heard;
}

Deno.test("a call that is refused is wrong, and every other answer but 200 is nobody's", async () => {
  let status = 200;
  await using server = serve(() => new Response("so\x1b[2J it is\nmore", { status }));
  using client = clientOf(server);
  assertEquals((await client.ask("members")).text.length, 17);
  for (status of [400, 401, 403]) {
    await assertFails(client.ask("members"), EXIT.wrong, ": so\\u001b[2J it is");
  }
  for (status of [201, 301, 404, 405, 500, 503, 507]) {
    await assertFails(client.ask("members"), EXIT.nobody, `status ${status}: so\\u001b[2J it is`);
  }
  status = 404;
  assertEquals((await client.ask("members", { also: [404] })).status, 404);
});

Deno.test("a web page is no node's answer, whatever its status: it is a proxy's, or another program's", async () => {
  let status = 200;
  const headers = { "content-type": "Text/HTML; charset=utf-8" };
  await using server = serve(() => new Response("<html>\n<h1>Log in</h1>", { status, headers }));
  using client = clientOf(server);
  const { terminal, printed } = holdTerminal();
  for (const path of ["forget?id=n1", "quiet?id=n1&for=1h"]) {
    const asked = change(path, { client, terminal, about: "n1", not: [404, 502] });
    await assertFails(asked, EXIT.nobody, "it answers something else: a web page");
  }
  for (status of [404, 502]) {
    const asked = change("hook-test", { client, terminal, about: "pager", not: [404, 502] });
    await assertFails(asked, EXIT.nobody, `status ${status}`);
  }
  for (status of [401, 403]) {
    await assertFails(client.ask("members"), EXIT.wrong, `: status ${status}`);
  }
  assertEquals(printed, []);
});

Deno.test("what answers /events with something else than events is no node, and nobody looks for it", async () => {
  for (const type of ["text/html", "text/plain", "application/json"]) {
    await using server = serve(() => new Response("so", { headers: { "content-type": type } }));
    using client = clientOf(server);
    await assertFails(hear(client, 3), EXIT.nobody, "it answers something else: ");
  }
});

Deno.test("the key goes to the node and not where a redirect leads", async () => {
  const seen: (string | null)[] = [];
  await using other = serve((request) => {
    seen.push(`other ${request.headers.get("authorization")}`);
    return new Response("{}");
  });
  await using server = serve((request) => {
    seen.push(request.headers.get("authorization"));
    return Response.redirect(`http://127.0.0.1:${other.addr.port}/`);
  });
  using client = clientOf(server, "a-key-of-many-characters");
  await assertFails(client.ask("members"), EXIT.nobody, "status 302");
  assertEquals(seen, ["Bearer a-key-of-many-characters"]);
});

Deno.test("a redirect is told with where it leads, printable and short", async () => {
  let location = "";
  const statuses = [301, 302, 303, 307, 308];
  let status = 301;
  const headers = () => ({ location, "content-type": "text/html" });
  await using server = serve(() => new Response("<html>", { status, headers: headers() }));
  using client = clientOf(server);
  location = "https://example.org/members";
  for (status of statuses) {
    await assertFails(
      client.ask("members"),
      EXIT.nobody,
      `status ${status}: it leads to ${location}`,
    );
    await assertFails(hear(client, 1), EXIT.nobody, `: it leads to ${location}`);
  }
  location = `https://\xe9.org/${"x".repeat(5_000)}`;
  const error = await assertRejects(() => client.ask("members"), CallError);
  assertMatch(error.message, /^[ -~]{1,350}$/);
});

Deno.test("nobody who listens, answers late or speaks another protocol keeps a command waiting", async () => {
  using closed = clientOf(closedAddress());
  await assertFails(closed.ask("members"), EXIT.nobody, "connection refused");
  await using mute = new MutePeer();
  const options = { base: `http://${mute.address}/`, key: undefined, ca: undefined, answerMs: 50 };
  using late = new Client(options);
  await assertFails(late.ask("members"), EXIT.nobody, "nothing within 0.05 s");
  await assertFails(hear(late, 1), EXIT.nobody, "nothing within 0.05 s");
  await using dripping = serve(() => {
    let timer: ReturnType<typeof setInterval>;
    return new Response(
      new ReadableStream({
        start(controller) {
          timer = setInterval(() => controller.enqueue(new Uint8Array(1)), 5);
        },
        cancel: () => clearInterval(timer),
      }),
    );
  });
  using slow = new Client({ ...options, base: `http://127.0.0.1:${dripping.addr.port}/` });
  await assertFails(slow.ask("members"), EXIT.nobody, "nothing within 0.05 s");
});

Deno.test("an answer without end is left at its bound", async () => {
  let sent = 0;
  await using server = serve(() =>
    new Response(
      new ReadableStream({
        pull(controller) {
          sent += 1_048_576;
          controller.enqueue(new Uint8Array(1_048_576).fill(32));
        },
      }),
    )
  );
  using client = clientOf(server);
  await assertFails(client.ask("members"), EXIT.nobody, `more than ${ANSWER_BYTES_MAX} bytes`);
  assert(sent < 2 * ANSWER_BYTES_MAX, `${sent} bytes were taken`);
});

Deno.test("follow() resumes after the last whole event where the stream ends", async () => {
  const resumed: (string | null)[] = [];
  await using server = serve((request) => {
    resumed.push(request.headers.get("last-event-id"));
    const n = resumed.length;
    return events(`id: a-${n}\nevent: change\ndata: ${n}\n\nid: half\ndata: half`);
  });
  using client = clientOf(server);
  const event = (data: string): StreamUpdate => ({
    kind: "event",
    event: { type: "change", data },
  });
  const lost = { kind: "lost", why: "the stream ended" } as const;
  assertEquals(await hear(client, 5), [
    ...[{ kind: "open" }, event("1"), lost],
    ...[{ kind: "open" }, event("2")],
  ] as StreamUpdate[]);
  assertEquals(resumed, [null, "a-1"]);
});

Deno.test("follow() leaves a stream on which nothing comes, not even a comment, and comes back", async () => {
  await using server = serve(() => events(new ReadableStream()));
  using client = clientOf(server);
  const lost = { kind: "lost", why: "silent for 0.02 s" } as const;
  assertEquals(await hear(client, 4, { ...TIMES, silentMs: 20 }), [
    ...[{ kind: "open" }, lost],
    ...[{ kind: "open" }, lost],
  ] as StreamUpdate[]);
});

Deno.test("follow() keeps looking for a node that it has heard, unless that refuses", async () => {
  const answers = [200, 503, 404, 200, 401];
  await using server = serve(() => {
    const status = answers.shift() ?? 200;
    return status === 200 ? events("text") : new Response("text", { status });
  });
  using client = clientOf(server);
  const heard: string[] = [];
  await assertFails(
    (async () => {
      for await (const { kind } of follow(client, TIMES)) heard.push(kind);
    })(),
    EXIT.wrong,
    "text",
  );
  assertEquals(heard, ["open", "lost", "lost", "lost", "open", "lost"]);
});

Deno.test("follow() ends where its signal is aborted: while nothing comes, and while it waits to come back", async () => {
  const bodies = [
    new ReadableStream({ start: (c) => c.enqueue(new Uint8Array()) }),
    "data: all\n\n",
  ];
  await using server = serve(() => events(bodies.shift()));
  using client = clientOf(server);
  for (const last of ["open", "lost"]) {
    const over = new AbortController();
    const heard: string[] = [];
    for await (
      const { kind } of follow(client, { signal: over.signal, waitMinMs: UNHURRIED_MS })
    ) {
      heard.push(kind);
      // Only once it waits.
      if (kind === last) setTimeout(() => over.abort());
    }
    assertEquals(heard.at(-1), "lost");
  }
});

Deno.test("follow() gives up a stream with an event without end", async () => {
  await using server = serve(() =>
    events(
      new ReadableStream({
        pull: (controller) => controller.enqueue(new Uint8Array(1_048_576).fill(32)),
      }),
    )
  );
  using client = clientOf(server);
  await assertRejects(() => hear(client, 3), UnreadableError, "an event of more than");
});
