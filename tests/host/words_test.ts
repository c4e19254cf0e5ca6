import { assertEquals } from "@std/assert";
import { OwnWords } from "../../lib/host/words.ts";

/** Words whose clock is moved by hand. */
function open() {
  const told: string[] = [];
  let nowMs = 0;
  const words = new OwnWords({
    tell: (about) => told.push(about?.text ?? "nothing"),
    nowMs: () => nowMs,
  });
  return { words, told, pass: (ms: number) => nowMs += ms };
}

Deno.test("a node tells what it says of itself when that changed, and not again", () => {
  const { words, told, pass } = open();
  words.say({});
  words.say({ failing: "http 503" });
  pass(1_000);
  words.say({ failing: "http 503" });
  words.flush();
  assertEquals(told, ['{"failing":"http 503"}']);
  words.say({ failing: "" });
  assertEquals(told[1], "nothing");
});

Deno.test("changes that come too fast travel as the last of them, when it is time", () => {
  const { words, told, pass } = open();
  for (const failing of ["a", "b", "c"]) words.say({ failing });
  assertEquals(told, ['{"failing":"a"}']);
  pass(500);
  words.flush();
  assertEquals(told, ['{"failing":"a"}', '{"failing":"c"}']);
});

Deno.test("what is said in pieces is told together", () => {
  const { words, told, pass } = open();
  words.say({ tags: { role: "web" } });
  pass(1_000);
  words.say({ warning: "slow disk" });
  assertEquals(told[1], '{"warning":"slow disk","tags":{"role":"web"}}');
});
