import { assertEquals, assertNotEquals } from "@std/assert";
import { Gossip } from "../../lib/gossip.ts";
import { quietLine, quietRemark, quietVersion, quietViews } from "../../lib/report/quiet.ts";
import { kindsIn } from "../../lib/report/remarks.ts";

const NOON_MS = Date.UTC(2026, 0, 12, 12);

function asked(...wishes: { pattern: string; forMs: number; why: string }[]): Gossip {
  const now = { monotonicMs: 0, wallMs: NOON_MS };
  const self = { id: "n1", address: "n1:1", boot: "00000001", seeds: [], random: () => 0.5 };
  const gossip = new Gossip({ ...self, intervalMs: 1_000, deadAfterMs: 5_000 }, now);
  for (const wish of wishes) gossip.quiet(now, { ...wish, by: "n1" });
  return gossip;
}

const WEB = { pattern: "web*", forMs: 7_200_000, why: "deploy" };

Deno.test("quietViews() tells whom hooks say nothing of, until when, why, and who was asked", () => {
  const until = "2026-01-12T14:00:00Z";
  assertEquals(quietViews(asked(WEB), NOON_MS), [{ id: "web*", until, why: "deploy", by: "n1" }]);
  // A little later on this node's clock the end is still the same one.
  assertEquals(quietViews(asked(WEB), NOON_MS + 300)[0]!.until, until);
  assertEquals(quietViews(asked(), NOON_MS), []);
  assertEquals(quietViews(asked(WEB, { ...WEB, forMs: 0 }), NOON_MS), []);
});

Deno.test("a quiet ends when it was said to, also on a node that slept, or always ran late", () => {
  const gossip = asked(WEB);
  let atMs = 0;
  const wake = () => gossip.wake({ monotonicMs: atMs, wallMs: NOON_MS + atMs });
  const end = () => quietViews(gossip, NOON_MS + atMs)[0]?.until;
  for (let round = 0; round < 600; round++) {
    // Later than it had asked to, by ever more.
    atMs = gossip.nextWakeMs + round;
    wake();
  }
  assertEquals(end(), "2026-01-12T14:00:00Z");
  atMs += 1_800_000;
  wake();
  assertEquals(end(), "2026-01-12T14:00:00Z");
  atMs = WEB.forMs;
  wake();
  assertEquals(end(), undefined);
});

Deno.test("quietRemark() is of the members that a pattern covers, and is a remark of one kind", () => {
  const remark = quietRemark(asked(WEB), "web7", NOON_MS)!;
  assertEquals(remark, "quiet: no hook tells of it until 14:00:00 UTC, deploy");
  assertEquals(kindsIn(remark), ["quiet"]);
  assertEquals(
    quietRemark(asked({ ...WEB, why: "" }), "web7", NOON_MS)!.slice(-12),
    "14:00:00 UTC",
  );
  assertEquals(quietRemark(asked(WEB), "db7", NOON_MS), undefined);
  const sly = quietRemark(asked({ ...WEB, why: "a; dead: b" }), "web7", NOON_MS)!;
  assertEquals(kindsIn(sly), ["quiet"], "nobody's words make another remark");
});

Deno.test("quietLine() names three, and tells how many more there are", () => {
  const view = (id: string, why = "") => ({ id, why, until: "2026-01-12T14:00:00Z", by: "n1" });
  const now = "2026-01-12T12:00:00.000Z";
  assertEquals(quietLine([], now), "");
  assertEquals(
    quietLine([view("web*", "deploy")], now),
    "No hook tells of web* until 14:00:00 UTC (deploy, asked of n1)",
  );
  const line = quietLine(["a", "b", "c", "d", "e"].map((id) => view(id)), now);
  assertEquals(line.endsWith("c until 14:00:00 UTC (asked of n1); and of 2 more"), true, line);
});

Deno.test("quietVersion() changes with whom hooks say nothing of, and until when", () => {
  const version = quietVersion(asked(WEB));
  assertEquals(quietVersion(asked(WEB)), version);
  assertNotEquals(quietVersion(asked()), version);
  assertNotEquals(quietVersion(asked({ ...WEB, forMs: 3_600_000 })), version);
  assertEquals(quietVersion(asked()), "");
});
