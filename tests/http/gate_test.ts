import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Keyring } from "../../lib/net/keys.ts";
import { Signer } from "../../lib/net/signer.ts";
import { type Door, NOW_MS, openDoor, pushOf } from "../support/door.ts";

const KEY = "the-key-of-this-test-cluster";
const OTHER = "another-key-of-another-cluster";
const BEARER = { authorization: `Bearer ${KEY}` };
const PATH = "/hello?from=n2&via=n2:80";

/** Asks with a signature, by default of a node with the door's key. */
async function askSigned(
  door: Door,
  line: string,
  { body = "", signer = door.signer!, from }: { body?: string; signer?: Signer; from?: string } =
    {},
) {
  const [method = "", target = ""] = line.split(" ");
  const { authorization, code } = await signer.sign({ method, target, body });
  const init = { headers: { authorization }, ...(method === "POST" && { body }) };
  const answer = await door.ask(line, { ...init, ...(from !== undefined && { remote: from }) });
  const proof = answer.headers.get("authentication-info") ?? undefined;
  const proven = await signer.checkAnswer(code, {
    status: answer.status,
    body: answer.text,
    proof,
  });
  return { ...answer, proven };
}

function signerOf(key: string, offMs = 0): Signer {
  return new Signer({
    keyring: new Keyring([key]),
    cluster: "default",
    wallMs: () => NOW_MS + offMs,
  });
}

Deno.test("with a key, an exchange counts only if it is signed, and its answer is signed", async () => {
  await using door = openDoor({ keys: [KEY] });
  const { status, proven, text } = await askSigned(door, `POST ${PATH}`, { body: pushOf("n2") });
  assertEquals([status, proven, JSON.parse(text).id], [200, true, "n1"]);
  assertEquals(door.ids(), ["n1", "n2"]);
});

Deno.test("with a key, exchanges that are not signed with it change nothing, and get 401", async () => {
  await using door = openDoor({ keys: [KEY] });
  const body = pushOf("n2");
  const bare = await door.ask(`POST ${PATH}`, { body });
  const bearer = await door.ask(`POST ${PATH}`, { body, headers: BEARER });
  const stranger = await askSigned(door, `POST ${PATH}`, { body, signer: signerOf(OTHER) });
  for (const answer of [bare, bearer, stranger]) {
    assertEquals(answer.status, 401);
    assertEquals(answer.headers.get("www-authenticate"), "Gossip");
    assertMatch(answer.text, /^This cluster has a key.*\n$/);
    assertEquals(answer.headers.get("authentication-info"), null);
  }
  assertEquals(door.ids(), ["n1"]);
});

Deno.test("with a key, GET /hello answers to read, and takes no from, signed or not", async () => {
  await using door = openDoor({ keys: [KEY] });
  assertStringIncludes((await door.ask("GET /hello")).text, "hello n1\n");
  assertEquals((await door.ask(`GET ${PATH}`)).status, 401);
  assertEquals((await askSigned(door, `GET ${PATH}`)).status, 401);
  assertEquals(door.ids(), ["n1"]);
});

Deno.test("a signature that can't be valid is refused before the body is read", async () => {
  await using door = openDoor({ keys: [KEY] });
  const code = "A".repeat(43);
  const stale = [-61_000, 61_000].map((offMs) => `Gossip ${NOW_MS + offMs}.${code}`);
  for (const authorization of [...stale, "Gossip", `Gossip x.${code}`, `Gossip ${NOW_MS}.AAAA`]) {
    for (const target of [PATH, "/bye?id=a&unknown=yes"]) {
      const headers = { authorization, "content-length": "9" };
      // Never ends: whoever waits for it hangs.
      const body = new ReadableStream();
      const { status } = await door.ask(`POST ${target}`, { headers, body });
      assert(status === 401 || status === 408, `${authorization} ${target}: ${status}`);
    }
  }
});

Deno.test("a long body is read only from an address that has shown the key of late", async () => {
  await using door = openDoor({ keys: [KEY] });
  const long = pushOf("n2") + " ".repeat(600_000);
  assertEquals((await askSigned(door, `POST ${PATH}`, { body: long })).status, 413);
  assertEquals((await askSigned(door, `POST ${PATH}`, { body: pushOf("n2") })).status, 200);
  assertEquals((await askSigned(door, `POST ${PATH}`, { body: long })).status, 200);
  const from = "192.0.2.99";
  assertEquals((await askSigned(door, `POST ${PATH}`, { body: long, from })).status, 413);
});

