import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  BUSY_MS_MAX,
  RenderCache,
  TEXTS_LENGTH_MAX,
  TEXTS_MAX,
} from "../../lib/http/render_cache.ts";
import { Reports } from "../../lib/report/reports.ts";
import { openDoor } from "../support/door.ts";

/** Texts that each take `costMs` to make, by a clock that stands still otherwise. */
function open({ costMs = 0, length = 0 } = {}) {
  const at = { nowMs: 0, made: 0 };
  const cache = new RenderCache(() => at.nowMs);
  const ask = (key: string, version = "v1") =>
    cache.get(key, version, () => {
      at.nowMs += costMs;
      return `${key}${++at.made}`.padEnd(length);
    }).text;
  return { at, cache, ask };
}

Deno.test("RenderCache makes a text once in half a second for each key, and anew for another version", () => {
  const { at, ask } = open();
  const turns = () => ["a", "b", "a", "b"].map((key) => ask(key));
  assertEquals(turns(), ["a1", "b2", "a1", "b2"]);
  at.nowMs += 499;
  assertEquals(turns(), ["a1", "b2", "a1", "b2"]);
  at.nowMs += 1;
  assertEquals(turns(), ["a3", "b4", "a3", "b4"]);
  assertEquals([ask("a", "v2"), ask("a", "v2")], ["a5", "a5"]);
});

Deno.test("invariant 7: RenderCache renders for a tenth of each second at most, whatever is asked", () => {
  const costMs = 25;
  const { at, ask } = open({ costMs });
  let refused = 0;
  const flood = (turn: string) => {
    for (let i = 0; i < 100; i++) {
      try {
        ask(`${turn}${i}`);
      } catch {
        refused++;
      }
    }
  };
  flood("a");
  assertEquals([at.made, refused], [BUSY_MS_MAX / costMs, 100 - BUSY_MS_MAX / costMs]);
  flood("b");
  assertEquals(at.made, BUSY_MS_MAX / costMs);
  at.nowMs = 1_000;
  flood("c");
  assertEquals(at.made, 2 * BUSY_MS_MAX / costMs);
});

Deno.test("RenderCache gives what it kept where there is no time, up to 5 s; the plain text is made in any case", () => {
  const { at, ask } = open({ costMs: BUSY_MS_MAX });
  assertEquals([ask("a"), ask(""), ask("a", "v2"), ask("", "v2")], ["a1", "2", "a1", "2"]);
  at.nowMs = 4_900;
  ask("x");
  assertEquals(ask("a"), "a1");
  at.nowMs++;
  assertThrows(() => ask("a"), Error, "Try again");
  assertEquals(ask(""), "4");
});

Deno.test("of texts that most ask for under keys of their own one is made in half a second in any case", () => {
  const { at, cache, ask } = open({ costMs: BUSY_MS_MAX });
  const plain = (key: string) => cache.find(key, "v1", () => `${key}${++at.made}`, true)?.text;
  assertEquals([ask("a"), plain(" t1"), plain(" t2"), plain(" t1")], [
    "a1",
    " t12",
    undefined,
    " t12",
  ]);
  at.nowMs += 500;
  assertEquals([plain(" t2"), plain(" t3"), ask("")], [" t23", undefined, "4"]);
  assertThrows(() => ask("b"), Error, "Try again");
});

Deno.test("invariant 7: RenderCache keeps 64 texts, and no more than their bound of characters", () => {
  const short = open();
  for (let i = 0; i <= TEXTS_MAX; i++) short.ask(`${i}`);
  assertEquals(short.ask("1"), "12", "among the 64 made last");
  assertEquals(short.ask("0"), `0${TEXTS_MAX + 2}`);
  const long = open({ length: TEXTS_LENGTH_MAX / 2 });
  for (const key of ["a", "b", "b", "c", "b", "c"]) long.ask(key);
  assertEquals(long.at.made, 3);
  long.ask("a");
  assertEquals(long.at.made, 4, "it had made room for c");
});

/** Counts how often the reports are asked for the whole table while `body` runs. */
async function counted(body: () => Promise<void>): Promise<number> {
  const { page, members } = Reports.prototype;
  let count = 0;
  Object.assign(Reports.prototype, {
    page(this: Reports) {
      count++;
      return page.call(this);
    },
    members(this: Reports, ...args: Parameters<typeof members>) {
      count++;
      return members.apply(this, args);
    },
  });
  try {
    await body();
  } finally {
    Object.assign(Reports.prototype, { page, members });
  }
  return count;
}

Deno.test("invariant 7: a query that an answer does not use does not make it anew, nor do two that take turns", async () => {
  const many = Array.from({ length: 40 }, (_, i) => `${i}`);
  const html = { accept: "text/html" };
  const cases: [path: string, queries: string[], forms: number, headers?: typeof html][] = [
    ["/?x=", many, 1, html],
    ["/?q=web&x=", many, 1, html],
    ["/?q=", ["a", "b"], 1, html],
    ["/?id=", ["n1", "n9"], 1, html],
    ["/?id=", many, 1],
    ["/?x=", many, 1],
    ["/?q=web&x=", many, 1],
    ["/page.json?x=", many, 1],
    ["/page.json?base=", many, 1],
    ["/page.json?id=", ["n1", "n9"], 1],
    ["/members?x=", many, 1],
    ["/members?status=dead,live&x=", many, 1],
    ["/sd?x=", many, 1],
    ["/?q=", ["a", "b"], 2],
    // Of one table, which is read once for all of them.
    ["/page.json?q=", ["a", "b", "c", "d", "e", "f"], 1],
    ["/members?status=", ["live", "dead"], 2],
  ];
  for (const [path, queries, forms, headers = {}] of cases) {
    await using door = openDoor();
    const renders = await counted(async () => {
      for (let i = 0; i < 40; i++) {
        const { status } = await door.ask(`GET ${path}${queries[i % queries.length]}`, { headers });
        assertEquals(status, 200);
      }
    });
    // Half a second may end between two requests, but not between each two of many.
    assert(renders >= forms && renders <= 4 * forms, `${path}: ${renders}`);
  }
});
