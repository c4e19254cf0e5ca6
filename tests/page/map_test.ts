import { assertEquals, assertLess } from "@std/assert";
import { renderPage } from "../../lib/page/page.tsx";
import type { PageMember } from "../../lib/report/members.ts";
import { MANY, mapGroups } from "../../static/lists.js";
import { member, view } from "./views.ts";

function tagged(id: string, ...tags: string[]) {
  return { id, tags };
}

/** The groups of a map in short. */
function short(members: { id: string; tags: string[] }[]): string {
  return mapGroups(members).map(({ name, members }) => `${name}: ${members.map(({ id }) => id)}`)
    .join("; ");
}

Deno.test("without tags a map is one group without a name, by ID", () => {
  assertEquals(short([tagged("b"), tagged("a")]), ": a,b");
  assertEquals(short([]), "");
});

Deno.test("a map is grouped by the tag that most members have; those without it come last", () => {
  const members = [
    tagged("n1", "role=web", "zone=b"),
    tagged("n2", "role=db", "zone=a"),
    tagged("n3", "zone=a"),
    tagged("n4"),
  ];
  assertEquals(short(members), "zone=a: n2,n3; zone=b: n1; no zone: n4");
});

Deno.test("where less than half have a tag in common, a map is not grouped", () => {
  assertEquals(short([tagged("n1", "role=web"), tagged("n2"), tagged("n3")]), ": n1,n2,n3");
});

Deno.test("of tags that as many members have the first by name groups the map", () => {
  assertEquals(short([tagged("n1", "b=1", "a=2"), tagged("n2", "b=1", "a=1")]), "a=1: n2; a=2: n1");
});

Deno.test("the page's map names its groups, and has one stop of the Tab key", () => {
  const members = Array.from({ length: MANY }, (_, i): PageMember => {
    return member(`n${100 + i}`, "live", { tags: { role: i % 2 === 0 ? "web" : "db" } });
  });
  const html = renderPage(view(members), { assets: { style: "", script: "", icon: "" } });
  const [map = ""] = html.match(/<ul id="map".*?<\/ul>/) ?? [];
  const groups = [...map.matchAll(/<li class="group">([^<]*)</g)].map(([, name]) => name);
  assertEquals(groups, ["role=db", "role=web"]);
  assertEquals(map.match(/tabindex="0"/g)?.length, 1);
  assertLess(map.indexOf("n101"), map.indexOf("n100"));
});
