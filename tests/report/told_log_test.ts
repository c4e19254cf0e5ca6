import { assertEquals } from "@std/assert";
import { hookFamilies } from "../../lib/report/hook_metrics.ts";
import { metricsText } from "../../lib/report/prometheus.ts";
import { TELLINGS_MAX, TOLD_MEMBERS_MAX, ToldLog } from "../../lib/report/told_log.ts";
import type { Told } from "../../lib/told.ts";
import { toldWords } from "../../static/words.js";

function told(id: string, part: { ageMs?: number; result?: string } = {}): Told {
  return {
    hook: "pager",
    id,
    boot: "00000001",
    to: "dead",
    heartbeat: 1,
    step: 0,
    by: "n7",
    ageMs: 0,
    together: 1,
    result: "200",
    ...part,
  };
}

Deno.test("ToldLog keeps by whom a hook was told of a member, when, and what came of it", () => {
  const toldLog = new ToldLog();
  toldLog.record(told("n5", { ageMs: 5_000 }), Date.UTC(2026, 0, 12, 12, 3, 16));
  const [first] = toldLog.of("n5");
  const at = "2026-01-12T12:03:11.000Z";
  assertEquals(first, { hook: "pager", to: "dead", by: "n7", at, result: "200" });
  assertEquals(toldWords(first!, "12:03:11 UTC"), "told pager by n7 at 12:03:11 UTC (200)");
  assertEquals(toldWords({ ...first!, result: "" }, "noon"), "told pager by n7 at noon");
  assertEquals(toldLog.of("n6"), []);
});

Deno.test("ToldLog is bounded, per member and in members", () => {
  const toldLog = new ToldLog();
  for (let i = 0; i < TELLINGS_MAX + 1; i++) toldLog.record(told("n1", { result: `${i}` }), 0);
  assertEquals(toldLog.of("n1").map(({ result }) => result).slice(0, 1), ["1"]);
  assertEquals(toldLog.of("n1").length, TELLINGS_MAX);
  for (let i = 0; i < TOLD_MEMBERS_MAX; i++) toldLog.record(told(`m${i}`), 0);
  assertEquals([toldLog.of("n1").length, toldLog.of("m0").length], [0, 1]);
});

Deno.test("hookFamilies() counts by hook, and has nothing without one", () => {
  assertEquals(hookFamilies(new Map()), []);
  const counts = { told: 3, failed: 1, pending: 2, oldestPendingMs: 1_500 };
  const text = metricsText(hookFamilies(new Map([["pager", counts]])));
  assertEquals(text.split("\n").filter((line) => line !== "" && !line.startsWith("#")), [
    'gossiper_hook_told_total{hook="pager"} 3',
    'gossiper_hook_failed_total{hook="pager"} 1',
    'gossiper_hook_pending{hook="pager"} 2',
    'gossiper_hook_oldest_pending_seconds{hook="pager"} 1.5',
  ]);
});
