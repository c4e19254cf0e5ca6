import { assertEquals } from "@std/assert";
import { Contacts } from "../lib/contacts.ts";
import { CONTACTS_MAX } from "../lib/limits.ts";

const nobody = () => false;
const everybody = () => true;

/** Fails `times`, each as soon as it is due; the waits between, with the dice at `roll`. */
function waits(contacts: Contacts, times: number, { alone = false, roll = 0.999 } = {}): number[] {
  const found: number[] = [];
  let nowMs = 0;
  for (let i = 0; i < times; i++) {
    contacts.failed("a:1", { monotonicMs: nowMs, alone, random: () => roll });
    const failedMs = nowMs;
    while (contacts.due(nowMs, nobody).length === 0) nowMs += 10;
    found.push(Math.round((nowMs - failedMs) / 100) / 10);
  }
  return found;
}

Deno.test("a contact is called at once, and again until it answers", () => {
  const contacts = new Contacts(["a:1", "b:1"]);
  assertEquals(contacts.due(0, nobody), ["a:1", "b:1"]);
  contacts.answered("a:1", "n1");
  assertEquals(contacts.due(0, everybody), ["b:1"]);
  assertEquals([...contacts.unanswered()], [{ address: "b:1", failures: 0 }]);
});

Deno.test("a contact that answered is called again only when its member is not live", () => {
  const contacts = new Contacts(["a:1"]);
  contacts.answered("a:1", "n1");
  assertEquals(contacts.due(0, (id) => id === "n1"), []);
  assertEquals(contacts.due(0, (id) => id !== "n1"), ["a:1"]);
});

Deno.test("a failing contact is called after 1 s, 2 s and so on, up to 30 s", () => {
  assertEquals(waits(new Contacts(["a:1"]), 7), [1, 2, 4, 8, 16, 30, 30]);
});

Deno.test("the back-off is spread over its second half, so that a cluster does not call in step", () => {
  assertEquals(waits(new Contacts(["a:1"]), 3, { roll: 0 }), [0.5, 1, 2]);
});

Deno.test("a node that has met nobody calls its seeds sooner: after a quarter of a second at first, every second at least", () => {
  assertEquals(waits(new Contacts(["a:1"]), 5, { alone: true }), [0.3, 0.5, 1, 1, 1]);
  const heardOf = new Contacts([]);
  heardOf.add("a:1");
  assertEquals(waits(heardOf, 5, { alone: true }), [1, 2, 4, 8, 16]);
});

Deno.test("the next call due is that of the first unanswered contact whose back-off ends", () => {
  const contacts = new Contacts(["a:1", "b:1", "c:1"]);
  assertEquals(contacts.nextDueMs(0), Infinity);
  contacts.failed("a:1", { monotonicMs: 900, alone: true, random: () => 0 });
  contacts.failed("b:1", { monotonicMs: 800, alone: true, random: () => 0 });
  assertEquals([900, 1_000, 1_025].map((ms) => contacts.nextDueMs(ms)), [925, 1_025, Infinity]);
  contacts.answered("b:1", "n2");
  assertEquals(contacts.nextDueMs(900), 1_025);
});

Deno.test("the back-off begins anew once a contact answered", () => {
  const contacts = new Contacts(["a:1"]);
  waits(contacts, 5);
  contacts.answered("a:1", "n1");
  assertEquals(waits(contacts, 2), [1, 2]);
});

Deno.test("the back-off stays bounded however long a contact fails", () => {
  const contacts = new Contacts(["a:1"]);
  for (let i = 0; i < 10_000; i++) {
    contacts.failed("a:1", { monotonicMs: 0, alone: false, random: () => 0.999 });
  }
  assertEquals(waits(contacts, 1), [30]);
});

Deno.test("an address that is no contact may fail and answer without becoming one", () => {
  const contacts = new Contacts([]);
  contacts.failed("a:1", { monotonicMs: 0, alone: false, random: () => 0 });
  contacts.answered("a:1", "n1");
  assertEquals([contacts.due(0, nobody), [...contacts.unanswered()]], [[], []]);
});

