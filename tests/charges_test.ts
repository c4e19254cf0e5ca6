import { assert, assertEquals } from "@std/assert";
import {
  type Charge,
  CHARGED_MAX,
  Charges,
  CHARGES_TOLD_MAX,
  chargeUpTo,
  convictionAgeIntervals,
  DISTRUST_MS,
  WITNESSES_MAX,
  witnessesNeeded,
} from "../lib/charges.ts";
import type { Row } from "../lib/table.ts";

const NOW_MS = 50_000;

function row(heartbeat: number, id = "n1"): Row {
  return { id, address: "h:1", boot: "00000001", left: "", heartbeat, heardAtMs: NOW_MS };
}

function charge(witness: string, upTo: number, member = "n1"): Charge {
  return { member, witness, upTo };
}

Deno.test("witnesses() are those whose charges reach the member's heartbeat", () => {
  const charges = new Charges();
  charges.add(charge("a", 1_000), row(1_000), NOW_MS);
  charges.add(charge("b", 2_000), row(1_000), NOW_MS);
  assertEquals(charges.witnesses(row(900)), ["a", "b"]);
  assertEquals(charges.witnesses(row(1_000)), ["a", "b"]);
  assertEquals(charges.witnesses(row(1_100)), ["b"]);
  assertEquals(charges.witnesses(row(2_100)), []);
  assertEquals(charges.witnesses(row(1_000, "n2")), []);
});

Deno.test("add() takes no charge that a later heartbeat already contradicts", () => {
  const charges = new Charges();
  assertEquals(charges.add(charge("a", 900), row(1_000), NOW_MS), false);
  assert(charges.empty);
});

Deno.test("add() is a join: in any order, doubled or replayed, the greatest stamp of each witness counts", () => {
  const all = [charge("a", 1_000), charge("a", 3_000), charge("b", 2_000)];
  const orders = [all, all.toReversed(), [...all, ...all], [all[1]!, all[2]!, all[0]!]];
  for (const order of orders) {
    const charges = new Charges();
    for (const each of order) charges.add(each, row(500), NOW_MS);
    assertEquals(
      [...charges.list()].map(({ witness, upTo }) => `${witness} ${upTo}`).sort(),
      ["a 3000", "b 2000"],
    );
  }
});

Deno.test("add() is news for a new witness, and for one whose charge was void, else not", () => {
  const charges = new Charges();
  assertEquals(charges.add(charge("a", 1_000), row(500), NOW_MS), true);
  assertEquals(charges.add(charge("a", 1_000), row(500), NOW_MS), false);
  assertEquals(charges.add(charge("a", 1_500), row(500), NOW_MS), false);
  assertEquals(charges.add(charge("b", 1_000), row(500), NOW_MS), true);
  assertEquals(charges.add(charge("a", 2_000), row(1_600), NOW_MS), true);
  assertEquals(charges.add(charge("a", 2_500), row(2_000), NOW_MS), false, "it still held");
});

Deno.test("a member heard directly is cleared without the slack that charges have", () => {
  const charges = new Charges();
  charges.add(charge("a", 2_000), row(500), NOW_MS);
  assertEquals(charges.answer(row(1_600), { restarted: false, direct: false }, NOW_MS), false);
  assertEquals(charges.answer(row(1_600), { restarted: false, direct: true }, NOW_MS), true);
  assertEquals(charges.distrusts(row(1_600).id, NOW_MS), true);
});

Deno.test("answer() clears the member once a heartbeat contradicts the last charge", () => {
  const charges = new Charges();
  charges.add(charge("a", 1_000), row(500), NOW_MS);
  charges.add(charge("b", 2_000), row(500), NOW_MS);
  assertEquals(charges.answer(row(1_500), { restarted: false, direct: false }, NOW_MS), false);
  assertEquals(charges.witnesses(row(1_500)), ["b"]);
  assertEquals(charges.answer(row(2_100), { restarted: false, direct: false }, NOW_MS), true);
  assert(charges.empty);
});

