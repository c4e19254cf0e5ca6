import {
  assert,
  assertEquals,
  assertMatch,
  assertNotMatch,
  assertStringIncludes,
} from "@std/assert";
import fc from "fast-check";
import { SAYS_NOTHING, writeAbout } from "../../lib/about.ts";
import { BODY_BYTES_MAX, FORM_BYTES_MAX } from "../../lib/limits.ts";
import { encodeMessage } from "../../lib/wire.ts";
import { BUSY_MS_MAX } from "../../lib/http/render_cache.ts";
import { STREAMS_MAX } from "../../lib/report/events.ts";
import { HandClock } from "../support/timers.ts";
import { type Answer, NOW_MS, openDoor, pushOf } from "../support/door.ts";
import { rowOf } from "../support/peer.ts";

const ONE_LINE = /^[\x20-\x7e]+\n$/;

/** Texts that mean something to HTML, shells, headers, JSON or paths, and are no IDs. */
const HOSTILE = [
  "<b>x</b>",
  '"><script>alert(1)</script>',
  "a b",
  "a\r\nSet-Cookie: b=c",
  "a\0b",
  "../../etc/passwd",
  "$(reboot)",
  "é",
  "'",
  "\u202e",
  "x".repeat(65),
];

function assertRefused(answer: Answer, status: number, line: RegExp, of: string): void {
  assertEquals(answer.status, status, `${of}: ${answer.text.slice(0, 200)}`);
  assertMatch(answer.text, ONE_LINE, of);
  assertMatch(answer.text, line, of);
  assertMatch(answer.headers.get("content-type") ?? "", /^text\/plain/, of);
}

Deno.test("GET /hello is the text that Go nodes read", async () => {
  await using door = openDoor();
  const { ask } = door;
  const { status, text, headers } = await ask("GET /hello");
  assertEquals([status, text], [200, "hello n1\nn1\n\nnode1:8080\n"]);
  assertMatch(headers.get("content-type") ?? "", /^text\/plain/);
});

Deno.test("GET /hello?from=&via= is heard, answered with the caller in it", async () => {
  await using door = openDoor();
  const { ask } = door;
  assertEquals(
    (await ask("GET /hello?from=ts1&via=127.0.0.1:19050")).text,
    "hello n1\nn1 ts1\n\nnode1:8080\n127.0.0.1:19050\n",
  );
});

Deno.test("GET /hello takes an address in any spelling and gives it in one", async () => {
  await using door = openDoor();
  const { ask } = door;
  const { text } = await ask("GET /hello?from=go&via=[FD00:0::1]:80");
  assertEquals(text.split("\n").at(-2), "[fd00::1]:80");
});

Deno.test("invariant 9: /hello refuses a from or via that is none with 400 and a line, and hears nobody", async () => {
  for (const method of ["GET", "POST"]) {
    await using door = openDoor();
    const { ask, ids } = door;
    for (const text of ["", ...HOSTILE]) {
      const param = encodeURIComponent(text);
      const body = method === "POST" ? { body: pushOf("ts1") } : {};
      assertRefused(await ask(`${method} /hello?from=${param}&via=h:1`, body), 400, /from=/, text);
      assertRefused(await ask(`${method} /hello?from=ts1&via=${param}`, body), 400, /via=/, text);
    }
    assertRefused(await ask(`${method} /hello?from=ts1`), 400, /via=/, "no via");
    assertEquals(ids(), ["n1"]);
  }
});

Deno.test("what is asked for by programs says what it is", async () => {
  await using door = openDoor();
  const types = {
    "/healthz": "text/plain; charset=UTF-8",
    "/metrics": "text/plain; version=0.0.4; charset=utf-8",
    "/members": "application/json",
    "/events": "text/event-stream",
  };
  for (const [path, type] of Object.entries(types)) {
    // Who asks for headers alone opens no stream.
    const method = path === "/events" ? "HEAD" : "GET";
    const { status, headers } = await door.ask(`${method} ${path}`);
    assertEquals([status, headers.get("content-type")], [200, type], path);
  }
  assertEquals((await door.ask("GET /healthz")).text, "ok\n");
});