Deno.test("errors to a signed request are signed too", async () => {
  await using door = openDoor({ keys: [KEY] });
  const { status, proven } = await askSigned(door, `POST ${PATH}`, { body: "no JSON" });
  assertEquals([status, proven], [400, true]);
});

Deno.test("a clock that is off by over a minute gets an error that says so, signed, and one log line", async () => {
  await using door = openDoor({ keys: [KEY] });
  const signer = signerOf(KEY, 61_000);
  const { status, text, proven } = await askSigned(door, `POST ${PATH}`, {
    body: pushOf("n2"),
    signer,
  });
  assertEquals([status, proven], [401, true]);
  assertEquals(
    text,
    "The clocks differ by over a minute: 2026-01-01T00:01:01.000Z there, 2026-01-01T00:00:00.000Z here\n",
  );
  assertEquals(door.ids(), ["n1"]);
  const refusals = door.lines.filter((line) => line.includes("refused"));
  assertEquals(refusals, [`refused a request from 192.0.2.1: ${text.trim()}`]);
});

Deno.test("callers who are refused get one log line each, and all of them together a bounded number", async () => {
  await using door = openDoor({ keys: [KEY] });
  for (let i = 0; i < 3; i++) await door.ask(`POST ${PATH}`, { body: "x", remote: "192.0.2.7" });
  const refusals = () => door.lines.filter((line) => line.includes("refused"));
  assertEquals(refusals().length, 1);
  assertStringIncludes(refusals()[0]!, "192.0.2.7");
  for (let i = 0; i < 400; i++) {
    await door.ask("GET /bye?id=x&unknown=yes", { remote: `10.0.${i >> 8}.${i & 255}` });
  }
  assertEquals(refusals().length, 256 + 1);
  assertEquals(door.lines.at(-1), "refused too many callers: logs no more of them for an hour");
});

Deno.test("with a key, /bye takes it as Bearer, as the form's field, or as a signature, and nothing else", async () => {
  await using door = openDoor({ keys: [OTHER, KEY] });
  const form = { "content-type": "application/x-www-form-urlencoded" };
  const refused = [
    await door.ask("GET /bye?id=a&unknown=yes"),
    await door.ask("POST /bye", { body: "id=a&unknown=yes", headers: form }),
    await door.ask("POST /bye", { body: `id=a&unknown=yes&key=${KEY}x`, headers: form }),
    await door.ask("GET /bye?id=a&unknown=yes&key=" + KEY),
    await door.ask("GET /bye?id=a&unknown=yes", { headers: { authorization: `Bearer ${KEY}x` } }),
    // A browser sends it by itself once it was typed, whoever's page asks.
    await door.ask("GET /bye?id=a&unknown=yes", {
      headers: { authorization: `Basic ${btoa(`u:${KEY}`)}` },
    }),
    await askSigned(door, "POST /bye?id=a&unknown=yes", {
      signer: signerOf("yet-another-key-of-nobody"),
    }),
  ];
  for (const { status, text } of refused) assertEquals(status, 401, text);
  const [, none, wrong] = refused.map(({ text }) => text);
  assertMatch(none!, /^Give the cluster's key as .*, or in the page's form\n$/);
  assertEquals(wrong, "That is not the cluster's key\n");
  assertEquals(refused[0]!.headers.get("www-authenticate"), "Bearer");
  assertEquals(door.ids(), ["n1"]);
  assertEquals((await door.ask("GET /bye?id=a&unknown=yes", { headers: BEARER })).status, 200);
  assertEquals(
    (await door.ask("POST /bye", { body: `id=b&unknown=yes&key=${KEY}`, headers: form })).status,
    200,
  );
  for (const line of ["GET /bye?id=c&unknown=yes", "POST /bye?id=d&unknown=yes"]) {
    const { status, proven } = await askSigned(door, line);
    assertEquals([status, proven], [200, true], line);
  }
  assertEquals(door.ids(), ["+a", "+b", "+c", "+d", "n1"]);
});

Deno.test("probes need no key on a private node, by GET or HEAD", async () => {
  await using door = openDoor({ keys: [KEY], isPrivate: true });
  for (const path of ["/healthz", "/readyz"]) {
    const { status, text } = await door.ask(`GET ${path}`);
    assertEquals([status, text], [200, "ok\n"], path);
    assertEquals((await door.ask(`HEAD ${path}`)).status, 200, path);
  }
});

