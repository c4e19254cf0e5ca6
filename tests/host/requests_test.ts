/** What users ask of a node, as it is answered whatever the time is. */
import { assertEquals } from "@std/assert";
import { Gossip } from "../../lib/gossip.ts";
import { Requests } from "../../lib/host/requests.ts";
import { QUIET_MAX_MS } from "../../lib/quiets.ts";
import { quietViews } from "../../lib/report/quiet.ts";

const NOON_MS = Date.UTC(2026, 0, 12, 12);

/** A node's requests at a time, and the ends of its quiets as a look at another time tells them. */
function openAt(wallMs: number) {
  const now = { monotonicMs: 0, wallMs };
  const self = { id: "n1", address: "n1:1", boot: "00000001", seeds: [], random: () => 0.5 };
  const gossip = new Gossip({ ...self, intervalMs: 1_000, deadAfterMs: 5_000 }, now);
  const requests = new Requests({
    id: "n1",
    enter: (entry) => entry(gossip, now),
    statusOf: () => undefined,
    state: undefined,
    teller: undefined,
    wallMs: () => wallMs,
  });
  return { requests, endsAt: (lookMs: number) => quietViews(gossip, lookMs).map((q) => q.until) };
}

Deno.test("a quiet ends at one second for all who look, whatever part of a second it was asked at", () => {
  for (const forMs of [1_000, 7_200_000, QUIET_MAX_MS]) {
    for (const partMs of [0, 250, 499, 500, 750, 999]) {
      const wallMs = NOON_MS + partMs;
      const { requests, endsAt } = openAt(wallMs);
      const { status, text } = requests.quiet({ pattern: "web*", forMs, why: "" });
      const end = text.replace(/^.* until (\S+) (\S+) UTC$/, "$1T$2Z");
      assertEquals(status, 200, text);
      // The clocks of two nodes, or of one at two looks, are some tenths of a second apart.
      for (const aheadMs of [-400, 0, 400]) assertEquals(endsAt(wallMs + aheadMs), [end]);
    }
  }
});

Deno.test("a quiet of less than a second is one, and one of none ends it", () => {
  const { requests, endsAt } = openAt(NOON_MS);
  requests.quiet({ pattern: "web*", forMs: 300, why: "" });
  assertEquals(endsAt(NOON_MS).length, 1);
  requests.quiet({ pattern: "web*", forMs: 0, why: "" });
  assertEquals(endsAt(NOON_MS), []);
});
