import { assert, assertEquals, assertGreater, assertLess, assertLessOrEqual } from "@std/assert";
import { type Choice, Deck, fanout, Partners, shuffle, spreadIntervals } from "../lib/partners.ts";
import { ageOf, type Row } from "../lib/table.ts";
import { seededRandom } from "./support/dice.ts";

const NOW_MS = 10_000;
const DEAD_AFTER_MS = 5_000;

function row(id: string, ageMs = 0): Row {
  return {
    id,
    address: `${id}:80`,
    boot: "00000001",
    heartbeat: 100,
    left: "",
    heardAtMs: NOW_MS - ageMs,
  };
}

function rows(count: number, name: string, ageMs = 0): Row[] {
  return Array.from({ length: count }, (_, i) => row(`${name}${i}`, ageMs));
}

/** Rounds of choices from one state of the table. */
function chooseOften(times: number, choice: Partial<Choice>): string[][] {
  const partners = new Partners();
  const random = seededRandom(0x60551);
  return Array.from({ length: times }, () => [
    ...partners.choose({
      live: [],
      gone: [],
      ownAddress: "own:80",
      fanout: 1,
      isSilent: () => false,
      hung: [],
      isSuspect: (row) => ageOf(row, NOW_MS) > 0.6 * DEAD_AFTER_MS,
      lookShare: () => 0,
      random,
      ...choice,
    }),
  ]);
}

function count(list: readonly string[], of: string): number {
  return list.filter((each) => each === of).length;
}

Deno.test("fanout() is 2 up to 128 members, and 3 above", () => {
  assertEquals([1, 3, 128, 129, 10_000].map(fanout), [2, 2, 2, 3, 3]);
});

Deno.test("choose() chooses nobody where there is nobody", () => {
  assertEquals(chooseOften(3, { fanout: 3 }), [[], [], []]);
});

Deno.test("choose() calls as many live members a round as it is told, none of them twice", () => {
  for (const chosen of chooseOften(50, { live: rows(10, "n"), fanout: 3 })) {
    assertEquals([chosen.length, new Set(chosen).size], [3, 3]);
  }
});

Deno.test("choose() calls all where there are fewer than it is told", () => {
  for (const chosen of chooseOften(20, { live: rows(2, "n"), fanout: 3 })) {
    assertEquals(chosen.toSorted(), ["n0:80", "n1:80"]);
  }
});

Deno.test("choose() walks a shuffled list: nobody waits longer than one walk of it for the next call", () => {
  const walks = chooseOften(30, { live: rows(10, "n") }).flat();
  for (let i = 0; i < walks.length; i += 10) {
    assertEquals(new Set(walks.slice(i, i + 10)).size, 10, walks.join(" "));
  }
  assert(walks.slice(0, 10).join() !== walks.slice(10, 20).join(), "two walks in one order");
});

Deno.test("choose() goes on with the walk when members come and go", () => {
  const partners = new Partners();
  const choice = {
    gone: [],
    ownAddress: "own:80",
    fanout: 1,
    isSilent: () => false,
    hung: [],
    isSuspect: () => false,
    lookShare: () => 0,
    random: seededRandom(2),
  };
  const live = rows(4, "n");
  const first = [...partners.choose({ ...choice, live })];
  const left = live.filter((row) => row.address !== first[0]).slice(1);
  const called = left.map(() => [...partners.choose({ ...choice, live: left })][0]);
  assertEquals(called.toSorted(), left.map((row) => row.address).toSorted());
});

Deno.test("admit() brings a new member into the walk under way", () => {
  const random = seededRandom(3);
  const live = rows(5, "n");
  const choice = {
    gone: [],
    ownAddress: "own:80",
    fanout: 1,
    isSilent: () => false,
    hung: [],
    isSuspect: () => false,
    lookShare: () => 0,
    random,
  };
  const partners = new Partners();
  partners.choose({ ...choice, live });
  partners.admit("new", random);
  const all = [...live, row("new")];
  const called = Array.from({ length: 5 }, () => [...partners.choose({ ...choice, live: all })][0]);
  assert(called.includes("new:80"), called.join(" "));
});

Deno.test("choose() calls a suspect about three times a round from the whole cluster, not from each", () => {
  // One of 100 members is silent for more than 60 % of dead-after.
  const live = [row("suspect", 0.6 * DEAD_AFTER_MS + 1), ...rows(99, "n")];
  const calls = count(chooseOften(10_000, { live }).flat(), "suspect:80");
  // In 3 % of the rounds by suspicion; the walk, of three a round, comes by in another 3 %.
  assertGreater(calls, 500);
  assertLess(calls, 700);
});

Deno.test("choose() calls two more live members a round while it has a suspect: others have its news", () => {
  const live = [row("suspect", 0.6 * DEAD_AFTER_MS + 1), ...rows(9, "n")];
  for (const chosen of chooseOften(50, { live })) {
    assertGreater(chosen.filter((address) => address !== "suspect:80").length, 1);
  }
});

Deno.test("choose() suspects nobody before 60 % of dead-after", () => {
  const live = [row("late", 0.6 * DEAD_AFTER_MS), ...rows(99, "n")];
  const calls = count(chooseOften(10_000, { live }).flat(), "late:80");
  assertEquals(calls, 100);
});