Deno.test("HEAD / of a private node needs no key, and tells nothing but that the node is there", async () => {
  await using door = openDoor({ keys: [KEY], isPrivate: true });
  const authorization = `Bearer ${OTHER}`;
  for (
    const headers of [{}, { authorization }, { accept: "text/html" }] as Record<string, string>[]
  ) {
    const alone = await door.ask("HEAD /", { headers });
    assertEquals([alone.status, alone.text], [200, ""]);
    for (const name of ["content-length", "content-type", "etag"]) {
      assertEquals(alone.headers.get(name), null, name);
    }
  }
  for (const path of ["/members", "/page.json", "/metrics", "/events", "/?id=n1&x=/", "//"]) {
    const { status } = await door.ask(`HEAD ${path}`);
    assertEquals(status, path.startsWith("/?") ? 200 : 401, path);
  }
});

Deno.test("a private node tells why it is not ready only to a caller with the key", async () => {
  await using door = openDoor({ keys: [KEY], isPrivate: true, join: ["seed.example:8080"] });
  const bare = await door.ask("GET /readyz");
  assertEquals(bare.status, 503);
  assertMatch(bare.text, /^Give the cluster's key.*\n$/);
  const shown = await door.ask("GET /readyz", { headers: BEARER });
  assertEquals(shown.status, 503);
  assertStringIncludes(shown.text, "seed.example:8080");
});

Deno.test("reading takes no key, unless the node is private: then all but probes does", async () => {
  const paths = [
    "/",
    "/hello",
    "/members",
    "/members/n1",
    "/metrics",
    "/page.json",
    "/none",
  ];
  await using open = openDoor({ keys: [KEY] });
  await using door = openDoor({ keys: [KEY], isPrivate: true });
  for (const path of paths) {
    const expected = path === "/none" ? 404 : 200;
    assertEquals((await open.ask(`GET ${path}`)).status, expected, path);
    const refused = await door.ask(`GET ${path}`);
    assertEquals(refused.status, 401, path);
    assertEquals(
      refused.headers.get("www-authenticate"),
      'Basic realm="gossiper", charset="UTF-8"',
    );
    assert(!refused.text.includes("n1"), path);
    for (const authorization of [BEARER.authorization, `Basic ${btoa(`anyone:${KEY}`)}`]) {
      const given = await door.ask(`GET ${path}`, { headers: { authorization } });
      assertEquals(given.status, expected, path);
    }
    for (
      const wrong of [
        `Bearer ${OTHER}`,
        `Basic ${btoa(KEY)}x`,
        `Basic ${btoa(`x:${OTHER}`)}`,
        "Basic !",
      ]
    ) {
      assertEquals(
        (await door.ask(`GET ${path}`, { headers: { authorization: wrong } })).status,
        401,
      );
    }
  }
  for (const sly of ["/healthz/", "//healthz", "/healthz/../members", "/%68ealthz", "/HEALTHZ"]) {
    const { status, text } = await door.ask(`GET ${sly}`);
    assert(status === 401 || text === "ok\n", `${sly}: ${status} ${text}`);
  }
});

Deno.test("a key that is taken out reads no more of an open /events of a private node", async () => {
  await using door = openDoor({ keys: [KEY, OTHER], isPrivate: true });
  const [kept, removed] = [
    await door.events(BEARER),
    await door.events({ authorization: `Bearer ${OTHER}` }),
  ];
  for (const reader of [kept, removed]) assert(!(await reader.read()).done);
  door.keyring!.replace([KEY]);
  await askSigned(door, `POST ${PATH}`, { body: pushOf("n2") });
  assertStringIncludes(new TextDecoder().decode((await kept.read()).value), '"id":"n2"');
  assert((await removed.read()).done);
  await kept.cancel();
});

Deno.test("a private node takes part in exchanges by signatures, as any does", async () => {
  await using door = openDoor({ keys: [KEY], isPrivate: true });
  const { status, proven } = await askSigned(door, `POST ${PATH}`, { body: pushOf("n2") });
  assertEquals([status, proven], [200, true]);
});

Deno.test("no way to write a path gets around the gate", async () => {
  await using door = openDoor({ keys: [KEY] });
  const sly = [
    "/%62ye?id=a",
    "//bye?id=a&unknown=yes",
    "/bye/?id=a&unknown=yes",
    "/./bye?id=a&unknown=yes",
    "/x/../bye?id=a&unknown=yes",
    "/bye%3Fid=a&unknown=yes",
    "/BYE?id=a&unknown=yes",
    "/bye;x?id=a&unknown=yes",
    "/bye?id=a&unknown=yes#",
    "/bye%00?id=a&unknown=yes",
    "/bye%2F?id=a&unknown=yes",
  ];
  for (const path of sly) {
    for (const method of ["GET", "POST", "HEAD", "PUT"]) {
      const { status } = await door.ask(`${method} ${path}`);
      assert(status >= 400, `${method} ${path}: ${status}`);
    }
  }
  for (
    const path of [
      "/%68ello?from=n2&via=n2:80",
      "//hello?from=n2&via=n2:80",
      "/hello?%66rom=n2&via=n2:80",
    ]
  ) {
    for (const method of ["GET", "HEAD"]) await door.ask(`${method} ${path}`);
    await door.ask(`POST ${path}`, { body: pushOf("n2") });
  }
  assertEquals(door.ids(), ["n1"]);
});

Deno.test("replaying signed requests in any order, doubled, changes nothing", async () => {
  await using door = openDoor({ keys: [KEY] });
  const recorded: [line: string, init: { headers: Record<string, string>; body?: string }][] = [];
  for (const id of ["n2", "n3", "n4"]) {
    const target = `/hello?from=${id}&via=${id}:80`;
    const body = pushOf(id);
    const { authorization } = await door.signer!.sign({ method: "POST", target, body });
    recorded.push([`POST ${target}`, { headers: { authorization }, body }]);
  }
  for (const id of ["n4", "never-known"]) {
    const { authorization } = await door.signer!.sign({
      method: "GET",
      target: `/bye?id=${id}&unknown=yes`,
      body: "",
    });
    recorded.push([`GET /bye?id=${id}&unknown=yes`, { headers: { authorization } }]);
  }
  for (const [line, init] of recorded) assertEquals((await door.ask(line, init)).status, 200, line);
  const before = (await door.ask("GET /members")).text;
  for (const [line, init] of [...recorded.toReversed(), ...recorded, ...recorded.toReversed()]) {
    assertEquals((await door.ask(line, init)).status, 200, line);
  }
  assertEquals((await door.ask("GET /members")).text, before);
});

Deno.test("/forget takes the key as /bye does; a browser that was led there is asked first", async () => {
  await using door = openDoor({ keys: [KEY] });
  for (const request of ["GET /forget?id=n3", "POST /forget?id=n3"]) {
    assertEquals((await door.ask(request)).status, 401);
    const headers = { authorization: `Bearer ${KEY}` };
    assertEquals((await door.ask(request, { headers })).status, 404);
  }
  const headers = { "sec-fetch-site": "none", "user-agent": "Mozilla/5.0" };
  const asked = await door.ask("GET /forget?id=n3", { headers });
  assertEquals([asked.status, asked.headers.get("location")?.endsWith("./?forget=n3")], [
    303,
    true,
  ]);
  const foreign = { ...headers, "sec-fetch-site": "cross-site" };
  assertEquals((await door.ask("POST /forget?id=n3", { headers: foreign })).status, 403);
  assertEquals((await door.ask("HEAD /forget?id=n3")).status, 405);
});

Deno.test("with a key, tags are changed by who shows it, also on a private node, and by nobody else", async () => {
  for (const isPrivate of [false, true]) {
    await using door = openDoor({ keys: [KEY], isPrivate });
    assertEquals((await door.ask("POST /tag?set=role=web")).status, 401);
    assertEquals((await door.ask("POST /tag?set=role=web&key=" + KEY)).status, 401);
    const { status, text } = await door.ask("POST /tag?set=role=web", { headers: BEARER });
    assertEquals([status, text], [200, '{"role":"web"}']);
  }
});

Deno.test("the page asks for the cluster's key where there is one, and nowhere else", async () => {
  for (const keys of [[KEY], undefined]) {
    await using door = openDoor({ ...keys && { keys } });
    const { text } = await door.ask("GET /?bye=n1", { headers: { accept: "text/html" } });
    assertEquals(text.includes('name="key"'), keys !== undefined);
  }
});
