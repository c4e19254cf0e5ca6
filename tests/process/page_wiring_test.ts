import {
  assert,
  assertEquals,
  assertLess,
  assertMatch,
  assertNotEquals,
  assertStringIncludes,
} from "@std/assert";
import { PAGE_POLICY } from "../../lib/page/page.tsx";
import type { StoryView } from "../../lib/report/members.ts";
import { eventually } from "../support/eventually.ts";
import { eventuallyShow, type LocalNode, startNode } from "../support/nodes.ts";
import { PATIENT_FLAGS, rowOf, tell } from "../support/peer.ts";
import { pageFiles } from "../support/page_files.ts";

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

async function ask(node: LocalNode, path: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(`http://${node.address}${path}`, { redirect: "manual", ...init });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

function accept(type: string): RequestInit {
  return { headers: { accept: type } };
}

/** As a browser says that it takes a page. */
const HTML = accept("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8");

Deno.test("GET / is the page, with a strict policy, and names files by the hash of their content", async () => {
  await using node = startNode("n1");
  const page = await ask(node, "/", HTML);
  assertEquals(page.status, 200);
  assertEquals(page.headers.get("content-type"), "text/html; charset=UTF-8");
  assertEquals(page.headers.get("cache-control"), "no-store");
  assertEquals(page.headers.get("content-security-policy"), PAGE_POLICY);
  assert(!PAGE_POLICY.includes("unsafe"), PAGE_POLICY);
  const files = pageFiles(page.text);
  assertEquals(new Set(files.map((path) => path?.replace(/.*\//, ""))).size, 3);
  for (const path of files) {
    const file = await ask(node, path!);
    assertEquals(file.status, 200, path);
    assertEquals(file.headers.get("cache-control"), "public, max-age=31536000, immutable");
    assertEquals(file.headers.get("x-content-type-options"), "nosniff");
    const etag = file.headers.get("etag");
    // Deno 2.7 compresses, and says so by making the tag weak.
    assertMatch(etag ?? "", /^(?:W\/)?"[0-9a-f]{12}"$/);
    const again = await ask(node, path!, { headers: { "if-none-match": etag! } });
    assertEquals([again.status, again.text], [304, ""]);
  }
});

Deno.test("every path in the page and its scripts is relative, so that a proxy may put a prefix before it", async () => {
  await using node = startNode("n1");
  for (const query of ["", "?id=n1", "?bye=n1", "?q=zzz"]) {
    const { text } = await ask(node, `/${query}`, HTML);
    assertMatch(text, /(?:href|src|action)="/);
    assertEquals(/(?:href|src|action)="\/[^"]*"/.exec(text)?.[0], undefined, query);
  }
  for (const name of ["live", "headline", "map", "rows", "story", "tab", "updates", "wish"]) {
    const { status, text } = await ask(node, `/static/x/${name}.js`);
    assertEquals(status, 200, name);
    assertEquals(/["`]\/[a-z?][^"`]*/.exec(text)?.[0], undefined, name);
  }
});

Deno.test("the page names the node's cluster, where it has a name of its own", async () => {
  await using prod = startNode("n1", "-cluster prod");
  assertStringIncludes((await ask(prod, "/", HTML)).text, "<span>cluster prod</span>");
  await using other = startNode("n2");
  assert(!(await ask(other, "/", HTML)).text.includes("<span>cluster "));
});

Deno.test("every module that a script of the page imports is served beside it", async () => {
  await using node = startNode("n1");
  const first = pageFiles((await ask(node, "/", HTML)).text).find((path) => path.endsWith(".js"));
  const seen = new Set<string>();
  const follow = async (path: string) => {
    if (seen.has(path)) return;
    seen.add(path);
    const { status, text, headers } = await ask(node, path);
    assertEquals([status, headers.get("content-type")], [200, "text/javascript; charset=utf-8"]);
    for (const [, specifier] of text.matchAll(/^import .* from "(.+)";$/gm)) {
      await follow(new URL(specifier!, `http://a${path}`).pathname);
    }
  };
  await follow(first!);
  assert(seen.size > 1, [...seen].join());
});

Deno.test("GET /static serves a page of another version, but does not let it keep the file; and nothing else", async () => {
  await using node = startNode("n1");
  const other = await ask(node, "/static/000000000000/live.js");
  assertEquals([other.status, other.headers.get("cache-control")], [200, "no-cache"]);
  for (const path of ["x/none.js", "x/..%2f..%2fmain.ts", "x/%2e%2e", "x/", "live.js", "x/y/z"]) {
    assertEquals((await ask(node, `/static/${path}`)).status, 404, path);
  }
});

Deno.test("every answer but those of /hello says how to treat it; /hello adds no byte", async () => {
  await using node = startNode("n1");
  const paths =
    "/ /page.json /members /members/n1 /members/no /metrics /healthz /readyz /bye /nope";
  for (const path of paths.split(" ")) {
    const { headers } = await ask(node, path);
    assertEquals(headers.get("content-security-policy"), PAGE_POLICY, path);
    assertEquals(headers.get("x-content-type-options"), "nosniff", path);
    assertEquals(headers.get("referrer-policy"), "no-referrer", path);
  }
  const { headers } = await ask(node, "/hello");
  assertEquals(headers.get("content-security-policy"), null);
});

Deno.test("GET / is a table for curl, with the page's headline, trouble first, filtered by ?q=", async () => {
  await using node = startNode("n1", PATIENT_FLAGS);
  await tell(node.address, [
    rowOf("a", { address: "127.0.0.1:1", left: "SIGTERM" }),
    rowOf("c", { address: "127.0.0.1:33", heartbeat: 0 }),
  ], ["z"]);
  const plain = "text/plain; charset=UTF-8";
  for (const type of ["*/*", "text/plain", "application/json"]) {
    const { status, headers, text } = await ask(node, "/", accept(type));
    assertEquals([status, headers.get("content-type")], [200, plain], type);
    assertEquals(headers.get("vary"), "Accept");
    const [, head = "", table = ""] = /^(.+)\n\n([^]+\n)$/.exec(text) ?? [];
    assertEquals(head, "No heartbeat yet from c");
    const shown = table.split("\n").map((line) => line.split(/ {2,}/).slice(0, 2).join(" "));
    const order = ["ID STATUS", "c unknown", "n1 live", "a left", "z decommissioned", ""];
    assertEquals(shown, order);
  }
  const filtered = await ask(node, "/?q=unknown", accept("*/*"));
  assertMatch(filtered.text, /^No heartbeat yet from c\n\nID .*\nc +unknown +never .*\n$/);
  for (const type of ["*/*", "text/html"]) {
    const { headers, text } = await ask(node, "/", { method: "HEAD", ...accept(type) });
    const expected = type === "*/*" ? plain : "text/html; charset=UTF-8";
    assertEquals([headers.get("content-type"), headers.get("vary"), text], [
      expected,
      "Accept",
      "",
    ]);
  }
});

Deno.test("GET /?bye= is the question for whoever asks: a program that follows a link decommissions nobody", async () => {
  await using node = startNode("n1");
  const { headers } = await ask(node, "/?bye=n1", accept("*/*"));
  assertEquals(headers.get("content-type"), "text/html; charset=UTF-8");
});

Deno.test("GET / opens a story with ?id=, filters with ?q=, and asks with ?bye=", async () => {
  await using node = startNode("n1");
  assertStringIncludes((await ask(node, "/?id=n1", HTML)).text, "joined: started");
  assertStringIncludes((await ask(node, "/?id=n9", HTML)).text, "No member named &#39;n9&#39;");
  assertStringIncludes((await ask(node, "/?q=zzz", HTML)).text, 'value="zzz"');
  assertStringIncludes((await ask(node, "/?bye=n1", HTML)).text, "for good?");
  assertEquals((await ask(node, "/?bye=a+b", HTML)).status, 400);
});

Deno.test("invariant 9: nothing that a browser sends comes back as HTML", async () => {
  await using node = startNode("n1");
  const hostile = `"><img src=x onerror=alert(1)><script>'&`;
  for (const key of ["id", "q", "bye"]) {
    const { text } = await ask(node, `/?${key}=${encodeURIComponent(hostile)}`);
    assert(!text.includes("<img src=x") && !text.includes("<script>'"), `${key}: ${text}`);
  }
  const { text, headers } = await ask(node, `/bye?id=${encodeURIComponent(hostile)}`);
  assert(!text.includes("<") && headers.get("content-type")?.startsWith("text/plain"), text);
});

Deno.test("GET /page.json is what the page's script writes, filtered by ?q=", async () => {
  await using node = startNode("n1", PATIENT_FLAGS);
  await tell(node.address, [rowOf("web-1"), rowOf("db-1")]);
  const all = JSON.parse((await ask(node, "/page.json")).text);
  assertEquals(all.rows.map(({ id }: { id: string }) => id), ["db-1", "n1", "web-1"]);
  assertEquals(all.counts.live, 3);
  const some = JSON.parse((await ask(node, "/page.json?q=web")).text);
  assertEquals(some.rows.map(({ id }: { id: string }) => id), ["web-1"]);
  assertEquals(some.counts.live, 3);
});

Deno.test("GET /page.json is made once for all who look, and anew for a change of status", async () => {
  await using node = startNode("n1", PATIENT_FLAGS);
  const look = async () => JSON.parse((await ask(node, "/page.json")).text);
  // Half a second may end between two looks, but not between each two of many.
  const times = [];
  for (let i = 0; i < 20; i++) times.push((await look()).now);
  assertLess(new Set(times).size, 10);
  await tell(node.address, [rowOf("a")]);
  assertEquals((await look()).counts.live, 2);
});

Deno.test("the form of the page decommissions and leads back to the page; scripts get text", async () => {
  await using node = startNode("n1", PATIENT_FLAGS);
  await tell(node.address, [rowOf("a"), rowOf("b")]);
  const submit = (id: string, accept: string) =>
    ask(node, "/bye", { method: "POST", headers: { accept }, body: new URLSearchParams({ id }) });
  const browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
  const fromPage = await submit("a", browser);
  assertEquals([fromPage.status, fromPage.headers.get("location")], [303, "././?id=a#story"]);
  const wrong = await ask(node, "/bye", {
    method: "POST",
    body: new URLSearchParams({ id: "b", confirm: "a" }),
  });
  assertEquals([wrong.status, wrong.text], [400, "Type the ID of the member, b\n"]);
  const fromScript = await submit("b", "*/*");
  assertEquals([fromScript.status, fromScript.text], [200, "b is decommissioned for good\n"]);
  assertEquals((await submit("", browser)).status, 400);
  const story = JSON.parse((await ask(node, "/members/a")).text) as StoryView;
  assertEquals(story.status, "decommissioned");
  assertEquals(story.reason, "decommissioned by request to n1");
});

Deno.test("the form of the page that decommissions its own node gets an answer, not a way back", async () => {
  await using node = startNode("n1");
  const answer = await ask(node, "/bye", {
    method: "POST",
    headers: { accept: "text/html" },
    body: new URLSearchParams({ id: "n1" }),
  });
  assertEquals([answer.status, answer.text], [200, "n1 is decommissioned for good\n"]);
  assertEquals(await node.running.ended, 0);
});

Deno.test("GET /members is JSON for curl and browsers, a table for who asks for text", async () => {
  await using node = startNode("n1");
  const html = "text/html,application/xhtml+xml,*/*;q=0.8";
  for (const type of ["*/*", "application/json", html, "image/png"]) {
    const { headers, text } = await ask(node, "/members", accept(type));
    assertEquals(headers.get("content-type"), "application/json", type);
    assertEquals(headers.get("vary")?.includes("Accept"), true);
    assertEquals(JSON.parse(text).members.length, 1);
  }
  const { headers, text } = await ask(node, "/members", accept("text/plain"));
  assertMatch(headers.get("content-type") ?? "", /^text\/plain/);
  assertMatch(text, /^ID +STATUS +HEARD +ADDRESS +WHY\nn1 +live +0\.\d s ago +\S+ +started\n$/);
});

Deno.test("GET /members?status= keeps the members of these statuses", async () => {
  await using node = startNode("n1", PATIENT_FLAGS);
  await tell(node.address, [rowOf("a", { left: "SIGTERM" }), rowOf("b", { heartbeat: 0 })], ["z"]);
  const ids = async (query: string) =>
    JSON.parse((await ask(node, `/members?status=${query}`)).text).members
      .map(({ id }: { id: string }) => id).join();
  assertEquals(await ids("live"), "n1");
  assertEquals(await ids("left,unknown"), "a,b");
  assertEquals(await ids("decommissioned"), "z");
  assertEquals(await ids("dead"), "");
  for (const wrong of ["", "deed", "dead,", "live,deed"]) {
    const { status, text } = await ask(node, `/members?status=${wrong}`);
    const usage =
      "Give one or more of these as status=: dead,unresponsive,failing,unknown,live,left,decommissioned\n";
    assertEquals([status, text], [400, usage]);
  }
});

Deno.test("GET /members has an ETag that changes with members, addresses and statuses only", async () => {
  await using node = startNode("n1", PATIENT_FLAGS);
  await tell(node.address, [rowOf("a", { address: "127.0.0.1:1" })]);
  const tag = async (init?: RequestInit) => {
    const { headers } = await ask(node, "/members", init);
    return headers.get("etag") ?? "";
  };
  const first = await tag();
  assertMatch(first, /^W\/"[!-~]+"$/);
  assertNotEquals(await tag(accept("text/plain")), first, "another form of it");
  const same = await ask(node, "/members", { headers: { "if-none-match": `"x", ${first}` } });
  assertEquals([same.status, same.text], [304, ""]);
  const later = Math.floor(Date.now() / 100) * 100 + 5_000;
  await tell(node.address, [rowOf("a", { address: "127.0.0.1:1", heartbeat: later })]);
  assertEquals(await tag(), first, "a heartbeat is no change");
  await tell(node.address, [rowOf("a", { address: "127.0.0.1:2", heartbeat: later + 100 })]);
  const moved = await tag();
  assertNotEquals(moved, first, "an address is");
  const gone = { address: "127.0.0.1:2", heartbeat: later + 200, left: "SIGTERM" };
  await tell(node.address, [rowOf("a", gone)]);
  assertNotEquals(await tag(), moved, "a status is");
});

Deno.test("GET /members/NNN tells the member's story with reasons", async () => {
  await using n1 = startNode("n1");
  {
    await using n2 = startNode("n2", `-join ${n1.address}`);
    await eventuallyShow([n1, n2], { n1: "live", n2: "live" });
  }
  await eventuallyShow([n1], { n1: "live", n2: "left" });
  const story = JSON.parse((await ask(n1, "/members/n2")).text) as StoryView;
  const told = story.history.map(({ from, to, reason }) => [from, to, reason]);
  assertEquals(told, [[null, "live", "heard directly"], ["live", "left", "left: test"]]);
  assertEquals([story.status, story.reason], ["left", "left: test"]);
  assertEquals(story.since, story.history.at(-1)?.at);
  const missing = await ask(n1, "/members/n9");
  assertEquals([missing.status, missing.text], [404, "No member named 'n9': see /members\n"]);
});

Deno.test("GET /readyz answers 503 until the node has met one that it joins; /healthz is well all along", async () => {
  await using late = startNode("late");
  const { port } = new URL(`http://${late.address}`);
  await late[Symbol.asyncDispose]();
  await using node = startNode("n1", `-join 127.0.0.1:${port}`);
  const waiting = await ask(node, "/readyz");
  assertEquals(waiting.status, 503);
  assertEquals(
    waiting.text,
    `This node has reached none of its -join addresses: 127.0.0.1:${port}\n`,
  );
  assertEquals((await ask(node, "/healthz")).text, "ok\n");
  await eventually(async () => {
    const { verdict, tone } = JSON.parse((await ask(node, "/page.json")).text);
    const alone = `This node is alone: 127.0.0.1:${port} refuses connections`;
    assertEquals([verdict, tone], [alone, "warn"]);
  });
  await using _back = startNode("back", `-port ${port}`);
  await eventually(async () => assertEquals((await ask(node, "/readyz")).text, "ok\n"));
});

Deno.test("GET /readyz is ready at once where there is nobody to join", async () => {
  await using node = startNode("n1");
  assertEquals((await ask(node, "/readyz")).text, "ok\n");
});

Deno.test("GET /events streams a snapshot, then changes with reasons, and ends with the node", async () => {
  const node = startNode("n1", PATIENT_FLAGS);
  const response = await fetch(`http://${node.address}/events`, {
    headers: { "accept-encoding": "gzip, br" },
  });
  assertEquals(response.headers.get("content-type"), "text/event-stream");
  assertEquals(response.headers.get("content-encoding"), null, "compressing would hold it back");
  assertEquals(response.headers.get("x-accel-buffering"), "no", "nginx would hold it back");
  const text = response.text();
  await tell(node.address, [rowOf("a")]);
  await node[Symbol.asyncDispose]();
  const events = (await text).split("\n\n").map((block) => {
    const [, event = "", data = "{}"] = /^event: (.*)\n.*\ndata: (.*)$/.exec(block) ?? [];
    return [event, JSON.parse(data)];
  }).filter(([event]) => event !== "");
  assertEquals(events.map(([event]) => event), ["snapshot", "change", "change"]);
  assertEquals(events[0]?.[1].members[0].id, "n1");
  const changes = events.slice(1).map(([, { id, from, to, reason }]) => [id, from, to, reason]);
  assertEquals(changes, [
    ["a", null, "live", "heard through teller"],
    ["n1", "live", "left", "left: test"],
  ]);
});

Deno.test("HEAD of a route has its headers and no body, and holds no stream of events", async () => {
  await using node = startNode("n1");
  for (const path of ["/", "/events", "/members", "/metrics", "/healthz", "/hello"]) {
    const { status, text, headers } = await ask(node, path, { method: "HEAD" });
    assertEquals([status, text], [200, ""], path);
    assertEquals(headers.get("content-length"), null, `${path} is not 0 bytes long`);
  }
  for (const path of ["/nope", "/members/nope"]) {
    const { status, headers } = await ask(node, path, { method: "HEAD" });
    assertEquals(status, (await ask(node, path)).status, path);
    assertEquals(headers.get("content-length"), null, `${path} is not 0 bytes long`);
  }
  assertStringIncludes((await ask(node, "/metrics")).text, "\ngossiper_event_streams 0\n");
});

Deno.test("a wrong method gets 405 with Allow on every route", async () => {
  await using node = startNode("n1");
  const paths = "/ /page.json /members /members/n1 /events /metrics /healthz /readyz /static/x/y";
  for (const path of paths.split(" ")) {
    const { status, headers } = await ask(node, path, { method: "POST" });
    assertEquals([status, headers.get("allow")], [405, "GET, HEAD"], path);
  }
  const others = { "/hello": "GET, HEAD, POST", "/bye": "GET, POST" };
  for (const [path, allow] of Object.entries(others)) {
    const { status, headers } = await ask(node, path, { method: "PUT" });
    assertEquals([status, headers.get("allow")], [405, allow], path);
  }
});
