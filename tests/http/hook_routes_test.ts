/** The routes of hooks: who is quiet, and how a hook is tried. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import type { HookRun } from "../../lib/host/hook_words.ts";
import { QUIETS_MAX } from "../../lib/quiets.ts";
import { eventually } from "../support/eventually.ts";
import { type Door, openDoor, pushOf } from "../support/door.ts";

const KEY = "the-key-of-this-test-cluster";
const BEARER = { authorization: `Bearer ${KEY}` };
const PATHS = ["/quiet?id=web*&for=2h&why=deploy", "/hook-test?name=pager"];

/** Runs no hook, and counts the attempts. */
function fakeTeller(run: Partial<HookRun> = {}) {
  const tried: string[] = [];
  return {
    tried,
    names: ["pager", "mail"],
    tell: () => Promise.reject(new Error("nobody changed")),
    test(name: string): Promise<HookRun | undefined> {
      tried.push(name);
      return Promise.resolve(
        name === "pager" ? { done: true, words: "200", lines: [], ...run } : undefined,
      );
    },
  };
}

/** Whom hooks say nothing of, as /members tells it. */
async function quietOf(door: Door) {
  return JSON.parse((await door.ask("GET /members")).text).quiet;
}

Deno.test("POST /quiet keeps hooks from telling of some, and everybody is shown that, until it ends", async () => {
  await using door = openDoor();
  await door.ask("POST /hello?from=web1&via=web1:80", { body: pushOf("web1") });
  const etag = async () => (await door.ask("GET /members")).headers.get("etag");
  const before = await etag();
  const { status, text } = await door.ask(`POST ${PATHS[0]}`);
  assertEquals([status, text], [200, "no hook tells of web* until 2026-01-01 02:00:00 UTC\n"]);
  const until = "2026-01-01T02:00:00Z";
  assertEquals(await quietOf(door), [{ id: "web*", until, why: "deploy", by: "n1" }]);
  assert(await etag() !== before, "whoever polls would not learn of it");
  const line = "No hook tells of web* until 02:00:00 UTC (deploy, asked of n1)";
  const remark = "quiet: no hook tells of it until 02:00:00 UTC, deploy";
  assertEquals(JSON.parse((await door.ask("GET /members/web1")).text).remark, remark);
  assertEquals(JSON.parse((await door.ask("GET /members/n1")).text).remark, null);
  const page = await door.ask("GET /", { headers: { accept: "text/html" } });
  assert(page.text.includes(`<p id="quiet">${line}</p>`), page.text);
  assert(page.text.includes(remark));
  assertEquals((await door.ask("GET /")).text.split("\n")[1], line);
  const ended = await door.ask("POST /quiet?id=web*&for=0");
  assertEquals([ended.status, ended.text], [200, "hooks tell of web* again\n"]);
  assertEquals(await quietOf(door), []);
  // On a busy machine the page is one of before for a moment.
  await eventually(async () => {
    const calm = await door.ask("GET /", { headers: { accept: "text/html" } });
    assert(/<p id="quiet" hidden(?:="")?><\/p>/.test(calm.text));
  });
});

Deno.test("POST /quiet that ends one, or none, names those that last: they may cover the same members", async () => {
  await using door = openDoor();
  await door.ask(`POST ${PATHS[0]}`);
  const line = "No hook tells of web* until 02:00:00 UTC (deploy, asked of n1)";
  for (const pattern of ["web", "web1"]) {
    const { status, text } = await door.ask(`POST /quiet?id=${pattern}&for=0`);
    assertEquals([status, text], [200, `there is no quiet of ${pattern} now. ${line}\n`]);
  }
});

Deno.test("POST /quiet says the same end as the table, also where that is within a second", async () => {
  await using door = openDoor();
  const { text } = await door.ask("POST /quiet?id=n9&for=1500ms");
  assertEquals(text, "no hook tells of n9 until 2026-01-01 00:00:02 UTC\n");
  assertEquals((await quietOf(door))[0].until, "2026-01-01T00:00:02Z");
});