Deno.test("choose() calls no more than 8 suspects a round when all go silent at once", () => {
  for (const size of [4, 30, 1_000]) {
    for (const chosen of chooseOften(200, { live: rows(size, "n", 4_000) })) {
      assertLessOrEqual(chosen.length, 1 + 2 + 8);
    }
  }
});

Deno.test("choose() calls a gone member about once a round from the whole cluster", () => {
  const calls = chooseOften(10_000, { live: rows(9, "n"), gone: [row("gone")] }).flat();
  assertGreater(count(calls, "gone:80"), 850);
  assertLess(count(calls, "gone:80"), 1_150);
});

Deno.test("choose() calls eight gone members a round at most", () => {
  for (const chosen of chooseOften(100, { live: rows(1, "n"), gone: rows(500, "gone") })) {
    assertLessOrEqual(chosen.filter((address) => address.startsWith("gone")).length, 8);
  }
});

Deno.test("choose() still calls the gone where nobody is live: a node that was cut off finds back", () => {
  // A lone survivor of 30 has called each once after four rounds.
  const calls = chooseOften(4, { gone: rows(29, "gone") }).flat();
  assertEquals(new Set(calls).size, 29);
});

Deno.test("choose() calls a Go node about once a round from all of ours, and never as one of its partners", () => {
  const go = { ...row("go"), boot: "" };
  for (const chosen of chooseOften(100, { live: [...rows(9, "n"), go] })) {
    assertEquals(chosen.filter((address) => address !== "go:80").length, 1);
  }
  const calls = chooseOften(10_000, { live: [...rows(9, "n"), go] }).flat();
  assertGreater(count(calls, "go:80"), 850);
  assertLess(count(calls, "go:80"), 1_150);
  // Alone among Go nodes it calls two a round at most.
  const many = Array.from({ length: 50 }, (_, i) => ({ ...row(`go${i}`), boot: "" }));
  for (const chosen of chooseOften(100, { live: many })) assertLessOrEqual(chosen.length, 2);
});

Deno.test("choose() never calls a gone member at this node's own address, or at a live member's", () => {
  const own = { ...row("gone0"), address: "own:80" };
  const taken = { ...row("gone1"), address: "n0:80" };
  const calls = chooseOften(500, { live: [row("n0"), row("n1")], gone: [own, taken] }).flat();
  assertEquals(count(calls, "own:80"), 0);
  // One a round by the walk of two, and no more.
  assertEquals(count(calls, "n0:80"), 250);
});

Deno.test("shuffle() keeps what it shuffles, and reaches every order", () => {
  const random = seededRandom(4);
  const seen = new Set<string>();
  for (let i = 0; i < 500; i++) seen.add(shuffle(["a", "b", "c"], random).join(""));
  assertEquals([...seen].sort(), ["abc", "acb", "bac", "bca", "cab", "cba"]);
});

Deno.test("choose() calls members whose last call timed out after all others, and those too where it is told to call more", () => {
  const live = rows(10, "n");
  const isSilent = (id: string) => id !== "n3" && id !== "n7";
  for (const chosen of chooseOften(20, { live, fanout: 2, isSilent })) {
    assertEquals(chosen.toSorted(), ["n3:80", "n7:80"]);
  }
  for (const chosen of chooseOften(20, { live, fanout: 4, isSilent })) {
    assertEquals([chosen.length, count(chosen, "n3:80"), count(chosen, "n7:80")], [4, 1, 1]);
  }
});

Deno.test("heartbeats of more members take longer to spread: four intervals and a little among 10,000", () => {
  const tenths = [1_000, 10_000, 65_536].map((members) =>
    Math.round(10 * spreadIntervals(members))
  );
  assertEquals(tenths, [33, 41, 47]);
});

Deno.test("Deck.admit() puts a newcomer at any place of the walk under way, each as likely as the others", () => {
  const old = rows(4, "n");
  const placeAt = (share: number) => {
    const deck = new Deck();
    // Three of the four are left.
    deck.draw(old, 1, () => 0.5);
    deck.admit("new", () => share);
    const all = [...old, row("new")];
    const walk = Array.from({ length: 4 }, () => deck.draw(all, 1, () => 0.5)[0]!.id);
    return walk.indexOf("new");
  };
  assertEquals([0.1, 0.3, 0.4, 0.6, 0.7, 0.9].map(placeAt), [3, 2, 2, 1, 1, 0]);
});

Deno.test("members that come back again and again are drawn twice in a pass at most, and the others once", () => {
  const random = seededRandom(7);
  const rows = Array.from({ length: 10 }, (_, i) => ({ id: `n${i}` }));
  const deck = new Deck();
  const drawn = new Map(rows.map(({ id }) => [id, 0]));
  for (let i = 0; i < 240; i++) {
    for (const id of ["n0", "n1", "n0", "n1"]) deck.admit(id, random);
    const [row] = deck.draw(rows, 1, random);
    drawn.set(row!.id, drawn.get(row!.id)! + 1);
  }
  // A pass is of twelve draws then.
  for (const [id, count] of drawn) {
    assert(Math.abs(count - (id < "n2" ? 40 : 20)) <= 2, `${id}: ${count}`);
  }
});
