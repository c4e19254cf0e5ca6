import { assertEquals } from "@std/assert";
import { onlyTags } from "../../lib/cli/bye.ts";
import type { ListedMember } from "../../lib/report/members.ts";
import type { Status } from "../../lib/table.ts";

function member(id: string, status: Status, tags: Record<string, string>): ListedMember {
  const heard = { lastHeartbeat: null, ageMs: 0, reason: null, since: null, remark: null };
  return { id, address: `${id}:80`, status, ...heard, tags, ports: {} };
}

Deno.test("onlyTags() are those that no other member that runs has", () => {
  const members = [
    member("n1", "live", { role: "web", zone: "a" }),
    member("n2", "failing", { role: "web", zone: "b" }),
    member("n3", "dead", { role: "db", zone: "a" }),
    member("n4", "live", { role: "db" }),
  ];
  assertEquals(onlyTags("n1", members), ["zone=a"]);
  assertEquals(onlyTags("n2", members), ["zone=b"]);
  assertEquals(onlyTags("n4", members), ["role=db"]);
  assertEquals(onlyTags("n9", members), []);
});
