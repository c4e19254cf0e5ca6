import { assertEquals, assertLessOrEqual } from "@std/assert";
import { takeAbout } from "../../lib/about.ts";
import { changeView, Stories } from "../../lib/report/stories.ts";
import type { StatusChange } from "../../lib/verdicts.ts";

function change(id: string, to: StatusChange["to"] = "live"): StatusChange {
  return { id, address: `${id}:1`, from: null, to, reason: `is ${to}`, ageMs: 7 };
}

const SMALL = { history: 3, histories: 1_000, resumable: 4 };

function events(told: readonly { event: number }[] | undefined): number[] | undefined {
  return told?.map(({ event }) => event);
}

Deno.test("Stories numbers changes from 1 and tells each member's own, oldest first", () => {
  const stories = new Stories();
  assertEquals(stories.lastEvent, 0);
  stories.record(change("a"), 1_000);
  stories.record(change("b"), 2_000);
  const last = stories.record(change("a", "dead"), 3_000);
  assertEquals(stories.lastEvent, 3);
  assertEquals(events(stories.history("a")), [1, 3]);
  assertEquals(stories.latest("a"), last);
  assertEquals(stories.history("c"), []);
  assertEquals(stories.latest("c"), undefined);
});

Deno.test("changeView() writes the time out and keeps number and reason", () => {
  const told = new Stories().record({ ...change("a", "dead"), from: "live" }, 1_000);
  assertEquals(changeView(told), {
    id: "a",
    address: "a:1",
    from: "live",
    to: "dead",
    at: "1970-01-01T00:00:01.000Z",
    reason: "is dead",
    tags: {},
    event: 1,
  });
});

Deno.test("a change keeps what its member said it was then", () => {
  const about = takeAbout({ tags: { role: "web" } })!;
  assertEquals(changeView(new Stories().record(change("a"), 1_000, about)).tags, { role: "web" });
});

Deno.test("Stories.since() gives what came after a number, until that is forgotten", () => {
  const stories = new Stories(SMALL);
  assertEquals(stories.since(0), []);
  for (let i = 1; i <= 10; i++) stories.record(change(`m${i}`), i);
  assertEquals(events(stories.since(10)), []);
  assertEquals(events(stories.since(8)), [9, 10]);
  assertEquals(events(stories.since(6)), [7, 8, 9, 10]);
  assertEquals(stories.since(5), undefined);
});

Deno.test("Stories.since() knows no number that it never gave out", () => {
  const stories = new Stories(SMALL);
  stories.record(change("a"), 1);
  for (const event of [2, -1, 0.5, NaN, Infinity]) assertEquals(stories.since(event), undefined);
});

Deno.test("Stories keeps a member's last changes", () => {
  const stories = new Stories(SMALL);
  for (let i = 0; i < 5; i++) stories.record(change("a"), i);
  assertEquals(events(stories.history("a")), [3, 4, 5]);
});

Deno.test("invariant 7: however many members there are, Stories keeps at most twice its changes", () => {
  const limits = { history: 10, histories: 100, resumable: 4 };
  const stories = new Stories(limits);
  const members = Array.from({ length: 100 }, (_, i) => `m${i}`);
  let kept = 0;
  for (let joined = 1; joined <= members.length; joined++) {
    for (const id of members.slice(0, joined)) {
      for (let i = 0; i < limits.history; i++) stories.record(change(id), i);
    }
    kept = members.reduce((sum, id) => sum + stories.history(id).length, 0);
    assertLessOrEqual(kept, 2 * limits.histories);
  }
  assertEquals(kept, 100, "each of a hundred members keeps its latest change");
});