Deno.test("a contradicted refusal was a firewall's: charges count for nothing for ten minutes", () => {
  const charges = new Charges();
  charges.add(charge("a", 1_000), row(500), NOW_MS);
  charges.answer(row(1_100), { restarted: false, direct: false }, NOW_MS);
  assertEquals(charges.distrusts("n1", NOW_MS + DISTRUST_MS - 1), true);
  assertEquals(charges.add(charge("b", 9_000), row(1_100), NOW_MS + DISTRUST_MS - 1), false);
  assertEquals(charges.distrusts("n1", NOW_MS + DISTRUST_MS), false);
  assertEquals(charges.add(charge("b", 9_000), row(1_100), NOW_MS + DISTRUST_MS), true);
  assertEquals(charges.distrusts("n2", NOW_MS), false);
});

Deno.test("a restart answers charges without distrust: they were true of the former life", () => {
  const charges = new Charges();
  charges.add(charge("a", 1_000), row(500), NOW_MS);
  assertEquals(charges.answer(row(1_100), { restarted: true, direct: false }, NOW_MS), true);
  assertEquals(charges.distrusts("n1", NOW_MS), false);
});

Deno.test("drop() forgets a member's charges, and nobody else's", () => {
  const charges = new Charges();
  charges.add(charge("a", 1_000), row(500), NOW_MS);
  charges.add(charge("a", 1_000, "n2"), row(500, "n2"), NOW_MS);
  charges.drop("n1");
  assertEquals([...charges.list()], [charge("a", 1_000, "n2")]);
  assertEquals([charges.isCharged("n1"), charges.isCharged("n2")], [false, true]);
});

Deno.test("forget() forgets a member's charges, and that its refusals were a firewall's", () => {
  const charges = new Charges();
  charges.add(charge("a", 1_000), row(500), NOW_MS);
  charges.forget("n1");
  assert(charges.empty);
  charges.add(charge("a", 1_000), row(500), NOW_MS);
  charges.answer(row(1_100), { restarted: false, direct: false }, NOW_MS);
  assert(charges.distrusts("n1", NOW_MS));
  charges.forget("n1");
  assert(!charges.distrusts("n1", NOW_MS));
});

Deno.test("chargeUpTo() is the member's own clock at the refusal, half a second on, in whole tenths", () => {
  const heard = { ...row(10_000), heardAtMs: NOW_MS - 1_234 };
  assertEquals(chargeUpTo(heard, NOW_MS), 10_000 + 1_700);
});

Deno.test("three witnesses convict, or all others where there are fewer, but never none", () => {
  assertEquals([0, 1, 2, 3, 100].map(witnessesNeeded), [1, 1, 2, 3, 3]);
});

Deno.test("with fewer than three witnesses the heartbeat must be older", () => {
  assertEquals([1, 2, 3].map(convictionAgeIntervals), [4, 3, 1.25]);
});

Deno.test("invariant 7: charges are bounded, by witness and by member", () => {
  const charges = new Charges();
  for (let i = 0; i < WITNESSES_MAX + 5; i++) {
    assertEquals(charges.add(charge(`w${i}`, 1_000), row(500), NOW_MS), i < WITNESSES_MAX);
  }
  assertEquals(charges.witnesses(row(500)).length, WITNESSES_MAX);
  for (let i = 2; i < CHARGED_MAX + 5; i++) {
    const added = charges.add(charge("a", 1_000, `m${i}`), row(500, `m${i}`), NOW_MS);
    assertEquals(added, i <= CHARGED_MAX, `member ${i}`);
  }
  assertEquals([...charges.list()].length, WITNESSES_MAX + CHARGED_MAX - 1);
});

Deno.test("told() are the sender's own charges, then those it was told, each the latest first, 64 in all", () => {
  const charges = new Charges();
  for (let i = 0; i < 100; i++) {
    for (const witness of ["a", "me"]) {
      charges.add(charge(witness, 1_000, `m${i}`), row(500, `m${i}`), NOW_MS);
    }
  }
  const all = charges.toSend("me");
  assertEquals(all.length, CHARGES_TOLD_MAX);
  assertEquals(all, Array.from({ length: 64 }, (_, i) => charge("me", 1_000, `m${99 - i}`)));
  charges.add(charge("b", 1_000, "m7"), row(500, "m7"), NOW_MS);
  const [first, second, third] = charges.toSend("b");
  assertEquals([first, second, third], [
    charge("b", 1_000, "m7"),
    charge("me", 1_000, "m7"),
    charge("a", 1_000, "m7"),
  ]);
});