Deno.test("invariant 7: a reader of /events too many gets 503, and is told when to try again", async () => {
  await using door = openDoor();
  const readers = await Promise.all(Array.from({ length: STREAMS_MAX }, () => door.events({})));
  const { status, text, headers } = await door.ask("GET /events");
  assertEquals([status, headers.get("retry-after")], [503, "15"]);
  assertMatch(text, /^Too many readers of \/events: try again in 15 s/);
  for (const reader of readers) await reader.cancel();
});

Deno.test("invariant 7: of all readers of /events the greediest address loses its oldest to the next of another", async () => {
  await using door = openDoor();
  const readers = await Promise.all(Array.from({ length: STREAMS_MAX }, () => door.events({})));
  const modest = await door.events({}, "192.0.2.2");
  assertEquals((await modest.read()).done, false);
  // What it reads next is its end.
  assertEquals((await readers[0]!.read()).done, true);
  assertEquals((await readers[1]!.read()).done, false);
  const { status } = await door.ask("GET /events", { remote: "192.0.2.1" });
  assertEquals(status, 503, "nor does it get the place back");
  const { text } = await door.ask("GET /metrics");
  assertStringIncludes(text, 'gossiper_limit_hits_total{limit="streams"} 1\n');
  await readers[1]!.cancel();
  readers.push(await door.events({}));
  for (const reader of [modest, ...readers]) await reader.cancel();
});

Deno.test("POST /hello answers an exchange with an exchange", async () => {
  await using door = openDoor();
  const { ask, ids } = door;
  const { status, text } = await ask("POST /hello?from=n2&via=n2:80", { body: pushOf("n2") });
  assertEquals([status, JSON.parse(text).id, JSON.parse(text).v], [200, "n1", 2]);
  assertEquals(ids(), ["n1", "n2"]);
});

Deno.test("POST /hello refuses a body that is no exchange with 400 and the reason", async () => {
  await using door = openDoor();
  const { ask, ids } = door;
  for (const body of ["", "{", "[1]", "hello n2\n", '{"v":99}', '{"v":2,"roster":"<b>"}']) {
    const answer = await ask("POST /hello?from=n2&via=n2:80", { body });
    assertRefused(answer, 400, /^Cannot read this exchange: the body|'roster'/, body);
  }
  assertEquals(ids(), ["n1"]);
});

Deno.test("a body over the limit gets 413 and a line with the limit", async () => {
  await using door = openDoor();
  const { ask } = door;
  const long = "x".repeat(BODY_BYTES_MAX + 1);
  const answer = await ask("POST /hello?from=n2&via=n2:80", { body: long });
  assertRefused(answer, 413, new RegExp(`${BODY_BYTES_MAX} bytes`), "exchange");
  assertRefused(await ask("POST /bye", { body: "x".repeat(100_000) }), 413, /bytes/, "form");
});

Deno.test("invariant 7: an answered request gives back the room of its body, on both routes that read one", async () => {
  await using door = openDoor();
  const { ask } = door;
  const roomBytes = 16 * 1024 * 1024;
  const body = " ".repeat(BODY_BYTES_MAX / 2);
  for (let bytes = 0; bytes <= roomBytes; bytes += body.length) {
    assertEquals((await ask("POST /hello?from=n2&via=n2:80", { body })).status, 400);
  }
  // Only a body of unknown length takes room, where it is as short as a form.
  const form = new TextEncoder().encode(`id=n9&unknown=yes&x=${"x".repeat(FORM_BYTES_MAX - 20)}`);
  for (let bytes = 0; bytes <= roomBytes; bytes += form.length) {
    assertEquals((await ask("POST /bye", { body: ReadableStream.from([form]) })).status, 200);
  }
});

