import { assertEquals } from "@std/assert";
import { Gossip } from "../../lib/gossip.ts";
import { memberViews, storyView, tableText } from "../../lib/report/members.ts";
import { Stories } from "../../lib/report/stories.ts";
import { ToldLog } from "../../lib/report/told_log.ts";

/** A node that has run alone for 8 s, told its changes to its stories, and remembers n2 from a former life. */
function aged() {
  const stories = new Stories();
  const gossip = new Gossip({
    id: "n1",
    address: "n1:1",
    boot: "00000001",
    seeds: [],
    intervalMs: 1_000,
    deadAfterMs: 5_000,
    random: () => 0.5,
  }, { monotonicMs: 0, wallMs: 1_000_000 });
  const member = { id: "n2", address: "n2:1", boot: "00000002", heartbeat: 100_000 };
  gossip.replica.former.add({ ...member, beforeMs: 900_000 });
  gossip.replica.bury("n3", "n1", 0);
  for (let monotonicMs = 0; monotonicMs <= 8_000; monotonicMs += 500) {
    const now = { monotonicMs, wallMs: 1_000_000 + monotonicMs };
    for (const effect of gossip.wake(now).effects) {
      if (effect.kind === "change") stories.record(effect.change, now.wallMs);
    }
  }
  return { gossip, stories, toldLog: new ToldLog(), wallMs: 1_008_000 };
}

Deno.test("memberViews() gives each member the reason for its status and since when it has it", () => {
  const sources = aged();
  const views = memberViews(sources);
  assertEquals(views.map(({ id, status, reason, since }) => [id, status, reason, since]), [
    ["n1", "live", "started", "1970-01-01T00:16:40.000Z"],
    ["n2", "dead", "no heartbeat since this node started", "1970-01-01T00:16:47.000Z"],
    ["n3", "decommissioned", "decommissioned by request to n1", "1970-01-01T00:16:40.000Z"],
  ]);
  const uptime = { day: 50, month: null, knownMs: 0 };
  const { history, ...n2 } = storyView(sources, "n2", uptime)!;
  assertEquals([n2, history.length], [{ ...views[1]!, uptime, told: [] }, 1]);
  assertEquals(storyView(sources, "n3", uptime)?.status, "decommissioned");
  assertEquals(storyView(sources, "n4", uptime), undefined);
});

Deno.test("memberViews() adds the time before this process to the age of a member of a former life", () => {
  const n2 = memberViews(aged(), { statuses: new Set(["dead"]) })[0];
  assertEquals([n2?.lastHeartbeat, n2?.ageMs], ["1970-01-01T00:01:40.000Z", 908_000]);
});

Deno.test("memberViews() shows a heartbeat of a clock that was years ahead by this node's clock, and others as they were made", () => {
  const sources = aged();
  const { gossip, wallMs } = sources;
  const shown = (aheadMs: number) => {
    const id = `ahead${aheadMs}`;
    const report = { id, address: "", boot: "00000003", left: "" };
    const heartbeat = wallMs - 2_000 + aheadMs;
    gossip.replica.table.merge({ ...report, heartbeat, ageMs: 2_000 }, gossip.nowMs);
    const { lastHeartbeat } = memberViews(sources).find((member) => member.id === id)!;
    return Date.parse(lastHeartbeat!) - (wallMs - 2_000);
  };
  for (const aheadMs of [-60_000, 0, 3_600_000, 24 * 3_600_000]) {
    assertEquals(shown(aheadMs), aheadMs);
  }
  assertEquals(shown(100 * 365 * 24 * 3_600_000), 0);
});

Deno.test("tableText() aligns the members under a heading, with the reason last", () => {
  const member = {
    id: "n1",
    address: "host:8080",
    lastHeartbeat: null,
    since: null,
    reason: null,
    remark: null,
    tags: {},
    ports: {},
  };
  assertEquals(
    tableText([
      { ...member, status: "live", ageMs: 300, reason: "started" },
      {
        ...member,
        id: "long.name-2",
        status: "decommissioned",
        ageMs: 120_000,
        reason: "no heartbeat",
      },
      { ...member, id: "x", address: "", status: "unknown", ageMs: null },
    ]),
    `\
ID           STATUS          HEARD      ADDRESS    WHY
n1           live            0.3 s ago  host:8080  started
long.name-2  decommissioned  2 min ago  host:8080  no heartbeat
x            unknown         never      -
`,
  );
});

Deno.test("tableText() has a column of tags where any member has one, and '-' for who has none", () => {
  const member = {
    address: "host:8080",
    ageMs: 300,
    lastHeartbeat: null,
    since: null,
    status: "live" as const,
    reason: "started",
    remark: null,
    tags: {},
    ports: {},
  };
  assertEquals(
    tableText([{ ...member, id: "n1", tags: { role: "web" } }, { ...member, id: "n2" }]),
    `\
ID  STATUS  HEARD      ADDRESS    TAGS      WHY
n1  live    0.3 s ago  host:8080  role=web  started
n2  live    0.3 s ago  host:8080  -         started
`,
  );
});

Deno.test("tableText() of no members is the heading", () => {
  assertEquals(tableText([]), "ID  STATUS  HEARD  ADDRESS  WHY\n");
});

Deno.test("memberViews() gives those that are wanted: of some statuses, with some tags, after an ID, so many", () => {
  const sources = aged();
  const ids = (wanted: Parameters<typeof memberViews>[1]) =>
    memberViews(sources, wanted).map(({ id }) => id);
  assertEquals(ids({ statuses: new Set(["live"]) }), ["n1"]);
  assertEquals(ids({ statuses: new Set(["decommissioned"]) }), ["n3"]);
  assertEquals(ids({ statuses: new Set(["dead", "decommissioned"]) }), ["n2", "n3"]);
  assertEquals(ids({ tags: { role: "web" } }), []);
  assertEquals([ids({ after: "n1" }), ids({ after: "n3" })], [["n2", "n3"], []]);
  assertEquals([ids({ limit: 2 }), ids({ after: "n1", limit: 1 })], [["n1", "n2"], ["n2"]]);
});
