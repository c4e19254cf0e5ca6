import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { type Door, openDoor, pushOf } from "../support/door.ts";

const BROWSER = { "user-agent": "Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/140.0" };
/** What Chromium adds when it calls https or localhost. */
const fetchSite = (site: string) => ({
  ...BROWSER,
  "sec-fetch-site": site,
  "sec-fetch-mode": "no-cors",
});

let count = 0;

/** Tries to decommission an ID never used before; says whether it worked, and the answer's status. */
async function tries(
  door: Door,
  method: "GET" | "POST" | "HEAD",
  headers: Record<string, string>,
): Promise<[done: boolean, status: number]> {
  const id = `victim${++count}`;
  const form = { "content-type": "application/x-www-form-urlencoded" };
  const { status } = method === "POST"
    ? await door.ask("POST /bye", { headers: { ...form, ...headers }, body: `id=${id}` })
    : await door.ask(`${method} /bye?id=${id}`, { headers });
  return [door.ids().includes(`+${id}`), status];
}

Deno.test("scripts decommission by GET and POST under whatever name they know the node by", async () => {
  await using door = openDoor();
  for (
    const headers of [{}, { "user-agent": "curl/8.1" }, { host: "alias.example:1" }, { host: "" }]
  ) {
    assertEquals(await tries(door, "GET", headers), [true, 200]);
    assertEquals(await tries(door, "POST", headers), [true, 200]);
  }
});

Deno.test("a browser's user decommissions from the node's page, or by typing the address", async () => {
  await using door = openDoor();
  for (
    const host of [
      "node1:8080",
      "localhost:8080",
      "127.0.0.1:8080",
      "[::1]:8080",
      "10.1.2.3",
      "NODE1",
      "n.localhost",
    ]
  ) {
    const own = { ...BROWSER, host, origin: `http://${host}` };
    assertEquals(await tries(door, "POST", own), [true, 200], host);
    assertEquals(
      await tries(door, "POST", { ...own, origin: `https://${host}` }),
      [true, 200],
      host,
    );
    assertEquals(await tries(door, "GET", { ...fetchSite("none"), host }), [true, 200], host);
    const form = { ...fetchSite("same-origin"), host, origin: "null" };
    assertEquals(await tries(door, "POST", form), [true, 200], host);
  }
});

Deno.test("another site's page decommissions nobody, by GET or POST", async () => {
  await using door = openDoor();
  for (const site of ["cross-site", "same-site", "rubbish", ""]) {
    for (const origin of [{}, { origin: "http://node1:8080" }] as Record<string, string>[]) {
      assertEquals(await tries(door, "GET", { ...fetchSite(site), ...origin }), [false, 403], site);
      assertEquals(
        await tries(door, "POST", { ...fetchSite(site), ...origin }),
        [false, 403],
        site,
      );
    }
  }
  for (
    const origin of [
      "http://evil.example",
      "null",
      "http://node1",
      "http://node1:8081",
      "http://node1.evil.example:8080",
      "http://localhost:8080",
      "file://",
      "http://node1:8080@evil.example",
      "x",
    ]
  ) {
    assertEquals(await tries(door, "POST", { ...BROWSER, origin }), [false, 403], origin);
    assertEquals(await tries(door, "GET", { origin }), [false, 403], origin);
  }
});

Deno.test("a GET of which the browser does not say whose it is gets the page's question", async () => {
  // To plain http on a network browsers send no Sec-Fetch-Site, and with an image no Origin.
  await using door = openDoor();
  assertEquals(await tries(door, "GET", BROWSER), [false, 303]);
  const answer = await door.ask("GET /bye?id=n2", { headers: BROWSER });
  assertEquals(answer.headers.get("location"), "/?bye=n2");
  const sly = await door.ask("GET /bye?id=%0d%0aX:y//evil.example", { headers: BROWSER });
  assertEquals(sly.headers.get("location"), "/?bye=%0D%0AX%3Ay%2F%2Fevil.example");
  assertEquals(await tries(door, "POST", BROWSER), [false, 403]);
  const page = await door.ask("GET /?bye=n2", { headers: BROWSER });
  assertStringIncludes(page.text, 'action="/bye"');
});

Deno.test("a prefetch or preview decommissions nobody", async () => {
  await using door = openDoor();
  for (
    const hint of [
      { "sec-purpose": "prefetch" },
      { "sec-purpose": "prefetch;prerender" },
      { purpose: "prefetch" },
      { "x-moz": "prefetch" },
      { "x-purpose": "preview" },
    ] as Record<string, string>[]
  ) {
    assertEquals(await tries(door, "GET", { ...fetchSite("none"), ...hint }), [false, 403]);
  }
  assertEquals(await tries(door, "HEAD", {}), [false, 405]);
});

Deno.test("a foreign name in Host, as a rebound domain has it, changes nothing", async () => {
  await using door = openDoor();
  for (
    const host of [
      "evil.example",
      "evil.example:8080",
      "node1.evil.example",
      "localhost.evil.example",
      "127.0.0.1.evil.example",
      "",
      "0x7f.1",
      "node1:8080:1",
      "[::1",
      "evillocalhost",
    ]
  ) {
    const headers = { ...fetchSite("same-origin"), host, origin: `http://${host}` };
    assertEquals(await tries(door, "GET", headers), [false, 403], host);
    assertEquals(await tries(door, "POST", headers), [false, 403], host);
    assertEquals(await tries(door, "POST", { ...BROWSER, host, origin: `http://${host}` }), [
      false,
      403,
    ], host);
  }
});

Deno.test("a browser is never taken for a node", async () => {
  await using door = openDoor();
  const path = "/hello?from=n2&via=n2:80";
  for (
    const headers of [BROWSER, fetchSite("none"), fetchSite("same-origin"), {
      origin: "http://node1:8080",
    }, {
      "sec-fetch-mode": "no-cors",
    }] as Record<string, string>[]
  ) {
    assertEquals((await door.ask(`GET ${path}`, { headers })).status, 403);
    assertEquals((await door.ask(`POST ${path}`, { headers, body: pushOf("n2") })).status, 403);
  }
  assertEquals((await door.ask(`HEAD ${path}`)).status, 405);
  assertEquals(door.ids(), ["n1"]);
  assertEquals((await door.ask("GET /hello", { headers: BROWSER })).status, 200);
  assertEquals((await door.ask(`POST ${path}`, { body: pushOf("n2") })).status, 200);
  assertEquals(door.ids(), ["n1", "n2"]);
});

Deno.test("the page lets nothing in, frames nowhere, and no other origin may read anything", async () => {
  await using door = openDoor();
  for (const path of ["/", "/?bye=n1", "/members", "/hello", "/bye?id=", "/none"]) {
    const { headers } = await door.ask(`GET ${path}`, {
      headers: { origin: "http://evil.example" },
    });
    for (const name of headers.keys()) {
      assert(!name.startsWith("access-control-"), `${path}: ${name}`);
    }
    if (path === "/hello") continue;
    if (path === "/bye?id=") continue;
    assertEquals(headers.get("x-content-type-options"), "nosniff", path);
    assertEquals(headers.get("referrer-policy"), "no-referrer", path);
    const policy = headers.get("content-security-policy") ?? "";
    for (
      const part of [
        "default-src 'none'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "form-action 'self'",
      ]
    ) {
      assertStringIncludes(policy, part, path);
    }
    assert(!policy.includes("unsafe"), path);
  }
  const preflight = await door.ask("OPTIONS /bye?id=x", {
    headers: { origin: "http://evil.example" },
  });
  assertEquals(preflight.status >= 400, true);
});