Deno.test("/history and /members?at= take RFC 3339 and ms, and refuse other times", async () => {
  await using door = openDoor();
  const ask = async (path: string) => (await door.ask(`GET ${path}`)).status;
  for (
    const time of [
      "0",
      "1767225600000",
      "2026-01-01",
      "2026-01-01T00:00:00%2B01:00",
      "2028-02-29T00:00:00Z",
    ]
  ) {
    assertEquals([await ask(`/history?from=${time}`), await ask(`/members?at=${time}`)], [
      200,
      200,
    ]);
  }
  const dates = ["2026-13-01", "2026-02-30", "2026-02-29T00:00:00Z", "2026-04-31T12:00:00-01:00"];
  for (const time of ["", "-1", "yesterday", "1e9", "9999999999999999", ...dates]) {
    assertEquals([await ask(`/history?to=${time}`), await ask(`/members?at=${time}`)], [400, 400]);
  }
  assertEquals([await ask("/history?id=a%20b"), await ask("/missed")], [400, 405]);
});

Deno.test("/members?at= takes a time as Python, Go and date write RFC 3339", async () => {
  await using door = openDoor();
  const readAs = async (time: string) => {
    const { status, text } = await door.ask(`GET /members?at=${time}`);
    return status === 200 ? JSON.parse(text).at : text;
  };
  for (
    const [time, ms] of [
      ["2026-01-01T01:02:03.456789%2B00:00", "456"],
      ["2026-01-01T01:02:03.456789012Z", "456"],
      ["2026-01-01%2001:02:03%2B00:00", "000"],
      ["2026-01-01+01:02:03+00:00", "000"],
      ["2026-01-01t01:02:03.4z", "400"],
    ]
  ) {
    assertEquals(await readAs(time!), `2026-01-01T01:02:03.${ms}Z`, time);
  }
});

Deno.test("a form that is refused leads to a page with the reason and a way back, and a script gets a line", async () => {
  await using door = openDoor({ keys: ["the-key-of-these-tests"] });
  const refused = {
    "POST /forget": [`id=n1&key=the-key-of-these-tests`, 409, "Cannot forget n1: it is live"],
    "POST /bye": ["id=n9&key=wrong", 401, "That is not the cluster&#39;s key"],
  } as const;
  for (const [line, [body, status, words]] of Object.entries(refused)) {
    const page = await door.ask(line, { headers: { accept: "text/html,*/*;q=0.8" }, body });
    assertEquals([page.status, page.headers.get("content-type")], [
      status,
      "text/html; charset=UTF-8",
    ]);
    assert(page.text.includes(`<p>${words}`), page.text);
    assert(page.text.includes('href="./"'), page.text);
    const plain = await door.ask(line, { headers: { accept: "text/plain" }, body });
    assertEquals([plain.status, plain.text.includes("<")], [status, false]);
  }
});

Deno.test("/forget drops a member that left, and says in a line what it did; its ID may come back", async () => {
  await using door = openDoor();
  const row = (heartbeat: number, left: string) =>
    `{"v":2,"roster":"${
      "0".repeat(16)
    }","rows":[["n3","n3:80",${heartbeat},0,"1a2b3c01","${left}"]]}`;
  door.node.receive("n3", row(1_000, ""));
  assertEquals(
    await door.ask("POST /forget?id=n3").then(({ status, text }) => [status, text]),
    [
      409,
      "Cannot forget n3: it is live, and only dead and left members can be; to end it for good, ask for /bye\n",
    ],
  );
  door.node.receive("n3", row(2_000, "SIGTERM"));
  const form = { headers: { accept: "text/html" }, body: "id=n3" };
  assertMatch((await door.ask("GET /?forget=n3")).text, /<form method="post" action="forget"/);
  const done = await door.ask("POST /forget", form);
  assertEquals([done.status, done.headers.get("location")?.endsWith("./")], [303, true]);
  assertEquals(door.ids(), ["n1"]);
  assertEquals((await door.ask("GET /forget?id=n3")).text, "n3 was forgotten before\n");
  assertEquals((await door.ask("GET /forget?id=n9")).status, 404);
  assertEquals((await door.ask("GET /forget")).status, 400);
  door.node.receive("n3", row(2_000, "SIGTERM"));
  assertEquals(door.ids(), ["n1"]);
  door.node.receive("n3", row(3_000, ""));
  assertEquals(door.ids(), ["n1", "n3"]);
});

