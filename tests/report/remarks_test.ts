import { type Said, SAYS_NOTHING } from "../../lib/about.ts";
import { assertEquals } from "@std/assert";
import { Pace } from "../../lib/pace.ts";
import { Replica } from "../../lib/replica.ts";
import { kindsIn, remarksOf, remarkWords } from "../../lib/report/remarks.ts";
import type { KeptChange } from "../../lib/report/stories.ts";
import type { Status } from "../../lib/table.ts";
import { AWAKE } from "../support/awake.ts";

const MINUTE_MS = 60_000;
const NOW_MS = 100 * MINUTE_MS;

function remarks(
  options: { atMinutes?: number[]; gapMs?: number; status?: Status; said?: Partial<Said> } = {},
): string[] {
  const { atMinutes = [], gapMs = 0, status = "live" } = options;
  const replica = new Replica({
    id: "me",
    address: "me:80",
    boot: "00000001",
    pace: new Pace({ intervalMs: 1_000, deadAfterMs: 5_000 }),
    random: () => 0.5,
    clock: AWAKE,
  });
  const report = { id: "n1", address: "n1:80", boot: "00000002", heartbeat: 1_000_000 };
  replica.merge({ ...report, ageMs: 0, left: "" }, "n1", 0);
  if (gapMs > 0) replica.testimony.takeSlow({ member: "n1", gapMs, at: 1_000_000 }, 0);
  const history = atMinutes.map((minute, event): KeptChange => ({
    id: "n1",
    address: "n1:80",
    from: "live",
    to: "dead",
    reason: "",
    event,
    atMs: minute * MINUTE_MS,
  }));
  const said = { ...SAYS_NOTHING, ...options.said };
  const row = replica.table.get("n1")!;
  return remarksOf(row, { status, said, replica, history, wallMs: NOW_MS }).map(({ text }) => text);
}

Deno.test("a member about which nothing is to be said has no remark", () => {
  assertEquals(remarks({ atMinutes: [1, 2, 3] }), []);
});

Deno.test("slow: who says that its rounds come late, while it is not dead", () => {
  const text = "slow: its rounds come 4.2 s apart";
  assertEquals(remarks({ gapMs: 4_200 }), [text]);
  assertEquals(remarks({ gapMs: 4_200, status: "unresponsive" }), [text]);
  assertEquals(remarks({ gapMs: 4_200, status: "dead" }), []);
});

Deno.test("flapping: more than four changes within ten minutes, until it was quiet for ten", () => {
  assertEquals(remarks({ atMinutes: [91, 92, 93, 94] }), []);
  assertEquals(remarks({ atMinutes: [91, 92, 93, 94, 95] }), ["flapping: 5 changes in 10 min"]);
  assertEquals(remarks({ atMinutes: [60, 70, 80, 90, 95] }), [], "five, but far apart");
  assertEquals(remarks({ atMinutes: [80, 81, 82, 83, 84] }), [], "quiet for sixteen minutes");
  const calming = [71, 72, 73, 74, 75, 76, 84, 93];
  assertEquals(remarks({ atMinutes: calming }), ["flapping: 6 changes in 10 min"], "never quiet");
});

Deno.test("not checked yet: who has checks and runs, until each has run once", () => {
  const said = { unchecked: true };
  assertEquals(remarks({ said }), ["not checked yet"]);
  for (const status of ["failing", "dead", "left"] as const) {
    assertEquals(remarks({ said, status }), []);
  }
});

Deno.test("warning: what a member's own health says, while it runs", () => {
  const said = { warning: "the state file cannot be written" };
  for (const status of ["live", "failing"] as const) {
    assertEquals(remarks({ said, status }), ["warning: the state file cannot be written"]);
  }
  assertEquals(remarks({ said, status: "dead" }), []);
});

Deno.test("remarkWords() are the texts of all remarks, from which their kinds can be read, and null without any", () => {
  assertEquals(remarkWords([]), null);
  const words = remarkWords([
    { kind: "warning", text: "warning: slow disk" },
    { kind: "not checked yet", text: "not checked yet" },
  ]);
  assertEquals(words, "warning: slow disk; not checked yet");
  assertEquals(kindsIn(words!), ["warning", "not checked yet"]);
});
