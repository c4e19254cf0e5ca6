/** `gossiper live`, at a server that plays a node. */
import { assertEquals, assertRejects } from "@std/assert";
import { CallError, Client, EXIT } from "../../lib/cli/client.ts";
import { followLive, printLive } from "../../lib/cli/live.ts";
import { holdTerminal } from "../support/terminal.ts";
import { Timers } from "../support/timers.ts";

type Answer = readonly [status: number, text: string, etag?: string];

/**
 * Plays a node that gives these answers, and refuses after them; `asked` are the queries that came. Whoever asks on
 * after a refusal gets what is no list, which ends all.
 */
function play(answers: Answer[]) {
  answers.push([401, "no more"]);
  const asked: string[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, ({ url }) => {
    asked.push(url.replace(/^.*\/live\?/, ""));
    const [status, text, etag = ""] = answers.shift() ?? [200, "no list"];
    return new Response(status === 304 ? null : text, { status, headers: { etag } });
  });
  const base = `http://127.0.0.1:${server.addr.port}/`;
  const client = new Client({ base, key: undefined, ca: undefined });
  return {
    asked,
    client,
    async [Symbol.asyncDispose]() {
      client[Symbol.dispose]();
      await server.shutdown();
    },
  };
}

const QUERY = new URLSearchParams("tag=role=web");

/** Follows until the node has no more to say, and counts the pauses of a second that it makes. */
async function pausesOf(follow: () => Promise<never>): Promise<number> {
  using timers = new Timers();
  const following = assertRejects(follow, CallError, ": no more");
  let pauses = 0;
  void (async () => {
    for (;; pauses++) await timers.next(1_000);
  })();
  await following;
  return pauses;
}

Deno.test("printLive() prints an address a line, and its status says whether there is any", async () => {
  await using node = play([[200, "a:1\nb:2\n"], [200, ""]]);
  const { terminal, printed } = holdTerminal();
  assertEquals(await printLive(node.client, terminal, QUERY), EXIT.fine);
  assertEquals(await printLive(node.client, terminal, QUERY), EXIT.not);
  assertEquals(printed, ["a:1\nb:2\n", ""]);
  assertEquals(node.asked, ["tag=role%3Dweb", "tag=role%3Dweb"]);
});

Deno.test("followLive() asks at once, then has the node wait for another list, and prints each list once", async () => {
  await using node = play([
    [200, "a:1\nb:2\n", '"1"'],
    [304, ""],
    [200, "a:1\n", '"2"'],
  ]);
  const { terminal, printed, notes } = holdTerminal();
  const error = await assertRejects(() => followLive(node.client, terminal, QUERY), CallError);
  assertEquals(error.status, EXIT.wrong);
  assertEquals([printed, notes], [["a:1 b:2\n", "a:1\n"], []]);
  const waits = (since: string) => `tag=role%3Dweb&wait=8s&since=%22${since}%22`;
  assertEquals(node.asked, ["tag=role%3Dweb", waits("1"), waits("1"), waits("2")]);
});

Deno.test("followLive() asks once a second where a proxy takes the ETag away, and prints each list once", async () => {
  await using node = play([[200, "a:1\n"], [200, "a:1\n"], [200, "a:1\n"], [200, "b:1\n"]]);
  const { terminal, printed } = holdTerminal();
  const pauses = await pausesOf(() => followLive(node.client, terminal, QUERY));
  assertEquals([pauses, printed], [2, ["a:1\n", "b:1\n"]]);
});

Deno.test("followLive() tells once that a node that it has heard is lost, and that it answers again", async () => {
  await using node = play([
    [200, "a:1\n", '"1"'],
    [503, "busy"],
    [503, "busy"],
    [304, ""],
    [503, "busy"],
    [200, "b:1\n", '"2"'],
  ]);
  const { terminal, printed, notes } = holdTerminal();
  const { client } = node;
  const pauses = await pausesOf(() => followLive(client, terminal, QUERY));
  assertEquals(pauses, 3, "it asks again after a second each time");
  assertEquals(printed, ["a:1\n", "b:1\n"]);
  const lost =
    `gossiper: lost ${client.name}, and asks again: no answer from ${client.name}: status 503: busy`;
  const back = `gossiper: ${client.name} answers again`;
  assertEquals(notes, [lost, back, lost, back]);
});

Deno.test("followLive() ends at once where the node never answered, and where what it answers is no list", async () => {
  for (
    const [answer, status] of [[[503, "busy"], EXIT.nobody], [[401, "no"], EXIT.wrong]] as const
  ) {
    await using node = play([answer, [200, "a:1\n", '"1"']]);
    const { terminal, printed } = holdTerminal();
    const running = followLive(node.client, terminal, QUERY);
    const error = await assertRejects(() => running, CallError);
    assertEquals([error.status, printed], [status, []]);
  }
});