Deno.test("/bye says in a line what was done", async () => {
  await using door = openDoor();
  const { ask, ids } = door;
  await ask("POST /hello?from=n2&via=n2:80", { body: pushOf("n2") });
  const line = async (request: string) => (await ask(request)).text;
  assertEquals(await line("GET /bye?id=n2"), "n2 is decommissioned for good\n");
  assertEquals(await line("POST /bye?id=n2"), "n2 was decommissioned before\n");
  assertEquals(
    await line("POST /bye?id=ghost&unknown=yes"),
    "ghost is decommissioned for good, though it was not known here\n",
  );
  assertEquals(ids(), ["+ghost", "n1", "+n2"]);
  assertEquals((await ask("GET /hello")).text, "hello n1\nn1\nn2 ghost\nnode1:8080\n");
});

Deno.test("/bye of an ID that is not known here gets 404 with the way to do it, by GET, POST and form", async () => {
  await using door = openDoor();
  const { ask, ids } = door;
  const refused = [
    await ask("GET /bye?id=n-33"),
    await ask("POST /bye?id=n-33"),
    await ask("POST /bye", { body: "id=n-33" }),
    await ask("GET /bye?id=n-33&unknown"),
    await ask("GET /bye?id=n-33&unknown=no"),
  ];
  for (const { status, text } of refused) {
    assertEquals([status, text], [
      404,
      "No member is decommissioned, as n-33 is not known here: see /members. " +
      "If you mean it all the same, ask for /bye?id=n-33&unknown=yes\n",
    ]);
  }
  assertEquals(ids(), ["n1"]);
  assertEquals((await ask("GET /bye?id=n-33&unknown=yes")).status, 200);
  assertEquals((await ask("GET /bye?id=n-33")).text, "n-33 was decommissioned before\n");
  assertEquals(ids(), ["+n-33", "n1"]);
});

Deno.test("the page's question about an ID that is not known says so, and its form does it all the same", async () => {
  await using door = openDoor();
  const { ask, ids } = door;
  await ask("POST /hello?from=n2&via=n2:80", { body: pushOf("n2") });
  const send = async (id: string) => {
    const { text } = await ask(`GET /?bye=${id}`);
    const fields = [...text.matchAll(/type="hidden" name="(\w+)" value="([^"]*)"/g)];
    const body = `${new URLSearchParams(fields.map(([, name = "", value = ""]) => [name, value]))}`;
    const { status } = await ask("POST /bye", { headers: { accept: "text/html" }, body });
    return [text.includes(`No member is named ${id}.`), body, status];
  };
  assertEquals(await send("n2"), [false, "id=n2", 303]);
  assertEquals(await send("n33"), [true, "unknown=yes&id=n33", 303]);
  assertEquals(ids(), ["n1", "+n2", "+n33"]);
});

Deno.test("/bye takes the ID from a form as well", async () => {
  await using door = openDoor();
  const { ask, ids } = door;
  await ask("POST /bye", {
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: "id=ghost&unknown=yes",
  });
  assertEquals(ids(), ["+ghost", "n1"]);
});

Deno.test("/bye without an ID, or with one that is none, gets 400 with its usage", async () => {
  await using door = openDoor();
  const { ask, ids } = door;
  for (const text of ["", ...HOSTILE]) {
    const param = encodeURIComponent(text);
    for (const request of [`GET /bye?id=${param}`, `POST /bye?id=${param}`]) {
      assertRefused(await ask(request), 400, /\/bye\?id=NNN/, text);
    }
    assertRefused(await ask("POST /bye", { body: `id=${param}` }), 400, /\/bye\?id=NNN/, text);
  }
  assertRefused(await ask("GET /bye"), 400, /\/bye\?id=NNN/, "no ID");
  assertEquals(ids(), ["n1"]);
});

