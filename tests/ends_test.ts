import { assertEquals, assertMatch } from "@std/assert";
import fc from "fast-check";
import { deathWord, endOf, plannedWord } from "../lib/ends.ts";
import { cluster } from "./support/lab.ts";

/** What every version of this program takes from the wire as the text of `left`. */
const TAKEN = /^[A-Za-z0-9 ._-]{1,32}$/;

Deno.test("a program's end is told by its name, its status and the signal that ended it", () => {
  const told: [Parameters<typeof deathWord>[0], string, string][] = [
    [{ name: "web", code: 1, signal: null }, "dead 1 web", "web exited with 1"],
    [
      { name: "web", code: 137, signal: "SIGKILL" },
      "dead 137 SIGKILL web",
      "web exited with 137 (SIGKILL)",
    ],
    [{ name: "SIGN", code: 2, signal: null }, "dead 2 SIGN", "SIGN exited with 2"],
    [
      { name: "a rather long name.sh", code: 255, signal: null },
      "dead 255 aratherlongname.sh",
      "aratherlongname.sh exited with 255",
    ],
    [{ name: "<b>", code: 1, signal: null }, "dead 1 b", "b exited with 1"],
    [{ name: "é", code: 1, signal: null }, "dead 1 program", "program exited with 1"],
  ];
  for (const [death, word, reason] of told) {
    assertEquals(deathWord(death), word);
    assertEquals(endOf(word), { status: "dead", reason });
  }
});

Deno.test("a planned stop is left, whatever its reason", () => {
  for (
    const reason of ["SIGTERM", "exited with 0", "SIGTERM then exited with 3", "dead", "dead 1"]
  ) {
    assertEquals(endOf(plannedWord(reason)), { status: "left", reason: `left: ${reason}` });
  }
});

Deno.test("whatever a program's name is, each version of this program takes the word for its end", () => {
  const names = fc.oneof(fc.string(), fc.string({ unit: "binary" }), fc.constant("x".repeat(99)));
  const signals = fc.constantFrom(null, "SIGKILL", "SIGVTALRM");
  fc.assert(fc.property(names, fc.nat(255), signals, (name, code, signal) => {
    const word = deathWord({ name, code, signal });
    assertMatch(word, TAKEN);
    assertEquals(endOf(word).status, "dead");
    assertMatch(`x${plannedWord(name)}`.slice(0, 32), TAKEN);
  }));
});

Deno.test("a member whose program ended is dead at all others at once, with the reason", () => {
  const { lab, nodes: [n1, n2, ...others] } = cluster(12, 1);
  n1!.driver.enter((gossip, now) => gossip.leave(now, "dead 137 SIGKILL web"));
  lab.pass(1_000);
  for (const node of [n1!, n2!, ...others]) {
    const change = node.changes.findLast(({ id }) => id === n1!.id);
    assertEquals([change?.to, change?.reason], ["dead", "web exited with 137 (SIGKILL)"]);
  }
});
