import { assertEquals } from "@std/assert";
import { onlyTags } from "../../static/lists.js";

function member(id: string, status: string, ...tags: string[]) {
  return { id, status, tags };
}

Deno.test("onlyTags() are those that no other member that runs has", () => {
  const members = [
    member("n1", "live", "role=web", "zone=a"),
    member("n2", "failing", "role=web", "zone=b"),
    member("n3", "dead", "role=db", "zone=a"),
    member("n4", "live", "role=db"),
  ];
  assertEquals(onlyTags("n1", members), ["zone=a"]);
  assertEquals(onlyTags("n2", members), ["zone=b"]);
  assertEquals(onlyTags("n4", members), ["role=db"]);
  assertEquals(onlyTags("n9", members), []);
});
