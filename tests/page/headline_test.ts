import { assertEquals } from "@std/assert";
import { pageState } from "../../lib/page/content.ts";
import type { PageView } from "../../lib/report/members.ts";
import type { Status } from "../../lib/table.ts";
import { member, type PageMember, view } from "./views.ts";

const AT = "2026-01-12T11:59:03.700Z";
const REFUSED = { reason: "connection refused, witnessed by n1 and n2", since: AT };

function headline(members: PageMember[], more: Partial<PageView> = {}) {
  const state = pageState(view([member("n1"), ...members], more));
  const { title, verdict, since, tone, latest, latestAt } = state;
  return { title, verdict, since, tone, latest, latestAt };
}

function dead(count: number, more: Partial<PageMember> = {}): PageMember[] {
  return Array.from({ length: count }, (_, i) => member(`d${i + 1}`, "dead", more));
}

Deno.test("the headline names up to three dead members, with their reason and the time if there is one of each", () => {
  assertEquals(headline(dead(1, REFUSED)), {
    title: "1 dead - Gossiper",
    verdict: "d1 is dead: connection refused",
    since: AT,
    tone: "bad",
    latest: "1 of 2 members is dead. d1: connection refused, witnessed by n1 and n2",
    latestAt: null,
  });
  const verdict = (...members: PageMember[]) => headline(members).verdict;
  assertEquals(verdict(...dead(2, REFUSED)), "d1 and d2 are dead: connection refused");
  assertEquals(verdict(...dead(3)), "d1, d2 and d3 are dead");
  assertEquals(verdict(...dead(4)), "4 of 5 members are dead");
  assertEquals(
    verdict(...[7, 9].map((s) => member(`d${s}`, "dead", { reason: `no heartbeat for ${s}.0 s` }))),
    "d7 and d9 are dead: no heartbeat",
  );
  assertEquals(verdict(member("x".repeat(90), "dead", REFUSED)), "1 of 2 members is dead");
});

Deno.test("the headline leaves out what all names end in", () => {
  const ids = ["db-1", "web-1", "web-2"].map((id) => `${id}.eu.example.org`);
  const members = ids.map((id, i) => member(id, i === 0 ? "dead" : "live", REFUSED));
  const { verdict, latest } = pageState(view(members));
  assertEquals(verdict, "db-1 is dead: connection refused");
  assertEquals(latest, "1 of 3 members is dead. db-1: connection refused, witnessed by n1 and n2");
});

Deno.test("the line below is about the trouble, and not about a newer change of another member", () => {
  const newer = member("n9", "left", {
    reason: "left: SIGTERM",
    since: "2026-01-12T11:59:59.000Z",
  });
  const later = member("d5", "dead", { reason: "no heartbeat for 5.0 s", since: AT });
  assertEquals(
    headline([newer, ...dead(4), later]).latest,
    "The latest: d5: no heartbeat for 5.0 s",
  );
  assertEquals(
    headline([newer, ...dead(2), later]).latest,
    "3 of 5 members are dead. The latest: d5: no heartbeat for 5.0 s",
  );
});

Deno.test("beside the worst trouble the title and the line below count the members in other trouble", () => {
  const failing = member("f1", "failing", { reason: "disk: full", since: AT });
  const hung = ["u1", "u2"].map((id) => member(id, "unresponsive", { reason: "", since: AT }));
  const told = headline([failing, ...hung, ...dead(1, REFUSED)]);
  assertEquals(told.title, "1 dead, 2 unresponsive, 1 failing - Gossiper");
  assertEquals(told.verdict, "d1 is dead: connection refused");
  assertEquals(
    told.latest,
    "1 of 5 members is dead. d1: connection refused, witnessed by n1 and n2. Also 2 unresponsive and 1 failing",
  );
  const without = headline([failing, ...hung]);
  assertEquals(without.title, "2 unresponsive, 1 failing - Gossiper");
  assertEquals(without.latest, "2 of 4 members are unresponsive. The latest: u1. Also 1 failing");
  assertEquals(headline([...dead(1), member("u", "unknown")]).title, "1 dead - Gossiper");
});

Deno.test("a node alone whose seed does not answer warns, and says what the seed does", () => {
  const seed = { address: "127.0.0.1:7", trouble: "refuses connections", state: "" };
  const alone = headline([], { contacts: [seed] });
  assertEquals(alone.verdict, "This node is alone: 127.0.0.1:7 refuses connections");
  assertEquals([alone.tone, alone.title], ["warn", "Alone - Gossiper"]);
  const fresh = { ...seed, trouble: "" };
  assertEquals(headline([], { contacts: [fresh, seed] }).verdict, alone.verdict);
  assertEquals(headline([], { contacts: [fresh] }).tone, "good");
  assertEquals(headline([member("n2")], { contacts: [seed] }).tone, "good");
});

Deno.test("the page's colour is bad with a dead member, a warning with one that nobody heard, and else good", () => {
  const tone = (...statuses: Status[]) =>
    headline(statuses.map((status, i) => member(`m${i}`, status))).tone;
  assertEquals(tone("live", "left", "decommissioned"), "good");
  assertEquals(tone("live", "unknown"), "warn");
  assertEquals(tone("unknown", "dead"), "bad");
});

Deno.test("members that nobody heard are named, or counted where they are many", () => {
  const verdict = (count: number) =>
    headline(Array.from({ length: count }, (_, i) => member(`u${i + 1}`, "unknown"))).verdict;
  assertEquals(verdict(1), "No heartbeat yet from u1");
  assertEquals(verdict(2), "No heartbeat yet from u1 and u2");
  assertEquals(verdict(5), "No heartbeat yet from 5 members");
});

Deno.test("without trouble the headline says that, and the line below tells the latest change", () => {
  assertEquals(headline([]).verdict, "This node is alone");
  assertEquals(headline([member("n2")]).verdict, "All 2 members are live");
  assertEquals(headline([member("n2", "left")]).verdict, "No member is dead");
  const latest = (...members: PageMember[]) => {
    const { latestAt, latest } = headline(members);
    return [latestAt, latest];
  };
  assertEquals(latest(), [null, ""]);
  const left = { since: AT, reason: "left: SIGTERM" };
  assertEquals(
    latest(member("n2", "live", { since: "2026-01-12T11:00:00.000Z" }), member("n3", "left", left)),
    [AT, "n3 left, SIGTERM"],
  );
  assertEquals(latest(...["n2", "n3", "n4"].map((id) => member(id, "live", { since: AT }))), [
    AT,
    "n2 is live, because of n2 (and 2 more changes)",
  ]);
});

Deno.test("the tab's title begins with the trouble and names the cluster, where it has a name", () => {
  const self = { id: "n1", address: "", version: "", upMs: 0, cluster: "prod" };
  assertEquals(headline(dead(2), { self }).title, "2 dead - prod - Gossiper");
  assertEquals(headline([]).title, "This node is alone - Gossiper");
  assertEquals(headline([member("u", "unknown")]).title, "1 unknown - Gossiper");
});