Deno.test("add() keeps what is known of an address that is a contact already", () => {
  const contacts = new Contacts(["a:1"]);
  contacts.answered("a:1", "n1");
  assertEquals(contacts.add("a:1"), true);
  assertEquals([...contacts.unanswered()], []);
});

Deno.test("version grows whenever the unanswered ones change, and only then", () => {
  const contacts = new Contacts(["a:1"]);
  const versions = [
    () => {},
    () => contacts.add("b:1"),
    () => contacts.add("b:1"),
    () => contacts.failed("b:1", { monotonicMs: 0, alone: false, random: () => 0 }),
    () => contacts.answered("b:1", "n1"),
    () => contacts.answered("b:1", "n2"),
  ].map((change) => {
    change();
    return contacts.version;
  });
  const steps = versions.map((version, i) => version - (versions[i - 1] ?? version));
  assertEquals(steps, [0, 1, 0, 0, 1, 0]);
});

Deno.test("invariant 7: contacts are bounded, and the seeds among them stay", () => {
  const contacts = new Contacts(["seed:1"]);
  const added = Array.from({ length: 10_000 }, (_, i) => contacts.add(`h${i}:1`));
  assertEquals(added.filter(Boolean).length, CONTACTS_MAX - 1);
  assertEquals([...contacts.unanswered()].length, CONTACTS_MAX);
  assertEquals(contacts.due(0, nobody)[0], "seed:1");
});

const REMEMBERED = Array.from({ length: 20 }, (_, i) => `r${i}:1`);

Deno.test("addresses of a former life are called a few each second, after the seeds", () => {
  const contacts = new Contacts(["a:1"], { remembered: REMEMBERED, nowMs: 5_000 });
  assertEquals(contacts.due(5_000, nobody), ["a:1", ...REMEMBERED.slice(0, 8)]);
  assertEquals(contacts.due(6_000, nobody).length, 17);
  assertEquals(contacts.due(7_000, nobody).length, 21);
});

Deno.test("an address of a former life is forgotten when its member is live, a seed never", () => {
  const contacts = new Contacts(["a:1"], { remembered: ["r:1", "a:1"] });
  const { version } = contacts;
  contacts.met("a:1");
  contacts.met("r:1");
  assertEquals([...contacts.unanswered()], [{ address: "a:1", failures: 0 }]);
  assertEquals(contacts.version > version, true);
});

Deno.test("an address of a former life that never answers is forgotten, but not while this node is alone", () => {
  for (const alone of [true, false]) {
    const contacts = new Contacts([], { remembered: ["r:1"] });
    for (let i = 0; i < 40; i++) {
      contacts.failed("r:1", { monotonicMs: 0, alone, random: () => 0.5 });
    }
    assertEquals([...contacts.unanswered()].length, alone ? 1 : 0);
  }
});

Deno.test("what a seed's name stands for is called at once, and forgotten when it no longer does", () => {
  const contacts = new Contacts(["name:1"]);
  contacts.resolved(["10.0.0.1:1", "10.0.0.2:1"]);
  assertEquals(contacts.due(0, nobody), ["name:1", "10.0.0.1:1", "10.0.0.2:1"]);
  contacts.resolved(["10.0.0.2:1", "10.0.0.3:1"]);
  assertEquals(contacts.due(0, nobody), ["name:1", "10.0.0.2:1", "10.0.0.3:1"]);
});

Deno.test("seeds are missed until each has answered, and when its member is gone", () => {
  const contacts = new Contacts(["a:1"]);
  assertEquals(contacts.misses(everybody), true);
  contacts.answered("a:1", "n1");
  assertEquals(contacts.misses(everybody), false);
  assertEquals(contacts.misses(nobody), true);
  contacts.add("heard:1");
  assertEquals(contacts.misses(everybody), false);
});
