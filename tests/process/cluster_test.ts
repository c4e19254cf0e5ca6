/** `-cluster NAME`: two clusters never merge by accident. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { eventually } from "../support/eventually.ts";
import { eventuallyShow, startNode, statuses } from "../support/nodes.ts";
import { GoPeer } from "../support/go_peer.ts";

Deno.test("nodes of one cluster name find each other", async () => {
  await using n1 = startNode("n1", "-cluster prod");
  await using n2 = startNode("n2", `-cluster prod -join ${n1.address}`);
  await eventuallyShow([n1, n2], { n1: "live", n2: "live" });
});

Deno.test("a node of another cluster is refused, and both ends say so once", async () => {
  await using n1 = startNode("n1", "-cluster prod");
  await using n2 = startNode("n2", `-cluster test -join ${n1.address}`);
  await using n3 = startNode("n3", `-join ${n1.address}`);
  const count = (lines: readonly string[], text: string) =>
    lines.filter((line) => line.includes(text)).length;
  await eventually(() => {
    assertEquals(count(n1.lines, "it belongs to cluster 'test', this node to 'prod'"), 1);
    assertEquals(count(n1.lines, "it belongs to cluster 'default', this node to 'prod'"), 1);
    assertEquals(count(n2.lines, "it belongs to another cluster than 'test'"), 1);
    assertEquals(count(n3.lines, "it belongs to another cluster than 'default'"), 1);
  });
  const answer = await fetch(`http://${n1.address}/hello?from=x&via=x:1&cluster=test`);
  assertEquals(answer.status, 409);
  assertEquals(
    await answer.text(),
    "This node belongs to cluster 'prod', not 'test': see -cluster\n",
  );
  assertEquals(await statuses(n1), { n1: "live" });
  assertEquals(await statuses(n2), { n2: "live" });
  assertEquals(await statuses(n3), { n3: "live" });
});

Deno.test("a cluster's name that cannot be one is refused", async () => {
  await using n1 = startNode("n1");
  const answer = await fetch(`http://${n1.address}/hello?from=x&via=x:1&cluster=%3Cb%3E`);
  assertEquals(answer.status, 400);
  assertStringIncludes(await answer.text(), "cluster");
});

Deno.test("Go nodes belong to the default cluster, and to no other", async () => {
  await using go = new GoPeer("go1");
  await using n1 = startNode("n1", `-join ${go.address}`);
  await eventuallyShow([n1], { n1: "live", go1: "live" });
  await using other = startNode("n2", `-cluster prod -join ${go.address}`);
  await eventually(() => {
    assertEquals(
      other.lines.some((line) => line.includes("belongs to another cluster than 'prod'")),
      true,
    );
    assertEquals(
      other.lines.some((line) => line.includes("it belongs to cluster 'default'")),
      true,
    );
  });
  assertEquals(await statuses(other), { n2: "live" });
});