Deno.test("HEAD /bye decommissions nobody: whoever asks only for headers means no harm", async () => {
  await using door = openDoor();
  const { ask, ids } = door;
  const { status, headers } = await ask("HEAD /bye?id=n2&unknown=yes");
  assertEquals([status, headers.get("allow")], [405, "GET, POST"]);
  assertEquals(ids(), ["n1"]);
});

Deno.test("GET /members gives every member in the order of IDs, with status, time, age and reason", async () => {
  await using door = openDoor();
  const { ask } = door;
  const row = rowOf("n2", { address: "n2:80", heartbeat: NOW_MS });
  const body = encodeMessage({ roster: "0".repeat(16), rows: [row] });
  await ask("POST /hello?from=n2&via=n2:80", { body });
  await ask("POST /bye?id=n0&unknown=yes");
  const { text } = await ask("GET /members");
  const now = new Date(NOW_MS).toISOString();
  const live = { status: "live", lastHeartbeat: now, ageMs: 0, since: now };
  const words = { remark: null, tags: {}, ports: {} };
  const gone = { status: "decommissioned", lastHeartbeat: null, ageMs: null, since: now };
  // n2 was not told of the decommission yet.
  const told = { ...words, remark: "known to 0 of 1" };
  assertEquals(JSON.parse(text), {
    id: "n1",
    address: "node1:8080",
    now,
    intervalMs: 1_000,
    deadAfterMs: 5_000,
    cutOff: false,
    quiet: [],
    members: [
      { id: "n0", address: "", ...gone, reason: "decommissioned by request to n1", ...told },
      { id: "n1", address: "node1:8080", ...live, reason: "started", ...words },
      { id: "n2", address: "n2:80", ...live, reason: "heard directly", ...words },
    ],
  });
});

Deno.test("GET /members under load is a text of before with its tag of before, so that who polls gets the new one later", async () => {
  await using door = openDoor();
  const { node, ask } = door;
  using clock = new HandClock();
  // It takes all the time that there is for views in a second.
  const make = node.reports.members.bind(node.reports);
  node.reports.members = (wanted) => {
    clock.nowMs += BUSY_MS_MAX;
    return make(wanted);
  };
  const before = await ask("GET /members?status=live");
  await ask("POST /hello?from=n2&via=n2:80", { body: pushOf("n2") });
  const kept = await ask("GET /members?status=live");
  assertEquals([kept.status, kept.text], [200, before.text]);
  assertEquals(kept.headers.get("etag"), before.headers.get("etag"));
  clock.nowMs += 1_000;
  const headers = { "if-none-match": kept.headers.get("etag")! };
  const { status, text } = await ask("GET /members?status=live", { headers });
  assertEquals([status, JSON.parse(text).members.length], [200, 2]);
});

Deno.test("invariant 7: /members?at= is made in a bounded share of the time, however many times are asked for", async () => {
  await using door = openDoor();
  const { node, ask } = door;
  using clock = new HandClock();
  // It takes all the time that there is for views of the past in a second.
  const at = node.past.at.bind(node.past);
  node.past.at = (ms) => {
    clock.nowMs += BUSY_MS_MAX;
    return at(ms);
  };
  const statuses = async (...times: number[]) =>
    (await Promise.all(times.map((ms) => ask(`GET /members?at=${ms}`)))).map(({ status }) =>
      status
    );
  assertEquals(await statuses(1, 2, 3, 1), [200, 503, 503, 200]);
  clock.nowMs += 1_000;
  assertEquals(await statuses(2, 3), [200, 503]);
});

