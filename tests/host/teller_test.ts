/** Hooks against real commands and real receivers. */
import { assert, assertEquals, assertLess, assertMatch } from "@std/assert";
import { readHooks } from "../../lib/config/hooks.ts";
import type { Telling } from "../../lib/hook.ts";
import type { HookMessage } from "../../lib/host/hook_words.ts";
import { Teller, type TellerOptions } from "../../lib/host/teller.ts";
import { Keyring } from "../../lib/net/keys.ts";
import { Authority } from "../support/certificates.ts";
import { changeToTell } from "../support/changes.ts";
import { eventually } from "../support/eventually.ts";
import { closedAddress, MutePeer } from "../support/raw.ts";
import { keptLog } from "../support/logs.ts";

const AT_MS = Date.UTC(2026, 0, 12, 12);

function tellerOf(hooks: string, options: Partial<TellerOptions> = {}) {
  const { log, lines } = keptLog({ wallMs: AT_MS });
  const teller = new Teller(readHooks(hooks), {
    by: "n1",
    cluster: "prod",
    authorities: () => [],
    wallMs: () => AT_MS,
    nowMs: () => 0,
    random: () => 0.5,
    log,
    ...options,
  });
  return {
    teller,
    lines: () => lines.map((line) => line.slice("2026-01-12 12:00:00.000 ".length)),
  };
}

function telling(hook: string, id = "n5"): Telling {
  const change = changeToTell(id, { key: `${id}.b.dead.1`, ageMs: 1_000 });
  return { hook, key: change.key, changes: [change] };
}

/** A receiver that records what it gets and answers with `answer`. */
function receiver(answer: (request: Request, url: URL) => Response) {
  const got: { headers: Headers; body: string }[] = [];
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      got.push({ headers: request.headers, body: await request.text() });
      return answer(request, new URL(request.url));
    },
  );
  return { got, server, address: `127.0.0.1:${server.addr.port}` };
}

Deno.test("command: it has the words in variables and the message on its input; its last lines are in the log", async () => {
  const command =
    `echo first; echo "$GOSSIPER_ID $GOSSIPER_TO $GOSSIPER_KEY $GOSSIPER_TAG_role" >&2; cat,name=c`;
  const { teller, lines } = tellerOf(command);
  const { done, words, lines: printed } = await teller.tell(telling("c"), 3);
  assertEquals([done, words, printed[0]], [true, "exited with 0", "first"]);
  assertEquals(printed[1], "n5 dead n5.b.dead.1 web");
  const { text, by, changes }: HookMessage = JSON.parse(printed[2]!);
  assertEquals([text, by, changes[0]!.id], ["n5 is dead: connection refused", "n1", "n5"]);
  assertEquals(lines().slice(0, 2), [
    "told c: n5 is dead: connection refused (exited with 0)",
    "c: first",
  ]);
});

Deno.test("command: one that does not read its input is done as well; one that fails says how", async () => {
  const { teller, lines } = tellerOf("true,name=a\necho no >&2; exit 3,name=b");
  assertEquals((await teller.tell(telling("a"), 3)).done, true);
  const failed = await teller.tell(telling("b"), 3);
  assertEquals([failed.done, failed.words, failed.lines], [false, "exited with 3", ["no"]]);
  assertEquals(lines().slice(1), [
    "warning: cannot tell b: exited with 3: n5 is dead: connection refused",
    "warning: b: no",
  ]);
  // Said once in ten minutes.
  await teller.tell(telling("b"), 3);
  assertEquals(lines().length, 3);
});

Deno.test("command: at its time-out it is killed with its children", async () => {
  const file = await Deno.makeTempFile();
  const { teller } = tellerOf(`sleep 300 & echo $! > ${file}; wait,name=c`, { commandMs: 300 });
  const { done, words } = await teller.tell(telling("c"), 3);
  assertEquals([done, words], [false, "killed, as it did not end in time"]);
  const pid = Number(await Deno.readTextFile(file));
  assert(pid > 0);
  await eventually(async () => {
    // Gone, or a zombie that its new parent has not taken yet.
    const stat = await Deno.readTextFile(`/proc/${pid}/stat`).catch(() => ") Z");
    assertMatch(stat, /\) Z/);
  });
  await Deno.remove(file);
});

Deno.test("command: a hostile reason stays one word of the environment", async () => {
  const { teller } = tellerOf(`printf '%s\\n' "$GOSSIPER_REASON",name=c`);
  const hostile = telling("c");
  const reason = "$(touch /tmp/x); `id`\n'\"";
  const changes = hostile.changes.map((change) => ({ ...change, reason }));
  const { lines } = await teller.tell({ ...hostile, changes }, 3);
  assertEquals(lines, ["$(touch /tmp/x); `id` '\""]);
});

