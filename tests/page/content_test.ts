import { assertEquals } from "@std/assert";
import { pageState } from "../../lib/page/content.ts";
import { PAGE_ASIDE_MAX, PAGE_ROWS, PAGE_ROWS_MAX } from "../../static/lists.js";
import {
  ageWords,
  clockWords,
  durationWords,
  lastedWords,
  localWords,
  memberCount,
  numberWords,
  secondWords,
  shownWords,
  storyWords,
  timeWords,
  whyWords,
} from "../../static/words.js";
import { member, view } from "./views.ts";

Deno.test("the filter keeps members that match every word: a status, or a part of ID or address", () => {
  const page = view([member("web-1"), member("web-2", "dead"), member("db-1", "dead")]);
  const shown = (filter: string) => pageState(page, { filter }).rows.map((row) => row.id).join(" ");
  assertEquals(shown(""), "db-1 web-2 web-1");
  assertEquals(shown("dead"), "db-1 web-2");
  assertEquals(shown(" WEB  dead "), "web-2");
  assertEquals(shown("1.example"), "db-1 web-1");
  assertEquals(shown("nothing"), "");
  assertEquals(pageState(page, { filter: "web" }).counts.dead, 2);
});

Deno.test("the pace is told beside the uptime, where the size of the cluster stretched it", () => {
  const paceOf = (isStretched: boolean) =>
    pageState(view([], { isStretched, intervalMs: 2_000, deadAfterMs: 10_000 })).self.pace;
  assertEquals(paceOf(false), "");
  assertEquals(paceOf(true), ", a round every 2 s, dead after 10 s");
});

Deno.test("the page is bounded: rows, decommissioned members and contacts past a limit are only counted", () => {
  const members = Array.from({ length: PAGE_ROWS_MAX + 5 }, (_, i) => member(`n${i}`));
  const gone = Array.from(
    { length: PAGE_ASIDE_MAX + 3 },
    (_, i) => member(`g${i}`, "decommissioned"),
  );
  const contacts = Array.from(
    { length: PAGE_ASIDE_MAX + 2 },
    (_, i) => ({ address: `${i}`, trouble: "", state: "" }),
  );
  const page = view([...members, ...gone], { contacts });
  const state = pageState(page, { filter: "example", rows: 9_999 });
  assertEquals(state.more, { rows: 5, gone: 3, contacts: 2 });
  assertEquals(state.rows.length, PAGE_ROWS_MAX);
  assertEquals(state.gone.length, PAGE_ASIDE_MAX);
  const [row, decommissioned, contact] = [state.rows[0], state.gone[0], state.contacts[0]];
  assertEquals([row?.id, decommissioned?.id, contact?.address], ["n0", "g0", "0"]);
  assertEquals(state.contacts.length, PAGE_ASIDE_MAX);
  assertEquals(memberCount(state.counts), PAGE_ROWS_MAX + 5);
  assertEquals(pageState(view([member("n1")])).more, { rows: 0, gone: 0, contacts: 0 });
});

Deno.test("rows are told page by page: behind a member, or more of them; of one that is gone from the list it begins", () => {
  const members = Array.from({ length: 600 }, (_, i) => member(`n${100 + i}`));
  const told = (after?: string, rows?: number) => {
    const state = pageState(view(members), { filter: "live", after, rows });
    return [state.rows[0]?.id, state.rows.length, state.before, state.more.rows];
  };
  assertEquals(told(), ["n100", PAGE_ROWS, 0, 600 - PAGE_ROWS]);
  assertEquals(told("n199"), ["n200", PAGE_ROWS, 100, 500 - PAGE_ROWS]);
  assertEquals(told("n199", 400), ["n200", 400, 100, 100]);
  assertEquals(told("n650"), ["n651", 49, 551, 0]);
  assertEquals(told("n700"), ["n100", PAGE_ROWS, 0, 600 - PAGE_ROWS]);
});

Deno.test("from 100 members on the live ones are told on request, and of a history that is open", () => {
  const members = [member("db", "dead"), ...Array.from({ length: 99 }, (_, i) => member(`n${i}`))];
  const ids = (...wish: Parameters<typeof pageState>[1][]) =>
    pageState(view(members), ...wish).rows.map(({ id }) => id);
  assertEquals(ids(), ["db"]);
  assertEquals(ids({ open: "n7" }), ["db", "n7"]);
  assertEquals(ids({ filter: "live" }).length, 99);
  assertEquals(pageState(view(members.slice(1))).rows.length, 99);
});

