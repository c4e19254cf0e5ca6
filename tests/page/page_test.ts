import {
  assert,
  assertEquals,
  assertMatch,
  assertNotMatch,
  assertStringIncludes,
} from "@std/assert";
import { PAGE_POLICY, type PageOptions, renderPage } from "../../lib/page/page.tsx";
import type { PageView, StoryView } from "../../lib/report/members.ts";
import { STATUSES } from "../../lib/table.ts";
import { PAGE_ROWS } from "../../static/lists.js";
import { member, type PageMember, view } from "./views.ts";

const ASSETS = { style: "/static/style.css", script: "/static/live.js", icon: "/static/icon.svg" };
const HOSTILE = [
  `"><img src=x onerror=alert(1)>`,
  "<script>alert(1)</script>",
  "'&amp;`${1}\" a=b",
];

function story(from: PageMember): StoryView {
  const { id, address } = from;
  const history = [
    { id, address, from: null, to: "live", at: "2026-01-12T10:00:00.000Z", reason: "heard" },
    { id, address, from: "live", to: "dead", at: "2026-01-12T11:00:00.500Z", reason: "silent" },
  ] as const;
  const uptime = { day: 99.98, month: 99.9, knownMs: 2_592_000_000 };
  return {
    ...from,
    uptime,
    history: history.map((change, event) => ({ ...change, tags: {}, event })),
    told: [{ hook: "pager", to: "dead", by: "n2", at: "2026-01-12T11:00:01.000Z", result: "200" }],
  };
}

function render(page: PageView, options: Partial<PageOptions> = {}): string {
  return renderPage(page, { assets: ASSETS, ...options });
}

/** The IDs of the rows of a table, in order. */
function idsIn(html: string, table: string): string[] {
  const body = html.slice(html.indexOf(`<table id="${table}"`)).split("</table>")[0] ?? "";
  return [...body.matchAll(/<th role="rowheader"[^>]*><a [^>]*>([^<]*)</g)].map(([, id]) =>
    id ?? ""
  );
}

/** What a reader without markup sees. */
function textOf(html: string): string {
  return html.replace(/<template.*?<\/template>|<dialog.*?<\/dialog>/gs, "").replace(
    /<[^>]+>/g,
    " ",
  )
    .replace(/\s+/g, " ");
}

/** The tags with the names of their attributes: all that markup can do, without what it says. */
function skeletonOf(html: string): string {
  const values = html.replace(/="[^"]*"/g, "=");
  return [...values.matchAll(/<[^>]*>/g)].join("");
}

Deno.test("the page says how many are in each status, whose view it is, its address, version and uptime", () => {
  const text = textOf(
    render(view([...STATUSES, "dead" as const].map((s, i) => member(`m${i}`, s)))),
  );
  assertStringIncludes(text, "m0 and m7 are dead");
  assertStringIncludes(text, "2 of 7 members are dead. The latest: m0");
  for (
    const count of [
      "1 live",
      "2 dead",
      "1 unresponsive",
      "1 failing",
      "1 unknown",
      "1 left",
      "1 decommissioned",
    ]
  ) {
    assertStringIncludes(text, count);
  }
  assertStringIncludes(text, "as seen by n1 host:8080 version 1.2.3 up 1 h");
});

Deno.test("the verdict ends with the time of the one trouble there is, and shows none where it tells of none", () => {
  const since = "2026-01-12T11:59:00.000Z";
  const html = render(view([member("n1", "dead", { since }), member("n2")]));
  assertMatch(html, new RegExp(`<span id="since">, since <time datetime="${since}"`));
  for (const members of [[member("n1")], [member("n1", "dead", { since }), member("n2", "dead")]]) {
    assertMatch(render(view(members)), /<span id="since" hidden(?:="")?>/);
  }
});

Deno.test("a status in which nobody is stands back", () => {
  const html = render(view([member("n1")]));
  assertStringIncludes(html, 'class="live" id="count-live"');
  assertStringIncludes(html, 'class="left none" id="count-left"');
});

Deno.test("rows are in order of trouble, then by ID, and the decommissioned in a table of their own", () => {
  const members = ["z", "a"].flatMap((name) => STATUSES.map((s) => member(`${name}-${s}`, s)));
  const html = render(view(members));
  assertEquals(
    idsIn(html, "members").join(" "),
    "a-dead z-dead a-unresponsive z-unresponsive a-failing z-failing " +
      "a-unknown z-unknown a-live z-live a-left z-left",
  );
  assertEquals(idsIn(html, "gone"), ["a-decommissioned", "z-decommissioned"]);
  assertMatch(html, /<section id="gone-section">/);
  assertMatch(render(view([member("a")])), /<section id="gone-section" hidden(?:="")?>/);
});