Deno.test("POST /quiet takes a form, and says how to ask where it cannot be used", async () => {
  await using door = openDoor();
  const form = { "content-type": "application/x-www-form-urlencoded" };
  const asked = await door.ask("POST /quiet", { headers: form, body: "id=n9&for=5m" });
  assertEquals(asked.status, 200, asked.text);
  const usage = /^Give whom hooks are to say nothing of/;
  for (const query of ["", "?id=n9", "?for=1h", "?id=a/b&for=1h"]) {
    const { status, text } = await door.ask(`POST /quiet${query}`);
    assertEquals(status, 400, query);
    assertMatch(text, usage, query);
  }
  const times = {
    "7d": "give a number and one of ms, s, m or h, such as 500ms, 5s or 72h",
    "169h": "give a duration of at most 168h, a week",
  };
  for (const [time, usage] of Object.entries(times)) {
    const { status, text } = await door.ask(`POST /quiet?id=n9&for=${time}`);
    assertEquals([status, text], [400, `Cannot use for='${time}': ${usage}\n`]);
  }
  assertEquals((await door.ask("GET /quiet?id=n9&for=1h")).status, 405);
  assertEquals((await quietOf(door)).length, 1);
});

Deno.test("POST /quiet is bounded in number, and says so", async () => {
  await using door = openDoor();
  for (let i = 0; i < QUIETS_MAX; i++) {
    assertEquals((await door.ask(`POST /quiet?id=n${i}&for=1h`)).status, 200);
  }
  const { status, text } = await door.ask("POST /quiet?id=other&for=1h");
  assertEquals(status, 507);
  assertMatch(text, /^Cannot be quiet about other: /);
  assertEquals((await door.ask("POST /quiet?id=n1&for=2h")).status, 200, "one that is there");
});

Deno.test("POST /quiet tells of nobody's words but as text", async () => {
  await using door = openDoor();
  const why = encodeURIComponent("<b>\n;dead: x\u202e");
  assertEquals((await door.ask(`POST /quiet?id=n1&for=1h&why=${why}`)).status, 200);
  assertEquals((await quietOf(door))[0].why, "<b> dead: x");
  const page = await door.ask("GET /", { headers: { accept: "text/html" } });
  assert(!page.text.includes("<b> dead"), "the page escapes it");
});

Deno.test("POST /hook-test tries a hook of this node, and says what came of it", async () => {
  const teller = fakeTeller();
  await using door = openDoor({ teller });
  const done = await door.ask("POST /hook-test?name=pager");
  assertEquals([done.status, done.text], [200, "pager took it: 200\n"]);
  const unknown = await door.ask("POST /hook-test?name=other");
  assertEquals(unknown.status, 404);
  assertEquals(unknown.text, "This node has no hook 'other'; it has pager, mail\n");
  assertEquals((await door.ask("POST /hook-test?name=a/b")).status, 400);
  assertEquals(teller.tried, ["pager", "other"]);
  await using failing = openDoor({ teller: fakeTeller({ done: false, words: "500: no" }) });
  const failed = await failing.ask("POST /hook-test?name=pager");
  assertEquals([failed.status, failed.text], [502, "pager did not take it: 500: no\n"]);
  await using without = openDoor();
  assertEquals((await without.ask("POST /hook-test?name=pager")).status, 404);
});

for (const path of PATHS) {
  const route = path.split("?")[0]!;
  Deno.test(`with a key, ${route} takes it as Bearer or in a form, also on a private node, and nothing else`, async () => {
    const teller = fakeTeller();
    await using door = openDoor({ keys: [KEY], isPrivate: true, teller });
    const basic = { authorization: `Basic ${btoa(`x:${KEY}`)}` };
    for (const headers of [{}, basic, { authorization: "Bearer another-key-of-another-cluster" }]) {
      const { status, headers: answered } = await door.ask(`POST ${path}`, { headers });
      assertEquals([status, answered.get("www-authenticate")], [401, "Bearer"]);
    }
    assertEquals(teller.tried, []);
    assertEquals((await door.ask(`POST ${path}`, { headers: BEARER })).status, 200);
    assertEquals((await door.ask(`POST ${path}`, { body: `key=${KEY}` })).status, 200);
  });

  Deno.test(`another site's page, or a name that leads here from elsewhere, changes nothing by ${route}`, async () => {
    const teller = fakeTeller();
    await using door = openDoor({ teller });
    for (
      const headers of [
        { "sec-fetch-site": "cross-site", host: "node1:8080" },
        { origin: "http://evil.example", host: "node1:8080" },
        { host: "evil.example:8080" },
      ] as Record<string, string>[]
    ) {
      assertEquals(
        (await door.ask(`POST ${path}`, { headers })).status,
        403,
        JSON.stringify(headers),
      );
    }
    assertEquals([teller.tried, await quietOf(door)], [[], []]);
  });
}
