import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Gossip } from "../../lib/gossip.ts";
import { createLog } from "../../lib/log.ts";
import { Past, type PastChange } from "../../lib/report/past.ts";
import { Reports } from "../../lib/report/reports.ts";
import { ToldLog } from "../../lib/report/told_log.ts";
import { STREAMS_MAX } from "../../lib/report/events.ts";
import { SPANS } from "../../lib/report/spans.ts";
import { STRIP_SAMPLES, STRIP_STEP_MS } from "../../lib/report/strips.ts";

const WALL_MS = Date.parse("2026-01-12T12:00:00.000Z");

/** The reports of a node that joins nobody, and remembers n2 from a former life, which ended a quarter of an hour ago. */
class Desk {
  nowMs = 0;
  cutOffMs = 0;
  readonly lines: string[] = [];
  readonly remembered: Omit<PastChange, "atMs" | "by">[] = [];
  readonly gossip: Gossip;
  readonly reports: Reports;

  constructor(level: "debug" | "info" = "info") {
    const own = { id: "n1", address: "n1:1", boot: "00000001" };
    const pace = { intervalMs: 1_000, deadAfterMs: 5_000 };
    this.gossip = new Gossip({ ...own, ...pace, seeds: [], random: () => 0.5 }, this.now());
    const n2 = { id: "n2", address: "n2:1", boot: "00000002", heartbeat: WALL_MS - 900_000 };
    this.gossip.replica.former.add({ ...n2, beforeMs: 900_000 });
    this.reports = new Reports({
      ...own,
      ...pace,
      gossip: this.gossip,
      now: () => this.now(),
      past: new Past(),
      toldLog: new ToldLog(),
      cluster: "default",
      keyed: false,
      tls: false,
      version: "1.2.3",
      traffic: { bytesIn: 0, bytesOut: 0 },
      cutOffMs: () => this.cutOffMs,
      refresh: () => {},
      remember: (change) => this.remembered.push(change),
      log: createLog((line) => this.lines.push(line), {
        now: () => new Date(this.now().wallMs),
        format: "text",
        level,
      }),
    });
  }

  now() {
    return { monotonicMs: this.nowMs, wallMs: WALL_MS + this.nowMs };
  }

  pass(ms: number): void {
    for (const endMs = this.nowMs + ms; this.nowMs < endMs; this.nowMs += 500) {
      for (const effect of this.gossip.wake(this.now()).effects) {
        if (effect.kind === "change") this.reports.changed(effect.change);
      }
      this.reports.round(0);
    }
  }
}

Deno.test("a death is told with the time since the last heartbeat, also of one that a former life heard", () => {
  const desk = new Desk();
  desk.pass(8_000);
  const [line = ""] = desk.lines.filter((line) => line.includes("peer is dead"));
  assertMatch(line, /n2 \(n2:1\), last heard 90[5-8]\.\d s ago: no heartbeat since this node/);
});

Deno.test("each change, and that a member was dropped, is remembered with what it was before", () => {
  const desk = new Desk();
  desk.pass(8_000);
  desk.reports.forgot({ id: "n2", reason: "by request" });
  desk.reports.forgot({ id: "never", reason: "by request" });
  assertEquals(desk.remembered.map(({ id, from, to }) => `${id} ${from} ${to}`), [
    "n1 null live",
    "n2 null dead",
    "n2 dead forgotten",
    "never null forgotten",
  ]);
  assert(desk.lines.at(-2)!.includes("forgot n2: by request"));
});

Deno.test("page() has strips of the last ten minutes, or of the span that is asked for", () => {
  const desk = new Desk();
  desk.pass(60_000);
  const page = desk.reports.page();
  assertEquals(page.details(page.members[0]!.id).strip.stepMs, STRIP_STEP_MS);
  assertEquals(page.fromMs % STRIP_STEP_MS, 0);
  assert(Math.abs(desk.now().wallMs - page.fromMs - STRIP_SAMPLES * STRIP_STEP_MS) < STRIP_STEP_MS);
  assertEquals(desk.reports.page("1h").fromMs, desk.now().wallMs - SPANS["1h"]);
  assertEquals(page.self.upMs, 60_000);
});

Deno.test("a round looks whether the node is cut off, and all reports say so", async () => {
  const desk = new Desk();
  const told = async () => [
    desk.reports.members().cutOff,
    desk.reports.page().cutOff,
    (await desk.reports.metrics()).includes("\ngossiper_cut_off 1\n"),
  ];
  desk.pass(1_000);
  assertEquals(await told(), [false, false, false]);
  desk.cutOffMs = 10_000;
  desk.pass(1_000);
  assertEquals(await told(), [true, true, true]);
  desk.cutOffMs = 0;
  desk.pass(1_000);
  assertEquals(await told(), [false, false, false]);
});

Deno.test("event streams beyond their bound are refused, and counted", async () => {
  const desk = new Desk();
  const refused = 'gossiper_limit_hits_total{limit="streams"}';
  const streams = Array.from({ length: STREAMS_MAX }, () => desk.reports.events(undefined));
  assert(streams.every((stream) => stream !== undefined));
  assertStringIncludes(await desk.reports.metrics(), `${refused} 0\n`);
  assertEquals(desk.reports.events(undefined), undefined);
  assertStringIncludes(await desk.reports.metrics(), `${refused} 1\n`);
  for (const stream of streams) await stream!.cancel();
});

Deno.test("with -log-level debug every call of this node is a line, by default none", () => {
  for (const level of ["debug", "info"] as const) {
    const desk = new Desk(level);
    desk.reports.exchanged({ to: "n2:1", outcome: "answered", tookMs: 1.26 });
    const calls = desk.lines.filter((line) => line.includes("called"));
    assertEquals(calls.length, level === "debug" ? 1 : 0);
    if (level === "debug") assertMatch(calls[0]!, /called n2:1: answered in 1\.3 ms$/);
  }
});