Deno.test("a page in the background is told no rows and no map; whom else to ask is told always", () => {
  const members = Array.from({ length: 120 }, (_, i) => member(`n${i}`, i < 2 ? "dead" : "live"));
  const { rows, gone, map, more, others, counts } = pageState(
    view([...members, member("x", "decommissioned")]),
    { rows: 0 },
  );
  assertEquals([rows, gone, map, more.rows, counts.dead], [[], [], [], 2, 2]);
  assertEquals(others.map(({ id }) => id), ["n2", "n3", "n4", "n5", "n6"]);
});

Deno.test("decommissioned members are listed apart, also where the filter keeps no others", () => {
  const page = view([member("n1"), member("n2", "decommissioned")]);
  for (const [filter, ids] of [["", ["n1"]], ["n2", []]] as const) {
    const { rows, gone } = pageState(page, { filter });
    assertEquals([rows.map(({ id }) => id), gone.map(({ id }) => id)], [ids, ["n2"]], filter);
  }
});

Deno.test("what all names end in is told apart, IP addresses aside: one name ends in nothing", () => {
  const suffix = (...addresses: string[]) =>
    pageState(view(addresses.map((address, i) => member(`n${i}`, "live", { address })))).suffix;
  const ip = "10.0.0.1:8080";
  assertEquals(suffix("a.example.org:8080", "b.example.org:8080", ip).address, ".example.org:8080");
  assertEquals(suffix("a.example.org:8080", ip).address, "");
  assertEquals(suffix(ip, "10.0.0.2:8080").address, ":8080");
  assertEquals(suffix(ip).address, "");
});

Deno.test("times and ages read as people say them", () => {
  const ages = [null, 0, 2_149, 9_999, 10_000, 61_000, 7_200_000, 172_800_000].map(ageWords);
  assertEquals(
    ages.join(", "),
    [
      "never, 0.0 s ago, 2.1 s ago, 9.9 s ago, 10 s ago, 1 min ago, 2 h ago, 2 d ago",
    ].join(),
  );
  const lengths = [0, 48_000, 80_000, 720_000, 11_520_000, 371_000_000].map(durationWords);
  assertEquals(lengths.join(", "), "0 s, 48 s, 1 min 20 s, 12 min, 3 h 12 min, 4 d 7 h");
  assertEquals(
    [0, 999, 1_000, 65_536, 1_234_567].map(numberWords).join(" "),
    [
      "0 999 1,000 65,536 1,234,567",
    ].join(),
  );
  const time = "2026-01-12T12:00:03.250Z";
  assertEquals(timeWords(time), "2026-01-12 12:00:03.250 UTC");
  assertEquals(secondWords(time), "2026-01-12 12:00:03 UTC");
  assertEquals(clockWords(time, "2026-01-12T23:00:00.000Z"), "12:00:03 UTC");
  assertEquals(clockWords(time, "2026-01-13T00:00:00.000Z"), "2026-01-12 12:00:03 UTC");
  const history = [{ reason: "restarted, heard directly" }, { reason: "started" }];
  assertEquals(storyWords(history, "1.0"), "1 restart, version 1.0");
  assertEquals(lastedWords(time, "2026-01-12T12:00:11.250Z", ""), "for 8 s");
  assertEquals(lastedWords(time, undefined, "2026-01-12T12:01:03.250Z"), "for 1 min so far");
});

Deno.test("a reader's times are by the reader's clock, without the date of today", () => {
  const at = (hour: number) => new Date(2026, 0, 12, hour, 0, 3).toISOString();
  assertEquals(localWords(at(13)), "2026-01-12 13:00:03");
  assertEquals(localWords(at(13), at(23)), "13:00:03");
  assertEquals(localWords("<b>"), "<b>");
});

Deno.test("the reason does not repeat the status beside it", () => {
  assertEquals(whyWords("left", "left: SIGTERM"), "SIGTERM");
  assertEquals(whyWords("left", "left"), "");
  assertEquals(whyWords("decommissioned", "decommissioned by request to n2"), "by request to n2");
  assertEquals(whyWords("dead", "connection refused"), "connection refused");
});

Deno.test("the heading of the list says how many members the filter shows", () => {
  assertEquals([shownWords(1, 1), shownWords(64, 64)], ["1 member", "64 members"]);
  assertEquals(shownWords(12, 1_024), "12 of 1,024 members");
});

Deno.test("the state says how long a time the strips show: that of the members', or ten minutes", () => {
  const strip = { ...member("n1").strip, stepMs: 60_000 };
  assertEquals(pageState(view([member("n1", "live", { strip })])).span, "1 h");
  assertEquals(pageState(view([])).span, "10 min");
});
