import { assertEquals } from "@std/assert";
import { targetGroups } from "../../lib/report/targets.ts";

const MEMBER = { status: "live", lastHeartbeat: null, ageMs: 0 } as const;
const MEMBERS = [
  { ...MEMBER, id: "n1", address: "n1:8080" },
  { ...MEMBER, id: "n2", address: "" },
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