Deno.test("a row has status, reason, address, an age in words and the full time on hover", () => {
  const html = render(view([member("n7", "dead")]));
  assertStringIncludes(textOf(html), "n7 dead because of n7 n7.example:8080 2.1 s ago");
  assertStringIncludes(
    html,
    'datetime="2026-01-12T11:59:57.900Z" title="2026-01-12 11:59:57.900 UTC"',
  );
  assertStringIncludes(textOf(render(view([member("n8", "unknown")]))), "never");
});

Deno.test("nothing from the network becomes markup, in any place of the page", () => {
  const renderAll = (word: string) => {
    const members = STATUSES.map((status, i) =>
      member(`${word}${i}`, status, { reason: word, address: word, since: word })
    );
    const [first = member("")] = members;
    const page = view(members, {
      self: { id: first.id, address: word, version: word, upMs: 0, cluster: word },
      contacts: [{ address: word, trouble: word, state: word }],
      keyed: true,
    });
    const change = {
      id: word,
      address: word,
      from: null,
      to: "live",
      at: word,
      reason: word,
    } as const;
    const uptime = { day: 1, month: null, knownMs: 0 };
    const told = {
      ...first,
      uptime,
      history: [{ ...change, tags: {}, event: 1 }],
      told: [{ hook: word, to: "dead", by: word, at: word, result: word }],
    } as const;
    return [{}, { story: told }, { filter: word }, { missing: word }, { bye: word }]
      .map((options) => render(page, options));
  };
  const harmless = renderAll("word").map(skeletonOf);
  for (const evil of HOSTILE) {
    const pages = renderAll(evil);
    assertEquals(pages.map(skeletonOf), harmless);
    assert(!pages.some((html) => html.includes(evil)), `${evil} is there unescaped`);
  }
});

Deno.test("names stand on one line: the end that all share is marked, and the title has the whole name", () => {
  const html = render(view(["web-1.eu.example", "db-1.eu.example"].map((id) => member(id))));
  assertStringIncludes(html, 'title="web-1.eu.example">web-1<i>.eu.example</i></a>');
  assertStringIncludes(
    html,
    'title="db-1.eu.example.example:8080">db-1<i>.eu.example.example:8080</i>',
  );
  const mixed = ["web-1.eu.example", "n1"].map((id) =>
    member(id, "live", { address: `10.0.0.1:80` })
  );
  assertNotMatch(render(view(mixed)), /<i>\./);
});

Deno.test("the tab's icon tells trouble, also without JavaScript", () => {
  const icon = (...members: PageMember[]) =>
    /<link rel="icon" href="([^"]*)"/.exec(render(view([member("n1"), ...members])))?.[1];
  assertEquals(icon(), "/static/icon.svg");
  assertEquals(icon(member("n2", "dead")), "/static/icon-bad.svg");
  assertEquals(icon(member("n2", "unknown")), "/static/icon-warn.svg");
});

Deno.test("an address leads to the page of its node, and a text that is none leads nowhere", () => {
  const linkOf = (address: string, tls = false) =>
    /<a rel="external"(?: href="([^"]*)")? title="[^"]+">/.exec(
      render(view([member("n2", "live", { address })], { tls })),
    )?.[1];
  assertEquals(linkOf("web-1.example.org:8080"), "http://web-1.example.org:8080/");
  assertEquals(linkOf("[2001:db8::1]:80", true), "https://[2001:db8::1]:80/");
  for (const evil of ["javascript:alert(1)", "a:1/../x", "u@b:1", "evil.org/:80", "a b:1", "n2"]) {
    assertEquals(linkOf(evil), undefined, evil);
  }
});

Deno.test("the page runs under its policy: nothing inline, nothing from elsewhere", () => {
  assertNotMatch(PAGE_POLICY, /unsafe|https?:|\*/);
  const page = view(STATUSES.map((status) => member(status, status)), { keyed: true });
  for (const options of [{}, { bye: "live" }]) {
    const html = render(page, options);
    assertNotMatch(
      html,
      /<style|\sstyle=|<[^>]*\son\w+=|<script>|javascript:|<(?!a rel="external")[^>]*(?:src|href)="(?:https?:)?\/\//,
    );
  }
});

