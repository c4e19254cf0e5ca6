import { assertEquals } from "@std/assert";
import { tableText } from "../../lib/report/members.ts";

Deno.test("tableText() aligns the members under a heading, with the reason last", () => {
  const member = { id: "n1", address: "host:8080", lastHeartbeat: null };
  const reasons: Record<string, string> = { "n1": "started", "long.name-2": "no heartbeat" };
  assertEquals(
    tableText([
      { ...member, status: "live", ageMs: 300 },
      { ...member, id: "long.name-2", status: "decommissioned", ageMs: 120_000 },
      { ...member, id: "x", address: "", status: "unknown", ageMs: null },
    ], (id) => reasons[id] ?? ""),
    `\
ID           STATUS          HEARD      ADDRESS    WHY
n1           live            0.3 s ago  host:8080  started
long.name-2  decommissioned  2 min ago  host:8080  no heartbeat
x            unknown         never      -
`,
  );
});

Deno.test("tableText() of no members is the heading", () => {
  assertEquals(tableText([], () => ""), "ID  STATUS  HEARD  ADDRESS  WHY\n");
});
