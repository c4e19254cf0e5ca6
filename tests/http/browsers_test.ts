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
    ? await door.ask("POST /bye", {
      headers: { ...form, ...headers },
      body: `id=${id}&unknown=yes`,
    })
    : await door.ask(`${method} /bye?id=${id}&unknown=yes`, { headers });
  return [door.ids().includes(`+${id}`), status];
}

Deno.test("scripts decommission by GET and POST, under the node's own names alone", async () => {
  await using door = openDoor();
  for (const host of ["node1:8080", "127.0.0.1:8080", "localhost", "[fd00::1]:8080"]) {
    for (const headers of [{ host }, { host, "user-agent": "curl/8.1", accept: "*/*" }]) {
      assertEquals(await tries(door, "GET", headers), [true, 200], host);
      assertEquals(await tries(door, "POST", headers), [true, 200], host);
    }
  }
  const rebound = { host: "evil.example:8080", "user-agent": "no browser at all" };
  assertEquals(await tries(door, "GET", rebound), [false, 403]);
  assertEquals(await tries(door, "POST", rebound), [false, 403]);
  const { text } = await door.ask("GET /bye?id=n2", { headers: rebound });
  assertEquals(
    text,
    "Call this node by its IP address or localhost, or start the node with -name evil.example: " +
      "it does not know the name 'evil.example:8080'\n",
  );
});

Deno.test("a name that is no host's is refused without the advice to give it", async () => {
  await using door = openDoor();
  const { status, text } = await door.ask("GET /bye?id=n2", { headers: { host: "0x7f.1" } });
  assertEquals(status, 403);
  assertEquals(
    text,
    "Call this node by its IP address or localhost: it does not know the name '0x7f.1'\n",
  );
});

Deno.test("-name: scripts and the page decommission under that name, whatever the port, and no other", async () => {
  await using door = openDoor({ names: ["gossip.example"] });
  for (const host of ["gossip.example", "Gossip.Example:8443", "gossip.example."]) {
    assertEquals(await tries(door, "GET", { host }), [true, 200], host);
    const form = { ...BROWSER, host, origin: `https://${host}` };
    assertEquals(await tries(door, "POST", form), [true, 200], host);
  }
  for (const host of ["example", "x.gossip.example", "gossip.example.evil", "gossip.example.."]) {
    assertEquals(await tries(door, "GET", { host }), [false, 403], host);
  }
});

Deno.test("-name: a form under that name passes a proxy that calls the node by another name of the node's", async () => {
  await using door = openDoor({ names: ["gossip.example"] });
  for (const host of ["node1:8080", "10.1.2.3:8080"]) {
    for (const origin of ["http://gossip.example", "https://gossip.example"]) {
      assertEquals(await tries(door, "POST", { ...BROWSER, host, origin }), [true, 200], origin);
    }
    // Another port is another server's; the name after `-advertise` gives no such right.
    for (const origin of ["http://gossip.example:81", "http://x.gossip.example", "http://node1"]) {
      assertEquals(await tries(door, "POST", { ...BROWSER, host, origin }), [false, 403], origin);
    }
  }
});

Deno.test("a caller with the key may call the node by any name, and no key opens a door that has none", async () => {
  const key = "the-key-of-this-test-cluster";
  const headers = { host: "alias.example", authorization: `Bearer ${key}` };
  await using keyed = openDoor({ keys: [key] });
  assertEquals(await tries(keyed, "GET", headers), [true, 200]);
  assertEquals(await tries(keyed, "GET", { ...headers, authorization: "Bearer x" }), [false, 401]);
  await using open = openDoor();
  assertEquals(await tries(open, "GET", headers), [false, 403]);
});

Deno.test("over HTTP/2, where Host is in the URL alone, the page's button works", async () => {
  await using door = openDoor();
  const form = { ...fetchSite("same-origin"), origin: "http://node1:8080" };
  assertEquals(await tries(door, "POST", form), [true, 200]);
});

Deno.test("a browser's user decommissions from the node's page", async () => {
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
    const form = { ...fetchSite("same-origin"), host, origin: "null" };
    assertEquals(await tries(door, "POST", form), [true, 200], host);
  }
});

