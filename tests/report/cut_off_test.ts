import { assertEquals } from "@std/assert";
import type { Log } from "../../lib/log.ts";
import { CutOffReport } from "../../lib/report/cut_off.ts";
import type { StatusChange } from "../../lib/verdicts.ts";

const WALL_MS = Date.parse("2026-01-12T12:03:20.000Z");

function watched() {
  const lines: string[] = [];
  const state = { unheardMs: 0 };
  const log = { notice: (level: string, text: string) => lines.push(`${level}: ${text}`) };
  const cutOff = new CutOffReport({
    cutOffMs: () => state.unheardMs,
    now: () => ({ monotonicMs: 0, wallMs: WALL_MS }),
    log: log as unknown as Log,
  });
  return { lines, state, cutOff };
}

const DEATH: StatusChange = {
  id: "n1",
  address: "n1:80",
  from: "live",
  to: "dead",
  ageMs: 5_000,
  reason: "no heartbeat for 5.0 s",
};

Deno.test("a node says once since when it hears nobody, and once that it hears others again", () => {
  const { lines, state, cutOff } = watched();
  cutOff.look();
  assertEquals([cutOff.holds, lines], [false, []]);
  state.unheardMs = 10_000;
  for (let i = 0; i < 3; i++) cutOff.look();
  assertEquals([cutOff.holds, lines], [true, [
    "warn: hears nobody since 12:03:10 UTC: this node is cut off, or all others are down",
  ]]);
  state.unheardMs = 0;
  for (let i = 0; i < 3; i++) cutOff.look();
  assertEquals([cutOff.holds, lines[1]], [false, "info: this node hears others again"]);
});

Deno.test("while it hears nobody, the reason of a death is that", () => {
  const { state, cutOff } = watched();
  assertEquals(cutOff.explain(DEATH), DEATH);
  state.unheardMs = 6_000;
  assertEquals(cutOff.explain(DEATH).reason, "unheard since this node hears nobody");
  const back = { ...DEATH, from: "dead", to: "live" } as const;
  assertEquals(cutOff.explain(back), back);
});
