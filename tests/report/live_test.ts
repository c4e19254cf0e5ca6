import { assertEquals, assertNotEquals } from "@std/assert";
import { etagOf, liveText } from "../../lib/report/live.ts";
import type { ListedMember } from "../../lib/report/members.ts";
import { type Status, STATUSES } from "../../lib/table.ts";

function member(id: string, more: Partial<ListedMember> = {}): ListedMember {
  const heard = { lastHeartbeat: null, ageMs: 0, reason: null, since: null, remark: null };
  return { id, address: `${id}:8080`, status: "live", ...heard, tags: {}, ports: {}, ...more };
}

function addresses(members: ListedMember[], port?: string): string {
  return liveText(members, port).trimEnd().replaceAll("\n", " ");
}

Deno.test("liveText() has who is live, sorted, one address a line", () => {
  assertEquals(liveText([member("n2"), member("n1")], undefined), "n1:8080\nn2:8080\n");
  const statuses = STATUSES.map((status: Status) => member(status, { status }));
  assertEquals(addresses(statuses), "live:8080");
  assertEquals(liveText([member("n1", { address: "" })], undefined), "");
});

Deno.test("liveText() leaves out who is slow or was not checked yet, and no one else with a remark", () => {
  const remarks = [
    "slow: its rounds come 4.2 s apart",
    "not checked yet",
    "warning: slow disk; flapping: 6 changes in 10 min",
    "warning: x; slow: its rounds come 4.2 s apart",
  ];
  assertEquals(addresses(remarks.map((remark, i) => member(`n${i}`, { remark }))), "n2:8080");
});

Deno.test("liveText() of a service has its port, at the members that have it", () => {
  const members = [
    member("n1", { ports: { web: 3_000, pg: 5_432 } }),
    member("n2", { ports: { pg: 5_433 } }),
    member("n3", { address: "[fd00::1]:8080", ports: { web: 3_001 } }),
  ];
  assertEquals(addresses(members, "web"), "[fd00::1]:3001 n1:3000");
  assertEquals(addresses(members, "smtp"), "");
  for (const port of ["constructor", "toString", "__proto__"]) {
    assertEquals(addresses(members, port), "", port);
  }
});

Deno.test("the ETag changes with the list, and with nothing else", () => {
  const etag = (...ids: string[]) => etagOf(liveText(ids.map((id) => member(id)), undefined));
  assertEquals(etag("n1", "n2"), etag("n2", "n1"));
  assertNotEquals(etag("n1"), etag("n2"));
  assertNotEquals(etag("n1"), etag());
});
