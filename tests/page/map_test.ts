import { assert, assertEquals, assertLess } from "@std/assert";
import { MAP_GROUPS_MAX, mapCells } from "../../lib/page/cells.ts";
import { renderPage } from "../../lib/page/page.tsx";
import { STATUS_MARK } from "../../lib/report/strips.ts";
import { STATUSES } from "../../lib/table.ts";
import { MANY } from "../../static/lists.js";
import {
  CELL_HEADING,
  groupsOf,
  memberOf,
  pitchOf,
  STATUS_OF_MARK,
  strokesOf,
} from "../../static/squares.js";
import { member, view } from "./views.ts";

function tagged(id: string, tags: Record<string, string> = {}) {
  return member(id, "live", { tags });
}

Deno.test("without tags a map is one group without a name, by ID, without the decommissioned", () => {
  const members = [tagged("b"), member("a", "dead"), member("c", "decommissioned")];
  assertEquals(mapCells(members), ["xa", "+b"]);
  assertEquals(mapCells([]), []);
});

Deno.test("a map is grouped by the tag that most members have; those without it come last", () => {
  const members = [
    tagged("n1", { role: "web", zone: "b" }),
    tagged("n2", { role: "db", zone: "a" }),
    tagged("n3", { zone: "a" }),
    tagged("n4"),
  ];
  assertEquals(
    mapCells(members),
    ["#zone=a", "+n2", "+n3", "#zone=b", "+n1", "#no zone", "+n4"],
  );
});

Deno.test("where less than half have a tag in common, a map is not grouped", () => {
  const members = [tagged("n1", { role: "web" }), tagged("n2"), tagged("n3")];
  assertEquals(mapCells(members), ["+n1", "+n2", "+n3"]);
});

Deno.test("of tags that as many members have the first by name groups the map", () => {
  const members = [tagged("n1", { b: "1", a: "2" }), tagged("n2", { b: "1", a: "1" })];
  assertEquals(mapCells(members), ["#a=1", "+n2", "#a=2", "+n1"]);
});

Deno.test("a tag that tells nearly all members apart groups no map", () => {
  const members = (hosts: number) =>
    Array.from({ length: 2 * hosts }, (_, i) => tagged(`n${i}`, { host: `h${i % hosts}` }));
  const headings = (hosts: number) =>
    mapCells(members(hosts)).filter((cell) => cell.startsWith(CELL_HEADING)).length;
  assertEquals(headings(MAP_GROUPS_MAX), MAP_GROUPS_MAX);
  assertEquals(headings(MAP_GROUPS_MAX + 1), 0);
});

Deno.test("a cell's mark is its member's status, whatever its ID looks like", () => {
  for (const status of STATUSES) {
    if (status === "decommissioned") continue;
    const [cell = ""] = mapCells([member("#x+", status)]);
    assertEquals(memberOf(cell), { id: "#x+", status });
  }
  assertEquals(memberOf("%n1").status, "unknown");
  const { decommissioned: _, ...marks } = STATUS_MARK;
  assertEquals(
    Object.fromEntries(Object.entries(STATUS_OF_MARK).map(([mark, status]) => [status, mark])),
    marks,
  );
});

Deno.test("cells are grouped by the headings among them", () => {
  assertEquals(groupsOf(["+a", "xb"]), [{ name: "", cells: ["+a", "xb"] }]);
  assertEquals(groupsOf(["#r=1", "+a", "#r=2", "+b"]), [
    { name: "r=1", cells: ["+a"] },
    { name: "r=2", cells: ["+b"] },
  ]);
  assertEquals(groupsOf([]), []);
});

Deno.test("squares of one status beside each other are one stroke, which ends with its line", () => {
  const strokes = (text: string, columns: number) =>
    Object.fromEntries(strokesOf(text.split(" "), columns));
  assertEquals(strokes("+a +b xc +d +e", 3), { live: "M0 0h2M0 1h2", dead: "M2 0h1" });
  assertEquals(strokes("+a +b +c +d", 2), { live: "M0 0h2M0 1h2" });
  assertEquals(strokesOf([], 3).size, 0);
});

Deno.test("squares are smaller where there are more, as large as text at most, and large enough to point at", () => {
  const pitches = [100, 1_000, 4_000, 10_000, 65_536].map(pitchOf);
  assertEquals(pitches, [16, 16, 8, 5, 5]);
});

Deno.test("the page's map names its groups; 10,000 members are some elements in some kilobytes", () => {
  const members = Array.from({ length: 10_000 }, (_, i) => {
    const status = i % 1_000 === 7 ? "dead" : "live";
    return member(`n${10_000 + i}`, status, { tags: { role: i % 2 === 0 ? "web" : "db" } });
  });
  const mapOf = (count: number) => {
    const html = renderPage(view(members.slice(0, count)), {
      assets: { style: "", script: "", icon: "" },
    });
    return /<div id="map".*?<\/div>/.exec(html)?.[0] ?? "";
  };
  const groups = [...mapOf(MANY).matchAll(/<p class="group">([^<]*)</g)].map(([, name]) => name);
  assertEquals(groups, ["role=db", "role=web"]);
  const map = mapOf(10_000);
  assertEquals(map.match(/<path/g)?.length, 3);
  assertLess(map.length, 5_000);
  assert(!map.includes("n10000"), "whose square is where is for the script");
});