Deno.test("hooks: each runs once at a time, and is tried once at a time; others are not in its way", async () => {
  const folder = await Deno.makeTempDir();
  const wait = `touch ${folder}/$GOSSIPER_ID; while [ ! -e ${folder}/go ]; do sleep 0.05; done`;
  const { teller } = tellerOf(`${wait},name=c\ntrue,name=other`);
  const [told, tried] = [teller.tell(telling("c"), 3), teller.test("c")];
  assertEquals((await teller.tell(telling("c", "n6"), 3)).words, "it runs already");
  assertEquals((await teller.test("c"))?.words, "it runs already");
  assertEquals((await teller.tell(telling("other"), 3)).done, true);
  await Deno.writeTextFile(`${folder}/go`, "");
  assertEquals([(await told).done, (await tried)?.done], [true, true]);
  const ran = [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
  assertEquals(ran, ["go", "gossiper-test", "n5"]);
  assertEquals((await teller.tell(telling("c", "n6"), 3)).done, true);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("hooks: a node that stops kills what runs, and starts no more", async () => {
  const { teller } = tellerOf("sleep 300,name=c");
  const run = teller.tell(telling("c"), 3);
  teller.stop();
  assertEquals(await run, { done: false, words: "this node is stopping", lines: [] });
  assertEquals((await teller.tell(telling("c"), 3)).words, "this node is stopping");
});

Deno.test("URL: it gets the message by POST under the change's key; 2xx is done", async () => {
  const { got, server, address } = receiver(() => new Response("thanks", { status: 202 }));
  await using _server = server;
  const { teller, lines } = tellerOf(`http://${address}/hook,name=u`);
  const { done, words } = await teller.tell(telling("u"), 3);
  assertEquals([done, words], [true, "202"]);
  const [{ headers, body }] = got as [typeof got[0]];
  assertEquals(headers.get("idempotency-key"), "n5.b.dead.1");
  assertEquals(headers.get("content-type"), "application/json");
  assertEquals(headers.get("gossiper-signature"), null, "there is no key to sign with");
  assertEquals(JSON.parse(body).text, "n5 is dead: connection refused");
  assertEquals(lines(), ["told u: n5 is dead: connection refused (202)"]);
});

Deno.test("URL: any other answer fails with its first line, a redirect is not followed, and no word names the URL", async () => {
  const { got, server, address } = receiver((_request, { pathname }) =>
    new Response("too busy\nsecond", {
      status: Number(pathname.slice(1)),
      headers: { location: "/200" },
    })
  );
  await using _server = server;
  const closed = closedAddress();
  const { teller, lines } = tellerOf(
    [...[500, 404, 307].map((status) => `http://${address}/${status},name=u${status}`)]
      .concat(`http://${closed}/secret,name=closed`, "http://no.invalid/secret,name=nobody").join(
        "\n",
      ),
  );
  const words = async (name: string) => {
    const run = await teller.tell(telling(name), 3);
    assertEquals(run.done, false);
    return run.words;
  };
  assertEquals(await words("u500"), "500: too busy");
  assertEquals(await words("u404"), "404: too busy");
  assertEquals(await words("u307"), "307: too busy");
  assertEquals(await words("closed"), "connection refused");
  assertEquals(await words("nobody"), "there is no host of this name");
  assertEquals(got.length, 3);
  assert(!lines().join().includes("secret"), lines().join("\n"));
});

Deno.test("URL: silence ends at the time-out, and an answer without end is read for a few KiB", async () => {
  await using mute = new MutePeer();
  const { server, address } = receiver(() => {
    const piece = new TextEncoder().encode("x".repeat(1_024));
    return new Response(
      new ReadableStream({ pull: (controller) => controller.enqueue(piece) }),
      { status: 500 },
    );
  });
  await using _server = server;
  const { teller } = tellerOf(`http://${mute.address}/,name=mute\nhttp://${address}/,name=long`, {
    postMs: 500,
  });
  assertEquals((await teller.tell(telling("mute"), 3)).words, "no answer within 500ms");
  const long = await teller.tell(telling("long"), 3);
  assertMatch(long.words, /^500: x{120}$/);
  assertLess(long.words.length, 200);
});

Deno.test("URL: a certificate must be trusted, by the given authorities as well", async () => {
  await using authority = await Authority.create();
  const { server, ca } = await authority.serve();
  await using _server = server;
  const hook = `https://localhost:${server.addr.port}/,name=u`;
  const trusting = tellerOf(hook, { authorities: () => [ca] });
  assertEquals((await trusting.teller.tell(telling("u"), 3)).words, "200");
  const { words } = await tellerOf(hook).teller.tell(telling("u"), 3);
  assertEquals(words, "its certificate is not trusted");
});

Deno.test("URL: with a key the message is signed, and openssl verifies it as the documents show", async () => {
  const { got, server, address } = receiver(() => new Response());
  await using _server = server;
  const key = "0123456789abcdef0123456789abcdef";
  const keyring = new Keyring([key]);
  const secret = () => keyring.hookSecret("prod");
  const { teller } = tellerOf(`http://${address}/,name=u`, { secret });
  await teller.tell(telling("u"), 3);
  const [{ headers, body }] = got as [typeof got[0]];
  const [, t, v1] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(headers.get("gossiper-signature")!)!;
  assertEquals(Number(t), AT_MS / 1000);
  const recipe = `
    secret=$(printf 'gossiper hook prod' | openssl dgst -sha256 -hmac "$KEY" -r | cut -d ' ' -f 1)
    printf '%s.%s' "$T" "$BODY" | openssl dgst -sha256 -hmac "$secret" -r | cut -d ' ' -f 1`;
  const { stdout } = await new Deno.Command("sh", {
    args: ["-c", recipe],
    env: { KEY: key, T: t!, BODY: body },
  }).output();
  assertEquals(new TextDecoder().decode(stdout).trim(), v1);
});

Deno.test("test() tries a hook with a made-up change, and knows no other name", async () => {
  const { got, server, address } = receiver(() => new Response());
  await using _server = server;
  const { teller } = tellerOf(`http://${address}/,tag=role=web,name=u`);
  assertEquals((await teller.test("u"))?.words, "200");
  const { test, key, text, changes }: HookMessage = JSON.parse(got[0]!.body);
  assertEquals([test, key, changes[0]!.tags], [true, "test-80000000", { role: "web" }]);
  assertEquals(text, "test: gossiper-test is dead: somebody tries this hook");
  assertEquals(await teller.test("other"), undefined);
});
