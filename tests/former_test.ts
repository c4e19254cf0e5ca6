import { assertEquals } from "@std/assert";
import { type FormerMember, FormerMembers } from "../lib/former.ts";

const MEMBER: FormerMember = {
  id: "a",
  address: "a:1",
  boot: "0000000a",
  heartbeat: 1_000,
  beforeMs: 7_200_000,
};
const ROW = { ...MEMBER, left: "", heardAtMs: 0 };

function former(): FormerMembers {
  const members = new FormerMembers(5_000);
  members.add(MEMBER);
  return members;
}

Deno.test("FormerMembers.recall() gives the members once, after dead-after of running time", () => {
  const members = former();
  assertEquals([...members.recall(5_000)], []);
  assertEquals([...members.pending()], [MEMBER]);
  assertEquals([...members.recall(5_001)], [MEMBER]);
  assertEquals([[...members.recall(9_000)], [...members.pending()]], [[], []]);
});

Deno.test("FormerMembers.beforeMs() counts for the remembered heartbeat alone, once it is recalled", () => {
  const members = former();
  assertEquals(members.beforeMs(ROW), 0);
  members.recall(5_001);
  assertEquals([members.beforeMs(ROW), members.holds(ROW)], [7_200_000, true]);
  assertEquals(members.beforeMs({ ...ROW, heartbeat: 1_100 }), 0);
  assertEquals(members.beforeMs({ ...ROW, id: "b" }), 0);
});
