import { assertEquals, assertNotEquals } from "@std/assert";
import { Gossip } from "../../lib/gossip.ts";
import { keptLog } from "../support/logs.ts";
import { Flapping, flappingChanges } from "../../lib/report/flapping.ts";
import { Past } from "../../lib/report/past.ts";
import { ToldLog } from "../../lib/report/told_log.ts";
import { Reports } from "../../lib/report/reports.ts";
import type { KeptChange } from "../../lib/report/stories.ts";

const MINUTE_MS = 60_000;

const { log: silent } = keptLog();

function changes(id: string, atMinutes: number[]): KeptChange[] {
  return atMinutes.map((minute, event) => ({
    id,
    address: "",
    from: "live",
    to: "dead",
    reason: "",
    event,
    atMs: minute * MINUTE_MS,
  }));
}

Deno.test("Flapping counts those that flap, each until it has been quiet for ten minutes", () => {
  const flapping = new Flapping();
  flapping.changed(changes("calm", [1, 2, 3, 4]));
  assertEquals(flapping.count(4 * MINUTE_MS), 0);
  flapping.changed(changes("a", [1, 2, 3, 4, 5]));
  flapping.changed(changes("b", [4, 5, 6, 7, 8]));
  assertEquals([8, 14.9, 15, 17.9, 18].map((minute) => flapping.count(minute * MINUTE_MS)), [
    ...[2, 2, 1, 1, 0],
  ]);
});

Deno.test("once the clock was set back, what was dated ahead is no flapping, and what flaps then is", () => {
  const flapping = new Flapping();
  const ahead = [121, 122, 123, 124, 125];
  flapping.changed(changes("a", ahead));
  assertEquals([flapping.count(125 * MINUTE_MS), flapping.count(6 * MINUTE_MS)], [1, 0]);
  assertEquals(flappingChanges(changes("a", ahead), 6 * MINUTE_MS), 0);
  flapping.changed(changes("a", [...ahead, 7]));
  assertEquals(flapping.count(7 * MINUTE_MS), 0);
  flapping.changed(changes("a", [...ahead, 7, 8, 9, 10, 11]));
  assertEquals(flapping.count(11 * MINUTE_MS), 1);
});

Deno.test("the version changes when a member stops flapping, though nothing else does: else ETags would hide it", () => {
  let nowMs = 0;
  const now = () => ({ monotonicMs: nowMs, wallMs: nowMs });
  const brain = { id: "n1", address: "n1:1", boot: "00000001", intervalMs: 1_000 };
  const cluster = {
    cluster: "default",
    keyed: false,
    tls: false,
    version: "1",
    deadAfterMs: 5_000,
  };
  const reports = new Reports({
    ...brain,
    ...cluster,
    now,
    log: silent,
    gossip: new Gossip({ ...brain, deadAfterMs: 5_000, seeds: [], random: () => 0.5 }, now()),
    traffic: { bytesIn: 0, bytesOut: 0 },
    cutOffMs: () => 0,
    refresh: () => {},
    past: new Past(),
    toldLog: new ToldLog(),
    remember: () => {},
  });
  for (const to of ["dead", "live", "dead", "live", "dead"] as const) {
    nowMs += MINUTE_MS;
    const from = to === "dead" ? "live" : "dead";
    reports.changed({ id: "n2", address: "", from, to, reason: "", ageMs: 0 });
  }
  const flapping = reports.version();
  nowMs += 9 * MINUTE_MS;
  assertEquals(reports.version(), flapping);
  nowMs += MINUTE_MS;
  const quiet = reports.version();
  assertNotEquals(quiet, flapping);
  nowMs += MINUTE_MS;
  assertEquals(reports.version(), quiet);
});
