import { assertEquals, assertLess, assertMatch, assertNotEquals } from "@std/assert";
import { bugPlace, createLog, LOG_LEVELS, type LogFormat, type LogLevel } from "../lib/log.ts";
import type { StatusChange } from "../lib/verdicts.ts";

const DEATH: StatusChange = {
  id: "n2",
  address: "host:8081",
  from: "live",
  to: "dead",
  reason: "no heartbeat for 5.0 s",
  ageMs: 5_012.4,
};

function open({ format = "text", level = "info" }: { format?: LogFormat; level?: LogLevel } = {}) {
  const lines: string[] = [];
  const now = () => new Date("2026-01-12T12:00:03.250Z");
  return { lines, log: createLog((line) => lines.push(line), { now, format, level }) };
}

Deno.test("createLog() writes a change as a line for people, with its reason", () => {
  const { lines, log } = open();
  log.change(DEATH, false);
  log.change(
    { ...DEATH, to: "live", from: null, ageMs: null, address: "", reason: "heard of" },
    false,
  );
  log.change({ ...DEATH, to: "left", reason: "left: SIGTERM" }, false);
  assertEquals(lines, [
    "2026-01-12 12:00:03.250 peer is dead: n2 (host:8081), last heard 5.0 s ago: no heartbeat for 5.0 s",
    "2026-01-12 12:00:03.250 peer is live: n2: heard of",
    "2026-01-12 12:00:03.250 peer has left: n2 (host:8081): SIGTERM",
  ]);
});

Deno.test("createLog() calls this node no peer", () => {
  const { lines, log } = open();
  const own = { ...DEATH, id: "n1", address: "host:8080", ageMs: 0 };
  log.change({ ...own, from: null, to: "live", reason: "started" }, true);
  log.change({ ...own, to: "left", reason: "left: SIGTERM" }, true);
  assertEquals(lines, [
    "2026-01-12 12:00:03.250 this node is live: n1 (host:8080): started",
    "2026-01-12 12:00:03.250 this node has left: n1 (host:8080): SIGTERM",
  ]);
});

Deno.test("createLog() writes one JSON object a line for machines", () => {
  const { lines, log } = open({ format: "json" });
  log.change(DEATH, false);
  log.notice("error", "BUG");
  assertEquals(lines.map((line) => JSON.parse(line)), [
    {
      time: "2026-01-12T12:00:03.250Z",
      level: "warn",
      event: "change",
      message: "peer is dead: n2 (host:8081), last heard 5.0 s ago: no heartbeat for 5.0 s",
      id: "n2",
      address: "host:8081",
      from: "live",
      to: "dead",
      reason: "no heartbeat for 5.0 s",
      ageMs: 5012,
    },
    { time: "2026-01-12T12:00:03.250Z", level: "error", event: "notice", message: "BUG" },
  ]);
});

Deno.test("createLog() leaves out what is below its level; a death is a warning, and no other change is", () => {
  const seen: Record<string, string[]> = {};
  for (const level of LOG_LEVELS) {
    const { lines, log } = open({ level });
    for (const each of LOG_LEVELS) log.notice(each, each);
    log.change(DEATH, false);
    log.change({ ...DEATH, to: "left" }, false);
    log.change({ ...DEATH, to: "unknown", ageMs: null }, false);
    seen[level] = lines.map((line) => line.slice(24).replace(/: n2.*/, ""));
  }
  const all = ["debug: debug", "info", "warning: warn", "error: error"];
  assertEquals(seen, {
    debug: [...all, "peer is dead", "peer has left", "peer is unknown"],
    info: [...all.slice(1), "peer is dead", "peer has left", "peer is unknown"],
    warn: [...all.slice(2), "peer is dead"],
    error: all.slice(3),
  });
});

Deno.test("invariant 9: whatever a peer sends, createLog() writes one line of printable ASCII", () => {
  const hostile = "a\nb\r\x1b[2Jc\u0000\x7f\u0085\u202e\u2028é\ud800" + "x".repeat(100_000);
  for (const format of ["text", "json"] as const) {
    const { lines, log } = open({ format });
    log.notice("warn", hostile);
    log.change({ ...DEATH, id: hostile, reason: hostile.slice(0, 20) }, false);
    assertEquals(lines.length, 2);
    for (const line of lines) {
      assertMatch(line, /^[\x20-\x7e]+$/);
      if (format === "json") assertEquals(JSON.parse(line).level, "warn");
    }
    assertLess(lines[0]!.length, 5_000);
  }
});

Deno.test("bugPlace() tells places in the program apart, whatever the messages say", () => {
  const fail = (text: string) => new TypeError(text);
  const places = ["a", "b", "", "\n    at forged (evil.ts:1:1)"].map((text) =>
    bugPlace(fail(text))
  );
  assertEquals(new Set(places).size, 1);
  assertMatch(places[0]!, /^at fail \(.*log_test\.ts:\d+:\d+\)$/);
  assertNotEquals(bugPlace(new TypeError("a")), places[0]);
  assertEquals(bugPlace("broken rule: x"), "broken rule: x");
});