Deno.test("GET /members/NNN is one row, or 404 and a line", async () => {
  await using door = openDoor();
  const { ask } = door;
  const { id, status, address } = JSON.parse((await ask("GET /members/n1")).text);
  assertEquals([id, status, address], ["n1", "live", "node1:8080"]);
  for (const name of ["n2", "N1", "__proto__", "constructor", "%zz", "%ff", "%00", ".", "n1%20"]) {
    const answer = await ask(`GET /members/${name}`);
    assert(answer.status === 404 || name === ".", `${name}: ${answer.status}`);
  }
  for (const text of HOSTILE) {
    const answer = await ask(`GET /members/${encodeURIComponent(text)}`);
    assertRefused(answer, 404, /./, text);
    assert(!answer.text.includes(text), text);
  }
});

Deno.test("GET /members?id=NNN is the same row, for any ID: no URL has . or .. as the end of its path", async () => {
  await using door = openDoor();
  const rows = [".", "..", "a:b"].map((id) => rowOf(id, { address: "h:1", heartbeat: NOW_MS }));
  const body = encodeMessage({ roster: "0".repeat(16), rows });
  await door.ask("POST /hello?from=n2&via=n2:80", { body });
  for (const id of [".", "..", "a:b", "n1"]) {
    const { status, text } = await door.ask(`GET /members?id=${encodeURIComponent(id)}`);
    assertEquals([status, JSON.parse(text).id], [200, id]);
  }
  for (const id of ["", "n2", "__proto__", "<b>"]) {
    const answer = await door.ask(`GET /members?id=${encodeURIComponent(id)}`);
    assertRefused(answer, 404, /^No member/, id);
  }
});

Deno.test("the page asks about an ID, and about nothing else", async () => {
  await using door = openDoor();
  for (const question of ["bye", "forget"]) {
    assertEquals((await door.ask(`GET /?${question}=n9`)).status, 200);
    const { status, text } = await door.ask(`GET /?${question}=a%20b`);
    assertEquals([status, text], [400, `Give the ID of a member as ${question}=\n`]);
  }
});

