/** The page behind reverse proxies as people set them up: with the very files of .deploy/. */
import { assert, assertEquals } from "@std/assert";
import { Authority } from "../support/certificates.ts";
import { eventually, within } from "../support/eventually.ts";
import { startNode } from "../support/nodes.ts";
import { PATIENT_FLAGS, rowOf, tell } from "../support/peer.ts";
import {
  Browser,
  type Proxy,
  PROXY_NAME,
  type Scheme,
  type Sent,
  startHaproxy,
  startNginx,
} from "../support/proxy.ts";

const PREFIXES = ["/", "/gossiper/"];
const SCHEMES: readonly Scheme[] = ["http", "https"];

/** Every way to the page: one member to decommission for each. */
const WAYS = PREFIXES.flatMap((prefix) =>
  SCHEMES.map((scheme, i) => ({ prefix, scheme, id: `member-${prefix.length}-${i}` }))
);

async function has(program: string): Promise<boolean> {
  try {
    const { success } = await new Deno.Command(program, { args: ["-v"] }).output();
    return success;
  } catch {
    return false;
  }
}

/** The page at `url`: on a busy machine it gets 503 until it is its turn. */
function openPage(browser: Browser, url: URL): Promise<Sent> {
  return eventually(async () => {
    const page = await browser.read(url);
    assertEquals(page.status, 200, page.text);
    return page;
  });
}

/** The page loads, with every file that it and its scripts name by a relative path. */
async function assertLoads(browser: Browser, home: URL): Promise<void> {
  const page = await openPage(browser, home);
  assertEquals([page.status, page.headers.get("content-type")], [200, "text/html; charset=UTF-8"]);
  const seen = new Set<string>();
  const load = async (url: URL) => {
    if (seen.has(url.href)) return;
    seen.add(url.href);
    const { status, text, headers } = await browser.read(url);
    assertEquals(status, 200, url.href);
    assert(text.length > 0 && !`${headers.get("content-type")}`.startsWith("text/html"), url.href);
    for (const [, path] of text.matchAll(/^import .* from "(.+)";$/gm)) {
      await load(new URL(path!, url));
    }
  };
  for (const [, path] of page.text.matchAll(/(?:href|src)="([^"?#]*static\/[^"]+)"/g)) {
    await load(new URL(path!, home));
  }
  // Style, icon, script, and two modules of the script at least.
  assert(seen.size >= 5, [...seen].join());
  assertEquals((await browser.read(new URL("page.json", home))).status, 200);
}

/** The page's question, its form and the way back work; an open stream of events tells of it at once. */
async function assertDecommissions(browser: Browser, home: URL, id: string): Promise<void> {
  const events = await within(browser.open(new URL("events", home)), () => "no answer begins");
  let told = "";
  const { promise: snapshot, resolve: begun } = Promise.withResolvers<void>();
  const { promise: change, resolve: changed } = Promise.withResolvers<void>();
  const listening = (async () => {
    for await (const piece of events.pieces) {
      told += piece;
      if (told.includes("event: snapshot")) begun();
      if (told.includes(`{"id":"${id}"`) && told.includes('"to":"decommissioned"')) changed();
    }
  })().catch(() => {}); // It is closed while it waits.
  try {
    await within(snapshot, () => `of the events came: ${told}`);
    const asked = await browser.read(new URL(`bye?id=${id}`, home));
    assertEquals(asked.status, 303, "a link only leads to the question");
    const question = new URL(`${asked.headers.get("location")}`, new URL("bye", home));
    assertEquals(question.href, new URL(`?bye=${id}`, home).href);
    const page = await openPage(browser, question);
    const [, action] = /<form method="post" action="([^"]+)"/.exec(page.text) ?? [];
    const form = new URL(action!, question);
    const done = await browser.read(form, new URLSearchParams({ id }));
    assertEquals(done.status, 303, done.text);
    const back = new URL(`${done.headers.get("location")}`, form);
    assertEquals(back.href, new URL(`?id=${id}#story`, home).href);
    const story = /<b>decommissioned<\/b>[^]*by request to n1/;
    // On a busy machine a page may have to wait for its turn.
    await eventually(async () => {
      assert(story.test((await browser.read(back)).text), "the page shows no history");
    });
    await within(change, () => `of the events came: ${told}`);
  } finally {
    events.close();
    await listening;
  }
}

for (const [name, startProxy] of Object.entries({ nginx: startNginx, haproxy: startHaproxy })) {
  const here = await has(name);
  for (const ownHost of [false, true]) {
    const host = ownHost ? "the node's address" : "the browser's name";
    Deno.test({
      name:
        `${name} with ${host} in Host: the page, its files, its events and its form work, plain and with ` +
        `TLS, at / and below a path${here ? "" : ` (no ${name} here)`}`,
      ignore: !here,
      async fn() {
        await using authority = await Authority.create();
        const ca = await Deno.readTextFile(authority.ca);
        await using node = startNode("n1", `${PATIENT_FLAGS} -name ${PROXY_NAME}`);
        await tell(node.address, WAYS.map(({ id }) => rowOf(id)));
        await using proxy: Proxy = await startProxy({ to: node.address, authority, ownHost });
        for (const { prefix, scheme, id } of WAYS) {
          const browser = new Browser({ ports: proxy.ports, scheme, ca });
          const home = new URL(prefix, `${scheme}://${PROXY_NAME}`);
          await assertLoads(browser, home);
          await assertDecommissions(browser, home, id);
        }
        // Whoever leaves the last slash out is led there.
        const browser = new Browser({ ports: proxy.ports, scheme: "http", ca });
        const led = await browser.read(new URL(`http://${PROXY_NAME}/gossiper`));
        assert([301, 302].includes(led.status), `${led.status}`);
        assert(new URL(`${led.headers.get("location")}`, "http://a").pathname === "/gossiper/");
      },
    });
  }
}
