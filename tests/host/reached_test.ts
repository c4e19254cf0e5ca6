import { assertEquals } from "@std/assert";
import { Reached } from "../../lib/host/reached.ts";
import { DEAD_AFTER_MS, three } from "../support/lab.ts";
import { keptLog } from "../support/logs.ts";

const LONG_MS = 6 * DEAD_AFTER_MS;
const TROUBLE = "no member reaches this node at a:80: open its port to them, or set -advertise";

/** Three nodes, the first of which watches whether the others reach it. */
function watched() {
  const { lab, a, b, c } = three();
  const { log, lines } = keptLog();
  const reached = new Reached(a.gossip, { id: "A", address: "a:80", log });
  const receive = a.receive.bind(a);
  a.receive = (from, body) => {
    reached.called(from);
    return receive(from, body);
  };
  const pass = (ms: number) => {
    for (let i = 0; i < ms / 1_000; i++) {
      lab.pass(1_000);
      if (!a.paused) reached.round();
    }
  };
  const close = () => lab.reach = (_from, to) => to === "a:80" ? "silent" : "ok";
  return { lab, a, b, c, reached, lines, pass, close };
}

Deno.test("a node that no member reaches is live, and tells so after 30 s, until one does", () => {
  const { lab, b, reached, lines, pass, close } = watched();
  pass(2 * LONG_MS);
  close();
  pass(LONG_MS - 2_000);
  assertEquals([reached.trouble, lines.length], [undefined, 0]);
  pass(4_000);
  assertEquals([reached.trouble, b.status("A")], [TROUBLE, "live"]);
  lab.reach = () => "ok";
  pass(3_000);
  assertEquals(reached.trouble, undefined);
  assertEquals(lines.map((line) => line.slice(24)), [
    `warning: ${TROUBLE}`,
    "members reach this node again at a:80",
  ]);
});

Deno.test("its own call, by another name of it, is no member's", () => {
  const { reached, pass, close } = watched();
  close();
  for (let i = 0; i < LONG_MS / 1_000 + 1; i++) {
    pass(1_000);
    reached.called("A");
  }
  assertEquals(reached.trouble, TROUBLE);
});

Deno.test("nobody is missed where there is nobody: others are dead, left or not there yet", () => {
  const { b, c, reached, lines, pass } = watched();
  b.killed = true;
  c.leave("SIGTERM");
  pass(4 * LONG_MS);
  assertEquals([reached.trouble, lines], [undefined, []]);
});

Deno.test("a node that was suspended, or could not run, missed no calls meanwhile", () => {
  const { a, reached, lines, pass } = watched();
  a.paused = true;
  pass(4 * LONG_MS);
  a.paused = false;
  pass(LONG_MS);
  assertEquals([reached.trouble, lines], [undefined, []]);
});