Deno.test("without JavaScript the page loads itself again, but not while it asks or a history is read", () => {
  assertMatch(
    render(view([member("n1")])),
    /<noscript><meta http-equiv="refresh"[^>]*><\/noscript>/,
  );
  assertNotMatch(render(view([member("n1")]), { bye: "n1" }), /http-equiv="refresh"|<script/);
  assertNotMatch(render(view([member("n1")]), { story: story(member("n1")) }), /"refresh"/);
});

Deno.test("a question tells its own node where its form comes from, and no other page tells anybody", () => {
  const referrer = '<meta name="referrer" content="same-origin"';
  for (const question of [{ bye: "n1" }, { forget: "n1" }]) {
    assertStringIncludes(render(view([member("n1")]), question), referrer);
  }
  assertNotMatch(render(view([member("n1")])), /name="referrer"/);
});

Deno.test("a story opens below its row, the newest change first, and offers to decommission", () => {
  const page = view([member("a"), member("n7", "dead"), member("z")]);
  const html = render(page, { story: story(member("n7", "dead")) });
  assertMatch(html, /n7<\/a>.*?<\/th>.*?<tr[^>]* id="story">/);
  const text = textOf(html);
  assertStringIncludes(
    text,
    "History of n7 n7.example:8080 no restart seen live 99.98 % of 24 h, 99.9 % of 30 d 11:00:00 UTC dead for 59 min so far silent 10:00:00 UTC live for 1 h joined: heard",
  );
  assertMatch(html, /n7\.example:8080<\/a> <span>no restart seen<\/span> <span>live 99/, "to copy");
  assertStringIncludes(html, '<a class="bye" href="./?bye=n7">');
  const gone = render(view([member("n9", "decommissioned")]), {
    story: story(member("n9", "decommissioned")),
  });
  assertStringIncludes(gone, '<a class="bye" href="./?bye=n9" hidden="">');
});

Deno.test("a story is shown even where its row would not be, and a missing member is named", () => {
  const page = view([member("n7"), member("n8")]);
  const html = render(page, { filter: "n8", story: story(member("n7")) });
  assertEquals(idsIn(html, "members"), ["n7"]);
  assertStringIncludes(html, 'id="story"');
  assertStringIncludes(textOf(render(page, { missing: "n99" })), "No member named &#39;n99&#39;.");
});

/** A cluster of so many, two of them in trouble. */
function many(count: number): PageMember[] {
  const live = Array.from({ length: count - 2 }, (_, i) => member(`web-${i}`));
  return [member("db-1", "dead"), member("db-2", "unknown"), ...live];
}

Deno.test("from 100 members on the list has the trouble, and the live ones on request", () => {
  const shown = (count: number, options: Partial<PageOptions> = {}) =>
    idsIn(render(view(many(count)), options), "members");
  assertEquals(shown(99).length, 99);
  assertEquals(shown(100), ["db-1", "db-2"]);
  assertMatch(
    render(view(many(100))),
    /id="folded"><a href="\.\/\?q=live"><span>98<\/span> live: show/,
  );
  assertMatch(render(view(many(99))), /id="folded" hidden/);
  assertEquals(shown(100, { filter: "live" }).length, 98);
  assertEquals(shown(100, { story: story(member("web-7")) }), ["db-1", "db-2", "web-7"]);
});

Deno.test("from 100 members on a map has each at its place by ID", () => {
  const squares = (count: number) => {
    const html = render(view([...many(count), member("x", "decommissioned")]), { filter: "db" });
    const map = /<div id="map".*?<\/div>/.exec(html)?.[0] ?? "";
    return [...map.matchAll(/<path class="(\w+)" d="([^"]*)">/g)]
      .map(([, status, strokes]) => `${status} ${strokes}`);
  };
  assertEquals(squares(99), []);
  // 70 to a line: the third of the first line is the first that is live.
  assertEquals(squares(100), ["dead M0 0h1", "unknown M1 0h1", "live M2 0h68M0 1h30"]);
});

Deno.test("a column's heading sorts the list by it and keeps the filter", () => {
  const page = view([
    member("a", "dead", { address: "z:1", ageMs: 9_000 }),
    member("b", "live", { address: "y:1" }),
    member("c", "left", { address: "x:1", ageMs: 90_000 }),
  ]);
  const sorted = (sort: PageOptions["sort"]) =>
    idsIn(render(page, sort === undefined ? {} : { sort }), "members").join(" ");
  assertEquals(sorted(undefined), "a b c");
  assertEquals([sorted("id"), sorted("address"), sorted("age")], ["a b c", "c b a", "c a b"]);
  const html = render(page, { sort: "age", filter: "1" });
  assertStringIncludes(
    html,
    '<th role="columnheader" scope="col" aria-sort="ascending"><a href="./?q=1&amp;sort=age">',
  );
  assertStringIncludes(html, '<a href="./?q=1&amp;sort=address">Address</a>');
});

