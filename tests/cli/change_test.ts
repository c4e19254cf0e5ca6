/** Commands that change something, at a server that plays a node. */
import { assertEquals, assertRejects } from "@std/assert";
import { change } from "../../lib/cli/change.ts";
import { CallError, Client, EXIT } from "../../lib/cli/client.ts";
import { MutePeer } from "../support/raw.ts";
import { holdTerminal } from "../support/terminal.ts";

/** What `change()` prints where a node answers so, or the error by which it fails. */
async function changed(status: number, text: string, missing?: string) {
  const asked: string[] = [];
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    ({ method, url }) => {
      asked.push(`${method} ${new URL(url).pathname}`);
      return new Response(text, { status });
    },
  );
  const base = `http://127.0.0.1:${server.addr.port}/`;
  using client = new Client({ base, key: undefined, ca: undefined });
  const { terminal, printed } = holdTerminal();
  const how = {
    client,
    terminal,
    about: "n9",
    not: [404, 507],
    ...missing !== undefined && { missing },
  };
  const changing = change("forget", how);
  const failed = await changing.then(() => undefined, (error) => error);
  assertEquals(asked, ["POST /forget"]);
  return { printed, failed };
}

Deno.test("change() prints in one line what the node did", async () => {
  const { printed, failed } = await changed(200, "forgot n9\nand more\n");
  assertEquals([printed, failed], [["forgot n9\n"], undefined]);
});

Deno.test("change() fails with the node's words where that does not do it, or with those given where there is no such thing", async () => {
  for (
    const [status, missing, says] of [
      ...[[404, undefined, "words of n9"], [404, "nothing there", "nothing there"]],
      [507, "nothing there", "words of n9"],
    ] as const
  ) {
    const { printed, failed } = await changed(status, "words of n9\n", missing);
    assertEquals([printed, failed.message, failed.status], [[], says, EXIT.not], `${status}`);
  }
  const { failed } = await changed(500, "a bug\n");
  const rejecting = () => Promise.reject(failed);
  await assertRejects(rejecting, CallError, "status 500: a bug");
  assertEquals(failed.status, EXIT.nobody);
});

Deno.test("change() takes nothing for the node's answer that does not name what is changed", async () => {
  for (
    const [status, text, says] of [
      [200, "ok\n", "it answers something else: ok"],
      [404, "404 page not found\n", "status 404: 404 page not found"],
      [507, "no room\n", "status 507: no room"],
    ] as const
  ) {
    const { printed, failed } = await changed(status, text, "nothing there");
    assertEquals([printed, failed.status], [[], EXIT.nobody]);
    assertEquals(failed.message.endsWith(`: ${says}`), true, failed.message);
  }
});

Deno.test("change() waits for so long as it is given, where the change takes its time", async () => {
  await using mute = new MutePeer();
  const options = { base: `http://${mute.address}/`, key: undefined, ca: undefined };
  using client = new Client({ ...options, answerMs: 5_000 });
  const { terminal } = holdTerminal();
  const waiting = () => change("hook-test", { client, terminal, about: "", not: [], answerMs: 50 });
  await assertRejects(waiting, CallError, "nothing within 0.05 s");
});