Deno.test("any other path gets 404 and a line that names none of it", async () => {
  await using door = openDoor();
  const { ask } = door;
  for (const path of ["/nope", "/hello/", "/Hello", "/<b>", "/members/a/b", "//hello"]) {
    assertRefused(await ask(`GET ${path}`), 404, /^Not found: see \//, path);
  }
});

Deno.test("invariant 7: a header that is parsed is at most 1,024 characters long, on every route but /hello", async () => {
  await using door = openDoor();
  const names = ["Accept", "Accept-Encoding", "Authorization", "If-Modified-Since"];
  for (const name of [...names, "If-None-Match", "If-Range", "Last-Event-ID", "Range"]) {
    for (const path of ["/", "/members", "/events", "/static/0/live.js", "/download/x", "/nope"]) {
      const headers = { [name]: `"a${" ".repeat(1_022)}b"` };
      const answer = await door.ask(`GET ${path}`, { headers });
      assertRefused(answer, 431, new RegExp(`shorter ${name}`), path);
    }
    const { status } = await door.ask("GET /members", { headers: { [name]: "x".repeat(1_024) } });
    assert(status < 400, `${name}: ${status}`);
  }
});

Deno.test("a Host that makes no URL gets 400, and is no mistake of this node", async () => {
  await using door = openDoor();
  for (const host of ["a:99999", "[", "a b", "a:b:c", "%", "[::1"]) {
    for (const path of ["/", "/install.sh", "/members", "/download/x", "/bye?id=n2"]) {
      const answer = await door.ask(`GET ${path}`, { headers: { host } });
      assert(answer.status === 400 || answer.status === 403, `${host}${path}: ${answer.status}`);
      assertMatch(answer.text, ONE_LINE);
    }
    assertEquals((await door.ask("GET /hello", { headers: { host } })).status, 200);
  }
  assertEquals(door.lines.filter((line) => line.includes("BUG")), []);
});

Deno.test("a node is asked by a name that ends in a number, which makes no URL but is a host", async () => {
  await using door = openDoor();
  for (const path of ["/", "/members", "/metrics", "/hello", "/healthz"]) {
    const { status } = await door.ask(`GET ${path}`, { headers: { host: "web.1:8080" } });
    assertEquals(status, 200, path);
  }
});

Deno.test("invariant 9: whatever is asked, no answer is a mistake, and no error is longer than a line", async () => {
  const fcPath = fc.oneof(
    fc.constantFrom(
      "/",
      "/hello",
      "/bye",
      "/forget",
      "/history",
      "/missed",
      "/members",
      "/members/n1",
      "/page.json",
      "/healthz",
    ),
    fc.webPath(),
  );
  const fcQuery = fc.oneof(
    fc.webQueryParameters(),
    fc.tuple(
      fc.constantFrom("id", "from", "to", "at", "via", "q", "bye", "forget", "status"),
      fc.string(),
    )
      .map(([name, text]) => `${name}=${encodeURIComponent(text)}`),
  );
  const fcMethod = fc.constantFrom("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH");
  await using door = openDoor();
  const { ask, lines } = door;
  const property = async (method: string, path: string, query: string, body: string) => {
    const hasBody = method !== "GET" && method !== "HEAD";
    const answer = await ask(`${method} ${path}?${query}`, hasBody ? { body } : {});
    assert(answer.status < 500, `${answer.status}: ${answer.text}`);
    if (answer.status >= 400 && method !== "HEAD") assertMatch(answer.text, ONE_LINE);
    assertEquals(lines.filter((line) => line.includes("BUG")), []);
  };
  await fc.assert(
    fc.asyncProperty(fcMethod, fcPath, fcQuery, fc.string({ unit: "binary" }), property),
    { numRuns: 500 },
  );
});

Deno.test("invariant 9: the log gets one line of plain text for whatever a caller sends", async () => {
  await using door = openDoor();
  const { ask, lines } = door;
  for (const text of HOSTILE) {
    const param = encodeURIComponent(text);
    await ask(`GET /hello?from=${param}&via=${param}`);
    await ask(`GET /bye?id=${param}`, { headers: { origin: "http://evil", "user-agent": "x\ty" } });
    const rows = [[text, text, 100, 0, ""], ["ok", "h:1", 100, 0, "", text]];
    const body = JSON.stringify({ v: 2, roster: "0".repeat(16), rows, tombstones: [[text, text]] });
    await ask("POST /hello?from=n2&via=n2:80", { body });
  }
  for (const line of lines) assertNotMatch(line, /[^\x20-\x7e]|<|\$\(/);
});

Deno.test("a stranger who changes its name with each request fills no log", async () => {
  await using door = openDoor({ cluster: "prod" });
  for (let i = 0; i < 1_000; i++) {
    const answer = await door.ask(`GET /hello?from=x${i}&via=h:1&cluster=other`);
    assertRefused(answer, 409, /belongs to cluster 'prod', not 'other'/, `${i}`);
  }
  assertEquals(door.lines.length, 64 + 1);
  assertMatch(
    door.lines[0]!,
    /refused x0 \(h:1\): it belongs to cluster 'other', this node to 'prod'$/,
  );
  assertMatch(door.lines.at(-1)!, /further nodes of other clusters: not logged for an hour$/);
});

Deno.test("GET /members?limit= gives pages that together are the whole, the decommissioned among them", async () => {
  await using door = openDoor();
  const { ask } = door;
  const rows = ["n2", "n4", "n5"].map((id) => {
    return rowOf(id, { address: `${id}:80`, heartbeat: NOW_MS });
  });
  await ask("POST /hello?from=n2&via=n2:80", {
    body: encodeMessage({ roster: "0".repeat(16), rows }),
  });
  for (const id of ["n0", "n3"]) await ask(`POST /bye?id=${id}&unknown=yes`);
  const page = async (query: string) => {
    const { members, next } = JSON.parse((await ask(`GET /members?${query}`)).text);
    return [members.map(({ id }: { id: string }) => id), next];
  };
  assertEquals(await page("limit=2"), [["n0", "n1"], "n1"]);
  assertEquals(await page("limit=2&after=n1"), [["n2", "n3"], "n3"]);
  assertEquals(await page("limit=2&after=n3"), [["n4", "n5"], null]);
  assertEquals(await page("after=n3"), [["n4", "n5"], undefined]);
  assertEquals(await page("limit=1&after=n2&status=live"), [["n4"], "n4"]);
  assertEquals(await page("limit=9&status=decommissioned"), [["n0", "n3"], null]);
  for (const query of ["limit=0", "limit=-1", "limit=all", "limit=123456"]) {
    assertRefused(await ask(`GET /members?${query}`), 400, /Give a number .* as limit=/, query);
  }
  assertRefused(await ask("GET /members?after=a%20b"), 400, /Give the ID .* as after=/, "after");
});

Deno.test("GET /members?tag= gives those that say they are that, and nobody else", async () => {
  await using door = openDoor();
  const { ask } = door;
  const rows = [["n2", { role: "web", zone: "a" }], ["n3", { role: "db", zone: "a" }]] as const;
  const body = encodeMessage({
    roster: "0".repeat(16),
    rows: rows.map(([id, tags]) => ({
      ...rowOf(id, { address: `${id}:80`, heartbeat: NOW_MS }),
      about: writeAbout({ ...SAYS_NOTHING, tags }),
    })),
  });
  await ask("POST /hello?from=n2&via=n2:80", { body });
  await ask("POST /bye?id=n0&unknown=yes");
  const idsOf = async (query: string) =>
    JSON.parse((await ask(`GET /members?${query}`)).text).members.map(({ id }: { id: string }) =>
      id
    );
  assertEquals(await idsOf("tag=role=web"), ["n2"]);
  assertEquals(await idsOf("tag=zone=a"), ["n2", "n3"]);
  assertEquals(await idsOf("tag=zone=a&tag=role=db"), ["n3"]);
  assertEquals(await idsOf("tag=zone=a&status=dead"), []);
  assertEquals(await idsOf("tag=role=nobody"), []);
  for (
    const query of ["tag=", "tag=a=1&tag=", "tag=role", "tag=role%3Dweb%20x", "tag=a=1&tag=a=2"]
  ) {
    for (const path of ["/members", "/live", "/sd"]) {
      const answer = await ask(`GET ${path}?${query}`);
      assertRefused(answer, 400, /Cannot use tag=: (of '.+': )?give /, query);
    }
  }
  const targets = JSON.parse((await ask("GET /sd?tag=role=web")).text);
  assertEquals(targets.map(({ targets }: { targets: string[] }) => targets), [["n2:80"]]);
});

Deno.test("a check that fails and a warning are told to all, and what fails is the reason", async () => {
  await using door = openDoor();
  const { ask } = door;
  door.node.words.say({ failing: "db: connection refused", warning: "a warning" });
  const [own] = JSON.parse((await ask("GET /members")).text).members;
  assertEquals([own.status, own.reason, own.remark], [
    "failing",
    "db: connection refused",
    "warning: a warning",
  ]);
});

Deno.test("where nodes speak HTTPS, and only there, Prometheus and the page's links are led by it", async () => {
  for (const isTls of [false, true]) {
    await using door = openDoor({ caCerts: isTls ? () => [] : undefined });
    const [{ labels }] = JSON.parse((await door.ask("GET /sd")).text);
    assertEquals(labels.__scheme__, isTls ? "https" : undefined);
    const { text } = await door.ask("GET /", { headers: { accept: "text/html" } });
    assertMatch(text, isTls ? /"https:\/\/node1:8080\/"/ : /"http:\/\/node1:8080\/"/);
  }
});