Deno.test("another site's page decommissions nobody, by GET or POST", async () => {
  await using door = openDoor();
  for (const site of ["cross-site", "same-site", "rubbish", ""]) {
    for (const origin of [{}, { origin: "http://node1:8080" }] as Record<string, string>[]) {
      assertEquals(await tries(door, "GET", { ...fetchSite(site), ...origin }), [false, 303], site);
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
    assertEquals(await tries(door, "GET", { origin }), [false, 303], origin);
  }
});

Deno.test("a GET that may be a browser's or a preview's gets the page's question, wherever it comes from", async () => {
  await using door = openDoor();
  const asking: Record<string, string>[] = [
    // To plain http on a network browsers send no Sec-Fetch-Site, and with an image no Origin.
    BROWSER,
    // Typed in, or redirected from an address that was typed in.
    fetchSite("none"),
    fetchSite("same-origin"),
    { "user-agent": "Lynx/2.9.0", accept: "text/html, text/plain" },
    { "sec-purpose": "prefetch;prerender" },
    { "user-agent": "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)", accept: "*/*" },
    { "user-agent": "facebookexternalhit/1.1" },
    { "user-agent": "WhatsApp/2.23.20" },
    { "user-agent": "TelegramBot (like TwitterBot)" },
    { "user-agent": "W3C-checklink/4.81 libwww-perl/6.08" },
  ];
  for (const headers of asking) {
    assertEquals(await tries(door, "GET", headers), [false, 303], JSON.stringify(headers));
  }
  const answer = await door.ask("GET /bye?id=n2", { headers: BROWSER });
  assertEquals(answer.headers.get("location"), "././?bye=n2");
  const sly = await door.ask("GET /bye?id=%0d%0aX:y//evil.example", { headers: BROWSER });
  assertEquals(sly.headers.get("location"), "././?bye=%0D%0AX%3Ay%2F%2Fevil.example");
  const page = await door.ask("GET /?bye=n2", { headers: BROWSER });
  assertStringIncludes(page.text, 'action="bye"');
});

Deno.test("command-line tools and HTTP libraries get no question", async () => {
  await using door = openDoor();
  for (
    const name of [
      "curl/8.14.1",
      "Wget/1.25.0",
      "Go-http-client/1.1",
      "python-requests/2.32.3",
      "Deno/2.9.6",
      "HTTPie/3.2.4",
      "okhttp/4.12.0",
      "Java-http-client/21.0.4",
      "ansible-httpget",
    ]
  ) {
    const headers = { "user-agent": name, accept: "*/*" };
    assertEquals(await tries(door, "GET", headers), [true, 200], name);
  }
});

Deno.test("a form of a browser that names no page decommissions nobody, nor does HEAD", async () => {
  await using door = openDoor();
  assertEquals(await tries(door, "POST", BROWSER), [false, 403]);
  assertEquals(await tries(door, "POST", fetchSite("none")), [false, 403]);
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
      "0x7f.1",
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
  // A page under a rebound name can take away all that browsers add, but for Accept-Language.
  const posing = {
    host: "evil.example",
    "user-agent": "Go-http-client/1.1",
    "accept-language": "",
  };
  assertEquals((await door.ask(`GET ${path}`, { headers: posing })).status, 403);
  assertEquals((await door.ask(`HEAD ${path}`)).status, 405);
  assertEquals(door.ids(), ["n1"]);
  assertEquals((await door.ask("GET /hello", { headers: BROWSER })).status, 200);
  assertEquals((await door.ask(`POST ${path}`, { body: pushOf("n2") })).status, 200);
  assertEquals(door.ids(), ["n1", "n2"]);
});

Deno.test("a node may join by any alias of a seed", async () => {
  await using door = openDoor();
  const headers = { host: "seed.example:8080", "user-agent": "Go-http-client/1.1" };
  assertEquals((await door.ask("GET /hello?from=g1&via=g1:80", { headers })).status, 200);
  const init = { headers: { host: "seed.example:8080" }, body: pushOf("n2") };
  assertEquals((await door.ask("POST /hello?from=n2&via=n2:80", init)).status, 200);
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
