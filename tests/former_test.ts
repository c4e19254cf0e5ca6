import { assertEquals } from "@std/assert";
import { type FormerMember, FormerMembers } from "../lib/former.ts";
import { Pace } from "../lib/pace.ts";
import { Replica } from "../lib/replica.ts";
import { AWAKE } from "./support/awake.ts";

const MEMBER: FormerMember = {
  id: "a",
  address: "a:1",
  boot: "0000000a",
  heartbeat: 1_000,
  beforeMs: 7_200_000,
};
const ROW = { ...MEMBER, left: "", heardAtMs: 0 };

function former(): FormerMembers {
  const members = new FormerMembers(() => 5_000);
  members.add(MEMBER);
  return members;
}

Deno.test("FormerMembers.recall() gives the members once, after dead-after of running time", () => {
  const members = former();
  assertEquals(members.recall(5_000), []);
  assertEquals(members.pending(), [MEMBER]);
  assertEquals(members.recall(5_001), [MEMBER]);
  assertEquals([members.recall(9_000), members.pending()], [[], []]);
});

Deno.test("FormerMembers.beforeMs() counts for the remembered heartbeat alone, once it is recalled", () => {
  const members = former();
  assertEquals(members.beforeMs(ROW), 0);
  members.recall(5_001);
  assertEquals([members.beforeMs(ROW), members.holds(ROW)], [7_200_000, true]);
  assertEquals(members.beforeMs({ ...ROW, heartbeat: 1_100 }), 0);
  assertEquals(members.beforeMs({ ...ROW, id: "b" }), 0);
});

Deno.test("Replica.recall() waits for as long as a member may be silent, and leaves out one that runs again", () => {
  const options = {
    id: "n",
    address: "n:1",
    boot: "00000001",
    clock: AWAKE,
  };
  const replica = new Replica({
    ...options,
    pace: new Pace({ intervalMs: 1_000, deadAfterMs: 5_000 }),
    random: () => 0,
  });
  for (const id of ["runs", "is gone", "is slow"]) replica.former.add({ ...MEMBER, id });
  const again = {
    id: "runs",
    address: "b:1",
    boot: "0000000b",
    heartbeat: 100,
    ageMs: 0,
    left: "",
  };
  replica.merge(again, "runs", 4_000);
  replica.recall(6_000);
  assertEquals(replica.table.get("is gone"), undefined, "an interval after dead-after, not before");
  replica.evidence.slow.add({ member: "is slow", gapMs: 4_000, at: MEMBER.heartbeat }, 6_000);
  replica.recall(6_001);
  assertEquals(replica.table.get("is gone")?.heartbeat, MEMBER.heartbeat);
  assertEquals(replica.table.get("runs")?.boot, again.boot);
  assertEquals(replica.table.get("is slow"), undefined, "it may be silent for longer");
  replica.recall(9_001);
  assertEquals(replica.table.get("is slow")?.heartbeat, MEMBER.heartbeat);
});

Deno.test("Replica.recall() brings back nobody who would be forgotten by then", () => {
  const replica = new Replica({
    id: "n",
    address: "n:1",
    boot: "00000001",
    random: () => 0,
    pace: new Pace({ intervalMs: 1_000, deadAfterMs: 5_000, forgetMs: 3_600_000 }),
    clock: AWAKE,
  });
  const recalledMs = 6_001;
  const beforeMs = 3_600_000 - recalledMs;
  replica.former.add({ ...MEMBER, id: "in time", beforeMs: beforeMs - 1 });
  replica.former.add({ ...MEMBER, id: "late", beforeMs });
  replica.recall(recalledMs);
  assertEquals(replica.table.roster().map(({ id }) => id), ["in time"]);
});

Deno.test("Replica.recall() waits for longer where the recalled make the table so large that all wait for longer", () => {
  const pace = new Pace({ intervalMs: 1_000, deadAfterMs: 5_000, stretchMembers: 3 });
  const replica = new Replica({
    id: "n",
    address: "n:1",
    boot: "00000001",
    random: () => 0,
    pace,
    clock: AWAKE,
  });
  for (const id of ["a", "b", "c", "d"]) replica.former.add({ ...MEMBER, id });
  replica.recall(12_000);
  assertEquals(replica.table.size, 0);
  replica.recall(12_001);
  assertEquals(replica.table.size, 4);
  pace.look(replica.table.size, 12_001);
  const shown = replica.table.roster().map((row) => replica.verdicts.statusOf(row, 12_001));
  assertEquals(shown, Array(4).fill("dead"));
});
