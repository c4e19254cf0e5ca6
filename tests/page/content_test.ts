import { assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  memberCount,
  PAGE_ASIDE_MAX,
  PAGE_ROWS_MAX,
  type PageState,
  pageState,
} from "../../lib/page/content.ts";
import {
  ageWords,
  durationWords,
  numberWords,
  secondWords,
  timeWords,
  whyWords,
} from "../../lib/report/words.ts";
import type { PageMember } from "../../lib/report/members.ts";
import type { Status } from "../../lib/table.ts";
import * as browser from "../../static/words.js";
import { member, STATUSES, view } from "./views.ts";

Deno.test("the filter keeps members that match every word: a status, or a part of ID or address", () => {
  const page = view([member("web-1"), member("web-2", "dead"), member("db-1", "dead")]);
  const shown = (filter: string) => pageState(page, filter).rows.map((row) => row.id).join(" ");
  assertEquals(shown(""), "db-1 web-2 web-1");
  assertEquals(shown("dead"), "db-1 web-2");
  assertEquals(shown(" WEB  dead "), "web-2");
  assertEquals(shown("1.example"), "db-1 web-1");
  assertEquals(shown("nothing"), "");
  assertEquals(pageState(page, "web").counts.dead, 2);
});

Deno.test("the page is bounded: rows, decommissioned members and contacts past a limit are only counted", () => {
  const members = Array.from({ length: PAGE_ROWS_MAX + 5 }, (_, i) => member(`n${i}`));
  const gone = Array.from(
    { length: PAGE_ASIDE_MAX + 3 },
    (_, i) => member(`g${i}`, "decommissioned"),
  );
  const contacts = Array.from(
    { length: PAGE_ASIDE_MAX + 2 },
    (_, i) => ({ address: `${i}`, state: "" }),
  );
  const state = pageState(view([...members, ...gone], { contacts }));
  assertEquals(state.more, { rows: 5, gone: 3, contacts: 2 });
  assertEquals(state.rows.length, PAGE_ROWS_MAX);
  assertEquals(state.gone.length, PAGE_ASIDE_MAX);
  assertEquals(memberCount(state.counts), PAGE_ROWS_MAX + 5);
});

Deno.test("the verdict and the latest change are plain sentences", () => {
  const verdict = (...statuses: Status[]) =>
    pageState(view(statuses.map((status, i) => member(`n${i}`, status)))).verdict;
  assertEquals(verdict("live"), "This node is alone");
  assertEquals(verdict("live", "live"), "All 2 members are live");
  assertEquals(verdict("live", "left"), "No member is dead");
  assertEquals(verdict("live", "unknown"), "1 member never heard from");
  assertEquals(verdict("live", "dead"), "1 of 2 members is dead");
  const latest = (...members: PageMember[]) => pageState(view(members)).latest;
  const at = "2026-01-12T11:59:03.700Z";
  assertEquals(latest(member("n1")), "");
  assertEquals(
    latest(
      member("n1", "live", { since: "2026-01-12T11:00:00.000Z" }),
      member("n2", "dead", { since: at }),
    ),
    "11:59:03 UTC: n2 is dead, because of n2",
  );
  assertEquals(
    latest(member("n2", "left", { since: "2026-01-11T11:59:03.000Z", reason: "left: SIGTERM" })),
    "2026-01-11 11:59:03 UTC: n2 left, SIGTERM",
  );
  assertEquals(
    latest(...["n1", "n2", "n3"].map((id) => member(id, "dead", { since: at }))),
    "11:59:03 UTC: n1 is dead, because of n1 (and 2 more changes)",
  );
});

Deno.test("the browser's words are the server's", () => {
  for (
    const ms of [
      null,
      0,
      99,
      2_149,
      9_999,
      10_000,
      59_999,
      60_000,
      3_599_999,
      3_600_000,
      172_800_000,
    ]
  ) {
    assertEquals(browser.ageWords(ms), ageWords(ms));
  }
  fc.assert(fc.property(fc.double({ min: -1e6, max: 1e12, noNaN: true }), (ms) => {
    assertEquals(browser.ageWords(ms), ageWords(ms));
  }));
  fc.assert(fc.property(fc.nat(), (n) => assertEquals(browser.numberWords(n), numberWords(n))));
  for (const time of ["2026-01-12T12:00:00.000Z", "2026-01-12T12:00:00Z", "", "<b>"]) {
    assertEquals(browser.timeWords(time), timeWords(time));
    assertEquals(browser.secondWords(time), secondWords(time));
  }
  for (const reason of ["left: SIGTERM", "left", "decommissioned by request to n2", "", "silent"]) {
    for (const status of STATUSES) {
      assertEquals(browser.whyWords(status, reason), whyWords(status, reason));
    }
  }
  const members = STATUSES.map((status) => member(`n-${status}`, status));
  const all = (state: PageState) => [...state.rows, ...state.gone].map((row) => row.id).sort();
  const words = fc.constantFrom(...STATUSES, "n-", "EXAMPLE", "dead:", " ", "lef");
  fc.assert(fc.property(fc.array(words, { maxLength: 3 }), (parts) => {
    const filter = parts.join(" ");
    const kept = members.filter((one) => browser.matches(one, filter)).map((one) => one.id).sort();
    assertEquals(kept, all(pageState(view(members), filter)), `filter ${JSON.stringify(filter)}`);
  }));
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
});
