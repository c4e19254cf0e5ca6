import { assertEquals } from "@std/assert";
import { targetGroups } from "../../lib/report/targets.ts";

const MEMBERS = [
  { id: "n1", address: "n1:8080", tags: {} },
  { id: "n2", address: "", tags: {} },
];

Deno.test("targetGroups() gives each member with an address a group of its own", () => {
  assertEquals(targetGroups(MEMBERS, { cluster: "prod", tls: false }), [{
    targets: ["n1:8080"],
    labels: { __meta_gossiper_id: "n1", __meta_gossiper_cluster: "prod" },
  }]);
});

Deno.test("targetGroups() tells Prometheus to scrape by HTTPS where nodes speak it", () => {
  const [group] = targetGroups(MEMBERS, { cluster: "prod", tls: true });
  assertEquals(group?.labels["__scheme__"], "https");
});

Deno.test("targetGroups() tells each member's tags, for relabelling, by names that Prometheus takes", () => {
  const member = { id: "n1", address: "n1:8080", tags: { role: "web", "a-b": "1" } };
  const [group] = targetGroups([member], { cluster: "prod", tls: false });
  assertEquals(group?.labels["__meta_gossiper_tag_role"], "web");
  assertEquals(group?.labels["__meta_gossiper_tag_a_b"], "1");
});