Deno.test("a filter without a match says so and offers to clear it", () => {
  const page = view([member("a")]);
  assertMatch(
    render(page, { filter: "<zzz" }),
    /id="nomatch">No member matches &#39;<span>&lt;zzz<\/span>&#39;: <a class="clear" href="\.\/">clear/,
  );
  assertMatch(render(page, { filter: "a" }), /id="nomatch" hidden/);
});

Deno.test("a filter that only decommissioned members match counts them, without an empty list", () => {
  const page = view([member("a"), member("y", "decommissioned"), member("z", "decommissioned")]);
  const gone = render(page, { filter: "decommissioned" });
  assertMatch(gone, /<span id="shown" role="status">2 decommissioned<\/span>/);
  assertMatch(gone, /<table id="members" role="table" hidden/);
  assertEquals(idsIn(gone, "gone"), ["y", "z"]);
  for (const [filter, words] of [["", "1 member"], ["zzz", "0 of 1 member"]] as const) {
    const html = render(page, { filter });
    assertStringIncludes(html, `<span id="shown" role="status">${words}</span>`);
    assertMatch(html, /<table id="members" role="table">/);
  }
});

Deno.test("a page without room for all rows leads to those that follow, with the same filter and order", () => {
  const members = Array.from({ length: PAGE_ROWS + 3 }, (_, i) => member(`n${1_000 + i}`));
  const shown = { filter: "n", sort: "id" } as const;
  const html = render(view(members), shown);
  const [, href = "", words = ""] = /id="more"><a href="([^"]*)"><span>(.*?)<\/a>/.exec(html) ?? [];
  assertEquals(words, "3</span> more: next page");
  assertEquals(href.replaceAll("&amp;", "&"), `./?q=n&sort=id&after=n${1_000 + PAGE_ROWS - 1}`);
  assertStringIncludes(textOf(html), `${PAGE_ROWS + 3} members`);
  const last = render(view(members), { ...shown, after: `n${1_000 + PAGE_ROWS - 1}` });
  assertEquals(idsIn(last, "members"), ["n1250", "n1251", "n1252"]);
  assertMatch(last, /id="more" hidden/);
});

Deno.test("decommissioning is asked for on a page of its own, with a key only where one is needed", () => {
  const open = render(view([member("n1"), member("n7", "dead")]), { bye: "n7" });
  assertMatch(open, /<form method="post" action="bye"/);
  assertMatch(open, /<input type="hidden" name="id" value="n7"/);
  assertStringIncludes(textOf(open), "Decommission n7 for good?");
  assertStringIncludes(textOf(open), "be undone: the ID can never join again");
  assertMatch(open, /<p class="field" hidden=""><label for="bye-confirm">/);
  assertNotMatch(open, /name="key"|page is served by that node/);
  const keyed = render(view([member("n1")], { keyed: true }), { bye: "n1" });
  assertMatch(keyed, /name="key" type="password"/);
  assertStringIncludes(keyed, "page is served by that node");
});

Deno.test("to decommission a member that runs one types its ID, and is told it where one mistypes", () => {
  const failing = render(view([member("n1"), member("n7", "failing")]), { bye: "n7" });
  assertStringIncludes(textOf(failing), "It is running. To confirm, type its ID, n7");
  const open = render(view([member("n1"), member("web.7")]), { bye: "web.7" });
  assertMatch(open, /<p class="field"><label for="bye-confirm">/);
  const [, pattern = ""] =
    /<input id="bye-confirm"[^>]*pattern="([^"]*)" title="The ID is web\.7" required/
      .exec(open) ?? [];
  const fits = new RegExp(`^(?:${pattern})$`, "v");
  assertEquals(["web.7", "web-7", "", "WEB.7"].map((text) => fits.test(text)), [
    true,
    false,
    false,
    false,
  ]);
});

Deno.test("the script finds every place that it writes to", async () => {
  const html = render(view([member("n1")], { keyed: true }));
  const found: string[] = [];
  for (const file of ["live", "headline", "map", "rows", "story", "tab", "updates", "wish"]) {
    const url = new URL(`../../static/${file}.js`, import.meta.url);
    const script = await Deno.readTextFile(url);
    for (const [, id] of script.matchAll(/(?:byId|cloneOf)\("([^"]+)"\)/g)) {
      if (id !== "story" && !html.includes(` id="${id}"`)) found.push(`${file}.js: id ${id}`);
    }
    for (const [, name] of script.matchAll(/(?:querySelector(?:All)?|matches)\("\.([a-z-]+)"\)/g)) {
      if (!new RegExp(`class="[^"]*\\b${name}\\b`).test(html)) {
        found.push(`${file}.js: class ${name}`);
      }
    }
    assertNotMatch(script, /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b/);
  }
  assertEquals(found, []);
  for (const status of STATUSES) assertStringIncludes(html, `id="count-${status}"`);
});

Deno.test("members render with work in proportion to their number, 1,000 in under 120 bytes each, or 700 with their rows", () => {
  // Counted rather than timed: how often rendering reads a field of a member.
  const readsFor = (count: number): number => {
    let reads = 0;
    const counting = (from: PageMember) =>
      new Proxy(from, {
        get: (target, key) => {
          reads++;
          return Reflect.get(target, key);
        },
      });
    const page = view(Array.from({ length: count }, (_, i) => counting(member(`web-${i}`))));
    for (const [filter, bytesEach] of [["", 120], ["web", 700]] as const) {
      const { length } = render(page, { filter });
      assert(count < 1_000 || length < bytesEach * count, `${length} bytes`);
    }
    return reads;
  };
  const [hundred, thousand] = [readsFor(100), readsFor(1_000)];
  assert(thousand < 15 * hundred, `100 take ${hundred} reads, 1,000 take ${thousand}`);
});

Deno.test("tags stand below their member's name, each a link to those that have the same", () => {
  const tagged = member("n7", "live", { tags: { role: "web", zone: "a&b" } });
  const html = render(view([tagged, member("n8")]));
  assertStringIncludes(html, '<a href="./?q=role%3Dweb">role=web</a>');
  assertStringIncludes(html, '<a href="./?q=zone%3Da%26b">zone=a&amp;b</a>');
  for (const filter of ["role=web", "ROLE=web live", "zone", "web"]) {
    assertEquals(
      idsIn(render(view([tagged, member("n8")]), { filter }), "members"),
      ["n7"],
      filter,
    );
  }
  for (const filter of ["role=we", "role=web zone=b"]) {
    assertEquals(idsIn(render(view([tagged, member("n8")]), { filter }), "members"), [], filter);
  }
});

Deno.test("a member whose check fails is in the headline with the check's words", () => {
  const failing = member("n7", "failing", { reason: "db: connection refused" });
  const text = textOf(render(view([failing, member("n8")])));
  assertStringIncludes(text, "n7 is failing: db: connection refused");
  assertStringIncludes(text, "n7 failing db: connection refused");
});

Deno.test("the headings lead to strips of other times, with filter and order as they are", () => {
  const html = render(view([member("n1")]), { filter: "n1", sort: "age", span: "24h" });
  const [, spans = ""] = /<span class="spans">(.*?)<\/span>/.exec(html) ?? [];
  const links = [...spans.matchAll(/<a href="([^"]*)"([^>]*)>([^<]*)</g)]
    .map(([, href, more = "", words]) => `${words} ${href}${/current/.test(more) ? " shown" : ""}`);
  assertEquals(links, [
    "10 min ./?q=n1&amp;sort=age",
    "1 h ./?q=n1&amp;sort=age&amp;span=1h",
    "24 h ./?q=n1&amp;sort=age&amp;span=24h shown",
    "30 d ./?q=n1&amp;sort=age&amp;span=30d",
  ]);
  const open = render(view([member("n1")]), { story: story(member("n1")) });
  assertStringIncludes(open, '<a href="./?span=1h&amp;id=n1">1 h</a>', "and the history open");
  assertStringIncludes(html, 'href="./?q=n1&amp;sort=id&amp;span=24h"');
});

Deno.test("before a decommission the page says what nobody else is", () => {
  const members = [
    member("n7", "live", { tags: { role: "db", zone: "a" } }),
    member("n8", "live", { tags: { role: "web", zone: "a" } }),
  ];
  const text = textOf(render(view(members), { bye: "n7" }));
  assertStringIncludes(text, "No other member that runs is role=db .");
});
